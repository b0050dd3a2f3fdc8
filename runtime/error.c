/* Messages for error codes. See gort/error.h. */
#define _GNU_SOURCE
#include <gort/error.h>

#include <pthread.h>
#include <string.h>

#include "hooks.h"

/* libc's texts with a small first letter, as Go prints them ("too many open files"), made once. */
enum { ERRORS = 134, ROOM = 56 };
static char texts[ERRORS][ROOM];

static void make_texts(void)
{
    for (int e = 1; e < ERRORS; e++) {
        const char *t = strerrordesc_np(e);   /* no locale */
        size_t n = t ? strlen(t) : 0;
        if (n == 0 || n >= ROOM)
            continue;
        for (size_t i = 0; i <= n; i++)
            texts[e][i] = t[i];
        if (t[0] >= 'A' && t[0] <= 'Z' && t[1] >= 'a' && t[1] <= 'z')
            texts[e][0] = (char)(t[0] - 'A' + 'a');
    }
}

const char *go_strerror(int code)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (code >= 0)
        return "success";
    switch (code) {
#define X(name, value, message) \
    case name: return message;
        GORT_ERRORS(X)
#undef X
    }
    hook_ignore_begin();
    pthread_once(&once, make_texts);
    hook_ignore_end();
    return code > -ERRORS && texts[-code][0] ? texts[-code] : "unknown error";
}
