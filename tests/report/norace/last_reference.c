/* Counted references: who drops the last one frees the object, counter and all, while the others have just left it. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

enum { HOLDERS = 4, OBJECTS = 3000 };
struct object { atomic_int refs; int value[HOLDERS]; };

static void holder(struct object *o, int me, go_waitgroup *wg)
{
    o->value[me] = me;
    if (atomic_fetch_sub(&o->refs, 1) == 1) {
        int sum = 0;
        for (int i = 0; i < HOLDERS; i++)
            sum += o->value[i];
        if (sum != HOLDERS * (HOLDERS - 1) / 2)
            abort();
        free(o);
    }
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    for (int k = 0; k < OBJECTS; k++) {
        struct object *o = calloc(1, sizeof *o);
        atomic_init(&o->refs, HOLDERS);
        go_waitgroup_add(&wg, HOLDERS);
        for (int i = 0; i < HOLDERS; i++)
            go(holder, o, i, &wg);
        if (k % 10 == 0)
            go_waitgroup_wait(&wg);
    }
    go_waitgroup_wait(&wg);
    return 0;
}
