/* Finding libc's own functions: the next definition after the executable's. See race_real.h. */
#define _GNU_SOURCE
#include "race_real.h"

#include <dlfcn.h>
#include <stddef.h>

#include "race_die.h"

struct race_real race_real;

/* Runs at the first call of any of them, or when the detector starts: before there are two threads. Finding allocates nothing unless it fails.
 * A function that this libc does not have stays NULL: the program can't call it either. */
void race_real_find(void)
{
#define X(name) race_real.f_##name = (__typeof__(race_real.f_##name))dlsym(RTLD_NEXT, #name);
#include "race_real.inc"
#include "race_shared.inc"
#undef X
    if (!race_real.f_pthread_create || !race_real.f_pthread_mutex_lock)
        race_die("a statically linked program can't be checked for races: link it without -static");
    race_real.found = true;
}
