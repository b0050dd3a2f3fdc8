/* The inside of a channel, for chan.c and select.c. */
#ifndef RT_CHAN_H
#define RT_CHAN_H

#include <gort/chan.h>

#include "internal.h"

/* Invariants, whenever the lock is free:
 *   a receiver waits => the buffer is empty, no sender waits, and the channel is open;
 *   a sender waits   => the buffer is full (cap 0: always), no receiver waits, and the channel is open
 * (a select may wait on both sides of one channel; its own two entries don't count).
 *
 * An element goes from hand to hand: a sender that finds a receiver waiting writes straight into the receiver's variable, which stays
 * valid because that goroutine is parked and can't be resumed before rt_ready. rt_ready is called after the unlock.
 *
 * For the race detector each slot is a synchronization variable: the k-th send releases it to the k-th receive, and that to
 * the (k+cap)-th send, even when an element is handed over directly. Each leaves what it knew when it came: that a send waited for a receive is nothing
 * to the one that gets its element, for the send may as well have gone first. Unbuffered, both sides meet. Close releases the channel itself. */
struct gort_chan {
    struct lock lock;                /* rank CHAN; locking key: (c) this lock */
    uint32_t elem_size;              /* (i) */
    size_t cap;                      /* (i) */
    size_t count;                    /* (c) written, read anywhere by go_len */
    size_t send_index, recv_index;   /* (c) */
    bool closed;                     /* (c) false -> true, once */
    struct waitq senders, receivers; /* (c) */
    char *buf;                       /* (i) cap elements */
    struct hook_pass *sync;          /* (i) race builds: cap of them, each (c) the detector's side of a slot */
    HOOK_CHAN_FIELDS                 /* (c) race builds: its sends, and its close */
    bool of_timer;                   /* (i) a timer sends: what its receives see was left when it was started */
    struct timer timer;              /* of a go_after channel */
};

enum chan_result { CHAN_WOULD_BLOCK, CHAN_DONE, CHAN_CLOSED };

/* With the lock: for the race detector, g is about to send or close. If that is to be reported, the lock is given back meanwhile. */
void chan_used(struct gort_chan *c, struct g *g, bool closes, const void *pc);
/* One attempt, with the lock held, for the current goroutine g (NULL: a timer). CHAN_DONE: the element passed; *wake is the goroutine to ready
 * after unlocking, or NULL. CHAN_CLOSED: a send must panic; a receive has zeroed *v. */
enum chan_result chan_send_locked(struct gort_chan *c, struct g *g, const void *v, struct g **wake);
enum chan_result chan_recv_locked(struct gort_chan *c, struct g *g, void *v, struct g **wake);
/* Closes an open channel for g (NULL: a timer), with the lock held. The goroutines that waited are appended to a list linked by g->next at
 * *last, to be readied after unlocking; returns its new end. */
struct g **chan_close_locked(struct gort_chan *c, struct g *g, struct g **last);
/* A receiver that was woken: tells the detector of its write, and of the close if that woke it. */
void chan_received(struct gort_chan *c, struct g *g, void *v, bool success, const void *pc);

#endif
