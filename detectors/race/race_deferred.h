/* Signals that came while the detector was at work, and come again a little later: see race_deferred.c. */
#ifndef RACE_DEFERRED_H
#define RACE_DEFERRED_H

#include <signal.h>
#include <stdbool.h>

/* Signal `s` comes again on this thread, some 25 us from now, as a signal does: when it isn't blocked. False: it can't. */
bool deferred_add(int s, const siginfo_t *info);

/* Whether this is a signal that was deferred, come again. DEFERRED_STALE: one whose handler has run meanwhile. */
enum deferred_kind { DEFERRED_NOT, DEFERRED_AGAIN, DEFERRED_STALE };
enum deferred_kind deferred_is(const siginfo_t *info);

/* It comes once more. False: it has come `tries` times, or can't. */
bool deferred_again(const siginfo_t *info, unsigned tries);

/* Takes the oldest deferred one of signal s, or of any that isn't in `blocked` (s 0), of this thread: its info. False: there is none. */
bool deferred_take(int s, const sigset_t *blocked, siginfo_t *info);

/* Waits, for some 20 ms at most, until no other thread has a deferred s. */
void deferred_wait(int s);

/* In the child of fork, which has none. */
void deferred_forked(void);

#endif
