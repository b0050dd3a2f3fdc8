/* Taking a snapshot. See snapshot.h, and gort/debug.h for what is read.
 *
 * While the process runs, the slabs and the stacks of parked goroutines are copied; then it is stopped, and the state words (a dense
 * array) are read again. A parked goroutine whose word is the same has not moved since before its copy was made, because every move counts its
 * sequence up; so only the others, and the running ones, are copied while the process stands still. The word that counts is the one read
 * before the goroutine's fields and stack.
 *
 * Nothing that is read is trusted: sizes and addresses are checked before use. */
#define _GNU_SOURCE
#include "snapshot.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STACK_MOST = 1 << 20, SLABS_MOST = 1 << 16, MS_MOST = 1 << 16 };

struct slab {
    uint64_t addr;
    unsigned char *states;   /* read first */
    unsigned char *gs;       /* read after */
};

struct m {
    uint64_t addr, g;
    uint32_t tid;
    bool have_regs;
    struct tb_regs regs;
};

struct taking {
    struct target *t;
    struct gort_debug d;
    struct slab *slabs;
    size_t nslabs;
    struct m *ms;
    size_t nms;
    struct snap_g *gs;   /* one for each slot: slab * slab_gs + i */
    int64_t now;
};

static int64_t monotonic(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* ---- the descriptor ---- */

static bool read_descriptor(struct taking *k, const char **error)
{
    uint64_t addr = target_find_descriptor(k->t);
    struct gort_debug *d = &k->d;
    if (!addr) {
        *error = "that process holds no gort runtime";
        return false;
    }
    if (!target_read(k->t, addr, d, sizeof *d) || memcmp(d->magic, GORT_DEBUG_MAGIC, sizeof d->magic) != 0) {
        *error = "the debug descriptor can't be read or is damaged";
        return false;
    }
    if (d->version != GORT_DEBUG_VERSION || d->size < sizeof *d) {
        *error = "the process's runtime has another version of the debug descriptor: use the goroutine-dump of that version";
        return false;
    }
    if (d->arch != GORT_ARCH_X86_64) {
        *error = "the process is of another architecture";
        return false;
    }
    if (d->pid == 0) {
        *error = "the process has not used the runtime yet: there are no goroutines";
        return false;
    }
    uint32_t fields[] = {d->g_id, d->g_parent_id, d->g_sp, d->g_stack_lo, d->g_stack_hi, d->g_fn, d->g_create_pc, d->g_wait_since,
                         d->g_wait_obj, d->g_m, d->g_flags, d->g_on_cpu, d->g_labels};
    bool ok = d->slab_gs > 0 && d->slab_gs <= 1 << 20 && d->slab_lanes > 0 && d->slab_gs % d->slab_lanes == 0 && d->g_size <= 1 << 16 &&
              d->ctx_size <= 4096 && d->m_next < 1 << 16 && d->m_tid < 1 << 16 && d->m_g < 1 << 16;
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
        ok = ok && fields[i] + 8 <= d->g_size;
    uint32_t regs[] = {d->ctx_pc, d->ctx_rbp};
    for (size_t i = 0; i < sizeof regs / sizeof regs[0]; i++)
        ok = ok && regs[i] + 8 <= d->ctx_size;
    if (!ok)
        *error = "the debug descriptor is damaged";
    return ok;
}

/* ---- slabs and Ms ---- */

/* Learns of slabs that are new; those known stay. */
static bool read_slab_list(struct taking *k, const char **error)
{
    uint32_t n;
    if (!target_read(k->t, k->d.nslabs, &n, sizeof n) || n > SLABS_MOST) {
        *error = "the list of goroutines can't be read";
        return false;
    }
    if (n <= k->nslabs)
        return true;
    uint64_t *addrs = malloc(n * sizeof *addrs);
    struct slab *slabs = realloc(k->slabs, n * sizeof *slabs);
    struct snap_g *gs = slabs ? realloc(k->gs, (size_t)n * k->d.slab_gs * sizeof *gs) : NULL;
    k->slabs = slabs ? slabs : k->slabs;
    k->gs = gs ? gs : k->gs;
    bool ok = addrs && slabs && gs && target_read(k->t, k->d.slabs, addrs, n * sizeof *addrs);
    for (size_t i = k->nslabs; ok && i < n; i++) {
        slabs[i] = (struct slab){addrs[i], calloc(k->d.slab_gs, 8), calloc(k->d.slab_gs, k->d.g_size)};
        memset(&gs[i * k->d.slab_gs], 0, k->d.slab_gs * sizeof *gs);
        k->nslabs = i + 1;
        ok = slabs[i].states && slabs[i].gs;
    }
    free(addrs);
    if (!ok)
        *error = "the list of goroutines can't be read, or there is not enough memory";
    return ok;
}

static bool read_states(struct taking *k)
{
    bool ok = true;
    for (size_t i = 0; i < k->nslabs; i++)
        ok = ok && target_read(k->t, k->slabs[i].addr + k->d.slab_state_off, k->slabs[i].states, (size_t)k->d.slab_gs * 8);
    return ok;
}

static bool read_gs(struct taking *k)
{
    bool ok = true;
    for (size_t i = 0; i < k->nslabs; i++)
        ok = ok && target_read(k->t, k->slabs[i].addr + k->d.slab_g_off, k->slabs[i].gs, (size_t)k->d.slab_gs * k->d.g_size);
    return ok;
}

static uint64_t state_of(const struct taking *k, size_t slot)
{
    uint32_t i = (uint32_t)(slot % k->d.slab_gs), at = i % k->d.slab_lanes * (k->d.slab_gs / k->d.slab_lanes) + i / k->d.slab_lanes;
    uint64_t word;
    memcpy(&word, k->slabs[slot / k->d.slab_gs].states + (size_t)at * 8, 8);
    return word;
}

static uint64_t field64(const struct taking *k, size_t slot, uint32_t offset)
{
    uint64_t v;
    memcpy(&v, k->slabs[slot / k->d.slab_gs].gs + slot % k->d.slab_gs * k->d.g_size + offset, 8);
    return v;
}

static void read_ms(struct taking *k)
{
    uint64_t at = 0;
    target_read(k->t, k->d.ms, &at, sizeof at);
    for (; at && k->nms < MS_MOST; k->nms++) {
        struct m *list = realloc(k->ms, (k->nms + 1) * sizeof *list);
        uint64_t next;
        struct m m = {.addr = at};
        if (!list)
            return;
        k->ms = list;
        if (!target_read(k->t, at + k->d.m_next, &next, 8) || !target_read(k->t, at + k->d.m_tid, &m.tid, 4) ||
            !target_read(k->t, at + k->d.m_g, &m.g, 8))
            return;
        m.have_regs = m.tid && target_regs(k->t, m.tid, &m.regs);
        k->ms[k->nms] = m;
        at = next;
    }
}

/* ---- one goroutine ---- */

/* The fields of a slot, as copied. */
static void fill(struct taking *k, size_t slot, uint64_t state)
{
    struct snap_g *g = &k->gs[slot];
    unsigned char *stack = g->stack;
    *g = (struct snap_g){
        .id = field64(k, slot, k->d.g_id),
        .parent_id = field64(k, slot, k->d.g_parent_id),
        .state = state,
        .fn = field64(k, slot, k->d.g_fn),
        .create_pc = field64(k, slot, k->d.g_create_pc),
        .wait_obj = field64(k, slot, k->d.g_wait_obj),
        .flags = (uint32_t)field64(k, slot, k->d.g_flags),
    };
    free(stack);
    int64_t since = (int64_t)field64(k, slot, k->d.g_wait_since);
    if (GORT_STATE_STATUS(state) == GORT_STATUS_WAITING && since > 0 && k->now > since)
        g->wait_ns = k->now - since;
}

/* Makes room for the stack from sp up, as a piece to read. False: the pointers make no sense. */
static bool plan_stack(struct taking *k, size_t slot, uint64_t sp, struct target_piece *piece)
{
    struct snap_g *g = &k->gs[slot];
    uint64_t lo = field64(k, slot, k->d.g_stack_lo), hi = field64(k, slot, k->d.g_stack_hi);
    if (sp < lo || sp >= hi || sp % 8 != 0)
        return false;
    g->stack_at = sp;
    g->stack_n = hi - sp < STACK_MOST ? hi - sp : STACK_MOST;
    g->stack = malloc(g->stack_n);
    *piece = (struct target_piece){sp, g->stack, g->stack_n, false};
    return g->stack != NULL;
}

static void take_saved_regs(struct taking *k, struct snap_g *g)
{
    const struct gort_debug *d = &k->d;
    if (g->stack_n < d->ctx_size)
        return;
    g->regs = (struct tb_regs){{0}};
    memcpy(&g->regs.r[TB_RIP], g->stack + d->ctx_pc, 8);
    memcpy(&g->regs.r[TB_RBP], g->stack + d->ctx_rbp, 8);
    g->regs.r[TB_RSP] = g->stack_at + d->ctx_size;
    g->have_regs = g->first_is_return = true;
}

/* The thread that has the goroutine's registers, if one has. */
static const struct m *thread_of(const struct taking *k, size_t slot)
{
    uint64_t lo = field64(k, slot, k->d.g_stack_lo), hi = field64(k, slot, k->d.g_stack_hi), addr = field64(k, slot, k->d.g_m);
    if ((uint32_t)field64(k, slot, k->d.g_on_cpu) == 0)
        return NULL;
    for (size_t i = 0; i < k->nms; i++)
        if (k->ms[i].addr == addr && k->ms[i].have_regs && k->ms[i].regs.r[TB_RSP] >= lo && k->ms[i].regs.r[TB_RSP] < hi)
            return &k->ms[i];
    return NULL;
}

/* Copies the stacks of the slots that `wanted` names, in one go. */
static size_t copy_stacks(struct taking *k, const bool *wanted, bool stopped)
{
    size_t total = k->nslabs * k->d.slab_gs, n = 0;
    struct target_piece *pieces = malloc((total + 1) * sizeof *pieces);
    size_t *slots = malloc((total + 1) * sizeof *slots);
    for (size_t i = 0; pieces && slots && i < total; i++) {
        if (!wanted[i])
            continue;
        const struct m *m = stopped ? thread_of(k, i) : NULL;
        uint64_t sp = m ? m->regs.r[TB_RSP] & ~7ull : field64(k, i, k->d.g_sp);
        if (!plan_stack(k, i, sp, &pieces[n]))
            continue;
        if (m) {
            k->gs[i].regs = m->regs;
            k->gs[i].have_regs = true;
        }
        slots[n++] = i;
    }
    if (n)
        target_read_many(k->t, pieces, n);
    for (size_t i = 0; i < n; i++) {
        struct snap_g *g = &k->gs[slots[i]];
        if (!pieces[i].ok) {
            free(g->stack);
            g->stack = NULL;
            g->stack_n = 0;
            g->have_regs = false;
        } else if (!g->have_regs) {
            take_saved_regs(k, g);
        }
    }
    free(pieces);
    free(slots);
    return n;
}

/* The labels of the slots that `wanted` names: of a parked goroutine they stay as long as its stack. */
static void copy_labels(struct taking *k, const bool *wanted)
{
    for (size_t i = 0; i < k->nslabs * k->d.slab_gs; i++) {
        uint64_t at = wanted[i] ? field64(k, i, k->d.g_labels) : 0;
        struct snap_g *g = &k->gs[i];
        uint32_t n;
        if (!at || !target_read(k->t, at, &n, sizeof n))
            continue;
        n = n < sizeof g->labels ? n : (uint32_t)sizeof g->labels;
        if (target_read(k->t, at + GORT_LABELS_TEXT, g->labels, n))
            g->labels_n = tb_whole_labels(g->labels, n);
    }
}

/* ---- the whole ---- */

static bool is_parked(uint64_t state)
{
    return GORT_STATE_STATUS(state) == GORT_STATUS_WAITING;
}

/* First pass, the process running: what is parked now will most likely still be when it stands. */
static bool copy_running(struct taking *k, struct snapshot *s, const char **error)
{
    if (!read_slab_list(k, error))
        return false;
    if (!read_states(k) || !read_gs(k)) {
        *error = "the goroutines can't be read";
        return false;
    }
    size_t total = k->nslabs * k->d.slab_gs;
    bool *wanted = calloc(total + 1, sizeof *wanted);
    for (size_t i = 0; wanted && i < total; i++) {
        uint64_t state = state_of(k, i);
        wanted[i] = is_parked(state);
        if (wanted[i])
            fill(k, i, state);
    }
    if (wanted) {
        s->copied_early = copy_stacks(k, wanted, false);
        copy_labels(k, wanted);
    }
    free(wanted);
    return true;
}

/* Second pass, the process stopped: what moved since. */
static bool settle(struct taking *k, struct snapshot *s, const char **error)
{
    if (!read_slab_list(k, error))
        return false;
    if (!read_states(k)) {
        *error = "the goroutines can't be read";
        return false;
    }
    size_t total = k->nslabs * k->d.slab_gs;
    bool *wanted = calloc(total + 1, sizeof *wanted), any = false;
    for (size_t i = 0; wanted && i < total; i++) {
        uint64_t state = state_of(k, i);
        wanted[i] = GORT_STATE_STATUS(state) != GORT_STATUS_FREE && (state != k->gs[i].state || !k->gs[i].have_regs);
        any = any || wanted[i];
    }
    if (!wanted || (any && !read_gs(k))) {
        free(wanted);
        *error = "the goroutines can't be read";
        return false;
    }
    k->now = monotonic();
    for (size_t i = 0; i < total; i++)
        if (wanted[i])
            fill(k, i, state_of(k, i));
    if (any) {
        read_ms(k);
        s->copied_late = copy_stacks(k, wanted, true);
        copy_labels(k, wanted);
    }
    free(wanted);
    return true;
}

static int by_id(const void *a, const void *b)
{
    const struct snap_g *x = a, *y = b;
    bool rx = GORT_STATE_STATUS(x->state) == GORT_STATUS_RUNNING, ry = GORT_STATE_STATUS(y->state) == GORT_STATUS_RUNNING;
    if (rx != ry)
        return rx ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

bool snapshot_take(struct target *t, struct snapshot *s, const char **error)
{
    struct taking k = {.t = t, .now = monotonic()};
    *s = (struct snapshot){0};
    bool ok = read_descriptor(&k, error) && copy_running(&k, s, error);
    if (ok) {
        int64_t start = monotonic();
        ok = target_stop(t, error) && settle(&k, s, error);
        target_resume(t);
        s->pause_ns = monotonic() - start;
    }
    size_t total = k.nslabs * k.d.slab_gs;
    for (size_t i = 0; i < total; i++) {
        struct snap_g *g = &k.gs[i];
        if (ok && GORT_STATE_STATUS(state_of(&k, i)) != GORT_STATUS_FREE)
            k.gs[s->n++] = *g;
        else
            free(g->stack);
    }
    for (size_t i = 0; i < k.nslabs; i++) {
        free(k.slabs[i].states);
        free(k.slabs[i].gs);
    }
    free(k.slabs);
    free(k.ms);
    s->gs = k.gs;
    if (s->n)
        qsort(s->gs, s->n, sizeof *s->gs, by_id);
    return ok;
}

void snapshot_free(struct snapshot *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->gs[i].stack);
    free(s->gs);
}

bool snapshot_read_stack(void *arg, uint64_t addr, void *buf, size_t n)
{
    const struct snap_g *g = arg;
    if (addr < g->stack_at || n > g->stack_n || addr - g->stack_at > g->stack_n - n)
        return false;
    memcpy(buf, g->stack + (addr - g->stack_at), n);
    return true;
}
