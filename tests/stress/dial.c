/* Dialling names of both families, by many at once: addresses that answer, refuse, or say nothing, in any order. Who can connect does, with what was to be
 * reached; who can't gets an error in time; nothing is left behind: no goroutine, no descriptor. (In debug builds with GORT_PERTURB both families begin
 * at about the same time.) */
#define _GNU_SOURCE
#include "stress.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CLIENTS = 8, DIALS = 10, KINDS = 3, LIST_MAX = 4 };
enum kind { ANSWERS, REFUSES, SILENT };

static struct go_addr addr[KINDS][2];   /* of IPv4, IPv6 */
static go_waitgroup wg;

/* "dKFKF": addresses of that kind and family, one after another. */
int getaddrinfo(const char *restrict host, const char *restrict service, const struct addrinfo *restrict hints, struct addrinfo **restrict out)
{
    if (!host || host[0] != 'd') {
        int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
        *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
        return real(host, service, hints, out);
    }
    struct addrinfo *list = calloc(LIST_MAX, sizeof *list);
    int n = 0;
    for (const char *p = host + 1; *p; p += 2, n++) {
        struct go_addr *a = &addr[p[0] - '0'][p[1] - '0'];
        list[n] = (struct addrinfo){.ai_family = a->sa.ss_family, .ai_addr = (struct sockaddr *)&a->sa, .ai_addrlen = a->len};
        if (n > 0)
            list[n - 1].ai_next = &list[n];
    }
    *out = list;
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    struct sockaddr *a = list->ai_addr;
    if ((char *)a >= (char *)addr && (char *)a < (char *)(addr + KINDS)) {
        free(list);
        return;
    }
    void (*real)(struct addrinfo *);
    *(void **)&real = dlsym(RTLD_NEXT, "freeaddrinfo");
    real(list);
}

static void dial(uint32_t *s)
{
    char name[32], *p = name;
    bool answers = false;
    unsigned mute = rnd(s) % 6;   /* the family that doesn't answer; 2 and up: both do */
    int n = 1 + (int)(rnd(s) % LIST_MAX);
    *p++ = 'd';
    for (int i = 0; i < n; i++) {
        unsigned family = rnd(s) % 2, kind = family == mute ? SILENT : rnd(s) % 3 ? ANSWERS : REFUSES;
        answers |= kind == ANSWERS;
        p += sprintf(p, "%u%u", kind, family);
    }
    strcpy(p, ":1");
    go_conn *c;
    char byte;
    int err = go_dial_timeout("tcp", name, 20 * GO_SECOND * (answers ? 1 : 0) + 20 * GO_MILLISECOND, &c);
    if (err != 0) {
        bool expected = !answers && (err == -ECONNREFUSED || err == GO_ERR_TIMEOUT);
        if (!expected)
            fprintf(stderr, "%s: %s\n", name, go_strerror(err));
        CHECK_EQ(expected, true);
        CHECK_EQ(c == NULL, true);
        return;
    }
    CHECK_EQ(answers, true);
    CHECK_EQ(go_read(c, &byte, 1), 1);
    CHECK_EQ(byte, 'x');
    CHECK_EQ(go_conn_close(c), 0);
}

static void client(uint32_t s)
{
    for (int i = 0; i < DIALS; i++) {
        dial(&s);
        perturb(&s);
    }
    go_waitgroup_done(&wg);
}

static void serve(go_listener *l)
{
    go_conn *c;
    while (go_accept(l, &c) == 0) {
        go_write(c, "x", 1);   /* what was given up is gone already */
        go_conn_close(c);
    }
    go_waitgroup_done(&wg);
}

static int descriptors(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/fd");
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

/* A socket that is bound, and listens or not. */
static int occupy(struct go_addr *a, bool listens)
{
    int fd = socket(a->sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK_EQ(bind(fd, (struct sockaddr *)&a->sa, a->len), 0);
    CHECK_EQ(getsockname(fd, (struct sockaddr *)&a->sa, &a->len), 0);
    if (listens)
        CHECK_EQ(listen(fd, 0), 0);
    return fd;
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(1);
    static const char *const any[] = {"127.0.0.1:0", "[::1]:0"};
    go_listener *l[2];
    for (int f = 0; f < 2; f++) {
        char text[100];
        CHECK_EQ(go_listen("tcp", any[f], &l[f]), 0);
        CHECK_EQ(go_listener_addr(l[f], text, sizeof text), 0);
        CHECK_EQ(go_resolve("tcp", text, &addr[ANSWERS][f]), 0);
        go_waitgroup_add(&wg, 1);
        go(serve, l[f]);
        for (int kind = REFUSES; kind <= SILENT; kind++) {
            CHECK_EQ(go_resolve("tcp", any[f], &addr[kind][f]), 0);
            occupy(&addr[kind][f], kind == SILENT);
        }
        for (int i = 0; i < 8; i++) {
            int fd = socket(addr[SILENT][f].sa.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
            (void)!connect(fd, (struct sockaddr *)&addr[SILENT][f].sa, addr[SILENT][f].len);
        }
    }
    int before = descriptors();
    go_waitgroup_add(&wg, CLIENTS);
    for (int i = 0; i < CLIENTS; i++)
        go(client, rnd(&s));
    while (go_num_goroutine() > 3)   /* main, two servers */
        go_sleep(GO_MILLISECOND);
    for (int f = 0; f < 2; f++)
        CHECK_EQ(go_listener_close(l[f]), 0);
    go_waitgroup_wait(&wg);
    CHECK_EQ(descriptors(), before - 2);
    return 0;
}
