/* Deferred calls: a list in each goroutine, of records that live in the blocks that deferred them. A block's end runs its own by the compiler's cleanup
 * attribute; go_exit and panics run all that are left. A record is taken off the list before its function runs, so none runs twice. */
#include <gort/goroutine.h>

#include "defer.h"
#include "internal.h"

void gort_defer(struct gort_deferred *d)
{
    struct g *g = rt_g();
    d->next = g->deferred;
    g->deferred = d;
}

void gort_run_deferred(struct gort_deferred *d)
{
    struct g *g = rt_g();
    if (g->deferred != d)   /* run already, on the way to go_exit */
        return;
    g->deferred = d->next;
    d->fn(d->arg);
}

void defer_run_all(void)
{
    struct gort_deferred *d;
    while ((d = rt_g()->deferred)) {   /* it may park, and go on elsewhere */
        rt_g()->deferred = d->next;
        d->fn(d->arg);
    }
}
