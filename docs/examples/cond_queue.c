/* A bounded queue made of a mutex and two conds; a channel does the same with less. The consumer gives up when nothing has come for a while. */
// expect: received 1000, sum 499500
// expect: nothing for 20 ms: done
// absent: DATA RACE
#include <gort.h>
#include <stdio.h>

enum { SLOTS = 4 };

struct queue {
    go_mutex lock;   /* guards the rest */
    go_cond not_empty, not_full;
    int slot[SLOTS], first, n;
};

static void put(struct queue *q, int value)
{
    go_mutex_lock(&q->lock);
    while (q->n == SLOTS)
        go_cond_wait(&q->not_full, &q->lock);
    q->slot[(q->first + q->n++) % SLOTS] = value;
    go_cond_signal(&q->not_empty);
    go_mutex_unlock(&q->lock);
}

static bool take(struct queue *q, int *value, int64_t patience)
{
    go_mutex_lock(&q->lock);
    while (q->n == 0) {
        if (!go_cond_wait_timeout(&q->not_empty, &q->lock, patience)) {
            go_mutex_unlock(&q->lock);
            return false;
        }
    }
    *value = q->slot[q->first];
    q->first = (q->first + 1) % SLOTS;
    q->n--;
    go_cond_signal(&q->not_full);
    go_mutex_unlock(&q->lock);
    return true;
}

static void produce(struct queue *q)
{
    for (int i = 0; i < 1000; i++)
        put(q, i);
}

int main(void)
{
    static struct queue q;   /* ready when zeroed */
    go(produce, &q);
    int n = 0, sum = 0, value;
    while (n < 1000 && take(&q, &value, 10 * GO_SECOND)) {
        n++;
        sum += value;
    }
    printf("received %d, sum %d\n", n, sum);
    if (!take(&q, &value, 20 * GO_MILLISECOND))
        puts("nothing for 20 ms: done");
    return 0;
}
