/* dlopen. RTLD_DEEPBIND would have a library find libc's functions in libc, past the detector's, which its locks, threads and memory would then be unseen of:
 * the flag is left out, and that is said. Only the program's own objects call this one: a shared library's call goes to
 * libc's directly, as libc looks at where the call comes from ($ORIGIN, RUNPATH). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

#include "race_die.h"

void *__wrap_dlopen(const char *file, int mode);
void *__real_dlopen(const char *file, int mode);

void *__wrap_dlopen(const char *file, int mode)
{
    if ((mode & RTLD_DEEPBIND) && file) {
        char what[300];
        snprintf(what, sizeof what, "dlopen(\"%.200s\"): RTLD_DEEPBIND is left out", file);
        race_warn(what, "with it the library's calls of libc would go past the detector");
        mode &= ~RTLD_DEEPBIND;
    }
    return __real_dlopen(file, mode);
}
