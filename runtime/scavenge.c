/* Giving stack memory back. The monitor's, a little at each tick: what a goroutine touched once, deep in some call, and doesn't use while it is
 * parked; and the stacks of finished goroutines beyond those that are kept warm (g.c).
 *
 * A parked goroutine may be resumed at any moment, and then its stack must not change under it. The resumer must not pay, so it is Dekker with
 * an asymmetric barrier again:
 *
 *   who resumes (prepare)                     scavenger
 *   1. on_cpu = 1                             1. hold = 1, for a batch of goroutines
 *   2. compiler barrier                       2. membarrier: a full barrier in every thread
 *   3. if hold: on_cpu = 0, waits, again      3. on_cpu != 0, or no longer parked: leaves it alone
 *                                                else: gives pages below the saved sp back
 *                                             4. hold = 0 (release)
 *
 * If the scavenger reads on_cpu == 0, the resumer had not stored 1 before the membarrier, so it reads hold after it, sees 1 and waits: for a
 * system call or two. Each goroutine is looked at once for each time it parks, after RT_SCAVENGE_AGE_NS. */
#include "scavenge.h"

#include <stdlib.h>

#include "internal.h"
#include "os.h"

enum { BATCH = 128, RED_ZONE = 512 };

static struct {
    unsigned slab;       /* the next to look at */
    bool young;          /* in this pass there was one that is parked, but not long enough */
    int64_t pass_at;     /* when the next pass may begin */
    int64_t age_ns;
} sc;

static bool is_candidate(struct g *g, uint64_t state, int64_t now)
{
    if (GORT_STATE_STATUS(state) != GORT_STATUS_WAITING || g->flags & GORT_G_THREAD || g->scavenged == GORT_STATE_SEQ(state))
        return false;
    if (now - g->wait_since < sc.age_ns) {
        sc.young = true;
        return false;
    }
    return true;
}

/* The goroutine is held: nobody resumes it now. */
static void give_back(struct g *g, uint64_t state)
{
    uintptr_t sp = g->ctx.sp, lo = (g->stack_lo + OS_PAGE - 1) & ~(uintptr_t)(OS_PAGE - 1), hi = (sp - RED_ZONE) & ~(uintptr_t)(OS_PAGE - 1);
    g->scavenged = GORT_STATE_SEQ(state);
    /* A stack is touched from the top: if the page below is not there, none is. */
    if (sp > lo && hi > lo && os_is_resident((void *)(hi - OS_PAGE)))
        os_discard((void *)lo, hi - lo);
}

static void batch_give_back(struct g **batch, const uint64_t *states, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        atomic_store_explicit(&batch[i]->ctx.hold, 1, memory_order_seq_cst);
    bool ordered = os_membarrier();
    for (unsigned i = 0; i < n; i++) {
        struct g *g = batch[i];
        if (ordered && atomic_load_explicit(&g->ctx.on_cpu, memory_order_seq_cst) == 0 &&
            atomic_load_explicit(g->state, memory_order_acquire) == states[i])
            give_back(g, states[i]);
        else
            sc.young = true;   /* next time */
        atomic_store_explicit(&g->ctx.hold, 0, memory_order_release);
    }
}

static void look_at_slab(struct slab *slab, int64_t now)
{
    struct g *batch[BATCH];
    uint64_t states[BATCH];
    unsigned n = 0;
    for (unsigned i = 0; i < RT_SLAB_GS; i++) {
        struct g *g = &slab->g[i];
        if (!g->state)
            break;   /* never handed out, and so are those behind */
        uint64_t state = atomic_load_explicit(g->state, memory_order_acquire);
        if (!is_candidate(g, state, now))
            continue;
        batch[n] = g;
        states[n++] = state;
        if (n == BATCH) {
            batch_give_back(batch, states, n);
            n = 0;
        }
    }
    if (n)
        batch_give_back(batch, states, n);
}

bool scavenge(int64_t now)
{
    if (sc.age_ns == 0)
        sc.age_ns = RT_SCAVENGE_AGE_NS;
#ifdef RT_DEBUG
    if (sched_perturbs)
        sc.age_ns = 1;
#endif
    bool more = g_scavenge_finished(now, sc.age_ns);
    if (now < sc.pass_at)
        return true;
    unsigned n = atomic_load_explicit(&g_nslabs, memory_order_acquire);
    if (sc.slab < n)
        look_at_slab((struct slab *)(uintptr_t)g_slabs[sc.slab++], now);
    if (sc.slab < n)
        return true;
    more = more || sc.young;
    sc.slab = 0;
    sc.young = false;
    sc.pass_at = now + sc.age_ns;
    return more;
}
