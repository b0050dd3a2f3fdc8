/* A note: where one thread sleeps until another wakes it. One sleeper; a wake that comes first is kept (one, not counted).
 * 0 nothing, 1 a wake is there, 2 the thread sleeps here, 3 it sleeps in the netpoller. The wake's release exchange pairs with the sleeper's
 * acquire one. */
#ifndef RT_NOTE_H
#define RT_NOTE_H

#include "base.h"
#include "os.h"

struct note {
    atomic_uint word;
};

static inline bool note_is_set(struct note *n)
{
    return atomic_load_explicit(&n->word, memory_order_relaxed) == 1;
}

void netpoll_break(void);

static inline void note_wake(struct note *n)
{
    unsigned was = atomic_exchange_explicit(&n->word, 1, memory_order_acq_rel);
    if (was == 2)
        os_futex_wake(&n->word, 1);
    else if (was == 3)
        netpoll_break();
}

/* The caller is about to sleep in the netpoller; false: a wake is there already. */
static inline bool note_poll_begin(struct note *n)
{
    unsigned zero = 0;
    return atomic_compare_exchange_strong_explicit(&n->word, &zero, 3, memory_order_acq_rel, memory_order_acquire);
}

/* It is back from there. Takes the wake. */
static inline void note_poll_end(struct note *n)
{
    atomic_exchange_explicit(&n->word, 0, memory_order_acq_rel);
}

/* Sleeps until woken (true) or the timeout passed (ns from now, < 0: none). Takes the wake. */
static inline bool note_sleep(struct note *n, int64_t timeout_ns)
{
    unsigned zero = 0;
    int64_t until = timeout_ns < 0 ? -1 : os_now() + timeout_ns;
    if (atomic_compare_exchange_strong_explicit(&n->word, &zero, 2, memory_order_acq_rel, memory_order_acquire)) {
        while (atomic_load_explicit(&n->word, memory_order_acquire) == 2) {
            int64_t left = until < 0 ? -1 : until - os_now();
            if (until >= 0 && left <= 0)
                break;
            os_futex_wait(&n->word, 2, left);
        }
    }
    return atomic_exchange_explicit(&n->word, 0, memory_order_acq_rel) == 1;
}

#endif
