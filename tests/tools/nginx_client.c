/* Many HTTP requests at once, each on a connection of its own, against a real server.
 *   nginx_client ADDRESS REQUESTS LIMIT EXPECTED_BYTES
 * LIMIT: at most so many at a time (an error group's limit); 0: none. Each answer must have status 200 and a body of that size of the letter 'g'. Prints how
 * many were answered, and each kind of error with its count. Status: 0 all answered, 1 wrong answers, 3 errors. */
#define _GNU_SOURCE
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KINDS = 16 };

static const char *address;
static long body_bytes;
static _Atomic(long) answered, wrong;
static go_mutex lock;
static struct {
    int code;
    long count;
} errors[KINDS];

static int failed(int code)
{
    go_mutex_lock(&lock);
    int i = 0;
    while (i < KINDS - 1 && errors[i].count && errors[i].code != code)
        i++;
    errors[i].code = code;
    errors[i].count++;
    go_mutex_unlock(&lock);
    return 0;   /* the others go on */
}

static void close_conn(go_conn **c)
{
    go_conn_close(*c);
}

static int request(void *arg)
{
    static const char text[] = "GET /g HTTP/1.1\r\nHost: gort\r\nConnection: close\r\n\r\n";
    char buf[8192];
    (void)arg;
    go_conn *c;
    int err = go_dial_timeout("tcp", address, GO_MINUTE, &c);
    if (err < 0)
        return failed(err);
    go_defer(close_conn, &c);
    go_set_deadline(c, go_now() + GO_MINUTE);
    ssize_t n = go_write(c, text, sizeof text - 1);
    if (n < 0)
        return failed((int)n);
    size_t got = 0;
    while (got < sizeof buf - 1 && (n = go_read(c, buf + got, sizeof buf - 1 - got)) > 0)
        got += (size_t)n;
    if (n < 0)
        return failed((int)n);
    buf[got] = 0;
    char *body = strstr(buf, "\r\n\r\n");
    bool ok = strncmp(buf, "HTTP/1.1 200 ", 13) == 0 && body && (long)(buf + got - (body + 4)) == body_bytes &&
              (long)strspn(body + 4, "g") == body_bytes;
    *(ok ? &answered : &wrong) += 1;
    return 0;
}

int main(int argc, char **argv)
{
    if (argc != 5) {
        fprintf(stderr, "usage: nginx_client ADDRESS REQUESTS LIMIT EXPECTED_BYTES\n");
        return 2;
    }
    address = argv[1];
    int requests = atoi(argv[2]), limit = atoi(argv[3]);
    body_bytes = atol(argv[4]);
    go_errgroup g = GO_ERRGROUP_INIT;
    go_errgroup_set_limit(&g, limit > 0 ? limit : -1);
    int64_t t = go_now();
    for (int i = 0; i < requests; i++)
        go_errgroup_go(&g, request, NULL);
    go_errgroup_wait(&g);
    printf("%ld of %d answered in %.2f s, %ld wrong\n", (long)answered, requests, (double)(go_now() - t) / 1e9, (long)wrong);
    long failures = 0;
    for (int i = 0; i < KINDS && errors[i].count; i++) {
        printf("%ld: %s\n", errors[i].count, go_strerror(errors[i].code));
        failures += errors[i].count;
    }
    if (answered + wrong + failures != requests) {
        printf("%ld lost\n", requests - (long)(answered + wrong + failures));
        return 1;
    }
    return wrong ? 1 : failures ? 3 : 0;
}
