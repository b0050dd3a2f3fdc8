/* Stacks of 8 MiB for what needs more than a goroutine has: looking names up, mostly. */
#ifndef TB_BIGSTACK_H
#define TB_BIGSTACK_H

#include <stdbool.h>

/* Runs fn(arg) on a thread of its own with 8 MiB of stack and returns when it is done. On failure to make one, on this stack. */
void tb_run_on_big_stack(void (*fn)(void *), void *arg);
/* The same for callers that may be within the dynamic loader (in a library's constructor), which lets nobody else in: if the other thread does not get past it
 * in two seconds, it is done on this one, with a stack of that size. One at a time. */
void tb_run_within_loader(void (*fn)(void *), void *arg);
/* Starts it on such a thread and does not wait. Once in a process, for its end. False: there can be no thread. */
bool tb_start_on_big_stack(void (*fn)(void *), void *arg);
/* If set, called with true before and false after the calls that make and join that thread, and with true on the thread itself: the
 * race detector's way not to see it. */
extern void (*tb_thread_wrap)(bool begin);

#endif
