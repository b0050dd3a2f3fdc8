/* Error codes. A function of gort that can fail in the ordinary course of things returns a negative code, never errno: a goroutine may go
 * on on another thread, whose errno is another. A code is -errno for an error of the system (-ECONNREFUSED), or one of these. */
#ifndef GORT_ERROR_H
#define GORT_ERROR_H

#include <gort/base.h>

/* X(name, value, message) */
#define GORT_ERRORS(X)                                                            \
    X(GO_ERR_EOF, -10001, "EOF")                                                  \
    X(GO_ERR_TIMEOUT, -10002, "i/o timeout")                                      \
    X(GO_ERR_CLOSED, -10003, "use of closed network connection")                  \
    X(GO_ERR_CANCELED, -10004, "context canceled")                                \
    X(GO_ERR_DEADLINE, -10005, "context deadline exceeded")                       \
    X(GO_ERR_NETWORK, -10006, "unknown network")                                  \
    X(GO_ERR_ADDRESS, -10007, "invalid address")                                  \
    X(GO_ERR_NO_HOST, -10008, "no such host")                                     \
    X(GO_ERR_LOOKUP, -10009, "name lookup failed, try again later")               \
    X(GO_ERR_NOT_POLLABLE, -10010, "the descriptor can't be waited for")

enum go_error {
#define X(name, value, message) name = value,
    GORT_ERRORS(X)
#undef X
};

/* The message for a code, never NULL; it lives for ever. Zero and positive values: "success". Any thread. */
const char *go_strerror(int code);

#endif
