/* Addresses as text. Literal ones are read here at once; names go to the resolver (lookup.c). */
#include "addr.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "timer.h"

int addr_network(const char *name, struct network *out)
{
    static const struct {
        const char *name;
        struct network network;
    } networks[] = {
        {"tcp", {AF_UNSPEC, SOCK_STREAM}}, {"tcp4", {AF_INET, SOCK_STREAM}}, {"tcp6", {AF_INET6, SOCK_STREAM}},
        {"udp", {AF_UNSPEC, SOCK_DGRAM}},  {"udp4", {AF_INET, SOCK_DGRAM}},  {"udp6", {AF_INET6, SOCK_DGRAM}},
        {"unix", {AF_UNIX, SOCK_STREAM}},  {"unixgram", {AF_UNIX, SOCK_DGRAM}}, {"unixpacket", {AF_UNIX, SOCK_SEQPACKET}},
    };
    for (size_t i = 0; name && i < sizeof networks / sizeof networks[0]; i++)
        if (strcmp(name, networks[i].name) == 0) {
            *out = networks[i].network;
            return 0;
        }
    return GO_ERR_NETWORK;
}

static int resolve_unix(const char *text, bool passive, struct go_addr *out)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    size_t n = strlen(text);
    bool abstract = text[0] == '@';
    if ((n == 0 && !passive) || n + !abstract > sizeof un.sun_path)
        return GO_ERR_ADDRESS;
    memcpy(un.sun_path, text, n);
    if (abstract)
        un.sun_path[0] = 0;
    *out = (struct go_addr){0};
    memcpy(&out->sa, &un, sizeof un);
    out->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n + (n > 0 && !abstract));   /* the family alone: the system gives it an abstract name */
    return 1;
}

/* "host:port", "[v6 host]:port", ":port" into two strings; false: it is none. */
static bool split(const char *text, char *host, size_t room, const char **port)
{
    const char *colon = strrchr(text, ':'), *from = text, *to = colon;
    if (!colon)
        return false;
    if (text[0] == '[') {
        from = text + 1;
        to = colon - 1;
        if (to < from || *to != ']')
            return false;
    } else if (memchr(text, ':', (size_t)(colon - text))) {
        return false;   /* too many colons: brackets are missing */
    }
    size_t n = (size_t)(to - from);
    if (n >= room)
        return false;
    memcpy(host, from, n);
    host[n] = 0;
    *port = colon + 1;
    return true;
}

static bool number(const char *text, unsigned long most, unsigned long *out)
{
    if (!*text)
        return false;
    *out = 0;
    for (const char *s = text; *s; s++) {
        if (*s < '0' || *s > '9' || (*out = *out * 10 + (unsigned long)(*s - '0')) > most)
            return false;
    }
    return true;
}

static struct go_addr ip4(const void *ip, unsigned long port)
{
    struct go_addr a = {.len = sizeof(struct sockaddr_in)};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    memcpy(&in.sin_addr, ip, sizeof in.sin_addr);
    memcpy(&a.sa, &in, sizeof in);
    return a;
}

static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};   /* how an IPv6 address that is an IPv4 one begins */

static struct go_addr ip6(const void *ip, unsigned long port, uint32_t scope)
{
    struct go_addr a = {.len = sizeof(struct sockaddr_in6)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port), .sin6_scope_id = scope};
    memcpy(&in6.sin6_addr, ip, sizeof in6.sin6_addr);
    memcpy(&a.sa, &in6, sizeof in6);
    return a;
}

/* A literal IP, possibly with a zone ("fe80::1%eth0"). How many addresses: 1, or 0 if it is a name, or an error. */
static int literal(char *host, unsigned long port, int family, struct go_addr *out)
{
    unsigned char ip[16];
    uint32_t scope = 0;
    char *zone = strchr(host, '%');
    if (zone) {
        *zone = 0;
        unsigned long n;
        scope = number(zone + 1, UINT32_MAX, &n) ? (uint32_t)n : if_nametoindex(zone + 1);
        if (scope == 0 && strcmp(zone + 1, "0") != 0)
            return GO_ERR_ADDRESS;
    }
    bool is_ip6 = inet_pton(AF_INET6, host, ip) == 1, is_ip4 = !is_ip6 && inet_pton(AF_INET, host, ip) == 1;
    if (is_ip6 && memcmp(ip, mapped, sizeof mapped) == 0) {
        memmove(ip, ip + sizeof mapped, 4);
        is_ip4 = !(is_ip6 = false);
    }
    if (is_ip4) {
        *out = ip4(ip, port);
        return family == AF_INET6 || zone ? GO_ERR_ADDRESS : 1;
    }
    if (is_ip6) {
        *out = ip6(ip, port, scope);
        return family == AF_INET ? GO_ERR_ADDRESS : 1;
    }
    return zone ? GO_ERR_ADDRESS : 0;
}

int addr_resolve(const struct network *net, const char *text, bool passive, int64_t until, struct go_addr *out, int max)
{
    char host[256];
    const char *port;
    unsigned long n;
    if (!text || max < 1)
        return GO_ERR_ADDRESS;
    if (net->family == AF_UNIX)
        return resolve_unix(text, passive, out);
    if (passive && !*text)
        text = ":";
    if (!split(text, host, sizeof host, &port))
        return GO_ERR_ADDRESS;
    bool numeric = number(*port ? port : "0", 65535, &n);   /* none is 0, as in Go */
    if (!numeric && *port >= '0' && *port <= '9')
        return GO_ERR_ADDRESS;   /* too large */
    if (numeric) {
        if (!*host) {
            static const unsigned char any[16], loop4[4] = {127, 0, 0, 1}, loop6[16] = {[15] = 1};
            int k = 0;
            if (net->family != AF_INET && passive)
                out[k++] = ip6(any, n, 0);
            if (net->family == AF_INET6 && !passive)
                out[k++] = ip6(loop6, n, 0);
            if (net->family != AF_INET6 && k < max)
                out[k++] = ip4(passive ? any : loop4, n);
            return k;
        }
        int k = literal(host, n, net->family, out);
        if (k != 0)
            return k;
    }
    return lookup(*host ? host : NULL, port, net->family, net->type, until, out, max);
}

int go_resolve(const char *network, const char *address, struct go_addr *out)
{
    struct network net;
    struct go_addr found[2];
    int n = addr_network(network, &net);
    if (n == 0)
        n = addr_resolve(&net, address, false, TIMER_NEVER, found, 2);
    if (n > 0)
        *out = found[0];
    return n < 0 ? n : n == 0 ? GO_ERR_NO_HOST : 0;
}

int go_lookup_host(const char *name, struct go_addr *addr, int max)
{
    char host[256];
    if (!name || !*name || strlen(name) >= sizeof host || max < 1)
        return GO_ERR_ADDRESS;
    memcpy(host, name, strlen(name) + 1);
    int k = literal(host, 0, AF_UNSPEC, addr);
    return k != 0 ? k : lookup(name, NULL, AF_UNSPEC, SOCK_STREAM, TIMER_NEVER, addr, max);
}

int go_addr_string(const struct go_addr *a, char *buf, size_t n)
{
    char ip[INET6_ADDRSTRLEN];
    int k;
    switch (a->sa.ss_family) {
    case AF_INET: {
        struct sockaddr_in in;
        memcpy(&in, &a->sa, sizeof in);
        inet_ntop(AF_INET, &in.sin_addr, ip, sizeof ip);
        k = snprintf(buf, n, "%s:%u", ip, ntohs(in.sin_port));
        break;
    }
    case AF_INET6: {
        struct sockaddr_in6 in6;
        memcpy(&in6, &a->sa, sizeof in6);
        bool is_ip4 = memcmp(&in6.sin6_addr, mapped, sizeof mapped) == 0;
        inet_ntop(is_ip4 ? AF_INET : AF_INET6, (char *)&in6.sin6_addr + (is_ip4 ? sizeof mapped : 0), ip, sizeof ip);
        if (is_ip4)
            k = snprintf(buf, n, "%s:%u", ip, ntohs(in6.sin6_port));
        else if (in6.sin6_scope_id)
            k = snprintf(buf, n, "[%s%%%u]:%u", ip, in6.sin6_scope_id, ntohs(in6.sin6_port));
        else
            k = snprintf(buf, n, "[%s]:%u", ip, ntohs(in6.sin6_port));
        break;
    }
    case AF_UNIX: {
        struct sockaddr_un un;
        memcpy(&un, &a->sa, sizeof un);
        size_t len = a->len > offsetof(struct sockaddr_un, sun_path) ? a->len - offsetof(struct sockaddr_un, sun_path) : 0;
        if (len > sizeof un.sun_path)
            len = sizeof un.sun_path;   /* a path of the full length has its zero after it */
        bool abstract = len > 0 && un.sun_path[0] == 0;
        if (abstract)
            k = snprintf(buf, n, "@%.*s", (int)len - 1, un.sun_path + 1);
        else
            k = snprintf(buf, n, "%.*s", (int)strnlen(un.sun_path, len), un.sun_path);
        break;
    }
    default:
        if (a->len != 0)
            return GO_ERR_ADDRESS;
        k = snprintf(buf, n, "%s", "");   /* that of an unnamed sender */
    }
    return k < 0 || (size_t)k >= n ? -ENOSPC : 0;
}
