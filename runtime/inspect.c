/* The pull door: a consistent look at each goroutine of this process while it runs. See inspect.h.
 *
 * A goroutine's fields are read between two reads of its state word; if the word is the same and says WAITING or RUNNABLE, nobody ran
 * it meanwhile. For the stack the same holds of the copied bytes: copy [sp, stack_hi), look at the word again, unwind the copy. The stack may be
 * written while it is copied, hence the plain loop instead of a checked memcpy. */
#include "inspect.h"

#include <stdlib.h>
#include <string.h>

#include <gort/time.h>

#include "internal.h"
#include "os.h"
#include "traceback/unwind.h"

struct visitor {
    bool (*visit)(const struct inspect_g *v, void *arg);
    void *arg;
    struct g *self;
    int64_t now;
};

static bool view(struct g *g, void *arg)
{
    struct visitor *w = arg;
    struct inspect_g v;
    uint64_t state = atomic_load_explicit(g->state, memory_order_acquire);
    for (int tries = 0;; tries++) {
        v = (struct inspect_g){
            .id = g->id,
            .parent_id = g->parent_id,
            .state = state,
            .status = (enum gort_status)GORT_STATE_STATUS(state),
            .reason = (enum gort_wait_reason)GORT_STATE_REASON(state),
            .flags = g->flags,
            .self = g == w->self,
            .fn = g->fn,
            .create_pc = g->create_pc,
            .labels = (uintptr_t)__atomic_load_n(&g->labels, __ATOMIC_ACQUIRE),
            .wait_obj = g->wait_obj,
            .g = g,
        };
        if (v.status == GORT_STATUS_WAITING && w->now > g->wait_since)
            v.wait_ns = w->now - g->wait_since;
        atomic_thread_fence(memory_order_acquire);   /* the fields before the word */
        uint64_t again = atomic_load_explicit(g->state, memory_order_relaxed);
        if (again == state || tries == 100)
            break;   /* one that moves this fast is alive; its id and status are as good as any */
        state = again;
    }
    if (v.status == GORT_STATUS_FREE)
        return true;
    return w->visit(&v, w->arg);
}

void inspect_each(bool (*visit)(const struct inspect_g *v, void *arg), void *arg)
{
    struct visitor w = {visit, arg, rt_m() ? rt_m()->g : NULL, os_now()};
    g_each(view, &w);
}

struct stack_copy {
    uint64_t lo, hi;   /* addresses of the original */
    char *bytes;
};

static bool read_copy(void *arg, uint64_t addr, void *buf, size_t n)
{
    const struct stack_copy *c = arg;
    if (addr < c->lo || n > c->hi - c->lo || addr > c->hi - n)
        return false;
    rt_copy(buf, c->bytes + (addr - c->lo), n);
    return true;
}

/* The registers that the switch saved; the others lie in the frame of the function that switched. */
static struct tb_regs saved_regs(const char *frame, uint64_t sp)
{
    struct tb_regs regs = {{0}};
    rt_copy(&regs.r[TB_RBP], frame + CTX_RBP, 8);
    rt_copy(&regs.r[TB_RIP], frame + CTX_PC, 8);
    regs.r[TB_RSP] = sp + CTX_SIZE;
    return regs;
}

/* A stack holds what AddressSanitizer has poisoned: copied in spite of it, in a loop of our own, which it does not look at. */
__attribute__((no_sanitize("address"))) static void copy_stack(char *to, uintptr_t from, size_t n)
{
    const volatile char *f = (const volatile char *)from;
    if ((((uintptr_t)to | from | n) & 7) == 0)
        for (size_t i = 0; i < n / 8; i++)
            ((volatile uint64_t *)to)[i] = ((const volatile uint64_t *)f)[i];
    else
        for (size_t i = 0; i < n; i++)
            to[i] = f[i];
}

int inspect_stack(const struct inspect_g *v, uintptr_t *pcs, int max)
{
    return inspect_stack_frames(v, pcs, NULL, max);
}

int inspect_stack_frames(const struct inspect_g *v, uintptr_t *pcs, uintptr_t *sps, int max)
{
    const struct g *g = v->g;
    if (v->status != GORT_STATUS_WAITING && v->status != GORT_STATUS_RUNNABLE)
        return 0;
    /* Visibly parked, but its registers may not be saved yet: a matter of nanoseconds. */
    for (int i = 0; i < 1000 && atomic_load_explicit(&g->ctx.on_cpu, memory_order_acquire); i++)
        ctx_pause();
    uintptr_t sp = g->ctx.sp, hi = g->stack_hi;
    if (atomic_load_explicit(&g->ctx.on_cpu, memory_order_acquire) || sp < g->stack_lo || sp + CTX_SIZE > hi ||
        atomic_load_explicit(g->state, memory_order_acquire) != v->state)
        return 0;
    hook_ignore_begin();
    bool frozen = tb_is_frozen();   /* then the allocator may be locked */
    struct stack_copy copy = {.lo = sp, .hi = hi, .bytes = frozen ? os_map(hi - sp) : malloc(hi - sp)};
    int n = 0;
    if (copy.bytes) {
        copy_stack(copy.bytes, sp, hi - sp);
        atomic_thread_fence(memory_order_acquire);
        if (atomic_load_explicit(g->state, memory_order_relaxed) == v->state) {
            struct tb_regs regs = saved_regs(copy.bytes, sp);
            n = tb_unwind_frames(tb_space_self(), &regs, (struct tb_memory){read_copy, &copy}, pcs, sps, max);
        }
    }
    if (!frozen)
        free(copy.bytes);
    else if (copy.bytes)
        os_unmap(copy.bytes, hi - sp);
    hook_ignore_end();
    return n;
}

static bool read_own(void *arg, uint64_t addr, void *buf, size_t n)
{
    const struct stack_copy *c = arg;
    if (addr < c->lo || n > c->hi - c->lo || addr > c->hi - n)
        return false;
    copy_stack(buf, (uintptr_t)addr, n);
    return true;
}

int inspect_stack_at(const void *goroutine, const struct tb_regs *regs, uintptr_t *pcs, int max)
{
    const struct g *g = goroutine;
    uintptr_t sp = (uintptr_t)regs->r[TB_RSP];
    if (sp + RT_STACK_BYTES < g->stack_lo || sp >= g->stack_hi)   /* below the low end: it has overflown */
        return 0;
    struct stack_copy bounds = {.lo = g->stack_lo, .hi = g->stack_hi};
    return tb_unwind(tb_space_self(), regs, (struct tb_memory){read_own, &bounds}, pcs, max);
}

/* Through the kernel, which knows what is readable. */
static bool read_any(void *arg, uint64_t addr, void *buf, size_t n)
{
    (void)arg;
    return os_peek(buf, (const void *)(uintptr_t)addr, n);
}

void inspect_freeze_prepare(void)
{
    tb_freeze_prepare();
}

void inspect_freeze(void)
{
    tb_freeze((struct tb_memory){read_any, NULL});
}

void inspect_prepare_names(void)
{
    hook_ignore_begin();
    free(malloc(1));
    tb_symbolizer_self();
    hook_ignore_end();
}

int inspect_thread_stack_at(const struct tb_regs *regs, uintptr_t *pcs, int max)
{
    return tb_unwind(tb_space_self(), regs, (struct tb_memory){read_any, NULL}, pcs, max);
}

int inspect_frames_at(const struct tb_regs *regs, uintptr_t *pcs, uintptr_t *sps, int max)
{
    return tb_unwind_frames(tb_space_self(), regs, (struct tb_memory){read_any, NULL}, pcs, sps, max);
}

int inspect_rest(const struct inspect_g *v, const uintptr_t *pcs, int n, struct tb_frame *out, int max)
{
    struct tb_symbolizer *sym = tb_symbolizer_self();
    return tb_add_start(sym, v->fn, out, tb_symbolize_stack(sym, pcs, n, true, false, out, max), max);
}

int inspect_rest_first(const uintptr_t *pcs, int n, struct tb_frame *out, int max)
{
    return tb_symbolize_stack(tb_symbolizer_self(), pcs, n, false, false, out, max);
}

struct own_stack {
    struct tb_regs regs;
    struct stack_copy bounds;
    uintptr_t *pcs;
    int n, max;
};

static void unwind_own(void *arg)
{
    struct own_stack *o = arg;
    o->n = tb_unwind(tb_space_self(), &o->regs, (struct tb_memory){read_own, &o->bounds}, o->pcs, o->max);
}

/* While libunwind is at work all signals are blocked: if the stack overflowed then, the kernel would end the program without a word. So it is not begun on
 * a stack that is nearly used up; and if nothing can be done there any more, it overflows here and now. */
rt_noinline int inspect_own_stack(uintptr_t *pcs, int max)
{
    enum { ENOUGH = 48 * 1024, LEAST = 8 * 1024 };
    struct own_stack o = {.pcs = pcs, .max = max};
    struct m *m = rt_m();
    INSPECT_OWN_REGS(&o.regs);
    uintptr_t sp = (uintptr_t)o.regs.r[TB_RSP], lo, hi;
    if (m && m->g && sp >= m->g->stack_lo && sp < m->g->stack_hi) {
        lo = m->g->stack_lo;
        hi = m->g->stack_hi;
        if (!(m->g->flags & GORT_G_THREAD) && sp - lo < LEAST)
            *(volatile char *)(lo - 8) = 0;
    } else {
        os_thread_stack(&lo, &hi);
    }
    o.bounds = (struct stack_copy){.lo = lo, .hi = hi};
    hook_ignore_begin();
    if (sp - lo < ENOUGH)
        tb_run_on_big_stack(unwind_own, &o);
    else
        unwind_own(&o);
    hook_ignore_end();
    return o.n;
}

/* Only the goroutine itself sets its labels, so they are what they were if it has not moved; one that runs may be about to free them. */
unsigned inspect_labels(const struct inspect_g *v, char *out, unsigned room)
{
    const struct g *g = v->g;
    uint32_t n;
    if (!v->labels || (v->status == GORT_STATUS_RUNNING && !v->self) || !os_peek(&n, (const void *)v->labels, sizeof n))
        return 0;
    n = n < room ? n : room;
    if (!os_peek(out, (const void *)(v->labels + GORT_LABELS_TEXT), n) || atomic_load_explicit(g->state, memory_order_acquire) != v->state)
        return 0;
    return tb_whole_labels(out, n);
}

struct tb_goroutine inspect_describe(const struct inspect_g *v, const uintptr_t *pcs, int n, bool first_is_return_address,
                                     bool all, struct tb_frame *frames, int max)
{
    struct tb_symbolizer *sym = tb_symbolizer_self();
    struct tb_goroutine out = {
        .id = v->id,
        .state = tb_state_text(v->state),
        .wait_ns = v->wait_ns,
        .locked = v->flags & GORT_G_THREAD && !(v->flags & GORT_G_MAIN),
        .frames = frames,
        .nframes = tb_symbolize_stack(sym, pcs, n, first_is_return_address, !all, frames, max),
        .parent_id = v->parent_id,
    };
    out.labels_n = inspect_labels(v, out.labels, sizeof out.labels);
    out.nframes = tb_add_start(sym, v->fn, frames, out.nframes, max);
    if (v->create_pc) {
        struct tb_frame where[32];
        int k = tb_symbolize(sym, v->create_pc, true, where, 32);
        out.created_by = where[0];
        out.created_by.func = where[k - 1].func;   /* inlined or not, the function the program knows is the real one */
        out.created_by.offset = where[k - 1].offset;
    }
    return out;
}

void inspect_thread_stack(uintptr_t *lo, uintptr_t *hi)
{
    os_thread_stack(lo, hi);
}

void inspect_sleep(int64_t ns)
{
    go_sleep(ns);
}
