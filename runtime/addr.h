/* Addresses: text to sockaddr and back, and the networks by name. */
#ifndef RT_ADDR_H
#define RT_ADDR_H

#include <gort/net.h>

/* What a network's name means. */
struct network {
    int family;      /* AF_INET, AF_INET6, AF_UNIX, or AF_UNSPEC for both IPs */
    int type;        /* SOCK_* */
};

static inline bool addr_is_ip(int family)
{
    return family == AF_INET || family == AF_INET6;
}

/* 0 or GO_ERR_NETWORK. */
int addr_network(const char *name, struct network *out);
/* The addresses that text names, at most max; how many, or an error. passive: an empty host means all interfaces, else this machine. May
 * park, until the instant `until` at most (TIMER_NEVER: no limit). */
int addr_resolve(const struct network *net, const char *text, bool passive, int64_t until, struct go_addr *out, int max);
/* lookup.c: getaddrinfo on a thread of its own; the caller is parked, until `until` at most. How many addresses, or an error. */
int lookup(const char *host, const char *service, int family, int type, int64_t until, struct go_addr *out, int max);

#endif
