/* How long who finds a lock taken looks away before he looks again.
 *
 * With race detection a critical section is longer, and what it uses besides the program's data (the lock's sync, shadow words, a clock) lies in lines of the
 * cache that come along at each change of hands: 1 to 2 us. So threads that do little else than lock and unlock the same lock should let it change hands
 * seldom: who waits looks away for longer each time, up to some hundreds of the holder's turns. A lock that is met taken now and then, between other work, is
 * looked at again after half a microsecond.
 *
 * A thread judges by its own turns: the lock itself has no room, and where two fight for one each of them finds it taken again after many short ones. */
#ifndef RACE_PATIENCE_H
#define RACE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

/* The calling thread has got a lock. */
extern _Thread_local uint32_t race_turns __attribute__((tls_model("initial-exec")));
static inline void race_turn_begins(void)
{
    race_turns++;
}

/* Looks away once; `first`: the calling thread has just found the lock taken. May yield the processor. Any thread; touches no lock. */
void race_look_away(const volatile void *lock, bool first);

/* For so many ticks of the processor's clock. Without a look at the lock meanwhile: that would take its line from the holder. */
static inline void race_wait_ticks(uint64_t ticks)
{
    for (uint64_t from = __builtin_ia32_rdtsc(); __builtin_ia32_rdtsc() - from < ticks;)
        __builtin_ia32_pause();
}

#endif
