/* See race_lock_uses.h. */
#include "race_lock_uses.h"

#include "race_held.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_report.h"
#include "race_shadow.h"
#include "race_sync.h"
#include "race_uses.h"

static uint64_t byte_of(uintptr_t addr)
{
    return (uint64_t)1 << (MASK_SHIFT + (addr & 7));
}

/* ---- locking ---- */

static bool is_unknown_write(const struct race_g *g, uint64_t e, uintptr_t addr)
{
    return (e & EPOCH_WRITE) && !(e & EPOCH_ATOMIC) && (e & byte_of(addr)) && !race_before(g, e);
}

/* Whether the words may hold a write that g does not know of: read without holding them, and read again. */
static bool may_race(const struct race_g *g, uintptr_t addr)
{
    if (addr >> 47)
        return false;
    struct shadow *s = shadow_in(shadow_slice(addr), addr);
    uint64_t e = atomic_load_explicit(&s->epoch, memory_order_acquire), second = 0;
    uint32_t node = atomic_load_explicit(&s->node, memory_order_acquire);
    if (e == 0)
        return false;
    if (node & SHADOW_MORE)
        second = atomic_load_explicit(&shadow_second(s)->epoch, memory_order_acquire);
    if (((e | second) & EPOCH_LOCK) || is_unknown_write(g, e, addr) || is_unknown_write(g, second, addr))
        return true;
    return (node & SHADOW_MORE) && (atomic_load_explicit(&s->epoch, memory_order_relaxed) != e || atomic_load_explicit(&s->node, memory_order_relaxed) != node);
}

void lock_use_begins(struct race_g *g, uintptr_t addr, uintptr_t pc)
{
    if (is_in_program(pc) && may_race(g, addr))
        race_use_object(g, addr, USE_SYNC, pc);
}

void lock_use(struct race_g *g, uintptr_t addr, uintptr_t pc)
{
    if (is_in_program(pc))
        race_use_object(g, addr, USE_SYNC, pc);
}

/* ---- the end ---- */

struct end {
    struct race_g *g;
    struct race_lock *lock;
    enum lock_end how;
    uintptr_t pc;
};

/* Of those whose releases are not known, the one that held the lock when it released. */
static bool report_unlocker(void *arg, uint32_t slot, uint32_t value)
{
    const struct end *e = arg;
    struct race_who who;
    uint32_t id;
    if (!race_who_read(slot, value, &who, &id) || id == LOCKSET_UNKNOWN)
        return false;
    const struct lockset *s = lockset_find(lockset_by_id(id), e->lock);
    if (!s || !is_in_program(race_pc_unpack(s->pc)))
        return false;
    uint64_t byte = byte_of(e->lock->addr), now = e->g->epoch | byte | EPOCH_WRITE;
    uint64_t then = epoch_make(slot, value) | byte | EPOCH_ATOMIC;
    struct race_side me, old = race_use_side(then, race_stack_by_id(s->node), race_pc_unpack(s->pc), &race_use_marks[USE_SYNC]);
    if (e->how == LOCK_FREED)
        me = (struct race_side){now, e->g->node->id, race_pc_pack(e->pc)};
    else
        me = race_use_side(now, e->g->node, e->g->cut ? 0 : e->pc, &race_use_marks[e->how == LOCK_DESTROYED ? USE_SYNC_DESTROY : USE_SYNC_INIT]);
    race_report(e->g, e->lock->addr & ~7ul, old, me);
    return true;
}

void lock_use_ends(struct race_g *g, struct race_lock *l, enum lock_end how, uintptr_t pc)
{
    struct end e = {g, l, how, pc};
    if (!race_is_off(g) && is_in_program(pc))
        race_sync_unknown(g, l->addr, LOCK_BYTES, report_unlocker, &e);
}
