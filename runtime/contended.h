/* Which mutexes are contended. While one is not, its unlock is a plain store (mutex.c): who waits for it first makes it contended, once.
 *
 *   unlock (gort/sync.h)                          who is about to wait (gort_mutex_lock_slow)
 *   1. word not LOCKED alone, or contended:       1. quiet -> turning, under the queue's lock
 *      with an atomic instruction, and no more    2. membarrier: a full barrier in every thread
 *   2. word = 0                                   3. turning -> contended, under the queue's lock, if it is still the same turn
 *   3. compiler barrier                           4. marks the word, by compare-and-swap
 *   4. if contended by now: wakes a waiter        5. under the queue's lock: parks, if it is still contended and the mark is still there
 *
 * The store may overwrite the mark. An unlock that sees in 4 that the mutex is not contended had stored before the membarrier, or comes to 4 after it and
 * sees that it is: in the first case the waiter sees in 4 that the word is free. One that sees that it is contended wakes, and both it and the waiter have the
 * queue's lock for that: the waiter is there already, or finds its mark gone.
 *
 * A mutex is contended by the bucket of its queue, so that an unlock looks at nothing of the mutex's after the store. What nobody has waited for lately becomes
 * quiet again, under the queue's lock, and not while somebody is parked there; each time it takes longer, so that what is contended now and then pays
 * for a few membarriers only. Since it may become quiet and turn again while a waiter is in 2, each turn has a number: a barrier that came before the turn
 * is none. tests/spin/mutex_unlock.pml is a model of this, which is searched exhaustively, with and without these steps.
 *
 * Without membarrier (Linux 4.14) all mutexes are contended for ever. */
#ifndef RT_CONTENDED_H
#define RT_CONTENDED_H

#include <stdbool.h>
#include <stdint.h>

/* The queue's lock is held. mu: a mutex, or its key in the queue. */
bool contended_is(const void *mu);
/* The caller is about to mark mu's word. False: mu was made contended just now, which cost a system call and an interruption of the process's other
 * threads, and the word must be looked at again. */
bool contended_already(const void *mu);
/* Makes quiet what is due. The monitor's, now and then; who makes a mutex contended wakes it. Whether another look will be due, though no goroutine runs: not
 * for mutexes that somebody is parked for. */
bool contended_look(int64_t now);

#endif
