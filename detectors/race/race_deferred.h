/* Signals that came while the detector was at work, and come again a little later: see race_deferred.c. */
#ifndef RACE_DEFERRED_H
#define RACE_DEFERRED_H

#include <signal.h>
#include <stdbool.h>

/* Signals below are standard ones, of which one is pending at most; the others are queued. */
enum { KERNEL_RTMIN = 32 };

/* Signal `s` comes again on this thread, some 25 us from now, as a signal does: when it isn't blocked. False: it can't. */
bool deferred_add(int s, const siginfo_t *info);

/* Whether this is a signal that was deferred, come again. DEFERRED_STALE: one that was taken meanwhile. */
enum deferred_kind { DEFERRED_NOT, DEFERRED_AGAIN, DEFERRED_STALE };
enum deferred_kind deferred_is(const siginfo_t *info);

/* It comes once more. False: it has come `tries` times, or can't. */
bool deferred_again(const siginfo_t *info, unsigned tries);

/* Takes it: the info of the signal as it was. False: a handler that interrupted us has. */
bool deferred_take(const siginfo_t *again, siginfo_t *info);
/* The same of this thread's oldest deferred one of signals [from, to] that are not in `blocked` (NULL: none is). False: there is none. Of the standard
 * signals only where they are not blocked: its timer may have sent it already, and while that is pending, to be ignored, another that is sent would be
 * lost. */
bool deferred_take_oldest(int from, int to, const sigset_t *blocked, siginfo_t *info);

/* This thread's oldest; 0: there is none. */
int deferred_oldest(int from, int to, const sigset_t *blocked);
/* The kernel is to send s now; waits for it, some 200 us at most. */
void deferred_hurry(int s);
/* Whether any thread has any. */
bool deferred_any(void);
/* Waits, for some 20 ms at most, until no other thread has a deferred s. */
void deferred_wait(int s);

/* A standard signal, blocked, has been taken: if its timer had sent it again that goes, too. Left pending, to be ignored later, it would swallow another that
 * is sent while the handler runs. */
void deferred_drop_sent(int s);

/* In the child of fork: it has none of its parent's. */
void deferred_forked(void);
/* What the calling thread still has, blocked, goes with it. */
void deferred_thread_ends(void);

#endif
