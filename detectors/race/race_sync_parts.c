/* Releases that many make side by side, at an address where few acquire: a waitgroup's done, the end of a read lock.
 *
 * Each joins what is there, with the bucket locked, and the nodes that it changes there are the ones that the last processor had. So where threads meet at a
 * bucket, each gets a *part* of the sync for itself: it leaves there what its goroutines release, under a lock that is hardly ever anybody else's, and who
 * acquires gathers all parts (race_sync_lock does, for everybody but the releases that go to parts). Then there are none, until threads meet again.
 *
 * A part is a slot of a table, by thread and address, and never freed; a slot that is another address's is not to be had. With the sync's bucket locked, the
 * bits of s->parts are the parts whose addr is s->addr: a bit is set, with the part locked, before the part's addr; addr is cleared before the bit, and the
 * part is empty then. So
 * - who releases looks at s->parts without a lock, which is a hint only, locks the part and finds its addr, or else goes to the sync itself;
 * - whoever a release happened before finds it: the bit was stored before the releaser could lock the part as this address's, so he sees it, and gathers; or
 *   the bit is gone again, by a gathering that took the release with it and stored all that before. Who looks without the lock (race_sync_look) reads the bits
 *   before all else, and finds another version if a part has been added since.
 * Locks: a part's is taken with a bucket's held, never the other way round. tests/spin/sync_parts.pml is a model of this. */
#include "race_spin.h"
#include "race_sync_table.h"

enum { SLOTS_BITS = 6 };

struct part {
    atomic_flag lock;        /* guards all */
    uintptr_t addr;          /* 0: nobody's */
    struct race_sync left;   /* as of an address with nothing else in it */
} __attribute__((aligned(64)));

static struct part parts[BIAS_PARTS][1 << SLOTS_BITS];

static struct part *part_of(uintptr_t addr, unsigned k)
{
    return &parts[k][addr * 0x9e3779b97f4a7c15u >> (64 - SLOTS_BITS)];
}

void race_sync_gather(struct race_sync *s)
{
    uint16_t bits = s->parts;
    for (unsigned k = 0; k < BIAS_PARTS; k++) {
        if (!(bits >> k & 1))
            continue;
        struct part *p = part_of(s->addr, k);
        race_spin_lock(&p->lock);
        race_sync_join_into(&p->left, &s->clock);
        race_sync_clear(&p->left);
        p->addr = 0;
        race_spin_unlock(&p->lock);
    }
    s->whole = s->seen = false;
    __atomic_store_n(&s->parts, 0, __ATOMIC_RELEASE);   /* pairs with race_sync_look */
}

void race_sync_part(struct race_sync *s)
{
    struct part *p = part_of(s->addr, bias_part());
    race_spin_lock(&p->lock);
    if (p->addr == 0) {
        s->owner = 0;
        __atomic_store_n(&s->parts, (uint16_t)(s->parts | 1u << bias_part()), __ATOMIC_RELAXED);
        p->addr = s->addr;
    }
    race_spin_unlock(&p->lock);
}

bool race_sync_release_to_part(struct race_g *g, uintptr_t addr)
{
    struct race_sync *s = race_sync_held(addr);
    if (!s || !(__atomic_load_n(&s->parts, __ATOMIC_RELAXED) >> bias_part() & 1))
        return false;
    struct part *p = part_of(addr, bias_part());
    race_spin_lock(&p->lock);
    bool is_its = p->addr == addr;
    if (is_its)
        race_sync_release_merge(g, &p->left);
    race_spin_unlock(&p->lock);
    return is_its;
}
