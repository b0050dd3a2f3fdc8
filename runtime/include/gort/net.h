/* Non-blocking I/O that reads like blocking I/O: TCP, UDP, Unix sockets, pipes, and any descriptor of another library. A goroutine that waits
 * is parked; its thread runs others.
 *
 * Every function returns 0 or a count, or a negative error code (gort/error.h: go_strerror(code) is the message); errno is left alone.
 * A go_conn * or go_listener * is a handle, not an address: using one that has been closed, at once or much later, gives GO_ERR_CLOSED. Any thread
 * may use it; reads are done one at a time, writes too (a go_write of many bytes is not mixed with another's), and a read beside a write.
 * Closing wakes whoever waits, with GO_ERR_CLOSED, and returns when they are out: the address is free then, and the descriptor's number.
 *
 *     network                    address
 *     tcp, tcp4, tcp6            "127.0.0.1:80", "[::1]:80", "example.com:http", ":8080" (all interfaces), port 0, or none: any free one
 *     udp, udp4, udp6            the same
 *     unix, unixgram, unixpacket a path, or "@name" in the abstract name space
 *
 * "" to listen on: all interfaces and any free port, or an abstract name that the system gives. An IPv4 address within IPv6 ("::ffff:127.0.0.1", what a socket
 * for both gets from IPv4 peers) is read and written as IPv4.
 *
 * For the race detector what is written to one end happens before the read that gets it. */
#ifndef GORT_NET_H
#define GORT_NET_H

#include <sys/socket.h>
#include <sys/types.h>

#include <gort/base.h>
#include <gort/error.h>

typedef struct go_conn go_conn;
typedef struct go_listener go_listener;

/* ---- servers ---- */

/* Listens on a stream network. 0 or an error (-EADDRINUSE, GO_ERR_ADDRESS, GO_ERR_NETWORK, -EMFILE ...). Looks names up. */
int go_listen(const char *network, const char *address, go_listener **out);
/* Waits for a connection. 0 or an error; -EMFILE and -ENFILE ("too many open files") are worth a pause and another try. */
int go_accept(go_listener *l, go_conn **out);
/* Ends it; those who wait in go_accept get GO_ERR_CLOSED. A Unix socket's file is removed. */
int go_listener_close(go_listener *l);
/* The address listened on, as text: "127.0.0.1:40123". 0 or an error (-ENOSPC: n is too small). */
int go_listener_addr(go_listener *l, char *buf, size_t n);
/* go_accept fails with GO_ERR_TIMEOUT from the instant `at` (go_now()'s clock) on; 0: never. */
int go_listener_set_deadline(go_listener *l, int64_t at);

/* A datagram socket bound to address, for go_recv_from and go_send_to. */
int go_listen_packet(const char *network, const char *address, go_conn **out);

/* ---- clients ---- */

/* Connects. A name's addresses are tried one after the other; the error is the first one's. If those of the first one's family (IPv6, IPv4) have led to nothing
 * within 300 ms, the others are tried beside them, and the first that answers is taken, as in Go. */
int go_dial(const char *network, const char *address, go_conn **out);
/* At most ns nanoseconds in all, the lookup too, then GO_ERR_TIMEOUT. 0: no limit; ns < 0: the time is up already. A name's addresses share the time: one
 * that does not answer leaves the next ones theirs, or gets 2 seconds if that is more. */
int go_dial_timeout(const char *network, const char *address, int64_t ns, go_conn **out);

/* ---- connections ---- */

/* Reads up to n bytes, at least one: how many, 0 at the end (the peer has closed its side), or an error. n == 0: 0 at once. */
ssize_t go_read(go_conn *c, void *buf, size_t n);
/* Reads exactly n bytes: n, or an error; GO_ERR_EOF if the end came before the first, GO_ERR_UNEXPECTED_EOF later. *got, if not NULL: how many
 * bytes were read in any case. */
ssize_t go_read_full(go_conn *c, void *buf, size_t n, size_t *got);
/* Writes all n bytes: n, or an error (then some may have been written). A closed peer is -EPIPE, never a signal. */
ssize_t go_write(go_conn *c, const void *buf, size_t n);
/* Closes. Whoever reads or writes gets GO_ERR_CLOSED. A second close: GO_ERR_CLOSED. */
int go_conn_close(go_conn *c);
/* Ends one direction of a stream: the peer reads the end; nothing more is read. */
int go_conn_close_write(go_conn *c);
int go_conn_close_read(go_conn *c);

/* Reads, writes, or both fail with GO_ERR_TIMEOUT from the instant `at` (go_now()'s clock) on, those that wait already as well; 0: never.
 * A later deadline may be set after one has passed. */
int go_set_deadline(go_conn *c, int64_t at);
int go_set_read_deadline(go_conn *c, int64_t at);
int go_set_write_deadline(go_conn *c, int64_t at);

/* Addresses as text; 0 or an error (-ENOSPC: n is too small). */
int go_conn_local_addr(go_conn *c, char *buf, size_t n);
int go_conn_remote_addr(go_conn *c, char *buf, size_t n);

/* Datagrams: one each; what does not fit into buf is lost. from may be NULL, to as well if the socket is connected. Returns the bytes (there are empty
 * datagrams), or an error. */
struct go_addr {
    struct sockaddr_storage sa;
    socklen_t len;
};
ssize_t go_recv_from(go_conn *c, void *buf, size_t n, struct go_addr *from);
ssize_t go_send_to(go_conn *c, const void *buf, size_t n, const struct go_addr *to);
/* Text to address, with a lookup if it is a name; and back (an unnamed Unix socket's is empty). */
int go_resolve(const char *network, const char *address, struct go_addr *out);
int go_addr_string(const struct go_addr *a, char *buf, size_t n);

/* A pipe: what is written to *w is read from *r. */
int go_pipe(go_conn **r, go_conn **w);

/* Makes a connection of a descriptor that the caller has: a socket, a pipe, a terminal. It is set to not block, and belongs to the connection from
 * then on; on an error it stays the caller's. GO_ERR_NOT_POLLABLE: a regular file. */
int go_conn_from_fd(int fd, go_conn **out);
/* The descriptor, for socket options. It may be closed at any time by go_conn_close. A negative error if it has been. */
int go_conn_fd(go_conn *c);

/* ---- any descriptor ---- */

#define GO_READABLE 1
#define GO_WRITABLE 2

/* Waits until fd, which the caller owns and keeps open, is readable or writable: which of `events`, or GO_ERR_TIMEOUT after ns nanoseconds (ns < 0: no
 * limit; 0: only looks), or an error (-EBADF). An error or a hang-up on fd counts as both. For descriptors of other libraries (libpq,
 * libcurl): don't wait for the descriptor of a go_conn with it. Several goroutines may wait for one fd. A regular file is always ready. */
int go_fd_wait(int fd, int events, int64_t ns);

/* ---- names ---- */

/* Looks a name up; addr gets up to max addresses (with port 0). How many there are, or GO_ERR_NO_HOST and the like. The system's resolver works
 * on a thread of its own meanwhile; at most 64 at a time, others wait in line. */
int go_lookup_host(const char *name, struct go_addr *addr, int max);

#endif
