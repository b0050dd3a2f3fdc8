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

/* ---- timers and tickers ----
 *
 * After Go's time.Timer and time.Ticker as they are since Go 1.23 (src/time/sleep.go, tick.go): once a stop or a reset has
 * returned, no value from before it can be received. Any thread may call these functions, for one timer at once too, except
 * that nobody may use a timer that is being freed. Starting, stopping and resetting cost a few locks, some 100 ns; nothing
 * here waits for the program. An armed timer counts as something that may still happen: while there is one, "all goroutines
 * are asleep" is not said. What comes before the start or the reset of a timer happens before the receive of its value, or the
 * run of its function. */

typedef struct go_timer go_timer;
typedef struct go_ticker go_ticker;

/* A timer that sends the instant on its channel once, when ns nanoseconds have passed (ns <= 0: at once). The caller owns it:
 * go_timer_free(). No memory: the program ends with a message. */
go_timer *go_timer_new(int64_t ns);
/* The timer's channel, of capacity 1; it belongs to the timer and is never closed. NULL, the nil channel, for a go_after_func timer. */
go_recv_chan(int64_t) go_timer_chan(const go_timer *t);
/* Stops the timer. True: it was armed, or its value had not been received; it won't be any more. False: it had fired or been
 * stopped before. Of go_after_func, false: fn has been started; the stop does not wait for it. */
bool go_timer_stop(go_timer *t);
/* Arms the timer anew, for ns from now, whatever it was before. The result is that of a go_timer_stop. */
bool go_timer_reset(go_timer *t, int64_t ns);
/* Stops and frees the timer and its channel. A goroutine still parked on the channel: "fatal error: free of a channel in use".
 * NULL is ignored. A function started by go_after_func is not waited for; it may free its own timer. */
void go_timer_free(go_timer *t);

/* Calls fn(arg) in a goroutine of its own when ns nanoseconds have passed; again after each go_timer_reset. Stop, reset and
 * free as above. */
go_timer *go_after_func(int64_t ns, void (*fn)(void *arg), void *arg);

/* A ticker sends the instant on its channel every ns nanoseconds, the first time ns from now. One tick waits in the channel;
 * others are dropped until it is received, and the beat is kept. ns <= 0: "panic: non-positive interval for NewTicker". The
 * caller owns it: go_ticker_free(). */
go_ticker *go_ticker_new(int64_t ns);
/* The ticker's channel, of capacity 1; it belongs to the ticker and is not closed by a stop. */
go_recv_chan(int64_t) go_ticker_chan(const go_ticker *t);
/* No more ticks, not even one that was waiting. */
void go_ticker_stop(go_ticker *t);
/* Ticks every ns nanoseconds from now on; starts a stopped ticker again. ns <= 0: "panic: non-positive interval for Ticker.Reset". */
void go_ticker_reset(go_ticker *t, int64_t ns);
/* Stops and frees the ticker and its channel, as go_timer_free. */
void go_ticker_free(go_ticker *t);

#endif
