/* Random selects, sends and tries on a set of channels, with timeouts: what was sent is what was received. */
#include "stress.h"

enum { CHANNELS = 6, PRODUCERS = 16, CONSUMERS = 8, EACH = 600 };

static go_chan(long) channel[CHANNELS];
static go_chan(int) stop;
static go_waitgroup producers, consumers;
static _Atomic(long) sent, received, sent_sum, received_sum;

static void account(long v)
{
    sent++;
    sent_sum += v;
}

static void produce(uint32_t me)
{
    uint32_t s = stream(me);
    for (int i = 0; i < EACH; i++) {
        long v = rnd(&s) % 1000;
        unsigned a = rnd(&s) % CHANNELS, b = rnd(&s) % CHANNELS;
        switch (rnd(&s) % 4) {
        case 0:
            go_send(channel[a], v);
            account(v);
            break;
        case 1:
            if (go_try_send(channel[a], v))
                account(v);
            break;
        case 2:
            go_select(go_case_send(channel[a], v), go_case_send(channel[b], v));
            account(v);
            break;
        case 3:
            if (go_select(go_case_send(channel[a], v), go_case_timeout(rnd(&s) % 50000), go_case_send(channel[b], v)) != 1)
                account(v);
            break;
        }
        perturb(&s);
    }
    go_waitgroup_done(&producers);
}

static void consume(uint32_t me)
{
    uint32_t s = stream(500 + me);
    for (;;) {
        unsigned a = rnd(&s) % CHANNELS, b = rnd(&s) % CHANNELS, c = rnd(&s) % CHANNELS;
        long v = 0;
        int k = go_select(go_case_recv(channel[a], &v), go_case_recv(channel[b], &v), go_case_recv(stop, NULL),
                          go_case_recv(channel[c], &v), go_case_timeout(1000 + rnd(&s) % 100000));
        if (k == 2)
            break;
        if (k != 4) {
            received++;
            received_sum += v;
        }
        perturb(&s);
    }
    go_waitgroup_done(&consumers);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(999);
    for (int i = 0; i < CHANNELS; i++)
        channel[i] = go_make_chan(long, i < 2 ? 0 : rnd(&s) % 10);
    stop = go_make_chan(int, 0);
    go_waitgroup_add(&consumers, CONSUMERS);
    for (uint32_t i = 0; i < CONSUMERS; i++)
        go(consume, i);
    go_waitgroup_add(&producers, PRODUCERS);
    for (uint32_t i = 0; i < PRODUCERS; i++)
        go(produce, i);
    go_waitgroup_wait(&producers);
    go_close(stop);
    go_waitgroup_wait(&consumers);
    for (int i = 0; i < CHANNELS; i++) {
        long v;
        while (go_try_recv(channel[i], &v) == GO_RECV_VALUE) {
            received++;
            received_sum += v;
        }
        go_chan_free(channel[i]);
    }
    CHECK_EQ(received, sent);
    CHECK_EQ(received_sum, sent_sum);
    CHECK_EQ(leakcheck(), 0);
    return 0;
}
