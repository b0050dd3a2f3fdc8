/* Words that very many goroutines read (race_list_parts.c), driven directly by several threads at once: whatever is not ordered is found, and nothing else. What
 * the detector reports is caught here. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <race_access.h>
#include <race_alloc.h>
#include <race_list_parts.h>

#include "race_gs.h"

_Thread_local struct race_g *race_cur_tls __attribute__((tls_model("initial-exec")));
struct race_g race_ignored = {.node = &race_stack_root};

struct race_g *race_attach(void)
{
    abort();
}

bool race_signals_come(struct race_g *g)
{
    return race_is_off(g);
}

enum { THREADS = 4, EACH = 40, READERS = THREADS * EACH, WRITER = READERS, GS, WORDS = 256, ROUNDS = 4000 };
static struct race_g all[GS];
static atomic_int reports, wrong;
static atomic_uint expected;   /* the slot of the only one that may race; 0: everybody may */

void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)addr, (void)g;
    unsigned slot = atomic_load(&expected);
    atomic_fetch_add(&reports, 1);
    if (slot && epoch_slot(old.epoch) != slot && epoch_slot(now.epoch) != slot)
        atomic_fetch_add(&wrong, 1);
}

static void access(struct race_g *g, uintptr_t addr, size_t size, unsigned kind)
{
    race_cur_tls = g;
    race_access_range(g, addr, size, kind, 0x1000 + size);
}

static uint16_t parts_of(uintptr_t word)
{
    struct shadow *s = shadow_of(word);
    const struct shadow_list *l = shadow_list_of(atomic_load(&shadow_second(s)->epoch));
    uint16_t bits = 0;
    for (unsigned k = 0; l && atomic_load(&s->node) & SHADOW_MORE && k < BIAS_PARTS; k++)
        bits |= (uint16_t)(list_has_part(l, k) << k);
    return bits;
}

/* ---- in each round another word; all goroutines read it, each thread's its own, some of them again and again; and one writes ---- */

enum plan {
    KNOWS_ALL,      /* after them, and ordered with all */
    KNOWS_NOT_ONE,  /* with all but one */
    AMID,           /* meanwhile, ordered with nobody */
    BEFORE,         /* before them, and all but one know it */
    PLANS,
};
static _Alignas(8) uint64_t words[WORDS];
static pthread_barrier_t barrier;
static int lost, invented, undivided;
static atomic_bool divided;   /* parts were seen in this round */

static void prepare(int round, uintptr_t word, struct race_g *one)
{
    shadow_clear(word, 8);
    atomic_store(&reports, 0);
    atomic_store(&divided, false);
    atomic_store(&expected, round % PLANS == AMID ? 0 : one->slot);
    for (int i = 0; i < GS; i++)
        g_new_epoch(&all[i]);
    if (round % PLANS == BEFORE) {
        access(&all[WRITER], word, 8, EPOCH_WRITE);
        for (int i = 0; i < READERS; i++)
            if (&all[i] != one)
                g_release_to(&all[WRITER], &all[i]);
    }
}

static void judge(int round, uintptr_t word, struct race_g *one)
{
    int plan = round % PLANS;
    undivided += plan != AMID && !atomic_load(&divided);
    if (plan == KNOWS_ALL || plan == KNOWS_NOT_ONE) {
        for (int i = 0; i < READERS; i++)
            if (plan == KNOWS_ALL || &all[i] != one)
                g_release_to(&all[i], &all[WRITER]);
        access(&all[WRITER], word, 8, EPOCH_WRITE);
        cr_assert_eq(parts_of(word), 0);
    }
    bool raced = atomic_load(&reports) > 0;
    lost += plan != KNOWS_ALL && !raced;
    invented += plan == KNOWS_ALL && raced;
}

static void *reads(void *arg)
{
    unsigned me = (unsigned)(uintptr_t)arg;
    uint64_t s = me * 7919 + 1;
    for (int round = 0; round < ROUNDS; round++) {
        uintptr_t word = (uintptr_t)&words[round % WORDS];
        struct race_g *one = &all[(unsigned)round / PLANS * 7 % READERS];
        if (me == 0)
            prepare(round, word, one);
        pthread_barrier_wait(&barrier);
        unsigned when = round % PLANS == AMID && me == (unsigned)round / PLANS % THREADS ? (unsigned)(rnd(&s) >> 20) % EACH : EACH;
        for (unsigned i = 0; i < EACH; i++) {
            struct race_g *g = &all[me * EACH + (i * 13 + (unsigned)round) % EACH];
            if (i == when)
                access(&all[WRITER], word, 8, EPOCH_WRITE);
            for (unsigned again = (unsigned)(rnd(&s) >> 20) % 4; again < 4; again++) {
                unsigned size = 1u << (rnd(&s) >> 20) % 4, dice = (unsigned)(rnd(&s) >> 20) % 64;
                access(g, word + (rnd(&s) >> 20) % (9 - size), size, dice == 0 && round % PLANS != AMID && g != one ? EPOCH_ATOMIC : 0);
                if (dice == 1)
                    g_new_epoch(g);
            }
            if (parts_of(word))
                atomic_store(&divided, true);
        }
        pthread_barrier_wait(&barrier);
        if (me == 0)
            judge(round, word, one);
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

Test(race_list_parts, whatever_is_unordered_is_found)
{
    pthread_t t[THREADS];
    shadow_start();
    list_crowded = FEW;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (unsigned i = 0; i < GS; i++)
        g_start(&all[i], i + 1);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, reads, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    cr_assert_eq(lost, 0, "%d races were lost", lost);
    cr_assert_eq(invented, 0, "%d reports without a race", invented);
    cr_assert_eq(atomic_load(&wrong), 0, "%d reports that name another goroutine than the one that races", atomic_load(&wrong));
    cr_assert_lt(undivided, ROUNDS / 4, "%d rounds without parts", undivided);
}

/* ---- single ones ---- */

/* g reads it until there are parts. */
static void divide(struct race_g *g, unsigned n, uintptr_t word)
{
    shadow_start();
    list_crowded = FEW;
    for (unsigned i = 0; i < n; i++) {
        g_start(&g[i], i + 1);
        access(&g[i], word, 8, 0);
    }
    cr_assert_neq(parts_of(word), 0);
}

Test(race_list_parts, reads_leave_word_and_list_as_they_are)
{
    enum { N = 500 };
    static struct race_g g[N + 2 * FEW];
    uintptr_t word = (uintptr_t)&words[0];
    divide(g, 2 * FEW, word);
    uint64_t first = atomic_load(&shadow_of(word)->epoch);
    const struct shadow_list *l = shadow_list_of(atomic_load(&shadow_second(shadow_of(word))->epoch));
    uint32_t count = list_count(l);
    for (unsigned i = 2 * FEW; i < N + 2 * FEW; i++) {
        g_start(&g[i], i + 1);
        for (int again = 0; again < 3; again++)
            access(&g[i], word, 8, 0);
        cr_assert(g[i].recorded);
    }
    cr_assert_eq(atomic_load(&shadow_of(word)->epoch), first);
    cr_assert_eq(list_count(l), count);
    /* Each once, when somebody looks. */
    g_start(&g[0], N + 2 * FEW + 1);
    access(&g[0], word, 8, EPOCH_WRITE);
    cr_assert_eq(atomic_load(&reports), N + 2 * FEW);
}

Test(race_list_parts, a_loop_over_bytes_is_one_access)
{
    static struct race_g g[2 * FEW + 2];
    uintptr_t word = (uintptr_t)&words[0];
    divide(g, 2 * FEW, word);
    struct race_g *loops = &g[2 * FEW], *other = &g[2 * FEW + 1];
    g_start(loops, 2 * FEW + 1);
    for (unsigned at = 0; at < 8; at++)
        access(loops, word + at, 1, 0);
    g_start(other, 2 * FEW + 2);
    access(other, word, 8, EPOCH_ATOMIC);
    cr_assert_eq(parts_of(word), 0);
    cr_assert_eq(list_count(shadow_list_of(atomic_load(&shadow_second(shadow_of(word))->epoch))), 2 * FEW + 1);
}

/* What is ordered before a read of the same part goes, in time: 1,000,000 goroutines in a row don't need 1,000,000 entries. */
Test(race_list_parts, what_happened_before_goes)
{
    enum { N = 1000000 };
    static struct race_g g[2 * FEW], last;
    uintptr_t word = (uintptr_t)&words[0];
    divide(g, 2 * FEW, word);
    g_start(&last, 2 * FEW + 1);
    for (unsigned i = 0; i < 2 * FEW; i++)
        g_release_to(&g[i], &last);
    size_t bytes = race_memory_total();
    size_t clocks = race_memory_total();
    for (unsigned i = 0; i < N; i++)
        clock_raise(&last.known, 2 * FEW + 1 + i, 1);
    clocks = race_memory_total() - clocks;
    for (unsigned i = 0; i < N; i++) {   /* each knows all */
        last.slot = 2 * FEW + 1 + i;
        race_g_new_epoch(&last);
        access(&last, word, 8, 0);
    }
    cr_assert_neq(parts_of(word), 0);
    cr_assert_lt(race_memory_total() - bytes - clocks, 4u << 20);
    access(&last, word, 8, EPOCH_WRITE);
    cr_assert_eq(atomic_load(&reports), 0);
}

/* A word whose list is too much written to by others has none: more conflicts than a part has room for. */
Test(race_list_parts, none_where_many_write)
{
    enum { N = 6 * FEW };
    static struct race_g g[N];
    uintptr_t word = (uintptr_t)&words[0];
    shadow_start();
    list_crowded = FEW;
    for (unsigned i = 0; i < N; i++) {
        g_start(&g[i], i + 1);
        if (i < PART_WRITES + 1)
            access(&g[i], word + i, 1, EPOCH_WRITE);
        else
            access(&g[i], word + 4, 4, 0);
        cr_assert_eq(parts_of(word), 0);
    }
    cr_assert_eq(atomic_load(&reports), 0);
}

/* Memory ends: the newest read is still known, as the oldest of its part makes room. */
Test(race_list_parts, at_the_bound_of_memory)
{
    enum { N = 4000 };
    static struct race_g g[2 * FEW], more[N], writer;
    uintptr_t word = (uintptr_t)&words[0];
    divide(g, 2 * FEW, word);
    g_start(&more[0], 2 * FEW + 1);
    access(&more[0], word, 8, 0);
    race_memory_limit(1);
    size_t bytes = race_memory_total();
    uint32_t count = list_count(shadow_list_of(atomic_load(&shadow_second(shadow_of(word))->epoch)));
    for (unsigned i = 1; i < N; i++) {
        g_start(&more[i], 2 * FEW + 1 + i);
        access(&more[i], word, 8, 0);
    }
    cr_assert_eq(race_memory_total(), bytes);
    cr_assert_eq(list_count(shadow_list_of(atomic_load(&shadow_second(shadow_of(word))->epoch))), count);
    g_start(&writer, 2 * FEW + 1 + N);
    for (unsigned i = 0; i < 2 * FEW; i++)
        g_release_to(&g[i], &writer);
    for (unsigned i = 0; i < N - 1; i++)
        g_release_to(&more[i], &writer);
    access(&writer, word, 8, EPOCH_WRITE);
    cr_assert_eq(atomic_load(&reports), 1);
}
