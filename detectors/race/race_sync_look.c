/* The look without the lock at what releases left at an address.
 *
 * Who polls a flag mostly knows all that is there, and would keep the others from the bucket only to find that out. It looks without the lock, as at a
 * sequence lock (race_sync_look, then the flag, then race_sync_is_settled; tests/spin/sync_look.pml): the bucket's word, which says locked while something is
 * changed, and the version of its first sync are the same before and after. A change stores SYNC_LOCKED, then (release fence) the rest, then the version, then
 * the word (release); the look reads the word (acquire), the version, the flag (acquire), the rest, then (acquire fence) the word (acquire) and the
 * version. So if the flag or anything else that it read was stored by a change that is not over, it finds SYNC_LOCKED or another version the second time.
 * Two things change without the lock or a version: the sync of an owner, so there must be none, or the caller, to begin with (another can only come with a
 * change, and taking off the last one is a change that ends when he is not busy any more); and `seen`, which stays set in this version. A sync that
 * was freed is not that address's (race_sync_held), or has a new version: no two that begin are equal.
 *
 * What of it is known is one look where all that is there is one goroutine's (whole). Else who polls would have to lock each time, to learn nothing: so a
 * goroutine remembers the version in which it last learned all that was there, or noted it for an acquire fence (race_sync_note). And a thread keeps what it
 * came to last, for all its goroutines that come there after it (race_sync_keep). */
#include "race_sync_table.h"

bool race_sync_look(uintptr_t addr, struct race_look *look)
{
    look->first = atomic_load_explicit(sync_bucket(addr), memory_order_acquire);
    struct race_sync *s = (struct race_sync *)look->first;
    if (!s)
        return true;
    if ((look->first & SYNC_LOCKED) || __atomic_load_n(&s->addr, __ATOMIC_RELAXED) != addr)
        return false;
    look->version = __atomic_load_n(&s->version, __ATOMIC_ACQUIRE);
    unsigned owner = __atomic_load_n(&s->owner, __ATOMIC_RELAXED);
    return (owner == 0 || owner == bias_me->id) && __atomic_load_n(&s->parts, __ATOMIC_ACQUIRE) == 0;   /* race_sync_parts.c */
}

/* Whether nothing was changed since the look, after what was read. */
static inline __attribute__((always_inline)) bool is_unchanged(uintptr_t addr, const struct race_look *look)
{
    struct race_sync *s = (struct race_sync *)look->first;
    bool same = !s || __atomic_load_n(&s->addr, __ATOMIC_RELAXED) == addr;
    atomic_thread_fence(memory_order_acquire);
    return same && atomic_load_explicit(sync_bucket(addr), memory_order_acquire) == look->first &&
           (!s || __atomic_load_n(&s->version, __ATOMIC_RELAXED) == look->version);
}

/* (The caller's own thread, for another goroutine, changes no version.) */
static inline bool is_noted(const struct race_g *g, const struct race_look *look, bool acquires)
{
    struct race_sync *s = (struct race_sync *)look->first;
    return s == g->noted && look->version == g->noted_version && (!acquires || g->noted_is_known) && __atomic_load_n(&s->owner, __ATOMIC_RELAXED) == 0;
}

static inline __attribute__((always_inline)) bool is_settled(const struct race_g *g, uintptr_t addr, const struct race_look *look, bool acquires)
{
    struct race_sync *s = (struct race_sync *)look->first;
    if (!s)
        return is_unchanged(addr, look);
    uint32_t slot = __atomic_load_n(&s->slot, __ATOMIC_RELAXED), value = __atomic_load_n(&s->value, __ATOMIC_RELAXED);
    bool whole = __atomic_load_n(&s->whole, __ATOMIC_RELAXED), seen = __atomic_load_n(&s->seen, __ATOMIC_RELAXED), noted = is_noted(g, look, acquires);
    if (!is_unchanged(addr, look))
        return false;
    if (noted || (whole && slot == g->slot))
        return true;
    return whole && seen && (clock_get(&g->known, slot) >= value || (!acquires && clock_get(&g->fence_acquire, slot) >= value));
}

bool race_sync_is_settled(const struct race_g *g, uintptr_t addr, const struct race_look *look)
{
    return is_settled(g, addr, look, true);
}

bool race_sync_is_noted(const struct race_g *g, uintptr_t addr, const struct race_look *look)
{
    return is_settled(g, addr, look, false);
}

bool race_sync_is_left(const struct race_g *g, uintptr_t addr, const struct race_look *look, bool acquires)
{
    struct race_sync *s = (struct race_sync *)look->first;
    bool seen = !s || __atomic_load_n(&s->seen, __ATOMIC_RELAXED);   /* who learned of it knows this operation's epoch, and not this operation */
    return !seen && is_noted(g, look, acquires) && is_unchanged(addr, look);
}

/* With its bucket locked: whose version the bucket has. */
static bool is_first(const struct race_sync *s)
{
    return (atomic_load_explicit(sync_bucket(s->addr), memory_order_relaxed) & ~(uintptr_t)SYNC_LOCKED) == (uintptr_t)s;
}

void race_sync_note(struct race_g *g, struct race_sync *s, bool known)
{
    if (!s || !is_first(s))
        return;
    g->noted = s;
    g->noted_version = s->version;
    g->noted_is_known = known;
    g->noted_left = 0;
}

void race_sync_unlock_left(struct race_g *g, struct race_sync *s, bool known)
{
    if (is_first(s)) {
        g->noted = s;
        g->noted_version = s->version + 1;
        g->noted_is_known = known;
        g->noted_left = g->clock - 1;
    }
    race_sync_unlock(s->addr);
}

/* ---- what the thread came to last ----
 * Many come at once where a channel was closed. The lock, and the count of references to what they all learn, would go from one processor to the other for each
 * of them: so a thread that comes again to what has not changed since has it at hand, with a root that only its goroutines refer to. */

static _Thread_local struct {
    const struct race_sync *first;
    uint64_t version;
    struct clock known;              /* if it came again: what is left there, */
    uint32_t slot, value;            /* these included */
} kept __attribute__((tls_model("initial-exec")));

void race_sync_thread_end(void)
{
    kept.first = NULL;
    clock_clear(&kept.known);
}

void race_sync_keep(const struct race_sync *s)
{
    if (s->owner != 0 || !is_first(s))
        return;
    if (kept.first == s && kept.version == s->version) {
        if (kept.known.root)
            return;
        clock_copy_root(&kept.known, &s->clock);
        kept.slot = s->slot;
        kept.value = s->value;
    } else {
        kept.first = s;
        kept.version = s->version;
        clock_clear(&kept.known);
    }
}

/* What the look found is what is there, as of then: no change was going on, and each has its version. An owner's have not (is_noted). */
bool race_sync_learn_kept(struct race_g *g, const struct race_look *look)
{
    const struct race_sync *s = (const struct race_sync *)look->first;
    if (!s || s != kept.first || look->version != kept.version || !kept.known.root || __atomic_load_n(&s->owner, __ATOMIC_RELAXED) != 0)
        return false;
    race_g_learn_published(g, &kept.known, kept.slot, kept.value);
    return true;
}
