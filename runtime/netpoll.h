/* Waiting for descriptors: the portable half of the netpoller, and the contract of the half that each system supplies.
 *
 * A poll_desc is one descriptor's two waiting places, for reading and for writing; at most one goroutine waits at each (conn.c sees to
 * that). A place holds
 *
 *     NIL      nobody waits, nothing is known
 *     READY    the system said so; whoever waits next takes it and goes on at once
 *     a G      it waits, parked
 *
 * Waiter (netpoll_wait):  1. place := G    2. error (closing, deadline passed)? takes itself back, if it still can    3. parks
 * Ender (close, deadline): 1. error := set  2. takes the G out of the place and readies it
 * Each stores before it loads, sequentially consistent: the waiter sees the error or the ender sees the waiter.
 *
 * The descriptor is registered once, edge-triggered, for both directions. An edge sets READY, so none is lost between a read that would have blocked
 * and the wait. */
#ifndef RT_NETPOLL_H
#define RT_NETPOLL_H

#include "types.h"

enum poll_mode { POLL_READ, POLL_WRITE };
enum poll_result { POLL_OK = 0, POLL_CLOSING = -1, POLL_TIMEOUT = -2 };

struct poll_desc {
    _Atomic(uintptr_t) place[2];     /* by poll_mode; see above */
    atomic_bool closing;             /* false -> true, once per use */
    atomic_bool expired[2];          /* the deadline has passed */
    atomic_bool ask_first;           /* the peer has closed its side or sent urgent data, or an error is pending: a read tries before it waits */
    struct lock deadline_lock;       /* rank DEADLINE: held while timers are stopped and started */
    bool has_timer[2];               /* (deadline_lock) */
    struct timer timer[2];
};

/* ---- netpoll.c ---- */

/* Gets ready for a new descriptor. */
void poll_desc_init(struct poll_desc *pd);
/* Waits until the descriptor may be ready. POLL_OK: try again (it may not be). */
enum poll_result netpoll_wait(struct poll_desc *pd, enum poll_mode mode);
/* closing or expired, without waiting. */
enum poll_result netpoll_check(struct poll_desc *pd, enum poll_mode mode);
/* Whether an edge has come since the last wait. */
static inline bool netpoll_is_ready(struct poll_desc *pd, enum poll_mode mode)
{
    return atomic_load_explicit(&pd->place[mode], memory_order_acquire) != 0;
}
/* From now on every wait fails; wakes those that wait. Stops the deadlines. */
void netpoll_evict(struct poll_desc *pd);
/* at: an instant, 0: none; modes: bit 0 reading, bit 1 writing. An instant in the past fails waits at once. */
void netpoll_set_deadline(struct poll_desc *pd, int64_t at, unsigned modes);
/* For the system's half: the descriptor is ready. Adds the goroutines to be readied to the list. */
void netpoll_ready(struct gqueue *list, struct poll_desc *pd, bool read, bool write, bool ask_first);
/* Goroutines that wait for something outside the process: then it is not a deadlock. */
extern atomic_int netpoll_waiters;

/* ---- conn.c ---- */

/* The poll_desc behind what was registered as `handle`, NULL if that has been closed meanwhile. */
struct poll_desc *conn_poll_desc(uint64_t handle);

/* ---- fdwait.c ---- */

/* Makes its epoll descriptor and returns it, or -errno. */
int fdwait_start(void);
/* One of the descriptors of go_fd_wait is ready. */
void fdwait_ready(struct gqueue *list);

/* ---- the system's half: netpoll_epoll.c ---- */

/* Starts it, once; any thread. 0 or -errno: its descriptors are not to be had (-EMFILE), now. */
int netpoll_start(void);
bool netpoll_is_on(void);
/* Registers a descriptor for edges in both directions. 0 or -errno (-EPERM: it can't be polled, a file for one). */
int netpoll_add(int fd, uint64_t handle);
void netpoll_remove(int fd);
/* Collects the goroutines to be readied, waiting for up to timeout_ns (< 0: for ever, 0: not at all). */
void netpoll(struct gqueue *list, int64_t timeout_ns);
/* Ends the wait of whoever is, or is about to be, in netpoll(). */
void netpoll_break(void);

#endif
