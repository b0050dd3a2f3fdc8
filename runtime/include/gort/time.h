/* Time. All durations and instants are int64_t nanoseconds; instants are CLOCK_MONOTONIC. */
#ifndef GORT_TIME_H
#define GORT_TIME_H

#include <gort/chan.h>

#define GO_NANOSECOND  ((int64_t)1)
#define GO_MICROSECOND ((int64_t)1000)
#define GO_MILLISECOND ((int64_t)1000000)
#define GO_SECOND      ((int64_t)1000000000)
#define GO_MINUTE      (60 * GO_SECOND)
#define GO_HOUR        (60 * GO_MINUTE)

/* Now, by the monotonic clock. */
int64_t go_now(void);

/* Parks the calling goroutine for at least ns nanoseconds; ns <= 0 returns at once. */
void go_sleep(int64_t ns);

/* A channel that gets one value, the instant, when ns nanoseconds have passed. The caller owns it: go_chan_free() ends
 * the timer as well, whether it has fired or not. For one wait in a select, go_case_timeout needs no channel. */
go_recv_chan(int64_t) go_after(int64_t ns);

#endif
