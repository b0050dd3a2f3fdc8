/* Deferred signals. A signal handler that interrupts the detector at work can't be checked: what it does would be lost, an order with other threads included,
 * and then a report could be false. So the signal is put off until the thread enters the detector the next time (race_signal.c). It may be long until
 * then, so a timer of the kernel's sends the same signal to the same thread a little later, again and again, until it finds the thread outside of the
 * detector. As it is the kernel that sends it, the thread's mask, alternate stack and interrupted system calls are treated as ever.
 *
 * As for the kernel, a standard signal waits once, however often it is sent. Of the others all are queued; the timer is the oldest one's.
 *
 * What was deferred lies in a slot. A slot is its owner's, a thread, from the moment it claims it; only the owner reads and writes it, from signal
 * handlers that may interrupt each other: `armed` says that it is filled in (a signal fence orders the two; no other thread looks). The timer's value is an
 * address in the slot, by which its signal is known; which byte of the slot counts its uses, for a signal may still be on its way when its timer
 * is deleted.
 *
 * Nothing here calls malloc or takes a lock. */
#define _GNU_SOURCE
#include "race_deferred.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLOTS = 256, DELAY_NS = 16000, JITTER_NS = 16384, PATIENCE = 8 /* tries */, WAIT_STEP_NS = 50000, WAIT_STEPS = 400, NO_TIMER = -1 };
enum { HURRY_NS = 200000, KERNEL_SET_BYTES = 8 };

static struct slot {
    _Atomic(uint32_t) owner;     /* thread; 0: free */
    atomic_bool armed;
    atomic_int signal;           /* (others read it, to wait) */
    int timer;                   /* the kernel's number for it */
    uint32_t uses, tries;
    uint64_t order;
    siginfo_t info;
} slots[SLOTS];
static _Atomic(uint64_t) orders;
static atomic_uint used;         /* slots; so that what finds none doesn't look */

static uint32_t self(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

/* ---- a slot's timer ---- */

static void *value_of(struct slot *s)
{
    return (char *)s + s->uses % sizeof *s;
}

static struct slot *slot_of(const siginfo_t *info)
{
    uintptr_t at = (uintptr_t)info->si_value.sival_ptr - (uintptr_t)slots;
    return info->si_code == SI_TIMER && at < sizeof slots ? &slots[at / sizeof slots[0]] : NULL;
}

static bool set_timer_in(const struct slot *s, long ns)
{
    struct itimerspec in = {.it_value = {.tv_nsec = ns}};
    return syscall(SYS_timer_settime, s->timer, 0, &in, NULL) == 0;
}

/* Not the same delay always, or it could keep step with a loop of the program; and longer ones as it tries in vain. */
static bool set_timer(const struct slot *s)
{
    uint64_t mixed = (s->order + s->tries) * 0x9e3779b97f4a7c15u;
    return set_timer_in(s, DELAY_NS * (1 + s->tries / PATIENCE) + (long)((mixed >> 40) % JITTER_NS));
}

static void delete_timer(struct slot *s)
{
    if (s->timer != NO_TIMER)
        syscall(SYS_timer_delete, s->timer);
    s->timer = NO_TIMER;
}

/* False: there are too many of them (RLIMIT_SIGPENDING). */
static bool start_timer(struct slot *s, uint32_t me)
{
    struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = atomic_load_explicit(&s->signal, memory_order_relaxed),
                             .sigev_value.sival_ptr = value_of(s)};
    event._sigev_un._tid = (pid_t)me;
    if (syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &s->timer) != 0) {
        s->timer = NO_TIMER;
        return false;
    }
    bool runs = set_timer(s);
    if (!runs)
        delete_timer(s);
    return runs;
}

/* ---- slots ---- */

static struct slot *claim(uint32_t me)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        struct slot *s = &slots[(me + i) % SLOTS];
        uint32_t none = 0;
        if (atomic_load_explicit(&s->owner, memory_order_relaxed) == 0 &&
            atomic_compare_exchange_strong_explicit(&s->owner, &none, me, memory_order_acquire, memory_order_relaxed)) {
            atomic_fetch_add_explicit(&used, 1, memory_order_relaxed);
            return s;
        }
    }
    return NULL;
}

static void give_back(struct slot *s)
{
    delete_timer(s);
    s->uses++;
    atomic_store_explicit(&s->owner, 0, memory_order_release);   /* pairs with the next claim */
    atomic_fetch_sub_explicit(&used, 1, memory_order_relaxed);
}

static struct slot *oldest_of(uint32_t me, int from, int to, const sigset_t *blocked)
{
    struct slot *oldest = NULL;
    for (struct slot *s = slots; s < slots + SLOTS; s++) {
        if (atomic_load_explicit(&s->owner, memory_order_relaxed) != me || !atomic_load_explicit(&s->armed, memory_order_relaxed))
            continue;
        atomic_signal_fence(memory_order_seq_cst);
        int its = atomic_load_explicit(&s->signal, memory_order_relaxed);
        if (its >= from && its <= to && !(blocked && sigismember(blocked, its)) && (!oldest || s->order < oldest->order))
            oldest = s;
    }
    return oldest;
}

/* Its timer has run out and what it sent may not have come: the signal was ignored for a while. If it has, it comes once more. */
static void see_to_timer(struct slot *s, uint32_t me)
{
    struct itimerspec left;
    if (s->timer == NO_TIMER)
        start_timer(s, me);
    else if (syscall(SYS_timer_gettime, s->timer, &left) == 0 && left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0)
        set_timer(s);
}

static bool add(int signal, const siginfo_t *info)
{
    uint32_t me = self();
    struct slot *oldest = oldest_of(me, signal, signal, NULL);
    bool is_first = !oldest;
    if (oldest)
        see_to_timer(oldest, me);
    if (signal < KERNEL_RTMIN && !is_first)
        return true;
    struct slot *s = claim(me);
    if (!s)
        return false;
    atomic_store_explicit(&s->signal, signal, memory_order_relaxed);
    s->info = *info;
    s->tries = 1;
    s->timer = NO_TIMER;
    s->order = atomic_fetch_add_explicit(&orders, 1, memory_order_relaxed);
    if (is_first && !start_timer(s, me)) {
        give_back(s);
        return false;
    }
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&s->armed, true, memory_order_relaxed);
    return true;
}

bool deferred_add(int s, const siginfo_t *info)
{
    int saved = errno;
    bool added = add(s, info);
    errno = saved;
    return added;
}

enum deferred_kind deferred_is(const siginfo_t *info)
{
    struct slot *s = slot_of(info);
    if (!s)
        return DEFERRED_NOT;
    bool is_live = atomic_load_explicit(&s->owner, memory_order_relaxed) == self() && atomic_load_explicit(&s->armed, memory_order_relaxed) &&
                   value_of(s) == info->si_value.sival_ptr;
    return is_live ? DEFERRED_AGAIN : DEFERRED_STALE;
}

bool deferred_again(const siginfo_t *info, unsigned tries)
{
    struct slot *s = slot_of(info);
    int saved = errno;
    bool again = s->tries++ < tries && set_timer(s);
    errno = saved;
    return again;
}

/* False: a handler that interrupted us took it. */
static bool take(struct slot *s, uint32_t me, siginfo_t *info)
{
    if (!atomic_exchange_explicit(&s->armed, false, memory_order_relaxed))
        return false;
    *info = s->info;
    int signal = atomic_load_explicit(&s->signal, memory_order_relaxed);
    bool had_timer = s->timer != NO_TIMER;
    give_back(s);
    struct slot *next = had_timer && signal >= KERNEL_RTMIN ? oldest_of(me, signal, signal, NULL) : NULL;
    if (next)   /* else, or where it gets none, the next one of its signal brings it along */
        start_timer(next, me);
    return true;
}

bool deferred_take(const siginfo_t *again, siginfo_t *info)
{
    int saved = errno;
    bool taken = take(slot_of(again), self(), info);
    errno = saved;
    return taken;
}

bool deferred_any(void)
{
    return atomic_load_explicit(&used, memory_order_relaxed) != 0;
}

int deferred_oldest(int from, int to, const sigset_t *blocked)
{
    int saved = errno;
    struct slot *s = deferred_any() ? oldest_of(self(), from, to, blocked) : NULL;
    errno = saved;
    return s ? atomic_load_explicit(&s->signal, memory_order_relaxed) : 0;
}

void deferred_hurry(int signal)
{
    int saved = errno;
    uint32_t me = self();
    struct slot *s = oldest_of(me, signal, signal, NULL);
    const struct timespec until_it_comes = {.tv_nsec = HURRY_NS};
    if (s && s->timer != NO_TIMER && set_timer_in(s, 1))
        syscall(SYS_nanosleep, &until_it_comes, NULL);
    errno = saved;
}

bool deferred_take_oldest(int from, int to, const sigset_t *blocked, siginfo_t *info)
{
    if (!deferred_any())
        return false;
    int saved = errno;
    uint32_t me = self();
    struct slot *s;
    do {
        s = oldest_of(me, from, to, blocked);
    } while (s && !take(s, me, info));
    errno = saved;
    return s != NULL;
}

static bool others_have(uint32_t me, int signal)
{
    for (struct slot *s = slots; s < slots + SLOTS; s++) {
        uint32_t owner = atomic_load_explicit(&s->owner, memory_order_acquire);
        if (owner != 0 && owner != me && atomic_load_explicit(&s->signal, memory_order_relaxed) == signal)
            return true;
    }
    return false;
}

void deferred_wait(int signal)
{
    int saved = errno;
    uint32_t me = self();
    const struct timespec step = {.tv_nsec = WAIT_STEP_NS};
    for (int i = 0; i < WAIT_STEPS && others_have(me, signal); i++)
        syscall(SYS_nanosleep, &step, NULL);
    errno = saved;
}

void deferred_forked(void)
{
    uint32_t me = self();
    unsigned mine = 0;
    for (struct slot *s = slots; s < slots + SLOTS; s++)
        if (atomic_load_explicit(&s->owner, memory_order_relaxed) == me)
            mine++;
        else
            memset(s, 0, sizeof *s);
    atomic_store_explicit(&used, mine, memory_order_relaxed);
}

void deferred_thread_ends(void)
{
    siginfo_t info;
    while (deferred_take_oldest(1, 64, NULL, &info)) {
    }
}

void deferred_drop_sent(int signal)
{
    const struct timespec at_once = {0, 0};
    sigset_t its;
    siginfo_t info;
    int saved = errno;
    sigemptyset(&its);
    sigaddset(&its, signal);
    if (syscall(SYS_rt_sigtimedwait, &its, &info, &at_once, KERNEL_SET_BYTES) == signal && !slot_of(&info))
        syscall(SYS_rt_tgsigqueueinfo, getpid(), self(), signal, &info);
    errno = saved;
}
