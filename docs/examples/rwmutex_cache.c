/* A cache behind an rwmutex: lookups run side by side, and only who must add an entry excludes the others. */
// expect: 100 lookups, 10 computed
// absent: DATA RACE
#include <gort.h>
#include <stdio.h>

enum { KEYS = 10 };

struct cache {
    go_rwmutex lock;   /* guards the rest */
    bool known[KEYS];
    int value[KEYS];
    int computed;
};

static int lookup(struct cache *c, int key)
{
    go_rwmutex_rlock(&c->lock);
    bool known = c->known[key];
    int value = c->value[key];
    go_rwmutex_runlock(&c->lock);
    if (known)
        return value;
    go_rwmutex_lock(&c->lock);
    if (!c->known[key]) {   /* another goroutine may have been faster between the two locks */
        c->known[key] = true;
        c->value[key] = key * key;
        c->computed++;
    }
    value = c->value[key];
    go_rwmutex_unlock(&c->lock);
    return value;
}

static void look(struct cache *c, int key, _Atomic(int) *right, go_waitgroup *wg)
{
    *right += lookup(c, key) == key * key;
    go_waitgroup_done(wg);
}

int main(void)
{
    static struct cache c;
    _Atomic(int) right = 0;
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(look, &c, i % KEYS, &right, &wg);
    go_waitgroup_wait(&wg);
    printf("%d lookups, %d computed\n", right, c.computed);
    return 0;
}
