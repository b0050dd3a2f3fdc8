/* How the event loop of one thread is woken by another, as libraries do it: built without detection, in a shared library. */
#ifndef PLAIN_BELL_H
#define PLAIN_BELL_H

#include <stddef.h>

/* Through what: eventfd, read after epoll; a pipe, read by what _FORTIFY_SOURCE makes of it, after poll; readv and writev; a socket, by recv and send,
 * recvfrom and sendto, recvmsg and sendmsg; eventfd_read and eventfd_write; a connection that is accepted. */
#define BELLS(X) X(EVENTFD) X(PIPE) X(VECTOR) X(SOCKET) X(ADDRESSED) X(MESSAGE) X(COUNT) X(CONNECTION)
enum bell_kind {
#define X(name) BELL_##name,
    BELLS(X)
#undef X
};
struct bell;
struct bell *bell_new(enum bell_kind kind);
void bell_ring(struct bell *b);
/* Until it is rung. */
void bell_wait(struct bell *b);
void bell_free(struct bell *b);

/* Waits for something to read from the caller's own descriptor, and leaves it there. */
void bell_ready(int fd);
/* A byte through one of the caller's own. */
void bell_send(int fd);
/* Pages that were not there, always at the same place, and their end. */
void *bell_map(size_t n);
void bell_unmap(void *p, size_t n);

#endif
