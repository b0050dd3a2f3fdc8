/* The race build's side of the push door (runtime/hooks.h), and what a program may tell the detector (gort/race.h). The only file that implements
 * hooks.h. */
#define _GNU_SOURCE
#include <hooks.h>

#include <stdio.h>
#include <stdlib.h>

#include <gort/base.h>
#include <gort/race.h>
#include <traceback/bigstack.h>

#include "race.h"
#include "race_alloc.h"
#include "race_die.h"
#include "race_flags.h"
#include "race_locks.h"
#include "race_pass.h"
#include "race_patience.h"
#include "race_report.h"
#include "race_shadow.h"
#include "race_suppress.h"
#include "race_uses.h"

const char gort_built_with_race = 1;

/* ThreadSanitizer's own runtime defines it, we don't, nor do other sanitizers: then two detectors would share the hooks. */
extern int __tsan_get_report_data(void) __attribute__((weak));

static void thread_wrap(bool begin)
{
    if (begin)
        race_ignore_begin();
    else
        race_ignore_end();
}

void race_start(void);

/* Once, by the first hook or constructor that runs. */
void race_start(void)
{
    static bool started;
    if (started)
        return;
    started = true;
    if (&__tsan_get_report_data)
        race_die("this program is linked with ThreadSanitizer's runtime too: leave -fsanitize=thread out when linking (it is for compiling only)");
    race_ignore_begin();
    race_flags_read();
    race_memory_limit((size_t)race_flags.memory_limit_mb << 20);
    tb_thread_wrap = thread_wrap;
    race_suppress_read();
    race_ignore_end();
}

/* The program's last act: what it has written reaches its readers first. */
__attribute__((destructor(101))) static void at_exit(void)
{
    int status = race_finish(-1);
    if (status >= 0) {
        fflush(NULL);
        _Exit(status);
    }
}

void hook_init(void)
{
    race_start();
}

struct race_g *hook_attach_thread(uint64_t id)
{
    struct race_g *g = race_cur();
    if (g != &race_ignored)   /* a thread in its last destructors is not checked any more */
        g->who->id = id;
    return g;
}

struct race_g *hook_go(struct race_g *parent, uint64_t id, uint64_t parent_id, const void *fn, const void *pc, const void *stack_lo,
                       const void *stack_hi, void *top)
{
    _Static_assert(sizeof(struct race_g) <= HOOK_STACK_BYTES, "it has room above the stack");
    shadow_clear((uintptr_t)stack_lo, (uintptr_t)stack_hi - (uintptr_t)stack_lo);
    struct race_g *g = race_g_new_at(top, parent);
    struct race_who *w = g->who;
    w->id = id;
    w->parent_id = parent_id;
    w->create_node = parent->node->id;
    w->create_pc = (uintptr_t)pc;
    w->fn = (uintptr_t)fn;
    w->stack_lo = (uintptr_t)stack_lo;
    w->stack_hi = (uintptr_t)stack_hi;
    return g;
}

void hook_end(struct race_g *r)
{
    race_lock_gone(r, r->who->stack_lo, r->who->stack_hi - r->who->stack_lo, LOCK_STACK_ENDED, 0);
    race_cur_tls = &race_ignored;
    race_g_end(r);
}

/* r may have ended meanwhile: then what is read is anything, and only prefetched. Neither stacks that have a race_g nor the detector's heap are unmapped. */
__attribute__((no_sanitize("address", "thread"))) void hook_prefetch_more(const struct race_g *r)
{
    if (r) {
        const char *root = (const char *)__atomic_load_n(&r->known.root, __ATOMIC_RELAXED);
        __builtin_prefetch(root);
        __builtin_prefetch(root + sizeof(struct clock_node) - 1);
        const char *who = (const char *)__atomic_load_n(&r->who, __ATOMIC_RELAXED);
        __builtin_prefetch(who);
        __builtin_prefetch(who + sizeof *r->who - 1);
    }
}

void hook_switch(struct race_g *r)
{
    race_cur_tls = r ? r : &race_ignored;
}

void hook_acquire(struct race_g *r, const void *addr)
{
    race_acquire(r, addr);
}

void hook_release(struct race_g *r, const void *addr)
{
    race_release(r, addr);
}

void hook_release_merge(struct race_g *r, const void *addr)
{
    race_release_merge(r, addr);
}

void hook_release_part(struct race_g *r, const void *addr)
{
    race_release_part(r, addr);
}

static unsigned kind_of(enum hook_lock kind)
{
    static const unsigned kinds[] = {
        [HOOK_MUTEX] = LOCK_GO_MUTEX, [HOOK_RWMUTEX_READ] = LOCK_GO_RWMUTEX | LOCK_READ, [HOOK_RWMUTEX_WRITE] = LOCK_GO_RWMUTEX,
    };
    return kinds[kind];
}

void hook_lock_wanted(struct race_g *r, const void *lock, enum hook_lock kind, const void *pc)
{
    race_lock_wanted(r, lock, kind_of(kind), (uintptr_t)pc);
}

void hook_look_away(const void *lock, bool first)
{
    race_look_away(lock, first);
}

void hook_lock_begins(struct race_g *r, const void *lock, enum hook_lock kind, bool tried, const void *pc)
{
    race_lock_begins(r, lock, kind_of(kind) | (tried ? LOCK_TRIED : 0), (uintptr_t)pc);
}

void hook_lock_taken(struct race_g *r, const void *lock, enum hook_lock kind, bool tried, const void *pc)
{
    unsigned k = kind_of(kind) | (tried ? LOCK_TRIED : 0);
    race_lock_taken(r, lock, k, (uintptr_t)pc, r && !r->locks_off ? race_lock_hinted(r, (uintptr_t)lock, k, (uintptr_t)pc) : NULL);
}

void hook_lock_leaves(struct race_g *r)
{
    race_lock_leaves(r);
}

void hook_lock_released(struct race_g *r, const void *lock, enum hook_lock kind)
{
    race_lock_released(r, lock, kind_of(kind));
}

void hook_lock(struct race_g *r, const void *lock, const void *held_at, bool tried, const void *pc)
{
    unsigned kind = tried ? LOCK_GO_MUTEX | LOCK_TRIED : LOCK_GO_MUTEX;
    struct lockset *known = race_lock_begins(r, lock, kind, (uintptr_t)pc);
    race_turn_begins();
    race_acquire_held(r, held_at);
    race_lock_taken(r, lock, kind, (uintptr_t)pc, known);
}

void hook_unlock(struct race_g *r, const void *lock, const void *held_at)
{
    race_lock_leaves(r);
    race_release_held(r, held_at);
    race_lock_released(r, lock, LOCK_GO_MUTEX);
}

_Static_assert(sizeof(struct hook_pass) == sizeof(struct race_pass), "the runtime makes room for it");

void hook_pass(struct race_g *r, struct hook_pass *p)
{
    race_pass(r, (struct race_pass *)p);
}

void hook_pass_see(struct race_g *r, const struct hook_pass *p)
{
    race_pass_see(r, (const struct race_pass *)p);
}

void hook_pass_leave(struct race_g *r, struct hook_pass *p)
{
    race_pass_leave(r, (struct race_pass *)p);
}

void hook_passes_gone(struct hook_pass *p, size_t n)
{
    race_passes_forget((struct race_pass *)p, n);
}

void hook_meet(struct race_g *a, struct race_g *b)
{
    race_meet(a, b);
}

void hook_sync_gone(const void *addr, size_t n)
{
    race_sync_forget((uintptr_t)addr, n);
}

void hook_read(struct race_g *r, const void *p, size_t n, const void *pc)
{
    race_access_range(r, (uintptr_t)p, n, 0, (uintptr_t)pc);
}

void hook_write(struct race_g *r, const void *p, size_t n, const void *pc)
{
    race_access_range(r, (uintptr_t)p, n, EPOCH_WRITE, (uintptr_t)pc);
}

void hook_use(struct race_g *r, const void *object, enum hook_use use, const void *pc)
{
    race_use_object(r, (uintptr_t)object, use, (uintptr_t)pc);
}

bool hook_chan_use(struct race_g *r, struct hook_uses *u, bool closes, const void *pc)
{
    return race_use(r, (struct race_uses *)u, closes, (uintptr_t)pc);
}

void hook_chan_use_report(struct race_g *r, const void *channel)
{
    race_use_report(r, (uintptr_t)channel);
}

void hook_uses_gone(struct hook_uses *u)
{
    race_uses_forget((struct race_uses *)u);
}

void hook_ignore_begin(void)
{
    race_ignore_begin();
}

void hook_ignore_end(void)
{
    race_ignore_end();
}

int hook_exiting(int status)
{
    int s = race_finish(status);
    return status == 0 && s >= 0 ? s : status;
}

/* ---- gort/race.h ---- */

void go_race_acquire(const void *addr)
{
    race_acquire(race_cur(), addr);
}

void go_race_release(const void *addr)
{
    race_release_merge(race_cur(), addr);
}

void go_race_disable(void)
{
    race_cur()->disabled++;
}

void go_race_enable(void)
{
    struct race_g *g = race_cur();
    if (race_is_off(g))
        g->disabled--;
}

int go_race_errors(void)
{
    return race_reported();
}
