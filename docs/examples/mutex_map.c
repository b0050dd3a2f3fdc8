/* A map of counters behind a mutex: 100 goroutines count the same words. */
// expect: apple 100
// expect: pear 200
#include <gort.h>
#include <stdio.h>
#include <string.h>

struct counters {
    go_mutex lock;   /* guards the entries */
    struct {
        const char *key;
        int n;
    } entry[16];
};

static void increment(struct counters *c, const char *key)
{
    go_mutex_lock(&c->lock);
    int i = 0;
    while (c->entry[i].key && strcmp(c->entry[i].key, key) != 0)
        i++;
    c->entry[i].key = key;
    c->entry[i].n++;
    go_mutex_unlock(&c->lock);
}

static void count(struct counters *c, go_waitgroup *wg)
{
    increment(c, "apple");
    increment(c, "pear");
    increment(c, "pear");
    go_waitgroup_done(wg);
}

int main(void)
{
    struct counters c = {0};
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(count, &c, &wg);
    go_waitgroup_wait(&wg);
    for (int i = 0; c.entry[i].key; i++)
        printf("%s %d\n", c.entry[i].key, c.entry[i].n);
    return 0;
}
