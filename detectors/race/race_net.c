/* Names and addresses of the network: what is read and written of the caller's. (Sending and receiving: race_io.c.) */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "race_calls.h"
#include "race_fds.h"

/* ---- sockets ---- */

CALL(int, bind, (int fd, const struct sockaddr *at, socklen_t n), (fd, at, n), ALL(race_fd_use(fd, FD_BIND, pc), reads(at, n, pc)), )
CALL(int, listen, (int fd, int n), (fd, n), race_fd_use(fd, FD_LISTEN, pc), )
CALL(int, setsockopt, (int fd, int level, int name, const void *v, socklen_t n), (fd, level, name, v, n),
     ALL(race_fd_use(fd, FD_OPTION, pc), reads_given(v, n, pc)), )

/* *n was the room and is now what there would be to tell; r: whether it went well. */
#define FILLS(name, parameters, arguments, at) \
    CALL(int, name, parameters, arguments, race_fd_use(fd, FD_OPTION, pc); const socklen_t room = n ? *n : 0, \
         if (r == 0) ALL(writes_given(at, *n < room ? *n : room, pc), OUT(n)))
FILLS(getsockname, (int fd, struct sockaddr *at, socklen_t *n), (fd, at, n), at)
FILLS(getpeername, (int fd, struct sockaddr *at, socklen_t *n), (fd, at, n), at)
FILLS(getsockopt, (int fd, int level, int name, void *v, socklen_t *n), (fd, level, name, v, n), v)

/* ---- addresses as text ---- */

static size_t address_size(int family)
{
    return family == AF_INET ? sizeof(struct in_addr) : family == AF_INET6 ? sizeof(struct in6_addr) : 0;
}

CALL(const char *, inet_ntop, (int family, const void *from, char *to, socklen_t n), (family, from, to, n), reads(from, address_size(family), pc), TEXT_OUT(r))
CALL(int, inet_pton, (int family, const char *from, void *to), (family, from, to), TEXT_IN(from), if (r == 1) writes(to, address_size(family), pc))
CALL(int, inet_aton, (const char *from, struct in_addr *to), (from, to), TEXT_IN(from), if (r) OUT(to))
CALL(in_addr_t, inet_addr, (const char *from), (from), TEXT_IN(from), )
CALL(unsigned, if_nametoindex, (const char *name), (name), TEXT_IN(name), )
CALL(char *, if_indextoname, (unsigned i, char *to), (i, to), , TEXT_OUT(r))

/* ---- names. What is told lies in blocks of malloc's, filled by libc for the caller ---- */

static void told_addresses(struct addrinfo *const *list, uintptr_t pc)
{
    OUT(list);
    for (struct addrinfo *a = *list; a; a = a->ai_next) {
        OUT(a);
        writes_given(a->ai_addr, a->ai_addrlen, pc);
        TEXT_OUT(a->ai_canonname);
    }
}
WAITS(int, getaddrinfo, (const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **list), (node, service, hints, list),
      ALL(TEXT_IN(node), ALL(TEXT_IN(service), IN(hints))), if (r == 0) told_addresses(list, pc))
WAITS(int, getnameinfo, (const struct sockaddr *at, socklen_t n, char *host, socklen_t nhost, char *service, socklen_t nservice, int flags),
      (at, n, host, nhost, service, nservice, flags), reads(at, n, pc),
      if (r == 0) ALL(if (nhost) TEXT_OUT(host), if (nservice) TEXT_OUT(service)))
CALL(int, getifaddrs, (struct ifaddrs **list), (list), , if (r == 0) OUT(list))

/* With a buffer of the caller's, of which nobody but libc knows how much was used: what the answer points to is. */
static void told_host(const struct hostent *h, uintptr_t pc)
{
    if (!h)
        return;
    OUT(h);
    TEXT_OUT(h->h_name);
    for (char **a = h->h_aliases; a && *a; a++)
        TEXT_OUT(*a);
    for (char **a = h->h_addr_list; a && *a; a++)
        writes(*a, (size_t)h->h_length, pc);
}
#define HOST(name, parameters, arguments, before) \
    WAITS(int, name, parameters, arguments, before, ALL(OUT(result), if (r == 0) told_host(*result, pc)))
HOST(gethostbyname_r, (const char *name, struct hostent *h, char *b, size_t n, struct hostent **result, int *e), (name, h, b, n, result, e), TEXT_IN(name))
HOST(gethostbyname2_r, (const char *name, int family, struct hostent *h, char *b, size_t n, struct hostent **result, int *e),
     (name, family, h, b, n, result, e), TEXT_IN(name))
HOST(gethostbyaddr_r, (const void *at, socklen_t nat, int family, struct hostent *h, char *b, size_t n, struct hostent **result, int *e),
     (at, nat, family, h, b, n, result, e), reads(at, nat, pc))

/* The answer lies in one place of libc's, for all. */
WAITS(struct hostent *, gethostbyname, (const char *name), (name), TEXT_IN(name), told_host(r, pc))
WAITS(struct hostent *, gethostbyname2, (const char *name, int family), (name, family), TEXT_IN(name), told_host(r, pc))
WAITS(struct hostent *, gethostbyaddr, (const void *at, socklen_t n, int family), (at, n, family), reads(at, n, pc), told_host(r, pc))
