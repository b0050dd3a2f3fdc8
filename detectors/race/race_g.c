/* Goroutines and threads as the detector knows them: slots, their reuse, who had them, whose turn it is.
 *
 * A slot is used again by a goroutine whose parent knows all of the former user's life that matters: the last value it published, and that it recorded
 * no access after that. Then all that is left of the former user stays right: its accesses and what it released happened before all
 * that the new user does, whose clock goes on from there; and who learns from the new user learns no more than is true. (race_sync.c: an acquire of what
 * one's own slot released has nothing to learn; of the former user it has nothing to learn either.)
 *
 * Ended users wait in a queue; a new goroutine looks at the first few, which go to the end if they won't do, and takes a fresh slot if none will.
 * A search in vain makes the next ones rarer: a loop that starts a million goroutines before it waits for any can't know of their ends. Those that
 * ended after an access that nobody can know of are lost. Only when slots, or memory, run out the longest ended ones are used all the same: the
 * new user is then given all that the former one knew, so that nothing false is reported, but accesses after its last release are forgotten. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "race.h"
#include "race_alloc.h"
#include "race_die.h"
#include "race_lock_history.h"
#include "race_held.h"
#include "race_locks.h"
#include "race_shadow.h"
#include "race_spin.h"

enum { LOOK_AT = 4, SKIP_MAX = 64, REMEMBERED = 4 };

_Thread_local struct race_g *race_cur_tls __attribute__((tls_model("local-exec")));
static _Thread_local struct race_g *ignored_saved __attribute__((tls_model("initial-exec")));
static _Thread_local unsigned ignored_depth __attribute__((tls_model("initial-exec")));
struct race_g race_ignored = {.node = &race_stack_root, .disabled = 1u << 31};   /* for ever, however many threads count there */

/* Of users that ended, by next_ended. */
struct ended_queue {
    struct race_who *first, **last;
};

static atomic_flag slots_lock;
static uint32_t slots_used = 1;             /* slot 0 is nobody's */
static struct ended_queue waiting = {NULL, &waiting.first}, lost = {NULL, &lost.first};
static unsigned skip, skipped;              /* searches left out, after searches in vain */
static struct race_who **who_of;            /* by slot, newest user first */

static void lock_slots(void)
{
    race_spin_lock(&slots_lock);
    if (!who_of)
        who_of = race_map(SLOTS_MAX * sizeof *who_of);
}

static void unlock_slots(void)
{
    race_spin_unlock(&slots_lock);
}

static void put(struct ended_queue *q, struct race_who *e)
{
    e->next_ended = NULL;
    *q->last = e;
    q->last = &e->next_ended;
}

static struct race_who *take(struct ended_queue *q)
{
    struct race_who *e = q->first;
    if (e && !(q->first = e->next_ended))
        q->last = &q->first;
    return e;
}

/* Slots locked. */
static struct race_who *find_known(const struct clock *known)
{
    if (skipped < skip) {
        skipped++;
        return NULL;
    }
    skipped = 0;
    for (int i = 0; i < LOOK_AT && waiting.first; i++) {
        struct race_who *e = take(&waiting);
        if (clock_get(known, e->slot) >= e->last_clock) {
            skip = 0;
            return e;
        }
        put(&waiting, e);
    }
    skip = skip < SKIP_MAX ? skip * 2 + 1 : skip;
    return NULL;
}

/* Gives g, who knows what its parent does, a slot and its first clock. Slots locked. */
static void take_slot(struct race_g *g)
{
    struct race_who *e = find_known(&g->known);
    if (!e && race_unlikely(slots_used == SLOTS_MAX || race_memory_tight())) {
        e = take(&lost);
        if (!e)
            e = take(&waiting);
        if (e && slots_used == SLOTS_MAX)
            race_history_lost("4 million goroutines ended that nobody waited for");
        if (e) {
            clock_join(&g->known, &e->known, true);
            g->from_value = 0;
        }
    }
    if (e) {
        g->slot = e->slot;
        g->clock = e->last_clock + 1;
        clock_clear(&e->known);
        return;
    }
    if (slots_used == SLOTS_MAX)
        race_die("more than 4 million goroutines alive");
    g->slot = slots_used++;
    g->clock = 1;
}

/* Slots locked. Those whose use is long past are forgotten. */
static struct race_who *who_new(uint32_t slot, uint32_t clock)
{
    struct race_who *w = race_alloc(sizeof *w);
    w->first_clock = clock;
    w->older = who_of[slot];
    who_of[slot] = w;
    struct race_who *last = w;
    for (int i = 1; i < REMEMBERED && last; i++)
        last = last->older;
    if (last && last->older) {
        race_locks_forget(last->older);
        race_free(last->older, sizeof *w);
        last->older = NULL;
    }
    return w;
}

bool race_who_read(uint32_t slot, uint32_t clock, struct race_who *out, uint32_t *lockset)
{
    lock_slots();
    struct race_who *w = who_of[slot];
    while (w && w->first_clock > clock)
        w = w->older;
    if (w) {
        *out = *w;
        *lockset = race_locks_at(w, clock);
    }
    unlock_slots();
    return w != NULL;
}

static bool who_find(bool (*is_it)(const struct race_who *w, void *arg), void *arg, struct race_who *out)
{
    bool found = false;
    lock_slots();
    for (uint32_t slot = 1; slot < slots_used; slot++) {
        for (struct race_who *w = who_of[slot]; w; w = w->older) {
            if ((found && w->finished) || !is_it(w, arg))
                continue;
            *out = *w;
            found = true;
        }
    }
    unlock_slots();
    return found;
}

static bool has_on_stack(const struct race_who *w, void *addr)
{
    return *(uintptr_t *)addr >= w->stack_lo && *(uintptr_t *)addr < w->stack_hi;
}

bool race_who_of_stack(uintptr_t addr, struct race_who *out)
{
    return who_find(has_on_stack, &addr, out);
}

static bool is_main(const struct race_who *w, void *arg)
{
    (void)arg;
    return w->is_main;
}

bool race_who_of_main(struct race_who *out)
{
    return who_find(is_main, NULL, out);
}

struct above {
    uintptr_t addr, best;
};

static bool is_next_above(const struct race_who *w, void *arg)
{
    struct above *a = arg;
    if (w->finished || w->tp <= a->addr || (a->best && w->tp > a->best))
        return false;
    a->best = w->tp;
    return true;
}

bool race_who_of_thread_local(uintptr_t addr, struct race_who *out)
{
    struct above a = {.addr = addr};
    return who_find(is_next_above, &a, out);
}

static void take_place(struct race_g *g, struct race_who *former)
{
    lock_slots();
    take_slot(g);
    g->who = who_new(g->slot, g->clock);
    unlock_slots();
    race_history_tell();
    if (former) {
        uint32_t first = g->who->first_clock;
        struct race_who *older = g->who->older;
        *g->who = *former;
        g->who->first_clock = first;
        g->who->older = older;
        g->who->lock_history = NULL;
    }
    race_g_new_epoch(g);
    g->learned_at = g->clock;   /* what it starts with was not published by this slot */
    g->spawned_value = 0;
    g->lockset_since = 0;
    g->recorded = false;
}

struct race_g *race_g_new_at(void *at, struct race_g *parent)
{
    struct race_g *g = at ? at : race_alloc_dirty(sizeof *g);
    race_zero(g, sizeof *g);
    g->is_placed = at != NULL;
    g->node = &race_stack_root;
    g->locks = &lockset_none;
    if (parent) {
        uint32_t value = race_g_value(parent);
        if (value != parent->spawned_value) {
            clock_copy(&parent->spawned, &parent->known);
            clock_raise(&parent->spawned, parent->slot, value);
            parent->spawned_value = value;
        }
        race_g_publish(parent);
        clock_copy(&g->known, &parent->spawned);
        g->from_slot = parent->slot;
        g->from_value = value;
    }
    take_place(g, NULL);
    return g;
}

static void give_slot_back(struct race_g *g)
{
    struct race_who *e = g->who;
    e->slot = g->slot;
    e->last_clock = g->recorded ? g->clock : g->clock - 1;   /* if nothing was recorded, what is known of it is all there is */
    clock_move(&e->known, &g->known);
    lock_slots();
    put(g->recorded ? &lost : &waiting, e);
    unlock_slots();
}

void race_g_end(struct race_g *g)
{
    g->who->finished = true;
    if (g->clock < CLOCK_MAX - 1)
        give_slot_back(g);
    clock_clear(&g->known);
    clock_clear(&g->spawned);
    clock_clear(&g->fence_acquire);
    clock_clear(&g->fence_release);
    race_held_forget(g);
    if (!g->is_placed)
        race_free(g, sizeof *g);
}

/* What g published since it learned something is known there, or what was published where g learned it. */
bool race_g_is_within(const struct race_g *g, const struct clock *known)
{
    return clock_get(known, g->slot) >= g->learned_at || (g->from_value && clock_get(known, g->from_slot) >= g->from_value);
}

/* Clocks of one leaf are joined as fast as it is found out whether they must be. */
void race_g_learn_published(struct race_g *g, const struct clock *known, uint32_t slot, uint32_t value)
{
    if (known->root && known->root->level > 0 && ((g->from_slot == slot && g->from_value && g->from_value <= value) || race_g_is_within(g, known))) {
        clock_copy(&g->known, known);
        clock_raise(&g->known, slot, value);
        g->from_slot = slot;
        g->from_value = value;
    } else {
        clock_learn(&g->known, known, slot, value);
        g->from_value = 0;
    }
    g->learned_at = g->clock;
}

void race_g_move(struct race_g *g)
{
    clock_raise(&g->known, g->slot, g->clock);
    g->from_value = 0;
    take_place(g, g->who);
    race_locks_moved(g, g->lockset);
}

const uint64_t race_libc_threads;

/* A thread of the program that the detector has not seen start: main, or one that libc has made by itself, to call a function of the program's. Nothing else is
 * known to happen before it. The dynamic linker may run code of the program (resolvers of indirect functions) before it has filled in the first thread's
 * variables: that code is not checked. */
race_noinline struct race_g *race_attach(void)
{
    if (race_unlikely(!bias_me))
        return &race_ignored;
    race_cur_tls = &race_ignored;
    shadow_start();
    struct race_g *g = race_g_new(NULL);
    uint32_t tid = (uint32_t)syscall(SYS_gettid);
    g->is_thread = true;
    g->who->tid = tid;
    g->who->tp = (uintptr_t)__builtin_thread_pointer();
    g->who->is_main = tid == (uint32_t)syscall(SYS_getpid);
    g->who->id = g->who->is_main;   /* main's number is 1 */
    if (!g->who->is_main) {
        race_acquire(g, &race_libc_threads);
        race_thread_attached(g);
    }
    return race_cur_tls = g;
}

void race_ignore_begin(void)
{
    if (ignored_depth++ == 0) {
        ignored_saved = race_cur_tls;
        race_cur_tls = &race_ignored;
    }
}

void race_ignore_end(void)
{
    if (--ignored_depth == 0)
        race_cur_tls = ignored_saved;
}
