/* Deferred calls (gort/goroutine.h: go_defer). */
#ifndef RT_DEFER_H
#define RT_DEFER_H

/* Runs all deferred calls of the current goroutine, last first. Not inside the runtime: they are the program's. */
void defer_run_all(void);
/* fatal.c: g, the current goroutine, ends in a deferred call although it is panicking. */
struct g;
void panics_drop(struct g *g);

#endif
