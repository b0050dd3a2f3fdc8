/* An echo server in gort: prints "listening on 127.0.0.1:PORT", then a goroutine for each connection sends back what it reads, 1 KiB
 * at a time, until it is killed. echo_go.go is the same program in Go: keep the two in step. */
#include <gort.h>
#include <gort/error.h>
#include <gort/net.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Raises the limit of open files to the hard one; what more is wanted, the load generator knows and says. */
static void permit_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

static _Noreturn void die(const char *what, int code)
{
    fprintf(stderr, "echo_gort: %s: %s\n", what, go_strerror(code));
    exit(1);
}

static void serve(go_conn *c)
{
    char buf[1024];
    ssize_t n;
    while ((n = go_read(c, buf, sizeof buf)) > 0) {
        ssize_t sent = go_write(c, buf, (size_t)n);
        if (sent < 0) {
            n = sent;
            break;
        }
    }
    if (n < 0)
        fprintf(stderr, "echo_gort: connection: %s\n", go_strerror((int)n));
    go_conn_close(c);
}

/* Never returns. */
static void listen_and_serve(void)
{
    go_listener *l;
    char address[64];
    int err = go_listen("tcp", "127.0.0.1:0", &l);
    if (err < 0)
        die("listen", err);
    err = go_listener_addr(l, address, sizeof address);
    if (err < 0)
        die("the listener's address", err);
    printf("listening on %s\n", address);
    fflush(stdout);
    for (;;) {
        go_conn *c;
        err = go_accept(l, &c);
        if (err < 0)
            die("accept", err);
        go(serve, c);
    }
}

/* Served in a goroutine: Go's main is one. */
int main(void)
{
    go_waitgroup until_killed = GO_WAITGROUP_INIT;
    permit_files();
    go_waitgroup_add(&until_killed, 1);
    go(listen_and_serve);
    go_waitgroup_wait(&until_killed);
    return 0;
}
