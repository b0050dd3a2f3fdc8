/* The rings of locksets. See race_lock_history.h. */
#include "race_lock_history.h"

#include "race_alloc.h"
#include "race_flags.h"
#include "race_locks.h"
#include "race_spin.h"

struct lockset lockset_none;   /* what every history begins with */

enum { FIRST_CAP = 4, CAP_LOG_MIN = 10 };

static atomic_flag rings_lock;
static size_t rings_bytes;       /* under rings_lock */
static atomic_int lost;

static size_t ring_bytes(uint32_t cap)
{
    return sizeof(struct lock_history) + cap * sizeof(uint64_t);
}

static uint32_t cap_max(void)
{
    int log = CAP_LOG_MIN + race_flags.history_size;
    return 1u << (log > 20 ? 20 : log);
}

static size_t rings_bytes_max(void)
{
    return (size_t)64 << (20 + (race_flags.history_size > 7 ? 7 : race_flags.history_size));
}

race_noinline struct lock_history *race_lock_history_grow(struct race_g *g)
{
    struct lock_history *h = g->who->lock_history;
    race_spin_lock(&rings_lock);
    uint32_t cap = h ? h->cap * 4 : FIRST_CAP;
    cap = cap > cap_max() ? cap_max() : cap;
    if (h && (cap == h->cap || rings_bytes + ring_bytes(cap) > rings_bytes_max())) {
        race_spin_unlock(&rings_lock);
        return h;
    }
    struct lock_history *bigger = race_alloc(ring_bytes(cap));
    rings_bytes += ring_bytes(cap);
    bigger->cap = cap;
    uint32_t n = h ? atomic_load_explicit(&h->n, memory_order_relaxed) : 0;
    for (uint32_t i = h && n > h->cap ? n - h->cap : 0; i < n; i++)
        atomic_store_explicit(&bigger->at[i & (cap - 1)], atomic_load_explicit(&h->at[i & (h->cap - 1)], memory_order_relaxed), memory_order_relaxed);
    bigger->from = h && n > h->cap ? n - h->cap : h ? h->from : 0;
    atomic_store_explicit(&bigger->n, n, memory_order_relaxed);
    g->who->lock_history = bigger;
    if (h) {
        rings_bytes -= ring_bytes(h->cap);
        race_free(h, ring_bytes(h->cap));
    }
    race_spin_unlock(&rings_lock);
    return bigger;
}

uint32_t race_locks_at(const struct race_who *w, uint32_t clock)
{
    race_spin_lock(&rings_lock);
    struct lock_history *h = w->lock_history;
    uint32_t id = 0;
    if (h) {
        uint32_t n = atomic_load_explicit(&h->n, memory_order_acquire), oldest = n > h->cap ? n - h->cap : 0;
        oldest = oldest > h->from ? oldest : h->from;
        uint32_t lo = oldest, hi = n;   /* the first entry later than clock */
        while (lo < hi) {
            uint32_t mid = lo + (hi - lo) / 2;
            uint64_t e = atomic_load_explicit(&h->at[mid & (h->cap - 1)], memory_order_relaxed);
            if ((uint32_t)(e >> 32) <= clock)
                lo = mid + 1;
            else
                hi = mid;
        }
        if (lo == oldest)
            id = oldest == 0 ? 0 : LOCKSET_UNKNOWN;
        else
            id = (uint32_t)atomic_load_explicit(&h->at[(lo - 1) & (h->cap - 1)], memory_order_relaxed);
        atomic_thread_fence(memory_order_acquire);
        uint32_t now = atomic_load_explicit(&h->n, memory_order_relaxed);
        if (now != n && now + 1 > h->cap && oldest < now + 1 - h->cap)
            id = LOCKSET_UNKNOWN;
        if (id == LOCKSET_UNKNOWN)
            atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
    }
    race_spin_unlock(&rings_lock);
    return id;
}

void race_locks_forget(struct race_who *w)
{
    struct lock_history *h = w->lock_history;
    if (!h)
        return;
    race_spin_lock(&rings_lock);
    w->lock_history = NULL;
    rings_bytes -= ring_bytes(h->cap);
    race_free(h, ring_bytes(h->cap));
    race_spin_unlock(&rings_lock);
}

void race_locks_moved(struct race_g *g, uint32_t id)
{
    if (id != 0)
        lock_history_push(g, id);
}

int race_locks_lost(void)
{
    return atomic_load_explicit(&lost, memory_order_relaxed);
}
