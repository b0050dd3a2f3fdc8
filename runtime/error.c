/* Messages and names of error codes: gort's from the list in gort/error.h, the system's from libc's untranslated tables (strerrordesc_np), copied once
 * with a small first letter. No caller's buffer, no locale. */
#define _GNU_SOURCE
#include <gort/error.h>

#include <pthread.h>
#include <string.h>

#include "base.h"
#include "hooks.h"

enum { ERRNO_MAX = 4095 /* the kernel's own limit */, TEXTS = 134, ROOM = 56 };

static const struct {
    int code;
    const char *name, *message;
} errors[] = {
#define X(name, code, message) {code, #name, message},
    GO_ERRORS(X)
#undef X
};

#define X(name, code, message) static_assert((code) < -ERRNO_MAX, #name " could be taken for an errno");
GO_ERRORS(X)
#undef X

static char texts[TEXTS][ROOM];

static void make_texts(void)
{
    for (int e = 1; e < TEXTS; e++) {
        const char *t = strerrordesc_np(e);
        size_t n = t ? strlen(t) : 0;
        if (n == 0 || n >= ROOM)
            continue;
        for (size_t i = 0; i <= n; i++)
            texts[e][i] = t[i];
        if (t[0] >= 'A' && t[0] <= 'Z' && t[1] >= 'a' && t[1] <= 'z')   /* not RFS, .lib */
            texts[e][0] = (char)(t[0] - 'A' + 'a');
    }
}

static bool is_errno(int code)
{
    return code < 0 && code >= -ERRNO_MAX;
}

const char *go_strerror(int code)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    if (code == 0)
        return "no error";
    hook_ignore_begin();
    pthread_once(&once, make_texts);
    hook_ignore_end();
    const char *message = NULL;
    if (is_errno(code))
        message = -code < TEXTS && texts[-code][0] ? texts[-code] : strerrordesc_np(-code);
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].code == code)
            message = errors[i].message;
    return message ? message : "unknown error";
}

const char *go_error_name(int code)
{
    const char *name = is_errno(code) ? strerrorname_np(-code) : NULL;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
        if (errors[i].code == code)
            name = errors[i].name;
    return name ? name : "?";
}
