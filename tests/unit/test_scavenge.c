/* Stack memory is given back: what a parked goroutine doesn't use, and that of finished ones; and never what is in use. */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <gort.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { N = 300, DEEP = 200 * 1024 };

static long peak_kib(void)
{
    long kib = 0;
    char line[200];
    FILE *f = fopen("/proc/self/status", "r");
    while (f && fgets(line, sizeof line, f))
        sscanf(line, "VmHWM: %ld", &kib);
    fclose(f);
    return kib;
}

static long resident_kib(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    cr_assert(f && fscanf(f, "%*d %ld", &pages) == 1);
    fclose(f);
    return pages * 4;
}

static __attribute__((noinline)) void touch(size_t n)
{
    volatile char *p = __builtin_alloca(n);
    for (size_t i = 0; i < n; i += 1000)
        p[i] = (char)i;
}

static go_waitgroup all, end;

/* Goes deep, comes back, and parks with something on its stack that must stay. */
static void deep_then_parks(go_recv_chan(int) gate, int me)
{
    volatile int mine[500];
    touch(DEEP);
    for (int i = 0; i < 500; i++)
        mine[i] = me + i;
    go_waitgroup_done(&all);
    go_recv(gate, NULL);
    for (int i = 0; i < 500; i++)
        cr_expect_eq(mine[i], me + i);
    touch(DEEP);   /* and it can go deep again */
    go_waitgroup_done(&end);
}

/* Waits until so little is resident, at most 20 s. */
static long wait_for(long kib)
{
    long now = resident_kib();
    for (int i = 0; i < 200 && now > kib; i++) {
        go_sleep(100 * GO_MILLISECOND);
        now = resident_kib();
    }
    return now;
}

Test(scavenge, parked_goroutines_give_back_what_they_do_not_use, .timeout = 60)
{
    go_chan(int) gate = go_make_chan(int, 0);
    long before = resident_kib();
    go_waitgroup_add(&all, N);
    go_waitgroup_add(&end, N);
    for (int i = 0; i < N; i++)
        go(deep_then_parks, gate, i);
    go_waitgroup_wait(&all);
    cr_assert_gt(peak_kib() - before, N * DEEP / 1024 / 2, "or there is nothing to see");
    long after = wait_for(before + N * 24);
    cr_assert_leq(after, before + N * 24);
    go_close(gate);
    go_waitgroup_wait(&end);
    go_chan_free(gate);
}

static void deep(void)
{
    touch(DEEP);
    go_waitgroup_done(&end);
}

static void deep_together(go_recv_chan(int) gate)
{
    go_recv(gate, NULL);
    deep();
}

Test(scavenge, finished_goroutines_give_their_stacks_back, .timeout = 60)
{
    enum { MANY = 1500 };
    go_chan(int) gate = go_make_chan(int, 0);
    long before = resident_kib();
    go_waitgroup_add(&end, MANY);
    for (int i = 0; i < MANY; i++)
        go(deep_together, gate);
    go_close(gate);
    go_waitgroup_wait(&end);
    long most = before + 600 * DEEP / 1024;   /* those kept warm */
    cr_assert_leq(wait_for(most), most);
    go_waitgroup_add(&end, MANY);   /* and they are used again */
    for (int i = 0; i < MANY; i++)
        go(deep);
    go_waitgroup_wait(&end);
    go_chan_free(gate);
}
