/* Sets of hashes. See race_seen.h. A hash of 64 bits stands for the pair. */
#include "race_seen.h"

#include <string.h>

#include "race_alloc.h"
#include "race_order.h"

enum { STACKS = 1 << 16, PLACES = 1 << 14 };

static uint64_t mix(uint64_t h)
{
    h ^= h >> 32;
    h *= 0x9e3779b97f4a7c15u;
    h ^= h >> 29;
    h *= 0xbf58476d1ce4e5b9u;
    return h ^ h >> 32;
}

/* ---- stacks ---- */

static _Atomic(uint64_t) stacks[STACKS];
static atomic_uint nstacks;

static uint64_t side_hash(struct race_side s)
{
    return mix(mix((uint64_t)s.node << 32 | s.pc) + (s.epoch & (EPOCH_WRITE | EPOCH_ATOMIC)));
}

static uint64_t event_hash(const struct race_event *e)
{
    uint64_t h = (uint64_t)e->kind + 1 + e->misuse;
    if (e->kind != EVENT_CYCLE)
        return mix(h) + side_hash(e->old) + side_hash(e->now);
    for (int i = 0; i < e->nsteps; i++)
        h += mix((uint64_t)e->steps[i].wanted->node << 32 | e->steps[i].wanted->pc) +
             3 * mix((uint64_t)e->steps[i].held->node << 32 | e->steps[i].held->pc);
    return h;
}

bool race_seen_stacks(const struct race_event *e)
{
    uint64_t h = event_hash(e);
    h += h == 0;
    for (uint32_t i = (uint32_t)h % STACKS, probes = 0; probes < STACKS; i = (i + 1) % STACKS, probes++) {
        uint64_t there = atomic_load_explicit(&stacks[i], memory_order_relaxed);
        if (there == h)
            return true;
        if (there == 0) {
            if (!atomic_compare_exchange_strong_explicit(&stacks[i], &there, h, memory_order_relaxed, memory_order_relaxed))
                return there == h;
            break;
        }
    }
    if (atomic_fetch_add_explicit(&nstacks, 1, memory_order_relaxed) > STACKS / 4 * 3) {
        atomic_store_explicit(&nstacks, 0, memory_order_relaxed);
        for (int i = 0; i < STACKS; i++)
            atomic_store_explicit(&stacks[i], 0, memory_order_relaxed);
    }
    return false;
}

/* ---- places ---- */

static uint64_t places[PLACES];
static int nplaces, overflow;

static uint64_t text_hash(uint64_t h, const char *s)
{
    for (; *s; s++)
        h = (h ^ (unsigned char)*s) * 0x100000001b3u;
    return mix(h);
}

static uint64_t place_hash(const struct rec_stack *s)
{
    if (s->nframes == 0)
        return 1;
    const struct tb_frame *f = &s->frames[0];
    uint64_t where = f->line > 0 ? (uint64_t)f->line : f->pc;   /* without lines each instruction is a place */
    return mix(text_hash(text_hash(0xcbf29ce484222325u, f->func), f->file) + where);
}

/* One line may touch several variables. (The members of one it touches together, mostly, as it copies a structure.) */
static uint64_t variable_hash(const struct record *r)
{
    const struct rec_location *l = &r->location;
    if ((l->place != PLACE_GLOBAL && l->place != PLACE_THREAD_LOCAL) || !l->variable.name)
        return 0;
    return text_hash(1, l->variable.name);
}

bool race_seen_places(const struct record *r)
{
    uint64_t h = (uint64_t)r->kind + 1;
    if (r->kind == EVENT_RACE)
        h += place_hash(&r->access[0].stack) + place_hash(&r->access[1].stack) + variable_hash(r);
    else if (r->kind == EVENT_MISUSE)
        h = mix(h + r->misuse) + place_hash(&r->access[0].stack);
    for (int i = 0; i < r->nsteps; i++)
        h += mix(place_hash(&r->steps[i].taken.at) + 3 * place_hash(&r->steps[i].held.at));
    h = mix(h);
    h += h == 0;
    uint32_t i = (uint32_t)h % PLACES;
    for (; places[i] != 0; i = (i + 1) % PLACES)
        if (places[i] == h)
            return true;
    if (nplaces == PLACES / 4 * 3) {
        overflow++;
        return true;
    }
    places[i] = h;
    nplaces++;
    return false;
}

int race_seen_overflow(void)
{
    return overflow;
}
