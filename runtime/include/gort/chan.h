/* Typed channels.
 *
 * go_chan(T) is a pointer type that carries the element type T and the permitted directions; the compiler checks
 * both, and nothing is left of them when the program runs. A go_chan(T) converts by itself to a go_send_chan(T) or a
 * go_recv_chan(T) (assignment, argument), never back. NULL is the nil channel. T is any complete object type but an array.
 *
 * How: the pointee is a pointer to a function that returns T *, so T can be had back from an expression by __typeof__;
 * a send-only channel points to a const one, a receive-only channel to a volatile one, and C lets a conversion add a
 * qualifier but not drop it. No such function exists, and the pointer is never called. */
#ifndef GORT_CHAN_H
#define GORT_CHAN_H

#include <gort/base.h>

struct gort_chan;

#define go_chan(T)      __typeof__(__typeof__(T) *(**)(struct gort_chan *))
#define go_send_chan(T) __typeof__(__typeof__(T) *(*const *)(struct gort_chan *))
#define go_recv_chan(T) __typeof__(__typeof__(T) *(*volatile *)(struct gort_chan *))

/* Makes a channel with room for CAP elements of type T; 0: unbuffered, a send and a receive meet. The caller owns it:
 * go_chan_free() when no goroutine uses it any more. No memory: the program ends with a message. CAP < 0: panic. */
#define go_make_chan(T, cap) ((go_chan(T))gort_chan_make(sizeof(__typeof__(T)), (int64_t)(cap)))

/* go_send(c, v): sends v. Blocks until a receiver or a buffer slot takes it; on a nil channel for ever; on a closed one it panics. */
#define go_send(c, ...)                                                                             \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_chan *gort_c_ = gort_send_end_(c);                                             \
        GORT_CHECK_VALUE_(c, (__VA_ARGS__));                                                                 \
        gort_elem_(c) gort_v_ = (__VA_ARGS__);                                                               \
        GORT_STRICT_END_                                                                           \
        gort_chan_send(gort_c_, &gort_v_);                                                         \
    })

/* Receives into *p (p NULL: drops the value). True: a value was received. False: the channel is closed and empty, and
 * *p was zeroed. Blocks while the channel is empty and open; on a nil channel for ever. */
#define go_recv(c, p)                                                                              \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_chan *gort_c_ = gort_recv_end_(c);                                             \
        gort_elem_(c) *gort_v_ = (p);                                                              \
        GORT_STRICT_END_                                                                           \
        gort_chan_recv(gort_c_, gort_v_);                                                          \
    })

/* go_try_send(c, v): as go_send, but never blocks: false where it would have. */
#define go_try_send(c, ...)                                                                         \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_chan *gort_c_ = gort_send_end_(c);                                             \
        GORT_CHECK_VALUE_(c, (__VA_ARGS__));                                                                 \
        gort_elem_(c) gort_v_ = (__VA_ARGS__);                                                               \
        GORT_STRICT_END_                                                                           \
        gort_chan_try_send(gort_c_, &gort_v_);                                                     \
    })

/* As go_recv, but never blocks: GO_RECV_VALUE (a value was received), GO_RECV_CLOSED (closed and empty, *p zeroed), or
 * GO_RECV_EMPTY (nothing there now, *p untouched). GO_RECV_EMPTY is 0, so `if (go_try_recv(c, &v) == GO_RECV_VALUE)`. */
#define go_try_recv(c, p)                                                                          \
    __extension__({                                                                                \
        GORT_STRICT_BEGIN_                                                                         \
        struct gort_chan *gort_c_ = gort_recv_end_(c);                                             \
        gort_elem_(c) *gort_v_ = (p);                                                              \
        GORT_STRICT_END_                                                                           \
        gort_chan_try_recv(gort_c_, gort_v_);                                                      \
    })
enum go_recv_result { GO_RECV_EMPTY = 0, GO_RECV_VALUE = 1, GO_RECV_CLOSED = -1 };

/* Closes: receivers get what is buffered, then false. Panics on a nil or closed channel. Not for receive-only ones. */
#define go_close(c) gort_chan_close(gort_send_end_(c))

/* Elements buffered now, and the capacity; 0 for a nil channel. */
#define go_len(c) gort_chan_len(gort_any_end_(c))
#define go_cap(c) gort_chan_cap(gort_any_end_(c))

/* Frees the channel. No goroutine may use it then or later; one that is parked on it ends the program with
 * "fatal error: free of a channel in use". A nil channel is ignored. Frees the timer behind a go_after channel too. */
#define go_chan_free(c) gort_chan_free(gort_any_end_(c))

/* ---- behind the macros ---- */

/* The element type of channel expression c, which is not evaluated. */
#define gort_elem_(c) __typeof__(*(*(c))((struct gort_chan *)0))

#define gort_any_end_(c) ((struct gort_chan *)((uintptr_t)(c) + 0 * sizeof(gort_elem_(c))))
#define gort_send_end_(c)                                                                                \
    ((struct gort_chan *)((uintptr_t)(c) +                                                               \
                          GORT_REQUIRE_(!__builtin_types_compatible_p(__typeof__(c), go_recv_chan(gort_elem_(c))), \
                                        "send on or close of a receive-only channel")))
#define gort_recv_end_(c)                                                                                \
    ((struct gort_chan *)((uintptr_t)(c) +                                                               \
                          GORT_REQUIRE_(!__builtin_types_compatible_p(__typeof__(c), go_send_chan(gort_elem_(c))), \
                                        "receive from a send-only channel")))

/* C would convert a floating-point value to an integer element in silence (class 8: real, 9: complex). */
#define GORT_VALUE_OK_(c, v) \
    (__builtin_classify_type(v) != 8 || __builtin_classify_type(*(gort_elem_(c) *)0) >= 8)
#define GORT_CHECK_VALUE_(c, v) \
    _Static_assert(GORT_VALUE_OK_(c, v), "a floating-point value sent on a channel of another type: cast it")

void *gort_chan_make(size_t elem_size, int64_t cap);
void gort_chan_send(struct gort_chan *c, const void *v);
bool gort_chan_recv(struct gort_chan *c, void *v);
bool gort_chan_try_send(struct gort_chan *c, const void *v);
enum go_recv_result gort_chan_try_recv(struct gort_chan *c, void *v);
void gort_chan_close(struct gort_chan *c);
size_t gort_chan_len(const struct gort_chan *c);
size_t gort_chan_cap(const struct gort_chan *c);
void gort_chan_free(struct gort_chan *c);

#endif
