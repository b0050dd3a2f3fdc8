/* The check of accesses (race_access.c, race_list.c), driven directly, without a compiler's hooks: against a model that keeps every access with a full
 * vector clock, and by several threads at once. What the detector reports is caught here. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <race_access.h>
#include <race_alloc.h>
#include <race_segment.h>

#include "race_gs.h"

_Thread_local struct race_g *race_cur_tls __attribute__((tls_model("initial-exec")));
struct race_g race_ignored = {.node = &race_stack_root};
static atomic_int reports;

struct race_g *race_attach(void)
{
    abort();
}

/* A signal's handler, called once, before the access that finds it waiting. */
static void (*waiting_handler)(struct race_g *g);
bool race_signals_come(struct race_g *g)
{
    if (g->disabled & SIGNAL_WAITS) {
        g->disabled &= ~(uint32_t)SIGNAL_WAITS;
        waiting_handler(g);
    }
    return race_is_off(g);
}

void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)addr;
    cr_assert_eq(epoch_slot(now.epoch), g->slot);
    cr_assert_neq(old.epoch, 0);
    atomic_fetch_add(&reports, 1);
}

static inline __attribute__((always_inline)) void access(struct race_g *g, uintptr_t addr, unsigned size, unsigned kind)   /* one place of the program, in each test */
{
    race_cur_tls = g;
    if (kind & EPOCH_ATOMIC)
        race_access_range(g, addr, size, kind, 0x1000);
    else if (size == 1)
        race_access_sized(addr, 1, kind);
    else if (size == 2)
        race_access_sized(addr, 2, kind);
    else if (size == 4)
        race_access_sized(addr, 4, kind);
    else
        race_access_sized(addr, 8, kind);
}

/* ---- the model: one goroutine at a time, every access kept ---- */

enum { MOST_GS = 60, MOST_STEPS = 700 };
struct kept {
    unsigned g, kind;
    uint32_t clock;
    uint32_t bytes;   /* of 16 */
};

struct setting {
    unsigned gs, steps;
    unsigned writes, syncs;   /* of 100 steps */
    bool wide;                /* whole words only */
    bool gather;              /* nobody writes, until at three quarters the first is told of all the others (or all but one) and writes both words */
};

static void sync(struct race_g *g, uint32_t (*knows)[MOST_GS], unsigned gs, unsigned from, unsigned to)
{
    for (unsigned i = 0; i < gs; i++)
        if (knows[to][i] < knows[from][i])
            knows[to][i] = knows[from][i];
    if (knows[to][from] < g[from].clock)
        knows[to][from] = g[from].clock;
    g_release_to(&g[from], &g[to]);
}

static void trial(uint64_t seed, struct setting w, int *racy)
{
    static _Alignas(16) char memory[64];
    static struct kept kept[MOST_STEPS];
    static uint32_t knows[MOST_GS][MOST_GS];
    static struct race_g g[MOST_GS];
    uint64_t s = seed * 0x9e3779b97f4a7c15u + 1;
    unsigned n = 0;
    bool raced = false;
    memset(knows, 0, sizeof knows);
    shadow_clear((uintptr_t)memory, sizeof memory);
    for (unsigned i = 0; i < w.gs; i++)
        g_start(&g[i], i + 1);
    atomic_store(&reports, 0);
    for (unsigned step = 0; step < w.steps && !raced; step++) {
        unsigned me = (unsigned)(rnd(&s) >> 20) % w.gs, dice = (unsigned)(rnd(&s) >> 20) % 100;
        if (dice < w.syncs) {
            unsigned to = (unsigned)(rnd(&s) >> 20) % w.gs;
            if (to == me)
                continue;
            sync(g, knows, w.gs, me, to);
            continue;
        }
        unsigned size = w.wide ? 8 : 1u << (rnd(&s) >> 20) % 4, at = (unsigned)(rnd(&s) >> 20) % 9;
        if (w.wide || rnd(&s) >> 20 & 3)
            at &= ~(size - 1);   /* mostly aligned; else it may reach into the next word */
        bool gather = w.gather && step >= w.steps / 4 * 3;
        if (gather) {
            unsigned but = step == w.steps / 4 * 3 && rnd(&s) >> 20 & 1 ? 1 + (unsigned)(rnd(&s) >> 20) % (w.gs - 1) : 0;
            for (unsigned i = 1; i < w.gs && step == w.steps / 4 * 3; i++)
                if (i != but)
                    sync(g, knows, w.gs, i, 0);
            me = 0;
            size = 8;
            at = step & 1 ? 8 : 0;
        }
        unsigned kind = (gather || dice < w.syncs + w.writes ? EPOCH_WRITE : 0) | ((rnd(&s) >> 20) % 5 == 0 ? EPOCH_ATOMIC : 0);
        struct kept now = {me, kind, g[me].clock, ((1u << size) - 1) << at};
        for (unsigned i = 0; i < n; i++)
            if ((kept[i].bytes & now.bytes) && ((kept[i].kind | kind) & EPOCH_WRITE) && !(kept[i].kind & kind & EPOCH_ATOMIC) && kept[i].g != me &&
                knows[me][kept[i].g] < kept[i].clock)
                raced = true;
        kept[n++] = now;
        if (rnd(&s) >> 20 & 1)   /* always the same place of the program, or another one each time: neighbours are one access, or not */
            access(&g[me], (uintptr_t)memory + at, size, kind);
        else
            race_access_range(&g[me], (uintptr_t)memory + at, size, kind, 0x2000 + 16 * step);
        cr_assert_eq(atomic_load(&reports) > 0, raced, "seed %lu, step %u: the model says %d, the detector %d", (unsigned long)seed, step, raced,
                     atomic_load(&reports));
    }
    *racy += raced;
    for (unsigned i = 0; i < w.gs; i++)
        clock_clear(&g[i].known);
}

static void trials(unsigned count, struct setting w)
{
    int racy = 0;
    shadow_start();
    for (unsigned i = 0; i < count; i++)
        trial(i + 1, w, &racy);
    cr_assert(racy > 0 && racy < (int)count, "%d of %u trials raced: both kinds are needed", racy, count);
}

/* The first race of a trial is found at the access that makes it, and nothing before is reported. */
Test(race_access, as_the_model_says_few_goroutines)
{
    trials(60000, (struct setting){.gs = 3, .steps = 14, .writes = 20, .syncs = 45, .wide = false});
}

Test(race_access, as_the_model_says_whole_words)
{
    trials(60000, (struct setting){.gs = 4, .steps = 16, .writes = 20, .syncs = 55, .wide = true});
}

/* Lists: many goroutines, hardly any writes. */
Test(race_access, as_the_model_says_many_readers)
{
    trials(1000, (struct setting){.gs = MOST_GS, .steps = MOST_STEPS, .writes = 0, .syncs = 10, .gather = true});
    trials(2000, (struct setting){.gs = 20, .steps = 200, .writes = 0, .syncs = 40, .gather = true});
    list_crowded = FEW;   /* and with parts of lists, as if they were far longer */
    trials(1000, (struct setting){.gs = MOST_GS, .steps = MOST_STEPS, .writes = 0, .syncs = 10, .gather = true});
    trials(4000, (struct setting){.gs = MOST_GS, .steps = MOST_STEPS / 2, .writes = 0, .syncs = 2, .gather = true});
    trials(2000, (struct setting){.gs = 40, .steps = 100, .writes = 1, .syncs = 10});
}

Test(race_access, as_the_model_says_many_writers_of_bytes)
{
    trials(6000, (struct setting){.gs = 8, .steps = 40, .writes = 10, .syncs = 60, .wide = false});
}

/* What a loop over bytes leaves is one entry in a word, in either direction, and in each later epoch too: a list for each word of what a program
 * packs byte by byte would take many times its memory. Bytes apart from each other, or accessed in another place, are entries of their own. */
Test(race_access, a_loop_over_bytes_is_one_access)
{
    static _Alignas(8) char memory[8];
    struct race_g a, b;
    shadow_start();
    struct shadow *s = shadow_of((uintptr_t)memory);
    for (unsigned kind = 0; kind <= EPOCH_WRITE; kind += EPOCH_WRITE)
        for (unsigned down = 0; down < 2; down++) {
            shadow_clear((uintptr_t)memory, sizeof memory);
            g_start(&a, 1);
            g_start(&b, 2);
            atomic_store(&reports, 0);
            for (unsigned epoch = 0; epoch < 3; epoch++) {
                for (unsigned i = 0; i < 8; i++)
                    access(&a, (uintptr_t)memory + (down ? 7 - i : i), 1, kind);
                cr_assert_eq(epoch_mask(atomic_load(&s->epoch)), 0xff);
                cr_assert_eq(epoch_clock(atomic_load(&s->epoch)), a.clock);
                cr_assert_not(atomic_load(&s->node) & SHADOW_MORE);
                if (epoch < 2)
                    g_release_to(&a, &b);
            }
            for (unsigned i = 0; i < 8; i++)   /* not ordered with the last epoch */
                access(&b, (uintptr_t)memory + i, 1, EPOCH_WRITE);
            cr_assert_eq(atomic_load(&reports), 8);
            clock_clear(&a.known);
            clock_clear(&b.known);
        }
    shadow_clear((uintptr_t)memory, sizeof memory);
    g_start(&a, 1);
    for (unsigned i = 0; i < 8; i += 2)
        access(&a, (uintptr_t)memory + i, 1, 0);
    cr_assert_eq(epoch_mask(atomic_load(&s->epoch)), 1 << 6);
    shadow_clear((uintptr_t)memory, sizeof memory);
    race_access_range(&a, (uintptr_t)memory, 1, 0, 0x1000);
    race_access_range(&a, (uintptr_t)memory + 1, 1, 0, 0x1010);
    cr_assert_eq(epoch_mask(atomic_load(&s->epoch)), 1 << 1);
}

/* ---- threads ---- */

enum { THREADS = 4, ROUNDS = 12000, EACH = 24 };
static _Alignas(16) char shared[16];
static struct race_g threads_g[THREADS];
static pthread_barrier_t barrier;
static atomic_int missed, invented;

/* Each thread keeps to two bytes of a word and reads four that nobody writes: no race, but one word for all to change. In every other round two of the
 * threads touch one byte of the word, once, amid the others' accesses: a race, and never lost. */
static void *hammer(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    uint64_t s = me * 7919 + 1;
    struct race_g *g = &threads_g[me];
    uintptr_t word = (uintptr_t)shared;
    for (int round = 0; round < ROUNDS; round++) {
        pthread_barrier_wait(&barrier);
        if (me == 0) {
            shadow_clear(word, sizeof shared);
            atomic_store(&reports, 0);
        }
        g_new_epoch(g);
        pthread_barrier_wait(&barrier);
        bool racy = round % 2;
        unsigned a = (unsigned)round / 2 % THREADS, b = (a + 1 + (unsigned)round / 8 % (THREADS - 1)) % THREADS;
        unsigned when = (unsigned)(rnd(&s) >> 20) % EACH;
        for (unsigned i = 0; i < EACH; i++) {
            unsigned dice = (unsigned)(rnd(&s) >> 20) % 8;
            if (racy && i == when && (me == a || me == b))
                access(g, word + 7, 1, me == a ? EPOCH_WRITE : dice < 4 ? EPOCH_WRITE : 0);
            if (dice < 3)
                access(g, word + me, 1, EPOCH_WRITE);
            else if (dice < 5)
                access(g, word + me, 1, 0);
            else if (dice < 6)
                access(g, word + 4, 2, 0);
            else
                access(g, word + 8 + (me & ~1u), 2, EPOCH_ATOMIC | (dice & 1 ? EPOCH_WRITE : 0));
            if (dice == 0) {   /* a release: a new epoch */
                g_new_epoch(g);
            }
        }
        pthread_barrier_wait(&barrier);
        if (me == 0) {
            missed += racy && atomic_load(&reports) == 0;
            invented += !racy && atomic_load(&reports) != 0;
        }
    }
    return NULL;
}

Test(race_access, threads_change_one_word)
{
    pthread_t t[THREADS];
    shadow_start();
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (unsigned i = 0; i < THREADS; i++)
        g_start(&threads_g[i], i + 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, hammer, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    cr_assert_eq(missed, 0, "%d of %d races were lost", missed, ROUNDS / 2);
    cr_assert_eq(invented, 0, "%d reports without a race", invented);
}

/* ---- ranges, and memory that begins a new life ---- */

/* A range of any alignment and length touches its bytes and no other. */
Test(race_access, ranges)
{
    static char memory[256];
    struct race_g a, b;
    shadow_start();
    for (unsigned from = 0; from < 20; from++)
        for (unsigned n = 0; n < 50; n++)
            for (unsigned probe = 0; probe < 80; probe++) {
                shadow_clear((uintptr_t)memory, sizeof memory);
                g_start(&a, 1);
                g_start(&b, 2);
                atomic_store(&reports, 0);
                race_access_range(&a, (uintptr_t)memory + from, n, EPOCH_WRITE, 0x1000);
                access(&b, (uintptr_t)memory + probe, 1, 0);
                cr_assert_eq(atomic_load(&reports) > 0, probe >= from && probe < from + n, "[%u, +%u), %u", from, n, probe);
            }
}

Test(race_access, forgotten_at_any_length)
{
    size_t most = 3 << 20;
    char *memory = malloc(most);
    struct race_g a, b;
    shadow_start();
    for (size_t n = 8; n < most; n = n * 3 / 8 * 8) {
        g_start(&a, 1);
        g_start(&b, 2);
        atomic_store(&reports, 0);
        race_access_range(&a, (uintptr_t)memory, most, EPOCH_WRITE, 0x1000);
        shadow_clear((uintptr_t)memory, n);
        race_access_range(&b, (uintptr_t)memory, n & ~7ul, EPOCH_WRITE, 0x1000);
        cr_assert_eq(atomic_load(&reports), 0, "%zu bytes", n);
        access(&b, (uintptr_t)memory + ((n + 7) & ~7ul), 1, 0);
        cr_assert_eq(atomic_load(&reports), 1, "%zu bytes: more than that was forgotten", n);
        shadow_clear((uintptr_t)memory, most);
    }
    free(memory);
}

/* At the bound of memory an access takes the place of an old one, which is then not there any more: the next like it is entered, and found. */
Test(race_access, at_the_bound_the_newest_access_is_remembered)
{
    static _Alignas(8) char memory[8];
    struct race_g a, b;
    shadow_start();
    for (unsigned again = 0; again < 8; again++) {
        shadow_clear((uintptr_t)memory, sizeof memory);
        race_memory_limit(0);
        g_start(&a, 1);
        g_start(&b, 2);
        atomic_store(&reports, 0);
        for (unsigned i = 0; i < 8; i++) {
            if (i == 5)
                race_memory_limit(1);
            race_access_range(&a, (uintptr_t)memory + i, 1, 0, 0x1000 + 16 * i);
        }
        race_access_range(&a, (uintptr_t)memory + again, 1, 0, 0x1000 + 16 * again);
        access(&b, (uintptr_t)memory + again, 1, EPOCH_WRITE);
        cr_assert_eq(atomic_load(&reports), 1, "byte %u", again);
    }
    race_memory_limit(0);
}

/* Addresses that no program has are no accesses, and do no harm. */
Test(race_access, strange_addresses)
{
    struct race_g a, b;
    shadow_start();
    g_start(&a, 1);
    g_start(&b, 2);
    for (unsigned bit = 48; bit < 64; bit++) {
        race_access_range(&a, (1ul << bit) + 64, 8, EPOCH_WRITE, 0x1000);
        race_access_range(&b, (1ul << bit) + 64, 8, EPOCH_WRITE, 0x1000);
    }
    cr_assert_eq(atomic_load(&reports), 0);
    for (unsigned bit = 4; bit < 47; bit++) {   /* words all over the address space: none shares its shadow with another */
        access(&a, 1ul << bit, 8, EPOCH_WRITE);
        access(&b, (1ul << bit) + 8, 8, EPOCH_WRITE);
    }
    cr_assert_eq(atomic_load(&reports), 0);
    access(&b, 1ul << 46, 1, 0);
    cr_assert_eq(atomic_load(&reports), 1);
}

/* ---- what comes in between ---- */

static uintptr_t fresh;
static void uses_fresh(struct race_g *g)
{
    for (uintptr_t at = fresh; at < fresh + 64; at += 8)
        race_access_sized(at, 8, EPOCH_WRITE);
    g_release_to(g, &(struct race_g){.slot = 9});
    g->disabled |= SIGNAL_WAITS;   /* the next one waits already */
}

/* A handler comes before the access, is the first to use the place, and begins a new epoch; the access is entered all the same, in that one. */
Test(race_access, handler_comes_first)
{
    struct race_g one, two;
    shadow_start();
    g_start(&one, 1);
    g_start(&two, 2);
    fresh = (uintptr_t)7 << 40;   /* no other test's slice */
    waiting_handler = uses_fresh;
    one.disabled = SIGNAL_WAITS;
    access(&one, fresh, 8, EPOCH_WRITE);
    cr_assert_eq(one.disabled, SIGNAL_WAITS);
    cr_assert_eq(atomic_load(&shadow_of(fresh)->epoch), one.epoch_of_write);
    cr_assert_eq(atomic_load(&shadow_of(fresh + 8)->epoch), one.epoch_of_write - epoch_make(0, 1));
    one.disabled = 0;
    atomic_store(&reports, 0);
    access(&two, fresh, 8, 0);
    cr_assert_eq(atomic_load(&reports), 1);
}

/* A load of an atomic that the goroutine stored in the same epoch leaves nothing: who races with both is told once. */
Test(race_access, own_store_stands_for_load)
{
    struct race_g one, two;
    uint64_t word;
    uintptr_t at = (uintptr_t)&word;
    shadow_start();
    g_start(&one, 1);
    g_start(&two, 2);
    shadow_clear(at, sizeof word);
    race_cur_tls = &one;
    uint64_t store = one.epoch_of_write | EPOCH_ATOMIC;
    race_access_miss(at, 0x1000, store, shadow_slice(at));
    race_access_miss(at, 0x1000, store & ~(uint64_t)EPOCH_WRITE, shadow_slice(at));
    cr_assert_eq(atomic_load(&shadow_of(at)->epoch), store);
    atomic_store(&reports, 0);
    access(&two, at, 8, EPOCH_WRITE);
    cr_assert_eq(atomic_load(&reports), 1);
}
