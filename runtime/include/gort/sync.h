/* Mutual exclusion and waiting for a group. Every object is ready when all its bytes are zero, must not be copied or
 * moved while in use, and needs no destruction. A goroutine that waits is parked: its thread runs others. */
#ifndef GORT_SYNC_H
#define GORT_SYNC_H

#include <gort/base.h>

/* A lock, not recursive, not tied to the goroutine that locked it (as in Go). */
typedef struct go_mutex {
    _Atomic(uint32_t) state;   /* 0 free, 1 locked, 2 locked and somebody may wait */
    uint32_t reserved;
} go_mutex;
#define GO_MUTEX_INIT {0}

/* Locks; waits while another goroutine holds it. Unlock n happens before lock n+1 returns. */
void go_mutex_lock(go_mutex *m);
/* Locks if that needs no wait; whether it did. */
bool go_mutex_try_lock(go_mutex *m);
/* Unlocks. Not locked: "fatal error: sync: unlock of unlocked mutex", status 2. */
void go_mutex_unlock(go_mutex *m);

/* Counts goroutines (or anything) still at work and waits for none. */
typedef struct go_waitgroup {
    _Atomic(uint64_t) state;   /* high half: the counter; low half: waiters */
    uint32_t reserved[2];
} go_waitgroup;
#define GO_WAITGROUP_INIT {0}

/* Adds n, which may be negative. Below zero: "panic: sync: negative WaitGroup counter". An add that lifts the counter from
 * zero must happen before a wait; add before go(), not inside the goroutine. */
void go_waitgroup_add(go_waitgroup *wg, int n);
/* go_waitgroup_add(wg, -1). Everything before it happens before the return of the wait it lets go. */
void go_waitgroup_done(go_waitgroup *wg);
/* Waits until the counter is zero. */
void go_waitgroup_wait(go_waitgroup *wg);

#endif
