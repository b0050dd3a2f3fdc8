/* What a program may tell the race detector. Without GO_RACE each is an empty inline function. */
#ifndef GORT_RACE_H
#define GORT_RACE_H

#include <gort/base.h>

#ifdef GO_RACE
/* Synchronization that the detector can't see: what comes before a release of addr happens before what follows a
 * later acquire of addr. Any address in the program's memory. */
void go_race_acquire(const void *addr);
void go_race_release(const void *addr);
/* Accesses of the calling goroutine are not checked between these; they nest. */
void go_race_disable(void);
void go_race_enable(void);
/* Reports so far. */
int go_race_errors(void);
/* A program may define it: suppressions of its own, lines as in the file of GORACE's suppressions. Called when the detector starts. */
const char *go_race_default_suppressions(void) __attribute__((weak));
#else
static inline void go_race_acquire(const void *addr) { (void)addr; }
static inline void go_race_release(const void *addr) { (void)addr; }
static inline void go_race_disable(void) {}
static inline void go_race_enable(void) {}
static inline int go_race_errors(void) { return 0; }
#endif

#endif
