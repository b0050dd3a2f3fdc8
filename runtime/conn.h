/* Open descriptors: slots that are never unmapped, named by handles, with a count of the operations at work.
 *
 * A handle (what a go_conn * or a go_listener * is made of) is a slot's number and the slot's generation, so an operation on one that has been
 * closed finds out, whatever has become of the slot since: GO_ERR_CLOSED, never another's connection.
 *
 * The slot's state word holds generation << 32 | references << 8 | flags. An operation takes a reference, and for reading or writing also the
 * right to be the only one that does (one read at a time, one write at a time, so that their bytes don't mix). Close sets CLOSED, wakes
 * all who wait, and whoever gives the last reference back closes the descriptor: its number can't be reused while an operation is about to use it.
 * The open connection itself is one reference. All changes of the word are acq_rel compare-and-swaps. */
#ifndef RT_CONN_H
#define RT_CONN_H

#include <gort/net.h>

#include "netpoll.h"

enum { CONN_CLOSED = 1, CONN_READING = 2, CONN_WRITING = 4, CONN_READ_WAITED = 8, CONN_WRITE_WAITED = 16,
       CONN_CLOSE_WAITED = 32, CONN_REF = 1 << 8 };

struct conn {
    _Atomic(uint64_t) state;
    int fd;                       /* (i) while there is a reference */
    unsigned kind;                /* (i) CONN_IS_*; of TCP a read that comes short means that nothing more is there now; BOUND: others may want its address */
    bool drained;                 /* (the reader's) the last read came short */
    uint32_t index;               /* (i) */
    struct conn *next_free;       /* (the pool's lock) */
    struct waitq right[2];        /* (sema_lock of the conn) who waits for the right to read, to write */
    uint32_t io_key;              /* (i) race builds: names what both ends share, the pipe or the pair of addresses */
    struct poll_desc pd;
};

/* Makes a connection of a descriptor that has been set to not block; it now owns fd. The handle, or 0 and *err; then it doesn't. */
enum { CONN_IS_SOCKET = 1, CONN_IS_STREAM = 2, CONN_IS_TCP = 4, CONN_IS_BOUND = 8 };
uint64_t conn_open(int fd, unsigned kind, int *err);
/* What kind a socket of that family and type is. net.c */
unsigned conn_kind(int family, int type);
/* As Go: small messages go at once, and a peer that is gone is noticed. net.c */
void conn_tune_tcp(int fd);

/* A reference for as long as one operation takes; NULL: closed. modes: CONN_READING, CONN_WRITING or both wait for that right; 0: none. */
struct conn *conn_get(uint64_t handle, unsigned modes);
/* Gives it, and the rights, back. */
void conn_put(struct conn *c, unsigned modes);
/* 0, or GO_ERR_CLOSED. Waits for the operations at work, so the caller holds no reference. */
int conn_close(uint64_t handle);
/* Its two halves: of several callers one gets the connection, which nobody can use any more then, the others NULL. */
struct conn *conn_close_begin(uint64_t handle);
void conn_close_end(struct conn *c);
/* netpoll_wait's and netpoll_check's result as an error code. */
int conn_error(enum poll_result r);
/* Waits until fd may be ready; 0 or an error. */
int conn_wait(struct conn *c, enum poll_mode mode);

#endif
