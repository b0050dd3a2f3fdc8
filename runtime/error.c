/* Messages and names of error codes: gort's from the list in gort/error.h, the system's from libc's tables, which are static
 * and untranslated (strerrordesc_np): no buffer, no lock, no locale. */
#define _GNU_SOURCE
#include <gort/error.h>

#include <string.h>

#include "base.h"

enum { ERRNO_MAX = 4095 };   /* the kernel's own limit */

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

static bool is_errno(int code)
{
    return code < 0 && code >= -ERRNO_MAX;
}

const char *go_strerror(int code)
{
    if (code == 0)
        return "no error";
    const char *message = is_errno(code) ? strerrordesc_np(-code) : NULL;
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
