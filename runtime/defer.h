/* Deferred calls (gort/goroutine.h: go_defer). */
#ifndef RT_DEFER_H
#define RT_DEFER_H

/* Runs all deferred calls of the current goroutine, last first. Not inside the runtime: they are the program's. */
void defer_run_all(void);
/* fatal.c: if the current goroutine is panicking, ends the program now. */
void panic_go_on(void);

#endif
