/* Connections under stress: clients that talk, give up at deadlines, close in the middle of a read, and a server whose handlers do the same; pipes written by
 * several goroutines and threads; go_fd_wait beside them. What is read is what was written, nobody waits for ever, and every descriptor is closed. */
#define _GNU_SOURCE
#include "stress.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { CLIENTS = 24, TALKS = 12 };

static char address[64];
static _Atomic(long) talks, handlers;
static go_waitgroup wg, served;

static void handler(go_conn *c, uint32_t s)
{
    char buf[700];
    ssize_t n;
    while ((n = go_read(c, buf, 1 + rnd(&s) % sizeof buf)) > 0) {
        perturb(&s);
        if (go_write(c, buf, (size_t)n) != n)
            break;
        if (rnd(&s) % 64 == 0)
            break;   /* rude */
    }
    go_conn_close(c);
    handlers++;
    go_waitgroup_done(&served);
}

static void serve(go_listener *l)
{
    go_conn *c;
    int err;
    uint32_t s = stream(7777);
    while ((err = go_accept(l, &c)) == 0) {
        go_waitgroup_add(&served, 1);
        go(handler, c, rnd(&s));
    }
    CHECK_EQ(err, GO_ERR_CLOSED);
    go_waitgroup_done(&wg);
}

static void close_soon(go_conn *c, uint32_t s)
{
    if (s % 2)
        go_sleep(s % 300000);
    CHECK_EQ(go_conn_close(c), 0);
    go_waitgroup_done(&wg);
}

/* One connection: messages there and back, until something ends it. */
static void talk(uint32_t *s)
{
    go_conn *c;
    int err = go_dial("tcp", address, &c);
    CHECK_EQ(err, 0);
    bool closed_by_other = rnd(s) % 8 == 0;
    if (closed_by_other) {
        go_waitgroup_add(&wg, 1);
        go(close_soon, c, rnd(s));
    }
    for (int i = 0; i < 10; i++) {
        char out[900], in[900];
        size_t n = 1 + rnd(s) % sizeof out;
        memset(out, (int)rnd(s), n);
        if (rnd(s) % 16 == 0)
            go_set_read_deadline(c, go_now() + rnd(s) % 200000);
        ssize_t w = go_write(c, out, n);
        ssize_t r = w == (ssize_t)n ? go_read_full(c, in, n, NULL) : w;
        if (r != (ssize_t)n) {   /* a rude handler, a deadline, a close: nothing else */
            bool expected = r == GO_ERR_EOF || r == GO_ERR_UNEXPECTED_EOF || r == GO_ERR_TIMEOUT || r == GO_ERR_CLOSED || r == -EPIPE ||
                            r == -ECONNRESET;
            if (!expected)
                fprintf(stderr, "talk: %s\n", go_strerror((int)r));
            CHECK_EQ(expected, true);
            break;
        }
        CHECK_EQ(memcmp(in, out, n), 0);
        talks++;
    }
    if (!closed_by_other)
        CHECK_EQ(go_conn_close(c), 0);
}

static void client(uint32_t s)
{
    for (int i = 0; i < TALKS; i++)
        talk(&s);
    go_waitgroup_done(&wg);
}

static void *client_on_thread(void *arg)
{
    client((uint32_t)(uintptr_t)arg);
    return NULL;
}

/* ---- a pipe: blocks of one byte value, never mixed ---- */

enum { WRITERS = 4, BLOCKS = 40, BLOCK = 3000 };

static void write_blocks(go_conn *w, uint32_t s)
{
    char block[BLOCK];
    for (int i = 0; i < BLOCKS; i++) {
        memset(block, (int)rnd(&s), sizeof block);
        CHECK_EQ(go_write(w, block, sizeof block), BLOCK);
        perturb(&s);
    }
    go_waitgroup_done(&wg);
}

static void read_blocks(go_conn *r)
{
    char block[BLOCK];
    for (int i = 0; i < WRITERS * BLOCKS; i++) {
        CHECK_EQ(go_read_full(r, block, sizeof block, NULL), BLOCK);
        for (int k = 1; k < BLOCK; k++)
            CHECK_EQ(block[k], block[0]);
    }
    go_waitgroup_done(&wg);
}

/* ---- somebody else's descriptor ---- */

static void wait_for_bytes(int fd, int n)
{
    for (char b; n > 0;) {
        int ready = go_fd_wait(fd, GO_READABLE, 50000);
        CHECK_EQ(ready == GO_READABLE || ready == GO_ERR_TIMEOUT, true);
        if (ready == GO_READABLE)
            n -= read(fd, &b, 1) == 1;
    }
    go_waitgroup_done(&wg);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(1);
    go_listener *l;
    CHECK_EQ(go_listen("tcp", "127.0.0.1:0", &l), 0);
    CHECK_EQ(go_listener_addr(l, address, sizeof address), 0);
    go_conn *r, *w;
    int fds[2];
    CHECK_EQ(go_pipe(&r, &w), 0);
    CHECK_EQ(pipe(fds), 0);
    go_waitgroup_add(&wg, CLIENTS + 2 + WRITERS + 1 + 1);
    for (int i = 0; i < CLIENTS; i++)
        go(client, rnd(&s));
    for (int i = 0; i < WRITERS; i++)
        go(write_blocks, w, rnd(&s));
    go(read_blocks, r);
    go(wait_for_bytes, fds[0], 30);
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, client_on_thread, (void *)(uintptr_t)rnd(&s));
    for (int i = 0; i < 30; i++) {
        CHECK_EQ(write(fds[1], "x", 1), 1);
        perturb(&s);
    }
    go(serve, l);
    go_waitgroup_wait(&wg);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    go_waitgroup_add(&wg, 1);
    CHECK_EQ(go_listener_close(l), 0);
    go_waitgroup_wait(&wg);
    go_waitgroup_wait(&served);
    CHECK_EQ(talks > 0, true);
    go_conn_close(r);
    go_conn_close(w);
    close(fds[0]);
    close(fds[1]);
    return 0;
}
