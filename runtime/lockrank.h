/* The lock order, as data. A thread may take a lock only if its rank is above that of every lock the thread holds; CHAN may be
 * taken while another CHAN is held by select and close alone, in address order. One line to add a lock. */
#ifndef RT_LOCKRANK_H
#define RT_LOCKRANK_H

/* X(name, several of this rank may be held) in the order in which they nest, outermost first. */
#define LOCK_RANKS(X) \
    X(SIGNAL, false)  /* who asked for which signals; held while sending to them */ \
    X(TICKER, false)  /* a timer's or ticker's stop, reset */               \
    X(CONTEXT, false) /* a tree of contexts */                              \
    X(CHAN, true)     /* a channel */                                       \
    X(SEMA, false)    /* a bucket of the address-keyed wait queues */       \
    X(POLL, false)    /* the start of the netpoller */                      \
    X(FDWAIT, false)  /* the table of go_fd_wait */                         \
    X(DIAL, false)    /* a list of addresses that is being dialled */       \
    X(CONN, false)    /* the pool of connections */                         \
    X(DEADLINE, false) /* a descriptor's deadline timers */                 \
    X(TIMER, false)   /* a timer heap */                                    \
    X(SCHED, false)   /* idle lists, the global queue, hand-off of Ps */    \
    X(G, false)       /* the shared list of free goroutines and slabs */    \
    X(STACK, false)   /* the shared list of free stacks */                  \
    X(SHARD, false)   /* a part of a go_sync_map */

enum lock_rank {
    LOCK_RANK_NONE,
#define X(name, multi) LOCK_RANK_##name,
    LOCK_RANKS(X)
#undef X
};

#endif
