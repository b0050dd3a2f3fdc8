/* See race_patience.h. */
#include "race_patience.h"

#include <sched.h>

/* In ticks (some 0.4 ns): the first wait, from when on the thread gives its processor up between two, and the longest. A lock is fought for if a thread had
 * FEW turns or more since it found it taken the last time, and each, with what comes before the next, took no longer than a SHORT_TURN. */
enum { FIRST = 1500, LONG = 20000, LONGEST = 192000, SHORT_TURN = 1000, FEW = 4 };

_Thread_local uint32_t race_turns __attribute__((tls_model("initial-exec")));

void race_look_away(const volatile void *lock, bool first)
{
    static _Thread_local struct { const volatile void *lock; uint64_t when, ticks; uint32_t turns; } last __attribute__((tls_model("initial-exec")));
    if (first) {
        uint32_t turns = race_turns - last.turns;
        bool fought_for = last.lock == lock && turns >= FEW && __builtin_ia32_rdtsc() - last.when < (uint64_t)turns * SHORT_TURN;
        last.ticks = !fought_for ? FIRST : last.ticks < LONGEST ? last.ticks * 2 : LONGEST;
        last.lock = lock;
        last.turns = race_turns;
    } else if (last.ticks > LONG) {
        sched_yield();   /* the holder may have been taken off the processor */
    }
    race_wait_ticks(last.ticks);
    last.when = __builtin_ia32_rdtsc();
}
