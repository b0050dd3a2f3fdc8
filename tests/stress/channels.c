/* Many producers and consumers, goroutines and threads, on channels of several capacities: nothing lost, nothing twice, and each producer's
 * order kept on each channel for each consumer. Consumers end when the channel is closed. */
#include "stress.h"

enum { CHANNELS = 4, PRODUCERS = 12, CONSUMERS = 6, EACH = 700 };

struct message {
    int producer, number;
};
static go_chan(struct message) channel[CHANNELS];
static go_waitgroup producers, consumers;
static _Atomic(int) received[PRODUCERS + 2];

static void produce(int me)
{
    uint32_t s = stream((uint32_t)me);
    for (int i = 0; i < EACH; i++) {
        go_send(channel[rnd(&s) % CHANNELS], (struct message){me, i});
        perturb(&s);
    }
    go_waitgroup_done(&producers);
}

static void *produce_on_thread(void *arg)
{
    produce((int)(intptr_t)arg);
    return NULL;
}

static void consume(int me)
{
    uint32_t s = stream(100 + (uint32_t)me);
    int last[PRODUCERS + 2];
    for (int i = 0; i < PRODUCERS + 2; i++)
        last[i] = -1;
    struct message m;
    while (go_recv(channel[me % CHANNELS], &m)) {
        if (m.number <= last[m.producer])
            CHECK_EQ(m.number, last[m.producer] + 1);
        last[m.producer] = m.number;
        received[m.producer]++;
        perturb(&s);
    }
    go_waitgroup_done(&consumers);
}

int main(int argc, char **argv)
{
    read_seed(argc, argv);
    uint32_t s = stream(999);
    for (int i = 0; i < CHANNELS; i++)
        channel[i] = go_make_chan(struct message, i == 0 ? 0 : rnd(&s) % 20);
    go_waitgroup_add(&consumers, CONSUMERS);
    for (int i = 0; i < CONSUMERS; i++)
        go(consume, i);
    go_waitgroup_add(&producers, PRODUCERS + 2);
    for (int i = 0; i < PRODUCERS; i++)
        go(produce, i);
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, produce_on_thread, (void *)(intptr_t)(PRODUCERS + i));
    go_waitgroup_wait(&producers);
    for (int i = 0; i < CHANNELS; i++)
        go_close(channel[i]);
    go_waitgroup_wait(&consumers);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < PRODUCERS + 2; i++)
        CHECK_EQ(received[i], EACH);
    CHECK_EQ(leakcheck(), 0);
    for (int i = 0; i < CHANNELS; i++)
        go_chan_free(channel[i]);
    return 0;
}
