/* The rwmutex: readers together, writers alone, who waits for whom, and that neither kind starves the other. */
#include <criterion/criterion.h>
#include <gort.h>
#include <stdlib.h>
#include <string.h>

#include "parked.h"

static go_rwmutex rw;
static go_waitgroup wg;
static _Atomic(int) inside, writing, most;
static _Atomic(bool) stop;
static long counter;

static void reads(int n)
{
    for (int i = 0; i < n; i++) {
        go_rwmutex_rlock(&rw);
        int now = ++inside;
        if (now > most)
            most = now;
        cr_assert_eq(writing, 0);
        if (i % 16 == 0)
            go_yield();
        --inside;
        go_rwmutex_runlock(&rw);
    }
    go_waitgroup_done(&wg);
}

static void writes(int n)
{
    for (int i = 0; i < n; i++) {
        go_rwmutex_lock(&rw);
        cr_assert_eq(++writing, 1);
        cr_assert_eq(inside, 0);
        counter++;
        if (i % 16 == 0)
            go_yield();
        --writing;
        go_rwmutex_unlock(&rw);
    }
    go_waitgroup_done(&wg);
}

Test(rwmutex, excludes)
{
    go_waitgroup_add(&wg, 20);
    for (int i = 0; i < 10; i++) {
        go(reads, 2000);
        go(writes, 2000);
    }
    go_waitgroup_wait(&wg);
    cr_assert_eq(counter, 20000);
    cr_assert_eq(rw.state, 0);
}

static void reads_until(go_recv_chan(int) leave)
{
    go_rwmutex_rlock(&rw);
    if (++inside > most)
        most = inside;
    go_recv(leave, NULL);
    --inside;
    go_rwmutex_runlock(&rw);
    go_waitgroup_done(&wg);
}

Test(rwmutex, readers_share)
{
    go_chan(int) leave = go_make_chan(int, 0);
    go_waitgroup_add(&wg, 5);
    for (int i = 0; i < 5; i++)
        go(reads_until, leave);
    while (inside < 5)   /* no reader can leave yet: all five must be in at once */
        go_sleep(GO_MILLISECOND);
    go_close(leave);
    go_waitgroup_wait(&wg);
    cr_assert_eq(most, 5);
    go_chan_free(leave);
}

Test(rwmutex, try)
{
    cr_assert(go_rwmutex_try_rlock(&rw));
    cr_assert(go_rwmutex_try_rlock(&rw));
    cr_assert_not(go_rwmutex_try_lock(&rw));
    go_rwmutex_runlock(&rw);
    cr_assert_not(go_rwmutex_try_lock(&rw));
    go_rwmutex_runlock(&rw);
    cr_assert(go_rwmutex_try_lock(&rw));
    cr_assert_not(go_rwmutex_try_lock(&rw));
    cr_assert_not(go_rwmutex_try_rlock(&rw));
    go_rwmutex_unlock(&rw);
    cr_assert(go_rwmutex_try_rlock(&rw));
    go_rwmutex_runlock(&rw);
}

static _Atomic(int) order;
static int got_write, got_read;

static void write_later(void)
{
    go_rwmutex_lock(&rw);
    got_write = ++order;
    go_sleep(5 * GO_MILLISECOND);
    go_rwmutex_unlock(&rw);
    go_waitgroup_done(&wg);
}

static void read_later(void)
{
    go_rwmutex_rlock(&rw);
    got_read = ++order;
    go_rwmutex_runlock(&rw);
    go_waitgroup_done(&wg);
}

/* A reader that comes while a writer waits does not overtake it, though readers hold the lock. */
Test(rwmutex, a_waiting_writer_keeps_readers_out)
{
    go_rwmutex_rlock(&rw);
    go_waitgroup_add(&wg, 2);
    go(write_later);
    await_parked(GORT_WAIT_RWMUTEX_LOCK, 1);
    cr_assert_not(go_rwmutex_try_rlock(&rw), "a new reader got in before the writer that waits");
    go(read_later);
    await_parked(GORT_WAIT_RWMUTEX_RLOCK, 1);
    cr_assert_eq(order, 0);
    go_rwmutex_runlock(&rw);
    go_waitgroup_wait(&wg);
    cr_assert_eq(got_write, 1);
    cr_assert_eq(got_read, 2);
}

/* When a writer unlocks, the readers that wait get in before a writer that waited even longer. */
Test(rwmutex, readers_get_in_after_a_writer)
{
    go_rwmutex_lock(&rw);
    go_waitgroup_add(&wg, 2);
    go(write_later);
    await_parked(GORT_WAIT_RWMUTEX_LOCK, 1);
    go(read_later);
    await_parked(GORT_WAIT_RWMUTEX_RLOCK, 1);
    go_rwmutex_unlock(&rw);
    go_waitgroup_wait(&wg);
    cr_assert_eq(got_read, 1);
    cr_assert_eq(got_write, 2);
}

static void reads_all_the_time(void)
{
    while (!stop) {
        go_rwmutex_rlock(&rw);
        go_sleep(100 * GO_MICROSECOND);
        go_rwmutex_runlock(&rw);
    }
    go_waitgroup_done(&wg);
}

static void writes_all_the_time(void)
{
    while (!stop) {
        go_rwmutex_lock(&rw);
        go_sleep(100 * GO_MICROSECOND);
        go_rwmutex_unlock(&rw);
    }
    go_waitgroup_done(&wg);
}

static void writes_some(go_send_chan(int) done)
{
    for (int i = 0; i < 20; i++) {
        go_rwmutex_lock(&rw);
        go_rwmutex_unlock(&rw);
        go_sleep(100 * GO_MICROSECOND);
    }
    go_send(done, 1);
}

static void reads_some(go_send_chan(int) done)
{
    for (int i = 0; i < 20; i++) {
        go_rwmutex_rlock(&rw);
        go_rwmutex_runlock(&rw);
        go_sleep(100 * GO_MICROSECOND);
    }
    go_send(done, 1);
}

static void not_starved(void (*hog)(void), int hogs, void (*other)(go_send_chan(int)))
{
    go_chan(int) done = go_make_chan(int, 1);
    go_waitgroup_add(&wg, hogs);
    for (int i = 0; i < hogs; i++)
        go(hog);
    go(other, done);
    int late = go_select(go_case_recv(done, NULL), go_case_timeout(10 * GO_SECOND));
    stop = true;
    cr_assert_eq(late, 0, "it did not get the lock 20 times in 10 s");
    go_waitgroup_wait(&wg);
    go_chan_free(done);
}

/* Overlapping readers never leave the lock free. */
Test(rwmutex, readers_do_not_starve_a_writer)
{
    not_starved(reads_all_the_time, 8, writes_some);
}

Test(rwmutex, writers_do_not_starve_a_reader)
{
    not_starved(writes_all_the_time, 3, reads_some);
}

/* On one P, where who is woken can't be faster than the one who wakes. */
Test(rwmutex, a_writer_does_not_starve_another)
{
    go_maxprocs(1);
    not_starved(writes_all_the_time, 1, writes_some);
}

struct shared {
    go_rwmutex rw;
    int done;
};

static void last_reader_frees(struct shared *s)
{
    for (;;) {
        go_rwmutex_rlock(&s->rw);
        int done = s->done;
        go_rwmutex_runlock(&s->rw);
        if (done)
            break;
        go_yield();
    }
    memset(s, 0xff, sizeof *s);
    free(s);
    go_waitgroup_done(&wg);
}

static void says_done(struct shared *s)
{
    go_rwmutex_lock(&s->rw);
    s->done = 1;
    go_rwmutex_unlock(&s->rw);
    go_waitgroup_done(&wg);
}

/* An unlock that has let a reader in touches the lock no more: the reader frees it. */
Test(rwmutex, memory_is_the_last_holders)
{
    for (int i = 0; i < 3000; i++) {
        struct shared *s = calloc(1, sizeof *s);
        go_waitgroup_add(&wg, 2);
        go(last_reader_frees, s);
        go(says_done, s);
        go_waitgroup_wait(&wg);
    }
}
