/* Select: waits for one of several channel operations.
 *
 *     switch (go_select(go_case_recv(a, &x), go_case_send(b, y), go_case_timeout(1000000), go_case_default)) {
 *     case 0: ...   x was received from a (or a is closed: go_case_recv2 tells)
 *     case 1: ...   y was sent on b
 *     case 2: ...   a millisecond passed
 *     case 3: ...   none was ready
 *     }
 *
 * The value is the position of the case that went ahead. Among the cases that are ready each is as likely as the others.
 * A case on a nil channel is never ready. A send on a closed channel panics if it is picked. All expressions are
 * evaluated once, in the caller, before the wait. */
#ifndef GORT_SELECT_H
#define GORT_SELECT_H

#include <gort/chan.h>

enum gort_case_kind { GORT_CASE_SEND, GORT_CASE_RECV, GORT_CASE_TIMEOUT, GORT_CASE_DEFAULT };

struct gort_case {
    enum gort_case_kind kind;
    struct gort_chan *chan;
    void *value;   /* element to send, or where to receive; NULL drops */
    bool *ok;      /* receive: whether a value came (false: closed); may be NULL */
    int64_t ns;    /* timeout, from now */
};

/* Waits and returns the position of the case that went ahead. No cases: for ever. At most one default; any number of
 * timeouts, of which the shortest counts; a timeout <= 0 is ready at once, if no channel is. Up to 65536 cases. */
#define go_select(...)                                                                             \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_case gort_cases_[] = {__VA_ARGS__};                                            \
        GORT_STRICT_END_                                                                           \
        gort_select(gort_cases_, sizeof gort_cases_ / sizeof(struct gort_case));                   \
    })

#define go_case_recv(c, p)                                                                         \
    ((struct gort_case){.kind = GORT_CASE_RECV, .chan = gort_recv_end_(c), .value = (gort_elem_(c) *[1]){(p)}[0]})

/* With whether a value came: *ok is false if the channel is closed and empty. */
#define go_case_recv2(c, p, okp)                                                                   \
    ((struct gort_case){.kind = GORT_CASE_RECV,                                                    \
                        .chan = gort_recv_end_(c),                                                 \
                        .value = (gort_elem_(c) *[1]){(p)}[0],                                     \
                        .ok = (okp)})

#define go_case_send(c, ...)                                                                        \
    ((struct gort_case){.kind = GORT_CASE_SEND,                                                    \
                        .chan = gort_send_end_(c),                                                 \
                        .value = (gort_elem_(c)[1]){(__VA_ARGS__)},                                \
                        .ns = (int64_t)GORT_REQUIRE_(GORT_VALUE_OK_(c, (__VA_ARGS__)),             \
                            "a floating-point value sent on a channel of another type: cast it")})

/* Ready when ns nanoseconds have passed. */
#define go_case_timeout(nanoseconds) ((struct gort_case){.kind = GORT_CASE_TIMEOUT, .ns = (nanoseconds)})

/* Taken when no other case is ready at once. */
#define go_case_default ((struct gort_case){.kind = GORT_CASE_DEFAULT})

int gort_select(struct gort_case *cases, size_t n);

#endif
