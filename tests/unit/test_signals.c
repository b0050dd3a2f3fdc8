/* Signals as channels. (What signals end a program, and how: report/crash.) */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <gort.h>
#include <signal.h>
#include <unistd.h>

Test(signals, come_to_every_channel_that_asked)
{
    go_chan(int) a = go_make_chan(int, 4), b = go_make_chan(int, 4);
    int v = 0;
    go_signal_notify(a, SIGUSR1, SIGUSR2);
    go_signal_notify(b, SIGUSR2);
    kill(getpid(), SIGUSR1);
    cr_assert(go_recv(a, &v));
    cr_assert_eq(v, SIGUSR1);
    kill(getpid(), SIGUSR2);
    cr_assert(go_recv(a, &v));
    cr_assert_eq(v, SIGUSR2);
    cr_assert(go_recv(b, &v));
    cr_assert_eq(v, SIGUSR2);
    cr_assert_eq(go_len(b), 0);
    go_signal_stop(a);
    go_signal_stop(b);
    go_chan_free(a);
    go_chan_free(b);
}

static volatile sig_atomic_t handled;
static void handle(int s)
{
    handled = s;
}

Test(signals, stop_goes_back_to_what_was)
{
    struct sigaction mine = {.sa_handler = handle};
    sigaction(SIGUSR1, &mine, NULL);
    go_chan(int) c = go_make_chan(int, 1);
    go_signal_notify(c, SIGUSR1);
    kill(getpid(), SIGUSR1);
    go_recv(c, NULL);
    cr_assert_eq(handled, 0);
    go_signal_stop(c);
    go_signal_stop(c);   /* nothing to stop: nothing happens */
    raise(SIGUSR1);
    cr_assert_eq(handled, SIGUSR1);
    go_chan_free(c);
}

/* A full buffer drops signals; nothing waits. */
Test(signals, a_full_buffer_drops)
{
    go_chan(int) c = go_make_chan(int, 1), d = go_make_chan(int, 100);
    go_signal_notify(c, SIGUSR1);
    go_signal_notify(d, SIGUSR1);
    for (int i = 0; i < 3; i++) {
        kill(getpid(), SIGUSR1);
        go_recv(d, NULL);
    }
    cr_assert_eq(go_len(c), 1);
    go_signal_stop(c);
    go_signal_stop(d);
    go_chan_free(c);
    go_chan_free(d);
}

Test(signals, all_of_them)
{
    go_chan(int) c = go_make_chan(int, 4);
    int v;
    go_signal_notify(c);
    kill(getpid(), SIGTERM);
    go_recv(c, &v);
    cr_assert_eq(v, SIGTERM);
    kill(getpid(), SIGQUIT);
    go_recv(c, &v);
    cr_assert_eq(v, SIGQUIT);
    go_signal_stop(c);
    go_chan_free(c);
}

static _Atomic int handlings;
static void count_handling(int s)
{
    (void)s;
    handlings++;
}

static void kill_self(go_waitgroup *wg)
{
    kill(getpid(), SIGUSR1);
    go_waitgroup_done(wg);
}

/* A signal that comes about when its channel is stopped is either received or handled as before, and never both. */
Test(signals, none_is_lost_by_a_stop, .timeout = 60)
{
    struct sigaction mine = {.sa_handler = count_handling};
    sigaction(SIGUSR1, &mine, NULL);
    for (int i = 0; i < 2000; i++) {
        go_chan(int) c = go_make_chan(int, 1);
        go_waitgroup wg = GO_WAITGROUP_INIT;
        int before = handlings;
        go_signal_notify(c, SIGUSR1);
        go_waitgroup_add(&wg, 1);
        if (i % 2 == 0)
            kill_self(&wg);
        else
            go(kill_self, &wg);
        if (i % 3 == 0)
            go_yield();
        go_signal_stop(c);
        int received = go_try_recv(c, NULL) == GO_RECV_VALUE;
        go_waitgroup_wait(&wg);
        for (int k = 0; k < 1000 && received + (handlings - before) == 0; k++)   /* another thread may be handling it */
            go_sleep(GO_MILLISECOND);
        cr_assert_eq(received + (handlings - before), 1, "round %d", i);
        go_chan_free(c);
    }
}

/* Every number that can be sent and had, the last one too, comes as itself. */
Test(signals, each_number, .timeout = 60)
{
    go_chan(int) c = go_make_chan(int, 4);
    int v, tried = 0;
    go_signal_notify(c, SIGCHLD, SIGURG, SIGWINCH, SIGRTMAX);
    go_signal_notify(c);
    for (int s = 1; s <= SIGRTMAX; s++) {
        if (s == SIGKILL || s == SIGSTOP || s == 32 || s == 33 || s == SIGSEGV || s == SIGBUS || s == SIGFPE || s == SIGILL || s == SIGABRT)
            continue;
        cr_assert_eq(kill(getpid(), s), 0);
        v = 0;
        cr_assert_eq(go_select(go_case_recv(c, &v), go_case_timeout(10 * GO_SECOND)), 0, "signal %d did not come", s);
        cr_assert_eq(v, s);
        tried++;
    }
    cr_assert_gt(tried, 50);
    cr_assert_eq(go_len(c), 0);
    go_signal_stop(c);
    go_chan_free(c);
}

/* A pipe of which the first is made while a channel has SIGPIPE: when it is stopped, a write to nobody is still an error only. */
Test(signals, pipes_stay_quiet_after_a_stop)
{
    go_chan(int) c = go_make_chan(int, 4);
    go_conn *r, *w;
    int v;
    for (int all = 0; all < 2; all++) {
        if (all)
            go_signal_notify(c);
        else
            go_signal_notify(c, SIGPIPE);
        cr_assert_eq(go_pipe(&r, &w), 0);
        go_conn_close(r);
        cr_assert_eq(go_write(w, "x", 1), -EPIPE);
        cr_assert(go_recv(c, &v), "who asks for it gets it");
        cr_assert_eq(v, SIGPIPE);
        go_signal_stop(c);
        cr_assert_eq(go_write(w, "x", 1), -EPIPE);
        go_conn_close(w);
    }
    cr_assert_eq(go_len(c), 0);
    go_chan_free(c);
}
