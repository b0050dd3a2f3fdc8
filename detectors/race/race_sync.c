/* The edges that releases and acquires make: by what was left at an address, with it locked, or by who is alone with it. See race_sync.h. */
#include "race_sync_table.h"

/* ---- with it locked ---- */

static bool is_tree(const struct clock *c)
{
    return c->root && c->root->level > 0;
}

/* g comes to see what is there. Where many come the last release's value is put into the tree once, here, rather than in the copy that each would have to
 * make. */
static void come(const struct race_g *g, struct race_sync *s)
{
    if (s->seen && s->whole && is_tree(&s->clock) && !race_sync_is_known(g, s))
        clock_raise(&s->clock, s->slot, s->value);
    if (s->slot != g->slot)
        s->seen = true;
}

void race_sync_acquire(struct race_g *g, struct race_sync *s)
{
    come(g, s);
    if (race_sync_is_known(g, s))
        return;
    if (s->whole) {
        race_g_learn_published(g, &s->clock, s->slot, s->value);
        return;
    }
    race_g_learn(g, &s->clock);
    race_g_learn(g, &s->own);
    if (s->slot != g->slot && clock_get(&g->known, s->slot) < s->value) {
        clock_raise(&g->known, s->slot, s->value);
        race_g_learned(g);
    }
}

void race_sync_set(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known)
{
    clock_assign(&s->clock, known);
    if (race_unlikely(s->own.root != NULL))
        clock_clear(&s->own);
    s->slot = slot;
    s->value = value;
    s->whole = true;
    s->seen = false;
}

void race_sync_leave(struct race_g *g, struct race_sync *s, uint32_t value)
{
    if (race_likely(race_sync_is_left_by(g, s))) {
        s->value = value;
        s->seen = false;
    } else {
        race_sync_set(s, g->slot, value, &g->known);
    }
}

void race_sync_leave_merge(struct race_sync *s, uint32_t slot, uint32_t value, const struct clock *known, bool knows)
{
    if (s->slot != slot)
        clock_raise(&s->own, s->slot, s->value);
    else if (value < s->value)   /* of a fence before */
        value = s->value;
    if (knows) {
        clock_assign(&s->clock, known);
        s->whole = true;
    } else {
        clock_join(&s->clock, known, true);
        s->whole = false;
    }
    s->slot = slot;
    s->value = value;
    s->seen = false;
}

void race_sync_release(struct race_g *g, struct race_sync *s)
{
    race_sync_leave(g, s, race_g_value(g));
    race_g_publish(g);
}

void race_sync_release_merge(struct race_g *g, struct race_sync *s)
{
    static const struct clock nothing;
    if (race_sync_is_known(g, s))
        race_sync_leave(g, s, race_g_value(g));
    else
        race_sync_leave_merge(s, g->slot, race_g_value(g), race_g_is_within(g, &s->clock) ? &nothing : &g->known, false);
    race_g_publish(g);
}

void race_sync_join_into(struct race_sync *s, struct clock *c)
{
    s->seen = true;
    clock_join(c, &s->clock, true);
    clock_raise(c, s->slot, s->value);
    if (!s->whole && s->own.root)
        clock_join(c, &s->own, true);
}

void race_sync_clear(struct race_sync *s)
{
    clock_clear(&s->clock);
    clock_clear(&s->own);
    s->slot = s->value = 0;
    s->whole = s->seen = false;
}

/* ---- by address ---- */

/* Whether nobody else's release is there, and g has learned nothing since its own: then only the value changes. */
static inline bool left_again(struct race_g *g, struct race_sync *s)
{
    if (race_unlikely(!race_sync_is_left_by(g, s)))
        return false;
    s->value = race_g_value(g);
    s->seen = false;
    return true;
}

/* The sync of addr, if the calling thread is its owner: then it is busy. NULL: it is not. */
static inline struct race_sync *own_begin(uintptr_t addr)
{
    bias_word region;
    if (race_unlikely(!bias_covers(addr) || !bias_enter(bias_me, addr, &region)))
        return NULL;
    struct race_sync *s = race_sync_held(addr);
    if (race_likely(s && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == bias_me->id))
        return s;
    bias_leave(bias_me);
    return NULL;
}

/* Whether g, alone, has left all that it had to. */
static inline bool own_release(struct race_g *g, uintptr_t addr)
{
    struct race_sync *s = own_begin(addr);
    if (!s)
        return false;
    bool done = left_again(g, s);
    bias_leave(bias_me);
    if (done)
        race_g_publish(g);
    return done;
}

/* With the bucket locked; unlocks it. To learn a tree, and drop what was known before, takes longer than to take a reference to it. */
static race_noinline void acquire_tree(struct race_g *g, struct race_sync *s)
{
    struct clock known = {NULL};
    come(g, s);
    race_sync_keep(s);
    clock_copy(&known, &s->clock);
    uint32_t slot = s->slot, value = s->value;
    race_sync_unlock_unchanged(s->addr);
    race_g_learn_published(g, &known, slot, value);
    clock_clear(&known);
}

/* Nothing there: the caller has synchronized with whoever left something already, and would see it. */
void race_acquire(struct race_g *g, const void *addr)
{
    if (race_is_nobody(g) || atomic_load_explicit(sync_bucket((uintptr_t)addr), memory_order_relaxed) == 0)
        return;
    struct race_sync *own = own_begin((uintptr_t)addr);
    if (own) {
        bool known = own->whole && own->slot == g->slot;
        bias_leave(bias_me);
        if (race_likely(known))
            return;
    }
    struct race_look look;
    if (race_sync_look((uintptr_t)addr, &look) && (race_sync_is_settled(g, (uintptr_t)addr, &look) || race_sync_learn_kept(g, &look)))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, false);
    if (s && s->whole && is_tree(&s->clock) && !race_sync_is_known(g, s)) {
        acquire_tree(g, s);
        return;
    }
    if (s)
        race_sync_acquire(g, s);
    race_sync_unlock_unchanged((uintptr_t)addr);
}

void race_release(struct race_g *g, const void *addr)
{
    if (race_is_nobody(g))
        return;
    if (own_release(g, (uintptr_t)addr))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release(g, s);
    race_sync_owned(s);
    race_sync_unlock((uintptr_t)addr);
}

void race_release_merge(struct race_g *g, const void *addr)
{
    if (race_is_nobody(g))
        return;
    if (own_release(g, (uintptr_t)addr))
        return;
    struct race_sync *s = race_sync_lock((uintptr_t)addr, true);
    race_sync_release_merge(g, s);
    race_sync_owned(s);
    race_sync_unlock((uintptr_t)addr);
}

void race_release_part(struct race_g *g, const void *addr)
{
    if (race_is_nobody(g))
        return;
    if (own_release(g, (uintptr_t)addr) || race_sync_release_to_part(g, (uintptr_t)addr))
        return;
    bool met;
    struct race_sync *s = race_sync_lock_part((uintptr_t)addr, &met);
    race_sync_release_merge(g, s);
    if (met)
        race_sync_part(s);
    else if (s->parts == 0)
        race_sync_owned(s);
    race_sync_unlock((uintptr_t)addr);
}

void race_acquire_held(struct race_g *g, const void *addr)
{
    struct race_sync *s = race_sync_held((uintptr_t)addr);
    if (race_unlikely(!s))
        race_acquire(g, addr);
    else if (!race_is_nobody(g) && !(s->whole && s->slot == g->slot))
        race_sync_acquire(g, s);
}

void race_release_held(struct race_g *g, const void *addr)
{
    struct race_sync *s = race_sync_held((uintptr_t)addr);
    if (race_unlikely(!s)) {
        race_release_merge(g, addr);
        return;
    }
    if (race_unlikely(race_is_nobody(g)))
        return;
    __atomic_store_n(&s->version, s->version + 1, __ATOMIC_RELAXED);   /* others may come to it by its address, later */
    if (race_likely(left_again(g, s)))
        race_g_publish(g);
    else
        race_sync_release_merge(g, s);
}
