/* leakcheck(): fails a test that leaves goroutines behind.
 *
 * Call it at the end of a test, when every goroutine that the test started should have ended. It waits for stragglers
 * with back-off (20 tries, from 1 microsecond, doubling, at most 100 ms each: about 0.45 s in all when something leaks),
 * then reports each goroutine that is left: its state, how long it has waited, its stack, and where it was created.
 * Works in every build, with and without race detection. Link it before the runtime: pkg-config does. */
#ifndef GORT_LEAK_H
#define GORT_LEAK_H

#include <gort/base.h>

/* Waits, then prints a report to stderr for what is left and returns how many goroutines were left; 0 is clean. The caller and
 * threads that the runtime did not make are not counted. Any goroutine may call it; not from a signal handler. */
int leakcheck(void);

/* What leakcheck_with() may be told. Zero means the default. */
struct leakcheck_options {
    int64_t max_wait_ns;              /* stop waiting after so long; 0: the 20 tries */
    const char *const *ignore_function;   /* NULL-ended: a goroutine whose stack or start function has one of these is ignored */
    const uint64_t *ignore_id;        /* 0-ended: goroutines by number, for example those that ran before the test */
    int fd;                           /* where to write; 0: stderr */
    bool quiet;                       /* print nothing, only count */
};
int leakcheck_with(const struct leakcheck_options *options);

/* The numbers of all goroutines now, 0-ended, to be passed as ignore_id; the caller frees it with free(). */
uint64_t *leakcheck_current(void);

#endif
