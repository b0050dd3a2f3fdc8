/* Counted references, dropped with relaxed order: who drops the last one does not know what the others did. */
// race-expect: WARNING: DATA RACE
// race-expect: holder\(\)
// race-expect: Previous
// race-expect: Found [0-9]+ data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

enum { HOLDERS = 4 };
struct object { atomic_int refs; int value[HOLDERS]; };

static void holder(struct object *o, int me, go_waitgroup *wg)
{
    o->value[me] = me;
    if (atomic_fetch_sub_explicit(&o->refs, 1, memory_order_relaxed) == 1) {
        for (int i = 0; i < HOLDERS; i++)
            sink += o->value[i];
        free(o);
    }
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    struct object *o = calloc(1, sizeof *o);
    atomic_init(&o->refs, HOLDERS);
    go_waitgroup_add(&wg, HOLDERS);
    for (int i = 0; i < HOLDERS; i++)
        go(holder, o, i, &wg);
    go_waitgroup_wait(&wg);
    return 0;
}
