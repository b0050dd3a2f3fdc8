/* A goroutine's life: its slot, go(), its start and its end.
 *
 * Slots live in slabs (gort/debug.h) and are never unmapped, so a tool or a late waker may always look at one. A finished G keeps
 * its stack and goes to its M's cache, last in first out: the next go() on that M finds it warm. The cache overflows
 * to a shared list and refills from it, half at a time.
 *
 * go() is two calls with the compiler's own call between them (gort/goroutine.h): gort_go_begin takes a G and puts it on the
 * caller's `pending` list; the program's arguments are evaluated (that may park, and start other goroutines: pairs nest); then the
 * capture routine hands registers and stack words to gort_go_commit, which takes the G off the list and makes it runnable. */
#include <gort/goroutine.h>

#include <pthread.h>

#include "asan.h"
#include "defer.h"
#include "internal.h"
#include "label.h"
#include "os.h"

static _Atomic(uint64_t) next_id = 2;   /* 1 is main's */

struct stacked {
    struct g *first;
    unsigned n;
};

/* Finished Gs that no M has in its cache. Those with a stack come in as `recent`, and are used in this order. */
static struct {
    struct lock lock;
    struct stacked recent;
    struct stacked old;                  /* unused since the last turn: gives its stacks' memory back after turn_at */
    struct stacked cold;                 /* has given it back */
    int64_t turn_at;
    struct g *bare;
    unsigned used;                       /* slots of the newest slab handed out */
    struct slab *mapped;                 /* slabs that are mapped and not yet in use */
    unsigned nmapped;
} gfree = {.lock = LOCK_INIT(G), .used = RT_SLAB_GS};

/* Taken in tens and sixes, so that Ms don't fight for the counter. */
uint64_t g_new_id(struct m *m)
{
    enum { IDS = 16 };
    if (rt_unlikely(m->next_id == m->end_id)) {
        m->next_id = atomic_fetch_add_explicit(&next_id, IDS, memory_order_relaxed);
        m->end_id = m->next_id + IDS;
    }
    return m->next_id++;
}

int g_count(void)
{
    int n = 0;
    for (struct m *m = atomic_load_explicit(&sched.ms, memory_order_acquire); m; m = m->next)
        n += atomic_load_explicit(&m->ngs, memory_order_relaxed);
    return n;
}

static unsigned state_index(unsigned i)
{
    return i % RT_SLAB_LANES * (RT_SLAB_GS / RT_SLAB_LANES) + i / RT_SLAB_LANES;
}

/* The n+1st slab. As many are mapped at once as there are: see RT_STACKS_PER_SLAB. */
static struct slab *slab_new_locked(unsigned n)
{
    if (n == RT_SLABS_MAX)
        return NULL;
    if (gfree.nmapped == 0) {
        unsigned more = n < 1 ? 1 : n < RT_SLABS_MAPPED ? n : RT_SLABS_MAPPED;
        gfree.mapped = os_map(more * sizeof *gfree.mapped);
        if (!gfree.mapped && more > 1)
            gfree.mapped = os_map((more = 1) * sizeof *gfree.mapped);
        if (!gfree.mapped)
            return NULL;
        gfree.nmapped = more;
    }
    gfree.nmapped--;
    struct slab *slab = gfree.mapped++;
    for (unsigned i = 0; i < RT_SLAB_GS; i += OS_PAGE / sizeof slab->state[0])   /* if it were read first, each page would cost two faults */
        atomic_store_explicit(&slab->state[i], 0, memory_order_relaxed);
    return slab;
}

static struct g *slot_new_locked(void)
{
    unsigned n = atomic_load_explicit(&g_nslabs, memory_order_relaxed);
    if (gfree.used == RT_SLAB_GS) {
        struct slab *slab = slab_new_locked(n);
        if (!slab)
            return NULL;
        g_slabs[n] = (uintptr_t)slab;
        atomic_store_explicit(&g_nslabs, ++n, memory_order_release);
        gfree.used = 0;
    }
    struct slab *slab = (struct slab *)(uintptr_t)g_slabs[n - 1];
    struct g *g = &slab->g[gfree.used];
    g->state = &slab->state[state_index(gfree.used)];
    g->waiter.g = g;
    gfree.used++;
    return g;
}

struct g *g_get_bare(void)
{
    lock(&gfree.lock);
    struct g *g = gfree.bare;
    if (g)
        gfree.bare = g->next;
    else
        g = slot_new_locked();
    unlock(&gfree.lock);
    return g;
}

void g_put_bare(struct g *g)
{
    lock(&gfree.lock);
    g->next = gfree.bare;
    gfree.bare = g;
    unlock(&gfree.lock);
}

static void push(struct stacked *s, struct g *g)
{
    g->next = s->first;
    s->first = g;
    s->n++;
}

static struct g *pop(struct stacked *s)
{
    struct g *g = s->first;
    s->first = g->next;
    s->n--;
    return g;
}

/* Refills m's cache from the shared lists. */
static void refill(struct m *m)
{
    lock(&gfree.lock);
    while (m->ngfree < RT_G_CACHE / 2) {
        struct stacked *s = gfree.recent.first ? &gfree.recent : gfree.old.first ? &gfree.old : &gfree.cold;
        if (!s->first)
            break;
        struct g *g = pop(s);
        g->next = m->gfree;
        m->gfree = g;
        m->ngfree++;
    }
    unlock(&gfree.lock);
}

struct g *g_get(struct m *m)
{
    if (!m->gfree)
        refill(m);
    struct g *g = m->gfree;
    if (g) {
        m->gfree = g->next;
        m->ngfree--;
        return g;
    }
    g = g_get_bare();
    if (g && !stack_alloc(&g->stack_lo, &g->stack_hi)) {
        g_put_bare(g);
        return NULL;
    }
    return g;
}

/* A G with a stack made to size. */
static struct g *g_get_big(size_t bytes)
{
    struct g *g = g_get_bare();
    if (g && !stack_alloc_sized(bytes, &g->stack_lo, &g->stack_hi, &g->stack_id)) {
        g_put_bare(g);
        return NULL;
    }
    return g;
}

/* Unmaps the stacks of finished big ones. Not on one of them. */
static void free_big(struct m *m)
{
    struct g *g;
    while ((g = m->big)) {
        m->big = g->next;
        stack_free_sized(g->stack_lo, g->stack_hi, g->stack_id);
        g->flags = 0;
        g_put_bare(g);
    }
}

/* Moves all but the `keep` first of m's cache to the shared list. */
static void spill(struct m *m, uint32_t keep)
{
    struct g **tail = &m->gfree;
    for (uint32_t i = 0; i < keep && *tail; i++)
        tail = &(*tail)->next;
    struct g *first = *tail, *last = first;
    if (!first)
        return;
    unsigned n = 1;
    for (; last->next; n++)
        last = last->next;
    *tail = NULL;
    m->ngfree = keep;
    lock(&gfree.lock);
    last->next = gfree.recent.first;
    gfree.recent.first = first;
    gfree.recent.n += n;
    unlock(&gfree.lock);
}

void g_put(struct m *m, struct g *g)
{
    if (rt_unlikely(g->flags & GORT_G_BIG)) {   /* we may be on its stack: unmapped when m looks next */
        g->next = m->big;
        m->big = g;
        return;
    }
    g->next = m->gfree;
    m->gfree = g;
    if (++m->ngfree > RT_G_CACHE)
        spill(m, RT_G_CACHE / 2);   /* g itself, on whose stack we may be, is the first and stays */
}

void g_flush(struct m *m)
{
    free_big(m);
    spill(m, 0);
}

/* What is left of old, few, is put on top of recent, and a new wait begins for all. */
static void turn_locked(int64_t now, int64_t age_ns)
{
    struct g **tail = &gfree.old.first;
    while (*tail)
        tail = &(*tail)->next;
    *tail = gfree.recent.first;
    gfree.old.n += gfree.recent.n;
    gfree.recent = (struct stacked){NULL, 0};
    gfree.turn_at = now + age_ns;
}

bool g_scavenge_finished(int64_t now, int64_t age_ns)
{
    struct stacked given = {NULL, 0};
    struct iovec pieces[OS_PIECES];
    lock(&gfree.lock);
    if (now >= gfree.turn_at) {
        while (given.n < OS_PIECES && gfree.old.n > RT_WARM_GS) {
            struct g *g = pop(&gfree.old);
            pieces[given.n] = (struct iovec){(void *)g->stack_lo, ((g->stack_hi + OS_PAGE - 1) & ~(uintptr_t)(OS_PAGE - 1)) - g->stack_lo};
            push(&given, g);
        }
        if (given.n == 0)
            turn_locked(now, age_ns);
    }
    bool more = gfree.old.n + gfree.recent.n > RT_WARM_GS;
    unlock(&gfree.lock);
    if (given.n == 0)
        return more;
    os_discard_many(pieces, given.n);   /* nobody else knows of them now */
    lock(&gfree.lock);
    while (given.first)
        push(&gfree.cold, pop(&given));
    unlock(&gfree.lock);
    return more;
}

void g_each(bool (*visit)(struct g *g, void *arg), void *arg)
{
    unsigned n = atomic_load_explicit(&g_nslabs, memory_order_acquire);
    for (unsigned s = 0; s < n; s++) {
        struct slab *slab = (struct slab *)(uintptr_t)g_slabs[s];
        for (unsigned i = 0; i < RT_SLAB_GS; i++) {
            struct g *g = &slab->g[i];
            /* A slot never handed out has no state pointer yet; its state word reads as FREE. */
            if (GORT_STATE_STATUS(atomic_load_explicit(&slab->state[state_index(i)], memory_order_acquire)) == GORT_STATUS_FREE)
                continue;
            if (!visit(g, arg))
                return;
        }
    }
}

/* ---- go() ---- */

static_assert(offsetof(struct m, g) == CTX_M_G && offsetof(struct g, pending) == CTX_G_PENDING, "ctx_capture follows them");

/* Makes g's first frame, with room for its arguments. */
static void lay_out(struct g *g, size_t stack_arg_bytes)
{
    asan_fresh(g->stack_lo, g->stack_hi);
    if (rt_unlikely(stack_arg_bytes > 0))   /* without any, the former goroutine's has been in the same place */
        stack_is_used((g->stack_hi & ~(uintptr_t)15) - stack_arg_bytes - CTX_FIRST_FRAME - CTX_BELOW, g->stack_hi);
    ctx_make(&g->ctx, g->stack_hi & ~(uintptr_t)15, stack_arg_bytes);
}

gort_fn gort_go_begin(gort_fn fn, size_t stack_arg_bytes)
{
    struct m *m = rt_enter();
    struct g *parent = m->g;
    if (rt_unlikely(fn == NULL))
        rt_fatal("go of nil func value");
    size_t big = parent->next_stack_bytes;
    if (rt_unlikely(stack_arg_bytes > (big ? big : RT_STACK_BYTES) / 4))
        rt_fatal("go: %zu bytes of arguments are too much for a stack of %zu", stack_arg_bytes, big ? big : RT_STACK_BYTES);
    if (rt_unlikely(m->big != NULL))
        free_big(m);
    struct g *g;
    if (rt_unlikely(big)) {
        parent->next_stack_bytes = 0;
        g = g_get_big(big);
    } else {
        g = g_get(m);
    }
    if (rt_unlikely(g == NULL))
        rt_fatal("go: no memory for a goroutine's stack");
    g->fn = (uintptr_t)fn;
    g->create_pc = (uintptr_t)__builtin_return_address(0);
    g->stack_arg_bytes = stack_arg_bytes;
    lay_out(g, stack_arg_bytes);
    g->flags = big ? GORT_G_BIG : 0;
    g->next = parent->pending;
    parent->pending = g;
    rt_leave();
    return (gort_fn)ctx_capture;
}

void gort_go_stack(size_t bytes)
{
    enum { LEAST = 16 * 1024 };
    rt_g()->next_stack_bytes = bytes == 0 ? 0 : bytes < LEAST ? LEAST : bytes;
}

/* Makes g, which has fn, create_pc, arguments and labels, runnable. */
static void launch(struct m *m, struct g *g, uint64_t parent_id, struct race_g *parent)
{
    g->next = NULL;
    g->id = g_new_id(m);
    g->parent_id = parent_id;
    g->wait_obj = 0;
    g->pending = NULL;
    g->deferred = NULL;
    g->panics = NULL;
    ctx_args(&g->ctx)->fn = g->fn;
    g_count_add(m, 1);
    uintptr_t hi = (g->stack_hi + OS_PAGE - 1) & ~(uintptr_t)(OS_PAGE - 1);   /* whole pages cost the detector less, and nothing else is in the last one */
    void *top = g->flags & GORT_G_BIG ? NULL : (void *)g->stack_hi;   /* big stacks are unmapped: whoever looks at a finished goroutine's race_g would fault */
    HOOK_SET_RACE_G(g, hook_go(parent, g->id, parent_id, (void *)g->fn, (void *)g->create_pc, (void *)g->stack_lo, (void *)hi, top));
    rt_ready(m, g);
}

/* Not checked by a sanitizer: the words above the caller's frame may be anybody's. */
__attribute__((no_sanitize("address"))) void gort_go_commit(const void *stack_args)
{
    struct m *m = rt_enter();
    struct g *parent = m->g;
    struct g *g = parent->pending;
    RT_CHECK(g != NULL);
    parent->pending = g->next;
    g->labels = rt_unlikely(parent->labels != NULL) ? labels_share(parent->labels) : NULL;
    /* stack_arg_bytes is an upper bound, which counts arguments in registers too: a caller that is its goroutine's first function may have less above it. */
    uint64_t *words = ctx_stack_words(&g->ctx);
    uintptr_t from = (uintptr_t)stack_args;
    size_t n = g->stack_arg_bytes;
    if (from - parent->stack_lo < parent->stack_hi - parent->stack_lo && n > parent->stack_hi - from)   /* elsewhere: a stack of the program's own */
        n = parent->stack_hi - from;
    for (size_t i = 0; i < n / 8; i++)
        words[i] = ((const uint64_t *)stack_args)[i];
    launch(m, g, parent->id, HOOK_RACE_G(parent));
    /* A long queue: let the children run, while their stacks are in the cache, before there are more of them; each new stack costs page faults. */
    if (m->p && runq_is_long(&m->p->runq, RT_GO_YIELD))
        rt_yield();
    rt_leave();
}

void g_spawn(struct m *m, const struct g_spawn *s)
{
    struct g *g = g_get(m);
    if (!g)
        rt_fatal("go: no memory for a goroutine's stack");
    g->fn = s->fn;
    g->create_pc = s->create_pc;
    g->flags = 0;
    g->labels = s->labels ? labels_share(s->labels) : NULL;
    lay_out(g, 0);
    for (int i = 0; i < 3; i++)
        ctx_args(&g->ctx)->integer[i] = s->arg[i];
    launch(m, g, s->parent_id, s->parent);
}

/* A new goroutine's first call, on its own stack, right after the switch to it. */
void gort_g_start(void)
{
    asan_arrive(NULL);
    rt_leave();
}

struct m *g_wind_up(struct m *m)
{
    struct g *g = m->g;
    if (g->deferred != NULL) {
        rt_leave();
        defer_run_all();
        m = rt_enter();
    }
    if (g->panics != NULL)
        panics_drop(g);
    if (g->flags & GORT_G_WIRED) {
        thread_unwire(m);
        m = rt_m();
    }
    for (struct g *p = g->pending; p;) {   /* go() statements whose arguments never got done */
        struct g *next = p->next;
        g_put(m, p);
        p = next;
    }
    g->pending = NULL;
    if (g->flags & GORT_G_MAIN) {
        atomic_store_explicit(&sched.main_ended, true, memory_order_relaxed);
        g_count_add(m, -1);
        rt_park(NULL, GORT_WAIT_EXITED, NULL);
        rt_throw(__FILE_NAME__, __LINE__, "main woke after go_exit");
    }
    if (g->flags & GORT_G_THREAD) {
        rt_leave();
        pthread_exit(NULL);   /* thread.c hears of it */
    }
    if (g->labels != NULL) {
        labels_drop(g->labels);
        g->labels = NULL;
    }
    return m;
}

_Noreturn void go_exit(void)
{
    gort_g_return();
    __builtin_unreachable();
}

uint64_t go_id(void)
{
    return rt_g()->id;
}

int go_num_goroutine(void)
{
    rt_g();
    return g_count();
}

int go_maxprocs(int n)
{
    rt_enter();
    int old = sched_set_procs(n);
    rt_leave();
    return old;
}
