/* libc's own functions, where the detector defines theirs: REAL(pthread_join)(t, &result). */
#ifndef RACE_REAL_H
#define RACE_REAL_H

#include <malloc.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdbool.h>
#include <threads.h>
#include <unistd.h>

struct race_real {
    bool found;
#define X(name) __typeof__(&(name)) f_##name;
#include "race_real.inc"
#undef X
};
extern struct race_real race_real;
void race_real_find(void);

#define REAL(name) (__builtin_expect(!race_real.found, 0) ? race_real_find() : (void)0, race_real.f_##name)

#endif
