/* Error codes: each has a message and a name of its own, and none can be taken for an errno. */
#include <criterion/criterion.h>
#include <errno.h>
#include <gort.h>
#include <locale.h>
#include <string.h>
#include <strings.h>

static const int codes[] = {
#define X(name, code, message) name,
    GO_ERRORS(X)
#undef X
};
enum { N = sizeof codes / sizeof codes[0] };

Test(error, messages_are_gos)
{
    cr_assert_str_eq(go_strerror(GO_ERR_CANCELED), "context canceled");
    cr_assert_str_eq(go_strerror(GO_ERR_DEADLINE), "context deadline exceeded");
    cr_assert_str_eq(go_strerror(GO_ERR_TIMEOUT), "i/o timeout");
    cr_assert_str_eq(go_strerror(GO_ERR_CLOSED), "use of closed network connection");
    cr_assert_str_eq(go_strerror(GO_ERR_EOF), "EOF");
    cr_assert_str_eq(go_error_name(GO_ERR_EOF), "GO_ERR_EOF");
}

Test(error, all_differ_and_none_is_an_errno)
{
    for (int i = 0; i < N; i++) {
        cr_assert_lt(codes[i], -4095);
        cr_assert_str_neq(go_strerror(codes[i]), "unknown error");
        for (int k = 0; k < i; k++) {
            cr_assert_neq(codes[i], codes[k]);
            cr_assert_str_neq(go_strerror(codes[i]), go_strerror(codes[k]));
        }
    }
}

/* The system's text is libc's own but for the first letter, for every errno, whatever the locale. */
Test(error, errnos_are_the_systems)
{
    setlocale(LC_ALL, "de_DE.UTF-8");
    cr_assert_str_eq(go_strerror(-ECONNREFUSED), "connection refused");
    cr_assert_str_eq(go_error_name(-ECONNREFUSED), "ECONNREFUSED");
    setlocale(LC_ALL, "C");
    for (int e = 1; e < 134; e++)
        if (strncmp(strerror(e), "Unknown error", 13) != 0)
            cr_assert(strcasecmp(go_strerror(-e), strerror(e)) == 0, "%s", go_strerror(-e));
    cr_assert_str_eq(go_strerror(-EMFILE), "too many open files");
}

Test(error, others)
{
    cr_assert_str_eq(go_strerror(0), "no error");
    cr_assert_str_eq(go_strerror(5), "unknown error");
    cr_assert_str_eq(go_strerror(-4000), "unknown error");
    cr_assert_str_eq(go_strerror(-99999), "unknown error");
    cr_assert_str_eq(go_strerror(INT32_MIN), "unknown error");
    cr_assert_str_eq(go_error_name(-99999), "?");
    cr_assert_str_eq(go_error_name(INT32_MIN), "?");
}
