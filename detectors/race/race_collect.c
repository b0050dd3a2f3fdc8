/* From an event's numbers to a record: stacks by their nodes, goroutines by their slots, locks by the epochs' locksets, the variable by its address; all
 * symbolized. Runs on a big stack with the detector off, one at a time. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <hooks.h>
#include <inspect.h>
#include <traceback/format.h>

#include "race_alloc.h"
#include "race_fds.h"
#include "race_flags.h"
#include "race_heap.h"
#include "race_held.h"
#include "race_hint.h"
#include "race_list.h"
#include "race_order.h"
#include "race_record.h"
#include "race_uses.h"

enum { DEEPEST = 256, SOURCE_LINE_MAX = 160 };

struct rec_part {
    struct rec_part *next;
};

static void *part_of(struct record *r, size_t n)
{
    struct rec_part *p = calloc(1, sizeof *p + 16 + n);
    if (!p)
        abort();
    p->next = r->parts;
    r->parts = p;
    return (char *)p + 16;
}

void race_record_free(struct record *r)
{
    while (r->parts) {
        struct rec_part *p = r->parts;
        r->parts = p->next;
        free(p);
    }
}

static char *text_of(struct record *r, const char *s)
{
    char *copy = part_of(r, strlen(s) + 1);
    return strcpy(copy, s);
}

/* ---- stacks ---- */

/* The text of a line of a source file, without the blanks around it. */
static char *source_line(struct record *r, const char *file, int line)
{
    FILE *f = line > 0 && strcmp(file, "??") != 0 ? fopen(file, "re") : NULL;
    if (!f)
        return NULL;
    char buf[1024], *text = NULL;
    bool begins = true;   /* buf begins a line */
    for (int at = 1; at <= line && fgets(buf, sizeof buf, f);) {
        bool ends = strchr(buf, '\n') != NULL;
        if (at == line && begins) {
            char *s = buf + strspn(buf, " \t");
            size_t n = strcspn(s, "\r\n");
            n = n > SOURCE_LINE_MAX ? SOURCE_LINE_MAX : n;
            while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
                n--;
            s[n] = 0;
            if (n > 0)
                text = text_of(r, s);
            break;
        }
        begins = ends;
        at += ends;
    }
    fclose(f);
    return text;
}

/* The detector's and the runtime's own functions in the middle of a stack: those by which they call the program's. */
static bool is_own(const struct tb_frame *f)
{
    static const char end[] = "/race_posix_threads.c";
    size_t n = strlen(f->file);
    return strncmp(f->func, "gort_", 5) == 0 || (n >= sizeof end - 1 && strcmp(f->file + n - (sizeof end - 1), end) == 0);
}

static struct rec_stack stack_of(struct record *r, uint32_t node, uintptr_t pc, bool with_source)
{
    static uintptr_t pcs[DEEPEST];
    static struct tb_frame frames[DEEPEST];
    struct rec_stack s = {0};
    int n = race_stack_pcs(node, pc, pcs, DEEPEST), all = 0;
    bool in_main = false;   /* what calls main is of no interest, and where libc's debug information is installed it takes longer than all the rest */
    for (int i = 0; i < n && !in_main; i++) {
        int more = tb_symbolize_stack(tb_symbolizer_self(), pcs + i, 1, true, false, frames + all, DEEPEST - all);
        for (int end = all + more; all < end && !in_main; all++)
            in_main = strcmp(frames[all].func, "main") == 0;
    }
    s.frames = part_of(r, (size_t)all * sizeof frames[0]);
    for (int i = 0; i < all; i++)
        if (i == 0 || !is_own(&frames[i]))
            s.frames[s.nframes++] = frames[i];
    if (with_source && s.nframes > 0)
        s.source = source_line(r, s.frames[0].file, s.frames[0].line);
    size_t prefix = strlen(race_flags.strip_path_prefix);
    for (int i = 0; i < s.nframes; i++)
        if (prefix && strncmp(s.frames[i].file, race_flags.strip_path_prefix, prefix) == 0)
            s.frames[i].file += prefix;
    return s;
}

static struct rec_stack stack_of_side(struct record *r, struct race_side side, bool with_source)
{
    uintptr_t pc = race_pc_unpack(side.pc);
    struct rec_stack s = stack_of(r, side.node, race_use_of(side) < 0 && !race_fd_text(pc) ? pc : 0, with_source);
    r->lost_stacks += s.nframes == 0;
    return s;
}

static const char *stripped(const char *file)
{
    size_t n = strlen(race_flags.strip_path_prefix);
    return file && n && strncmp(file, race_flags.strip_path_prefix, n) == 0 ? file + n : file;
}

/* ---- who ---- */

static struct rec_who who_of(struct record *r, uint64_t epoch, uint32_t *lockset)
{
    struct rec_who w = {0};
    uint32_t held = LOCKSET_UNKNOWN;
    w.known = epoch != 0 && race_who_read(epoch_slot(epoch), epoch_clock(epoch), &w.who, &held);
    if (lockset)
        *lockset = w.known ? held : LOCKSET_UNKNOWN;
    if (w.known && !w.who.is_main && w.who.create_pc)
        w.created = stack_of(r, w.who.create_node, w.who.create_pc, false);
    return w;
}

/* ---- locks ---- */

struct numbering {
    uintptr_t addr[64];
    int n;
};

static int number_of(struct numbering *nums, uintptr_t addr)
{
    for (int i = 0; i < nums->n; i++)
        if (nums->addr[i] == addr)
            return i + 1;
    if (nums->n < 64)
        nums->addr[nums->n++] = addr;
    return nums->n;
}

/* The name of the lock at addr: of the variable, or the part of it, that is the lock. */
static const char *lock_name(struct record *r, uintptr_t addr)
{
    struct tb_variable v;
    if (!tb_symbolize_global(tb_symbolizer_self(), addr, &v))
        return NULL;
    char *name = text_of(r, *v.part ? v.part : v.name);
    if (strstr(v.holder, "go_mutex") || strstr(v.holder, "go_rwmutex"))
        *strrchr(name, '.') = 0;   /* its first word */
    return name;
}

static struct rec_lock lock_of(struct record *r, struct numbering *nums, const struct lockset *s)
{
    struct rec_lock l = {.number = number_of(nums, s->lock->addr), .addr = s->lock->addr, .kind = s->kind};
    l.at = stack_of(r, s->node, race_pc_unpack(s->pc), false);
    l.name = lock_name(r, l.addr);
    return l;
}

static void locks_of(struct record *r, struct numbering *nums, struct rec_access *a, uint32_t id)
{
    if (id == LOCKSET_UNKNOWN)
        return;
    struct lockset *set = lockset_by_id(id), **held = lockset_held(set);
    int n = (int)set->live;
    a->locks_known = true;
    for (int i = 0; i < n; i++)
        if (atomic_load_explicit(&held[i]->lock->foreign, memory_order_relaxed))
            a->locks_known = false;   /* handed from one goroutine to another: nobody knows */
    if (a->locks_known) {
        a->nlocks = n;
        a->locks = part_of(r, (size_t)n * sizeof a->locks[0]);
        for (int i = 0; i < n; i++)
            a->locks[i] = lock_of(r, nums, held[n - 1 - i]);
    }
    race_free(held, (size_t)n * sizeof held[0]);
}

/* ---- where ---- */

/* The main thread's stack, of which only the kernel knows the bounds. */
static bool on_main_stack(uintptr_t addr)
{
    FILE *f = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;
    while (f && !found && fgets(line, sizeof line, f)) {
        unsigned long lo, hi;
        found = strstr(line, "[stack]") && sscanf(line, "%lx-%lx", &lo, &hi) == 2 && addr >= lo && addr < hi;
    }
    if (f)
        fclose(f);
    return found;
}

struct owner_stack {
    uint64_t id;
    uintptr_t pcs[DEEPEST], sps[DEEPEST];
    int n;
};

static bool unwind_parked(const struct inspect_g *v, void *arg)
{
    struct owner_stack *s = arg;
    if (v->id != s->id)
        return true;
    s->n = inspect_stack_frames(v, s->pcs, s->sps, DEEPEST);
    return false;
}

/* The local variable at addr on the stack of the location's owner, if that stack can be read: it reports, or it is parked. */
static void find_local(struct rec_location *l, const struct race_event *e, uintptr_t addr)
{
    static struct owner_stack s;   /* one report at a time */
    s.id = l->owner.who.id;
    s.n = 0;
    if (e->g->who->id == s.id && e->g->who->tid == l->owner.who.tid)
        s.n = inspect_frames_at(e->regs, s.pcs, s.sps, DEEPEST);
    else if (s.id)
        inspect_each(unwind_parked, &s);
    for (int i = 0; i + 1 < s.n; i++)
        if (addr >= s.sps[i] && addr < s.sps[i + 1])
            tb_symbolize_local(tb_symbolizer_self(), s.pcs[i], true, s.sps[i + 1], addr, &l->variable);
}

static bool same_place(struct race_side a, struct race_side b)
{
    return a.node == b.node && a.pc == b.pc;
}

static void locate(struct record *r, const struct race_event *e, uintptr_t addr)
{
    struct rec_location *l = &r->location;
    struct tb_symbolizer *sym = tb_symbolizer_self();
    struct heap_block b;
    struct race_who w;
    struct race_side opened;
    if (race_fd_find(addr, &l->fd, &opened)) {
        l->place = PLACE_DESCRIPTOR;
        l->allocator = who_of(r, opened.epoch, NULL);
        l->allocated = stack_of(r, opened.node, race_pc_unpack(opened.pc), false);
        return;
    }
    if (race_heap_find(addr, &b)) {
        l->place = PLACE_HEAP;
        l->addr = b.addr;
        l->size = b.size;
        l->freed = b.freed;
        l->allocator = who_of(r, b.allocated.epoch, NULL);
        l->allocated = stack_of(r, b.allocated.node, race_pc_unpack(b.allocated.pc), false);
        r->at_birth = same_place(b.allocated, e->old);
        if (b.freed && !same_place(b.released, e->now) && !same_place(b.released, e->old)) {   /* else a side tells it */
            l->freer = who_of(r, b.released.epoch, NULL);
            l->released = stack_of(r, b.released.node, race_pc_unpack(b.released.pc), false);
        }
        return;
    }
    if (tb_symbolize_global(sym, addr, &l->variable)) {
        l->place = PLACE_GLOBAL;
    } else if (race_who_of_stack(addr, &w) || (on_main_stack(addr) && race_who_of_main(&w))) {
        l->place = PLACE_STACK;
        l->owner = (struct rec_who){.known = true, .who = w};
        if (w.tp && addr < w.tp && tb_symbolize_thread_local(sym, (intptr_t)(addr - w.tp), &l->variable)) {
            l->place = PLACE_THREAD_LOCAL;
            l->variable.addr += w.tp;
        } else {
            find_local(l, e, addr);
        }
    } else if (race_who_of_thread_local(addr, &w) && tb_symbolize_thread_local(sym, (intptr_t)(addr - w.tp), &l->variable)) {
        l->place = PLACE_THREAD_LOCAL;
        l->owner = (struct rec_who){.known = true, .who = w};
        l->variable.addr += w.tp;
    }
    if (l->variable.name) {
        l->variable.file = stripped(l->variable.file);
        l->part = *l->variable.part ? l->variable.part : NULL;
        l->field = l->variable.field;
        l->holder = *l->variable.holder ? l->variable.holder : NULL;
    }
}

/* ---- the three kinds ---- */

static const char *done_with(struct record *r, int fd, uintptr_t pc)
{
    char text[60];
    const char *what = race_fd_text(pc);
    snprintf(text, sizeof text, "%s descriptor %d", what ? what : "use of", fd);
    return text_of(r, text);
}

/* Who freed the memory at the event's address, if that is its older side: the shadow word says where, the block's record when. */
static bool find_free(const struct race_event *e, struct race_side *old)
{
    struct heap_block b;
    if (epoch_slot(old->epoch) != 0)
        return false;
    if (race_heap_find(e->addr + (uintptr_t)__builtin_ctz(epoch_mask(e->now.epoch) | 1 << 7), &b) && b.freed && same_place(b.released, *old))
        old->epoch = b.released.epoch | (old->epoch & (SHADOW_STRENGTH | EPOCH_ATOMIC));
    return epoch_slot(old->epoch) == 0 || race_before(e->g, old->epoch);
}

static void collect_race(const struct race_event *e, struct record *r)
{
    struct numbering nums = {0};
    struct race_side sides[2] = {e->now, e->old};
    r->after_free = find_free(e, &sides[1]);
    r->title = r->after_free ? "USE OF FREED MEMORY" : "DATA RACE";
    for (int i = 0; i < 2; i++) {
        struct rec_access *a = &r->access[i];
        struct race_side side = sides[i];
        uint32_t mask = epoch_mask(side.epoch), lockset;
        mask = mask ? mask : 1;
        a->addr = e->addr + (uintptr_t)__builtin_ctz(mask);
        a->size = __builtin_popcount(mask);
        a->write = side.epoch & EPOCH_WRITE;
        a->use = race_use_of(side);
        a->atomic = (side.epoch & EPOCH_ATOMIC) && a->use < 0;
        a->by = who_of(r, side.epoch, &lockset);
        a->stack = stack_of_side(r, side, true);
        locks_of(r, &nums, a, lockset);
    }
    uint32_t both = epoch_mask(e->now.epoch) & epoch_mask(e->old.epoch);
    locate(r, e, both ? e->addr + (uintptr_t)__builtin_ctz(both) : r->access[0].addr);
    for (int i = 0; i < 2 && r->location.place == PLACE_DESCRIPTOR; i++)
        r->access[i].done = done_with(r, r->location.fd, race_pc_unpack((i ? e->old : e->now).pc));
    r->hint = race_hint(r);
}

static void collect_cycle(const struct race_event *e, struct record *r)
{
    struct numbering nums = {0};
    r->title = "lock-order-inversion (potential deadlock)";
    r->nsteps = e->nsteps;
    r->steps = part_of(r, (size_t)e->nsteps * sizeof r->steps[0]);
    for (int i = 0; i < e->nsteps; i++) {
        struct rec_step *s = &r->steps[i];
        s->by = who_of(r, e->steps[i].by, NULL);
        s->held = lock_of(r, &nums, e->steps[i].held);
        s->taken = lock_of(r, &nums, e->steps[i].wanted);
    }
}

static void collect_misuse(const struct race_event *e, struct record *r)
{
    static const char *const titles[] = {
        [MISUSE_UNLOCK_UNLOCKED] = "unlock of an unlocked mutex (or by a wrong thread)",
        [MISUSE_UNLOCK_OTHERS] = "unlock of an unlocked mutex (or by a wrong thread)",
        [MISUSE_DOUBLE_LOCK] = "double lock of a mutex",
        [MISUSE_LOCK_DESTROYED] = "use of an invalid mutex (e.g. uninitialized or destroyed)",
        [MISUSE_DESTROY] = "destroy of a locked mutex",
        [MISUSE_FREE] = "free of memory with a locked mutex in it",
        [MISUSE_STACK_ENDED] = "end of a stack with a locked mutex on it",
        [MISUSE_DESTROY_WAITED] = "destroy of what is waited for",
        [MISUSE_FREE_WAITED] = "free of memory with something in it that is waited for",
        [MISUSE_STACK_ENDED_WAITED] = "end of a stack with something on it that is waited for",
    };
    r->title = titles[e->misuse];
    r->misuse = e->misuse;
    r->access[0].by = who_of(r, e->now.epoch, NULL);
    if (e->now.pc)   /* 0: the end of a goroutine, nowhere */
        r->access[0].stack = stack_of_side(r, e->now, true);
    r->lock = (struct rec_lock){.number = 1, .addr = e->addr, .kind = e->lock_kind};
    r->lock.name = lock_name(r, e->addr);
    if (e->old.epoch) {
        r->holder = who_of(r, e->old.epoch, NULL);
        r->lock.at = stack_of(r, e->old.node, race_pc_unpack(e->old.pc), false);
    }
}

void race_collect(const struct race_event *e, struct record *r)
{
    *r = (struct record){.kind = e->kind};
    if (e->kind == EVENT_RACE)
        collect_race(e, r);
    else if (e->kind == EVENT_CYCLE)
        collect_cycle(e, r);
    else
        collect_misuse(e, r);
}
