/* Listening, accepting and dialling, on every kind of network; addresses; what is reported when it can't be. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <errno.h>
#include <gort.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void echo(go_conn *c)
{
    char buf[100];
    ssize_t n;
    while ((n = go_read(c, buf, sizeof buf)) > 0 && go_write(c, buf, (size_t)n) == n) {
    }
    go_conn_close(c);
}

static void serve(go_listener *l, go_waitgroup *wg)
{
    go_conn *c;
    while (go_accept(l, &c) == 0)
        go(echo, c);
    go_waitgroup_done(wg);
}

static void talk(go_conn *c, const char *text)
{
    char buf[100];
    size_t n = strlen(text);
    cr_assert_eq(go_write(c, text, n), (ssize_t)n);
    cr_assert_eq(go_read_full(c, buf, n, NULL), (ssize_t)n);
    cr_assert(memcmp(buf, text, n) == 0);
}

static void round_trip(const char *network, const char *address)
{
    go_listener *l;
    go_conn *c;
    char addr[200];
    go_waitgroup wg = GO_WAITGROUP_INIT;
    int err = go_listen(network, address, &l);
    cr_assert_eq(err, 0, "listen %s %s: %s", network, address, go_strerror(err));
    cr_assert_eq(go_listener_addr(l, addr, sizeof addr), 0);
    go_waitgroup_add(&wg, 1);
    go(serve, l, &wg);
    err = go_dial(network, addr, &c);
    cr_assert_eq(err, 0, "dial %s %s: %s", network, addr, go_strerror(err));
    talk(c, "hello");
    talk(c, "once more, and longer");
    cr_assert_eq(go_conn_close(c), 0);
    cr_assert_eq(go_listener_close(l), 0);
    go_waitgroup_wait(&wg);
    cr_assert_eq(go_listener_close(l), GO_ERR_CLOSED);
    err = go_dial(network, addr, &c);
    cr_assert(err < 0 && c == NULL);
}

Test(net, tcp4)
{
    round_trip("tcp", "127.0.0.1:0");
    round_trip("tcp4", "127.0.0.1:0");
    round_trip("tcp4", "127.0.0.1:");
    go_conn *c;
    cr_assert_eq(go_dial("tcp", "127.0.0.1:", &c), -ECONNREFUSED);
}

Test(net, tcp_by_name_and_on_all_interfaces)
{
    go_listener *l;
    char addr[100];
    cr_assert_eq(go_listen("tcp", ":0", &l), 0);
    cr_assert_eq(go_listener_addr(l, addr, sizeof addr), 0);
    const char *port = strrchr(addr, ':');
    cr_assert_not_null(port);
    char name[100];
    snprintf(name, sizeof name, "localhost%s", port);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1);
    go(serve, l, &wg);
    go_conn *c;
    int err = go_dial("tcp", name, &c);
    cr_assert_eq(err, 0, "%s", go_strerror(err));
    talk(c, "by name");
    char local[100], remote[100];
    cr_assert_eq(go_conn_local_addr(c, local, sizeof local), 0);
    cr_assert_eq(go_conn_remote_addr(c, remote, sizeof remote), 0);
    cr_assert_str_eq(strrchr(remote, ':'), port);
    cr_assert_str_neq(local, remote);
    cr_assert_eq(go_conn_local_addr(c, local, 3), -ENOSPC);
    go_conn_close(c);
    go_listener_close(l);
    go_waitgroup_wait(&wg);
}

Test(net, unix_sockets)
{
    char path[100];
    snprintf(path, sizeof path, "/tmp/gort-test-%d.sock", getpid());
    round_trip("unix", path);
    cr_assert_neq(access(path, F_OK), 0, "the socket's file is gone with its listener");
    snprintf(path, sizeof path, "@gort-test-%d", getpid());
    round_trip("unix", path);
    round_trip("unixpacket", path);
}

static void accept_until_closed(go_listener *l, go_waitgroup *wg)
{
    go_conn *c;
    cr_expect_eq(go_accept(l, &c), GO_ERR_CLOSED);
    go_waitgroup_done(wg);
}

static void receive_until_closed(go_conn *c, go_waitgroup *wg)
{
    char b;
    cr_expect_eq(go_recv_from(c, &b, 1, NULL), GO_ERR_CLOSED);
    go_waitgroup_done(wg);
}

/* When a close returns the address is free, also if goroutines waited there. */
Test(net, a_closed_address_is_free, .timeout = 60)
{
    char at[100], path[100];
    snprintf(path, sizeof path, "/tmp/gort-test-free-%d.sock", getpid());
    const char *where[][2] = {{"tcp", "127.0.0.1:0"}, {"unix", path}, {"udp", "127.0.0.1:0"}};
    for (int i = 0; i < 150; i++) {
        const char *network = where[i % 3][0], *address = where[i % 3][1];
        go_waitgroup wg = GO_WAITGROUP_INIT;
        go_listener *l, *next;
        go_conn *c, *next_c;
        go_waitgroup_add(&wg, 2);
        if (strcmp(network, "udp") == 0) {
            cr_assert_eq(go_listen_packet(network, address, &c), 0);
            cr_assert_eq(go_conn_local_addr(c, at, sizeof at), 0);
            go(receive_until_closed, c, &wg);
            go(receive_until_closed, c, &wg);
            go_sleep(i % 2 * GO_MILLISECOND);
            cr_assert_eq(go_conn_close(c), 0);
            cr_assert_eq(go_listen_packet(network, at, &next_c), 0);
            go_conn_close(next_c);
        } else {
            cr_assert_eq(go_listen(network, address, &l), 0);
            cr_assert_eq(go_listener_addr(l, at, sizeof at), 0);
            go(accept_until_closed, l, &wg);
            go(accept_until_closed, l, &wg);
            go_sleep(i % 2 * GO_MILLISECOND);
            cr_assert_eq(go_listener_close(l), 0);
            cr_assert_eq(go_listener_close(l), GO_ERR_CLOSED);
            cr_assert_eq(go_listen(network, at, &next), 0);
            go_listener_close(next);
        }
        go_waitgroup_wait(&wg);
    }
}

Test(net, datagrams)
{
    go_conn *a, *b;
    char buf[100], text[100];
    cr_assert_eq(go_listen_packet("udp", "127.0.0.1:0", &a), 0);
    cr_assert_eq(go_conn_local_addr(a, text, sizeof text), 0);
    struct go_addr to, from;
    cr_assert_eq(go_resolve("udp", text, &to), 0);
    cr_assert_eq(go_listen_packet("udp", "127.0.0.1:0", &b), 0);
    cr_assert_eq(go_send_to(b, "ping", 4, &to), 4);
    cr_assert_eq(go_send_to(b, "", 0, &to), 0);
    cr_assert_eq(go_recv_from(a, buf, sizeof buf, &from), 4);
    cr_assert_eq(go_recv_from(a, buf, sizeof buf, NULL), 0, "an empty datagram");
    cr_assert_eq(go_send_to(a, "pong", 4, &from), 4);
    cr_assert_eq(go_recv_from(b, buf, sizeof buf, NULL), 4);
    cr_assert(memcmp(buf, "pong", 4) == 0);
    go_conn *c;   /* connected */
    cr_assert_eq(go_dial("udp", text, &c), 0);
    cr_assert_eq(go_write(c, "hi", 2), 2);
    cr_assert_eq(go_recv_from(a, buf, sizeof buf, &from), 2);
    go_set_read_deadline(a, go_now() + 5 * GO_MILLISECOND);
    cr_assert_eq(go_recv_from(a, buf, sizeof buf, &from), GO_ERR_TIMEOUT);
    go_conn_close(a);
    go_conn_close(b);
    go_conn_close(c);
}

Test(net, bad_networks_and_addresses)
{
    static const struct {
        const char *network, *address;
        int err;
    } bad[] = {
        {"tpc", "127.0.0.1:1", GO_ERR_NETWORK},   {NULL, "127.0.0.1:1", GO_ERR_NETWORK},      {"udp", "127.0.0.1:0", GO_ERR_NETWORK},
        {"tcp", "127.0.0.1", GO_ERR_ADDRESS},     {"tcp", "127.0.0.1:8o8", GO_ERR_ADDRESS},   {"tcp", "127.0.0.1:65536", GO_ERR_ADDRESS},
        {"tcp", "127.0.0.1:8o", GO_ERR_ADDRESS},  {"tcp", "::1:80", GO_ERR_ADDRESS},          {"tcp", "[::1:80", GO_ERR_ADDRESS},
        {"tcp4", "[::1]:80", GO_ERR_ADDRESS},     {"tcp6", "127.0.0.1:80", GO_ERR_ADDRESS},   {"tcp", NULL, GO_ERR_ADDRESS},
        {"tcp", "[::1]]:80x", GO_ERR_ADDRESS},    {"unix", "/no/such/directory/s", -ENOENT},  {"tcp", "no-such-host.invalid:80", GO_ERR_NO_HOST},
        {"tcp", "[fe80::1%nosuchif]:80", GO_ERR_ADDRESS}, {"tcp", "localhost:no-such-service", GO_ERR_ADDRESS},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        go_listener *l;
        int err = go_listen(bad[i].network, bad[i].address, &l);
        bool lookup = bad[i].err == GO_ERR_NO_HOST && err == GO_ERR_LOOKUP;   /* no name server at all */
        cr_assert(err == bad[i].err || lookup, "listen %s %s: %s", bad[i].network, bad[i].address, go_strerror(err));
        cr_assert_null(l);
    }
    char longer[300];
    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = 0;
    go_conn *c;
    cr_assert_eq(go_dial("unix", longer, &c), GO_ERR_ADDRESS);
    cr_assert_eq(go_dial("unix", "", &c), GO_ERR_ADDRESS);
    cr_assert_eq(go_dial("tcp", "", &c), GO_ERR_ADDRESS);
    memcpy(longer + 290, ":80", 4);
    cr_assert_eq(go_dial("tcp", longer, &c), GO_ERR_ADDRESS);
}

Test(net, refused_in_use_and_late)
{
    go_listener *l, *again;
    go_conn *c;
    char addr[100];
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    go_listener_addr(l, addr, sizeof addr);
    cr_assert_eq(go_listen("tcp", addr, &again), -EADDRINUSE);
    cr_assert_eq(go_listener_set_deadline(l, go_now() + 5 * GO_MILLISECOND), 0);
    cr_assert_eq(go_accept(l, &c), GO_ERR_TIMEOUT);
    cr_assert_eq(go_listener_set_deadline(l, go_now() - 1), 0);
    cr_assert_eq(go_accept(l, &c), GO_ERR_TIMEOUT);
    go_listener_close(l);
    cr_assert_eq(go_dial("tcp", addr, &c), -ECONNREFUSED);
    cr_assert_eq(go_dial_timeout("tcp", addr, GO_SECOND, &c), -ECONNREFUSED);
    cr_assert_eq(go_accept(l, &c), GO_ERR_CLOSED);
}

/* A listener whose queue is full: a dial waits, and its timeout ends it. */
Test(net, dial_timeout)
{
    go_listener *l;
    char path[100];
    snprintf(path, sizeof path, "@gort-full-%d", getpid());
    cr_assert_eq(go_listen("unix", path, &l), 0);
    int n = 0, err;
    go_conn *c[5000];
    while (n < 5000 && (err = go_dial_timeout("unix", path, 5 * GO_MILLISECOND, &c[n])) == 0)
        n++;
    if (n < 5000)
        cr_assert_eq(err, GO_ERR_TIMEOUT, "%s", go_strerror(err));
    while (n > 0)
        go_conn_close(c[--n]);
    go_listener_close(l);
}

/* No descriptors left: an error for each call, and all goes on when there are some again. */
Test(net, too_many_open_files)
{
    struct rlimit old, few;
    go_listener *l;
    go_conn *c[100];
    char addr[100];
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    go_listener_addr(l, addr, sizeof addr);
    getrlimit(RLIMIT_NOFILE, &old);
    few = (struct rlimit){40, old.rlim_max};
    setrlimit(RLIMIT_NOFILE, &few);
    int n = 0, err = 0;
    while (n < 100 && (err = go_dial("tcp", addr, &c[n])) == 0)
        n++;
    cr_assert_eq(err, -EMFILE);
    cr_assert_str_eq(go_strerror(err), "too many open files");
    go_conn *in;
    cr_assert_eq(go_accept(l, &in), -EMFILE);
    struct go_addr found;
    cr_expect_eq(go_lookup_host("localhost", &found, 1), -EMFILE);
    cr_expect_eq(go_dial("tcp", "localhost:80", &in), -EMFILE, "a name that can't be looked up now is not one that isn't there");
    go_conn_close(c[--n]);
    cr_assert_eq(go_accept(l, &in), 0);
    setrlimit(RLIMIT_NOFILE, &old);
    go_conn_close(in);
    while (n > 0)
        go_conn_close(c[--n]);
    go_listener_close(l);
}

Test(net, lookup)
{
    struct go_addr a[8];
    char text[100];
    int n = go_lookup_host("localhost", a, 8);
    cr_assert_gt(n, 0, "%s", go_strerror(n));
    cr_assert_eq(go_lookup_host("::1", a, 8), 1);
    cr_assert_eq(go_addr_string(&a[0], text, sizeof text), 0);
    cr_assert_str_eq(text, "[::1]:0");
    cr_assert_eq(go_lookup_host("10.1.2.3", a, 8), 1);
    cr_assert_eq(go_lookup_host("", a, 8), GO_ERR_ADDRESS);
    cr_assert_eq(go_lookup_host(NULL, a, 8), GO_ERR_ADDRESS);
}

static void look_up(go_waitgroup *wg)
{
    struct go_addr a[4];
    cr_expect_gt(go_lookup_host("localhost", a, 4), 0);
    go_waitgroup_done(wg);
}

/* More lookups at once than there may be threads for them. */
Test(net, many_lookups)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 300);
    for (int i = 0; i < 300; i++)
        go(look_up, &wg);
    go_waitgroup_wait(&wg);
}

/* Who sends from a socket without a name has an address without text. */
Test(net, an_unnamed_sender)
{
    char path[] = "/tmp/gort-unnamed-XXXXXX", text[20] = "?";
    cr_assert(mkdtemp(path) != NULL);
    char name[64];
    snprintf(name, sizeof name, "%s/s", path);
    go_conn *a, *b;
    struct go_addr from;
    cr_assert_eq(go_listen_packet("unixgram", name, &a), 0);
    cr_assert_eq(go_dial("unixgram", name, &b), 0);
    cr_assert_eq(go_write(b, "x", 1), 1);
    cr_assert_eq(go_recv_from(a, text, sizeof text, &from), 1);
    cr_assert_eq(from.len, 0);
    cr_assert_eq(from.sa.ss_family, AF_UNSPEC, "what lay on the stack came along");
    cr_assert_eq(go_addr_string(&from, text, sizeof text), 0);
    cr_assert_str_eq(text, "");
    go_conn_close(a);
    go_conn_close(b);
    unlink(name);
    rmdir(path);
}

/* No address: the system's choice. An abstract name may fill the whole of its room. */
Test(net, any_address)
{
    static const char *networks[] = {"tcp", "tcp4", "tcp6", "unix", "udp", "udp4", "unixgram"};
    char addr[200], longest[109] = "@";
    for (size_t i = 0; i < sizeof networks / sizeof networks[0]; i++) {
        go_listener *l = NULL;
        go_conn *c = NULL, *to;
        int err = i < 4 ? go_listen(networks[i], "", &l) : go_listen_packet(networks[i], "", &c);
        if (strcmp(networks[i], "tcp6") == 0 && err == -EAFNOSUPPORT)
            continue;
        cr_assert_eq(err, 0, "%s: %s", networks[i], go_strerror(err));
        cr_assert_eq(l ? go_listener_addr(l, addr, sizeof addr) : go_conn_local_addr(c, addr, sizeof addr), 0);
        cr_assert_eq(go_dial(networks[i], addr, &to), 0, "%s %s", networks[i], addr);
        go_conn_close(to);
        if (l)
            go_listener_close(l);
        else
            go_conn_close(c);
    }
    snprintf(longest, sizeof longest, "@gort-%d-", getpid());
    memset(longest + strlen(longest), 'x', sizeof longest - 1 - strlen(longest));
    round_trip("unix", longest);
}

/* What a socket for IPv4 and IPv6 gets from IPv4 peers, and such addresses as text. */
Test(net, ip4_within_ip6)
{
    go_listener *l;
    go_conn *c, *in;
    char addr[100], port[20], local[100], remote[100], to[100];
    cr_assert_eq(go_listen("tcp", ":0", &l), 0);
    cr_assert_eq(go_listener_addr(l, addr, sizeof addr), 0);
    snprintf(port, sizeof port, "%s", strrchr(addr, ':'));
    static const char *const ways[] = {"127.0.0.1", "[127.0.0.1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"};
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        snprintf(to, sizeof to, "%s%s", ways[i], port);
        cr_assert_eq(go_dial("tcp", to, &c), 0, "%s", to);
        cr_assert_eq(go_accept(l, &in), 0);
        cr_assert_eq(go_conn_local_addr(c, local, sizeof local), 0);
        cr_assert_eq(go_conn_remote_addr(in, remote, sizeof remote), 0);
        cr_assert_str_eq(local, remote);
        cr_assert_eq(strncmp(remote, "127.0.0.1:", 10), 0, "%s", remote);
        go_conn_close(in);
        go_conn_close(c);
    }
    go_listener_close(l);
    round_trip("tcp", "[::ffff:127.0.0.1]:0");
    round_trip("tcp4", "[::ffff:127.0.0.1]:0");
    cr_assert_eq(go_listen("tcp6", "[::ffff:127.0.0.1]:0", &l), GO_ERR_ADDRESS);

    go_conn *any;   /* a datagram's sender, and the way back as text */
    struct go_addr from;
    cr_assert_eq(go_listen_packet("udp", ":0", &any), 0);
    cr_assert_eq(go_conn_local_addr(any, addr, sizeof addr), 0);
    snprintf(to, sizeof to, "127.0.0.1%s", strrchr(addr, ':'));
    cr_assert_eq(go_dial("udp", to, &c), 0);
    cr_assert_eq(go_send_to(c, "1", 1, NULL), 1);
    cr_assert_eq(go_recv_from(any, remote, sizeof remote, &from), 1);
    cr_assert_eq(go_send_to(any, "2", 1, &from), 1);
    cr_assert_eq(go_addr_string(&from, local, sizeof local), 0);
    cr_assert_eq(strncmp(local, "127.0.0.1:", 10), 0, "%s", local);
    cr_assert_eq(go_resolve("udp", local, &from), 0);
    cr_assert_eq(go_send_to(any, "3", 1, &from), 1);
    for (int i = 0; i < 2; i++)
        cr_assert_eq(go_read(c, remote, sizeof remote), 1);
    cr_assert_eq(go_send_to(any, "4", 1, NULL), -EDESTADDRREQ);
    go_conn_close(c);
    go_conn_close(any);
}

/* ---- a resolver of our own, for three names ---- */

static struct sockaddr_in two[2];
static struct go_addr both[4];   /* len 0: no more */
static atomic_bool may_answer;
static atomic_int answered;

/* "slow.test" takes until the test lets it answer; "two.test" has two addresses of IPv4, "both.test" some of both families. */
int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    static struct addrinfo list[4];
    if (host && strcmp(host, "slow.test") == 0) {
        while (!atomic_load(&may_answer))
            usleep(1000);
        atomic_fetch_add(&answered, 1);
        return EAI_NONAME;
    }
    if (host && strcmp(host, "two.test") == 0) {
        for (int i = 0; i < 2; i++)
            list[i] = (struct addrinfo){.ai_family = AF_INET, .ai_addr = (struct sockaddr *)&two[i], .ai_addrlen = sizeof two[i], .ai_next = i ? NULL : &list[1]};
        *out = list;
        return 0;
    }
    if (host && strcmp(host, "both.test") == 0) {
        for (int i = 0; i < 4 && both[i].len; i++)
            list[i] = (struct addrinfo){.ai_family = both[i].sa.ss_family, .ai_addr = (struct sockaddr *)&both[i].sa, .ai_addrlen = both[i].len,
                                        .ai_next = i == 3 || !both[i + 1].len ? NULL : &list[i + 1]};
        *out = list;
        return 0;
    }
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(host, service, hints, out);
}

void freeaddrinfo(struct addrinfo *list)
{
    if (list->ai_addr == (struct sockaddr *)&two[0] || list->ai_addr == (struct sockaddr *)&both[0].sa)
        return;
    void (*real)(struct addrinfo *);
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    real(list);
}

static void dial_slowly(go_waitgroup *wg)
{
    go_conn *c;
    int64_t start = go_now();
    cr_expect_eq(go_dial_timeout("tcp", "slow.test:80", 20 * GO_MILLISECOND, &c), GO_ERR_TIMEOUT);
    cr_expect_geq(go_now() - start, 20 * GO_MILLISECOND);
    cr_expect_null(c);
    go_waitgroup_done(wg);
}

/* A dial's time is up while its name is being looked up, or while it waits in line for that; lookups that nobody waits for any more end by themselves. */
Test(net, dial_timeout_in_a_lookup, .timeout = 60)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    struct go_addr a[4];
    go_waitgroup_add(&wg, 200);
    for (int i = 0; i < 200; i++)
        go(dial_slowly, &wg);
    go_waitgroup_wait(&wg);
    cr_assert_eq(atomic_load(&answered), 0, "nobody waited for an answer");
    atomic_store(&may_answer, true);
    cr_assert_eq(go_lookup_host("slow.test", a, 4), GO_ERR_NO_HOST);   /* in line behind the others, without a limit */
    cr_assert_gt(atomic_load(&answered), 0);
    cr_assert_gt(go_lookup_host("localhost", a, 4), 0);
}

/* The first of a name's addresses is a listener whose queue is full: a dial with a limit gets to the second. */
Test(net, dial_timeout_is_shared, .timeout = 60)
{
    int full = socket(AF_INET, SOCK_STREAM, 0), in_line[8];
    socklen_t len = sizeof two[0];
    two[0] = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    cr_assert_eq(bind(full, (struct sockaddr *)&two[0], len), 0);
    cr_assert_eq(listen(full, 0), 0);
    cr_assert_eq(getsockname(full, (struct sockaddr *)&two[0], &len), 0);
    for (int i = 0; i < 8; i++) {
        in_line[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(in_line[i], (struct sockaddr *)&two[0], len);
    }
    go_listener *l;
    go_conn *c;
    char addr[100], to[100];
    struct go_addr a;
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    cr_assert_eq(go_listener_addr(l, addr, sizeof addr), 0);
    cr_assert_eq(go_resolve("tcp", addr, &a), 0);
    memcpy(&two[1], &a.sa, sizeof two[1]);
    int64_t start = go_now();
    int err = go_dial_timeout("tcp", "two.test:1", 3 * GO_SECOND, &c);
    cr_assert_eq(err, 0, "%s after %ld ms", go_strerror(err), (long)((go_now() - start) / GO_MILLISECOND));
    cr_assert_geq(go_now() - start, 2 * GO_SECOND, "the first one gets no less");
    cr_assert_eq(go_conn_remote_addr(c, to, sizeof to), 0);
    cr_assert_str_eq(to, addr);
    go_conn_close(c);
    go_listener_close(l);
    for (int i = 0; i < 8; i++)
        close(in_line[i]);
    close(full);
}

/* A listener of that family whose queue is full: it doesn't answer. */
struct silent {
    int listener, in_line[8];
    struct go_addr addr;
};

static void silent_begin(struct silent *s, const char *text)
{
    cr_assert_eq(go_resolve("tcp", text, &s->addr), 0);
    int family = s->addr.sa.ss_family;
    s->listener = socket(family, SOCK_STREAM, 0);
    cr_assert_eq(bind(s->listener, (struct sockaddr *)&s->addr.sa, s->addr.len), 0);
    cr_assert_eq(listen(s->listener, 0), 0);
    cr_assert_eq(getsockname(s->listener, (struct sockaddr *)&s->addr.sa, &s->addr.len), 0);
    for (int i = 0; i < 8; i++) {
        s->in_line[i] = socket(family, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(s->in_line[i], (struct sockaddr *)&s->addr.sa, s->addr.len);
    }
}

static void silent_end(struct silent *s)
{
    for (int i = 0; i < 8; i++)
        close(s->in_line[i]);
    close(s->listener);
}

static int dials_both(int64_t ns, const char *gets)
{
    go_conn *c;
    char to[100];
    int before = go_num_goroutine(), err = go_dial_timeout("tcp", "both.test:1", ns, &c);
    while (go_num_goroutine() != before)   /* nobody is left behind: what has told of its end is just ending */
        go_yield();
    if (err == 0) {
        cr_assert_eq(go_conn_remote_addr(c, to, sizeof to), 0);
        cr_expect_str_eq(to, gets);
        go_conn_close(c);
    } else {
        cr_expect_null(c);
    }
    return err;
}

/* Of a name's two families one doesn't answer: the other one does, without any limit, whichever comes first. What is given up leaves nothing behind. */
Test(net, dial_both_families, .timeout = 60)
{
    static const char *const any[] = {"127.0.0.1:0", "[::1]:0"};
    for (int first = 0; first < 2; first++) {
        struct silent s;
        go_listener *l;
        char answers[100], silence[100];
        struct go_addr refused;
        silent_begin(&s, any[first]);
        cr_assert_eq(go_listen("tcp", any[!first], &l), 0);
        cr_assert_eq(go_listener_addr(l, answers, sizeof answers), 0);
        cr_assert_eq(go_addr_string(&s.addr, silence, sizeof silence), 0);
        memset(both, 0, sizeof both);
        both[0] = s.addr;
        cr_assert_eq(go_resolve("tcp", answers, &both[1]), 0);
        refused = both[1];
        cr_expect_eq(dials_both(0, answers), 0);
        cr_expect_eq(dials_both(10 * GO_SECOND, answers), 0);
        both[0] = both[1];   /* that which answers first: it wins before the other is tried */
        both[1] = s.addr;
        cr_expect_eq(dials_both(0, answers), 0);
        both[1] = both[0];   /* the second of the first one's family */
        both[0] = s.addr;
        both[2] = s.addr;
        cr_expect_eq(dials_both(0, answers), 0);
        go_listener_close(l);
        both[0] = refused;   /* one refuses, one is silent: the first one's error, at the end of the time */
        both[1] = s.addr;
        both[2].len = 0;
        cr_expect_eq(dials_both(50 * GO_MILLISECOND, NULL), -ECONNREFUSED);
        both[0] = s.addr;
        both[1] = refused;
        cr_expect_eq(dials_both(500 * GO_MILLISECOND, NULL), GO_ERR_TIMEOUT);
        silent_end(&s);
    }
}

/* Limits of both ends: none, and one that has passed already. The dial's limit is not the connection's. */
Test(net, dial_timeout_of_any_length)
{
    go_listener *l;
    go_conn *c;
    char addr[100];
    cr_assert_eq(go_listen("tcp", "127.0.0.1:0", &l), 0);
    cr_assert_eq(go_listener_addr(l, addr, sizeof addr), 0);
    static const int64_t past[] = {-1, -5 * GO_SECOND, INT64_MIN}, good[] = {0, 200 * GO_MILLISECOND, INT64_MAX};
    for (int i = 0; i < 3; i++) {
        cr_assert_eq(go_dial_timeout("tcp", addr, past[i], &c), GO_ERR_TIMEOUT);
        cr_assert_null(c);
        cr_assert_eq(go_dial_timeout("tcp", addr, good[i], &c), 0);
        go_sleep(i == 1 ? 250 * GO_MILLISECOND : 0);
        cr_assert_eq(go_write(c, "x", 1), 1);
        go_conn_close(c);
    }
    go_listener_close(l);
}
