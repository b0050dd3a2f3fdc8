/* Error groups: goroutines that work on parts of one task, the first error of which is the result. After
 * golang.org/x/sync/errgroup (errgroup.go).
 *
 *     go_errgroup g = GO_ERRGROUP_INIT;
 *     for (int i = 0; i < n; i++)
 *         go_errgroup_go(&g, fetch, &part[i]);
 *     int err = go_errgroup_wait(&g);
 *
 * Ready when all bytes are zero; must not be copied or moved while in use; needs no destruction. It may be used again after a
 * wait has returned, limit kept, first error too. Any goroutine of the group may start others in it. */
#ifndef GORT_ERRGROUP_H
#define GORT_ERRGROUP_H

#include <gort/context.h>
#include <gort/sync.h>

typedef struct go_errgroup {
    go_waitgroup running;
    _Atomic(uint32_t) active;   /* goroutines of the group */
    uint32_t limit;             /* the limit + 1; 0: none */
    _Atomic(int) err;           /* the first */
    _Atomic(uint32_t) begun;    /* starts since the limit was set, counted up to it */
    go_context *context;        /* cancelled at the first error and by the wait; NULL: none */
} go_errgroup;
#define GO_ERRGROUP_INIT {{0}, 0, 0, 0, 0, NULL}

/* Makes *g ready, with a context made from parent that is cancelled when the first fn fails (the error is its cause) or when
 * the wait returns. The caller owns the context: go_context_free() after the wait. */
go_context *go_errgroup_with_context(go_errgroup *g, go_context *parent);

/* At most n goroutines of the group at once from now on; negative: no limit; 0: none can be added. While some are active:
 * "panic: errgroup: modify limit while N goroutines in the group are still active". */
void go_errgroup_set_limit(go_errgroup *g, int n);

/* Runs fn(arg) in a goroutine of the group; first waits while the group is at its limit. fn returns 0, or an error code
 * (gort/error.h; any other number will do). One that ends by go_exit() has ended without an error. With a limit, the end
 * of one happens before the start that waited for it. */
void go_errgroup_go(go_errgroup *g, int (*fn)(void *arg), void *arg);
/* The same if that needs no wait; whether it did. */
bool go_errgroup_try_go(go_errgroup *g, int (*fn)(void *arg), void *arg);

/* Waits until all have returned, then cancels the group's context. The first error, or 0. The end of each fn happens before the return. */
int go_errgroup_wait(go_errgroup *g);

#endif
