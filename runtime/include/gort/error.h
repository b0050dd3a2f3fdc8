/* Error codes. A function that can fail in ways a program should expect returns a negative int: gort's own codes, below, or
 * -errno for what the system said (-ECONNREFUSED). 0 is success. The two never meet: errno's values end at 4095. errno itself is not used:
 * a goroutine may go on on another thread, whose errno is another. */
#ifndef GORT_ERROR_H
#define GORT_ERROR_H

#include <gort/base.h>

/* X(name, code, message). The messages are Go's. New ones go at the end, and a code is never used for anything else. */
#define GO_ERRORS(X)                                                                       \
    X(GO_ERR_CANCELED, -10001, "context canceled")                                         \
    X(GO_ERR_DEADLINE, -10002, "context deadline exceeded")                                \
    X(GO_ERR_TIMEOUT, -10003, "i/o timeout")                   /* a deadline of an fd */   \
    X(GO_ERR_CLOSED, -10004, "use of closed network connection")                           \
    X(GO_ERR_EOF, -10005, "EOF")                               /* before the first byte */ \
    X(GO_ERR_UNEXPECTED_EOF, -10006, "unexpected EOF")         /* in the middle */         \
    X(GO_ERR_NO_HOST, -10007, "no such host")                                              \
    X(GO_ERR_NETWORK, -10008, "unknown network")                                           \
    X(GO_ERR_ADDRESS, -10009, "invalid address")                                           \
    X(GO_ERR_LOOKUP, -10010, "name lookup failed, try again later")                        \
    X(GO_ERR_NOT_POLLABLE, -10011, "the descriptor can't be waited for")

enum go_error {
#define X(name, code, message) name = code,
    GO_ERRORS(X)
#undef X
};

/* What the code means, for people: gort's message, the system's for -errno with a small first letter as Go prints it ("too many open
 * files"), "no error" for 0, "unknown error" for any other. The text is static and in English; never NULL; any thread, at any time. */
const char *go_strerror(int code);

/* The code's name as it stands in source ("GO_ERR_EOF", "ECONNREFUSED"); "?" if it has none. */
const char *go_error_name(int code);

#endif
