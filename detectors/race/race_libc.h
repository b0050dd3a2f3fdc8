/* Shared by the files that stand in for libc's functions (race_memory.c, race_malloc.c, race_io.c, race_posix_threads.c,
 * race_posix_sync.c): what such a
 * function tells the detector. The linker's --wrap (link-options.txt) sends the program's call of f to __wrap_f; __real_f is the function itself.
 * The runtime's own calls come here too, but with the detector off (race_ignored). */
#ifndef RACE_LIBC_H
#define RACE_LIBC_H

#include "race.h"

#pragma GCC diagnostic ignored "-Wmissing-prototypes"
/* Of the program's call: to be used in the __wrap_ function itself. */
#define PC ((uintptr_t)__builtin_return_address(0))

static inline void reads(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, 0, pc);
}

static inline void writes(const void *p, size_t n, uintptr_t pc)
{
    race_access_range(race_cur(), (uintptr_t)p, n, EPOCH_WRITE, pc);
}

static inline bool is_on(void)
{
    return race_cur() != &race_ignored;
}

#endif
