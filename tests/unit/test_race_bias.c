/* Biased regions (race_bias.c): whoever holds a word, by owning its region or by its lock, holds it alone, however threads take regions from
 * each other; counts that are kept by plain additions come out right. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <race_shadow.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

_Thread_local struct race_g *race_cur_tls __attribute__((tls_model("initial-exec")));
struct race_g race_ignored = {.node = &race_stack_root};

struct race_g *race_attach(void)
{
    abort();
}

enum { REGION = 1 << BIAS_BITS, REGIONS = 8, WORDS = 4, THREADS = 4, ROUNDS = 300000 };
static _Alignas(REGION) char memory[REGIONS * REGION];
static volatile long counts[REGIONS][WORDS];
static atomic_int owned, locked;

static uint32_t owner_of(const char *p)
{
    return bias_owner((uintptr_t)p >> BIAS_BITS);
}

static void hold_and_count(unsigned region, unsigned word)
{
    uintptr_t addr = (uintptr_t)&memory[region * REGION + word * 8];
    struct shadow *s = shadow_of(addr);
    bias_word state;
    uint64_t e = shadow_hold(s, addr, &state);
    bool is_owner = (state & BIAS_OWNER) == bias_me->id;
    long n = counts[region][word];
    for (unsigned i = 0; i < n % 8; i++)
        __asm__ volatile("pause");
    counts[region][word] = n + 1;
    atomic_store_explicit(&s->epoch, e + (1 << CLOCK_SHIFT), memory_order_release);
    bias_leave(bias_me);
    atomic_fetch_add_explicit(is_owner ? &owned : &locked, 1, memory_order_relaxed);
    if (!is_owner)
        bias_sample(bias_me, addr);
}

/* Mostly in a region of its own, for a while, then in another one: so regions are owned, taken away, shared, and owned again. */
static void *count(void *p)
{
    uint64_t s = (uintptr_t)p * 0x9e3779b97f4a7c15u + 1;
    unsigned home = (unsigned)(uintptr_t)p;
    for (int i = 0; i < ROUNDS; i++) {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        if (s % 20000 == 0)
            home++;
        hold_and_count((s >> 20) % 1000 == 0 ? (unsigned)(s >> 32) % REGIONS : home % REGIONS, (unsigned)(s >> 40) % WORDS);
    }
    bias_thread_end();
    return NULL;
}

Test(race_bias, holders_are_alone)
{
    pthread_t t[THREADS];
    long total = 0, epochs = 0;
    shadow_start();
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, count, (void *)(i + 1));
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (int r = 0; r < REGIONS; r++)
        for (int w = 0; w < WORDS; w++) {
            uint64_t e = atomic_load(&shadow_of((uintptr_t)&memory[r * REGION + w * 8])->epoch);
            cr_assert_eq(epoch_clock(e), counts[r][w], "a change of word %d in region %d is lost", w, r);
            cr_assert_eq(e & EPOCH_LOCK, 0);
            total += counts[r][w];
            epochs += epoch_clock(e);
        }
    cr_assert_eq(total, (long)THREADS * ROUNDS);
    cr_assert_eq(epochs, total);
    cr_assert_gt(atomic_load(&owned), 0);
    cr_assert_gt(atomic_load(&locked), 0);
}

struct place {
    unsigned region;
    uint32_t *id;   /* of the thread that was there */
};

static void *hold_once(void *p)
{
    struct place *at = p;
    hold_and_count(at->region, 0);
    *at->id = bias_me->id;
    bias_thread_end();
    return NULL;
}

Test(race_bias, regions_change_owners)
{
    uint32_t first, id;
    pthread_t t;
    shadow_start();
    hold_and_count(0, 0);
    first = bias_me->id;
    cr_assert_eq(owner_of(memory), first);
    for (int i = 1; i < 8; i++) {   /* two in turn: it is taken away twice, then it is shared */
        if (i & 1) {
            pthread_create(&t, NULL, hold_once, &(struct place){0, &id});
            pthread_join(t, NULL);
        } else {
            hold_and_count(0, 0);
            id = first;
        }
        cr_assert_eq(owner_of(memory), i <= 2 ? id : BIAS_SHARED, "after %d", i);
    }
    for (int i = 0; i < 1000; i++)   /* one alone: it is its own again */
        hold_and_count(0, 0);
    cr_assert_eq(owner_of(memory), first);
}

/* How often the caller is in the region until it is its own. */
static int holds_to_own(unsigned region)
{
    int n = 0;
    for (; owner_of(&memory[region * REGION]) != bias_me->id; n++) {
        cr_assert_lt(n, 100000);
        hold_and_count(region, 0);
    }
    return n;
}

static void share(unsigned region);
static unsigned level_at(unsigned region)
{
    return (unsigned)(atomic_load(&bias_of[(uintptr_t)&memory[region * REGION] >> BIAS_BITS]) >> BIAS_LEVEL_SHIFT & BIAS_LEVEL);
}

static atomic_int turns, turns_done;
static void *disturb(void *p)
{
    for (int n = 1;; n++) {
        while (atomic_load(&turns) < n)
            __asm__ volatile("pause");
        if (atomic_load(&turns) >= 1 << 20)
            return p;
        hold_and_count(0, 0);
        atomic_store(&turns_done, n);
    }
}

/* Once it has been shared, a region takes twice as many samples each time that it was soon taken away, and half as many where that took a while. How long it
 * takes is the machine's matter: so until it has happened. */
Test(race_bias, the_sooner_it_is_taken_away_the_later_it_is_owned_again)
{
    enum { FIRST = 3, HIGH = 6, SAMPLE = 16 };
    pthread_t t;
    unsigned level = FIRST;
    int n = 0;
    shadow_start();
    share(0);
    cr_assert_eq(level_at(0), FIRST);
    pthread_create(&t, NULL, disturb, NULL);
    for (bool soon = true; soon || level > FIRST; soon = soon && level < HIGH) {
        int holds = holds_to_own(0);
        cr_assert_leq(holds, SAMPLE << level);
        cr_assert_gt(holds, (SAMPLE << level) - SAMPLE, "%d at level %u", holds, level);
        if (!soon)
            usleep(100);
        atomic_store(&turns, ++n);
        while (atomic_load(&turns_done) < n)
            sched_yield();
        cr_assert_eq(owner_of(memory), BIAS_SHARED);
        unsigned now = level_at(0);
        cr_assert(now == level + 1 || now == level - 1 || (now == FIRST && level == FIRST), "from level %u to %u", level, now);
        level = now;
        cr_assert_lt(n, 20000);
    }
    atomic_store(&turns, 1 << 20);
    pthread_join(t, NULL);
}

static void hold_elsewhere(unsigned region);

/* The count of moves must not begin anew: then it is shared for ever. */
Test(race_bias, after_its_last_move_a_region_is_shared)
{
    shadow_start();
    hold_and_count(1, 0);
    atomic_store(&bias_of[(uintptr_t)&memory[REGION] >> BIAS_BITS], (BIAS_MOVES - 1) << BIAS_MOVES_SHIFT | bias_me->id);
    hold_elsewhere(1);
    for (int i = 0; i < 100000; i++)
        hold_and_count(1, 0);
    bias_word word = atomic_load(&bias_of[(uintptr_t)&memory[REGION] >> BIAS_BITS]);
    cr_assert_eq(word >> BIAS_MOVES_SHIFT, BIAS_MOVES);
    cr_assert_eq(word & BIAS_OWNER, BIAS_SHARED);
}

/* *p: a region, then the thread's number. */
static void *id_of(void *p)
{
    unsigned region = *(uint32_t *)p;
    hold_and_count(region, 0);
    *(uint32_t *)p = bias_me->id;
    bias_thread_end();
    cr_assert_eq(bias_me->id, BIAS_NOBODY);
    hold_and_count(region, 0);   /* in a destructor: it owns nothing any more */
    cr_assert_eq(owner_of(&memory[region * REGION]), BIAS_SHARED);
    return NULL;
}

Test(race_bias, a_number_is_used_again)
{
    uint32_t a = 1, b = 2;
    pthread_t t;
    shadow_start();
    pthread_create(&t, NULL, id_of, &a);
    pthread_join(t, NULL);
    pthread_create(&t, NULL, id_of, &b);
    pthread_join(t, NULL);
    cr_assert_eq(a, b);
}

Test(race_bias, forgetting_leaves_the_owner)
{
    shadow_start();
    hold_and_count(2, 1);
    uintptr_t addr = (uintptr_t)&memory[2 * REGION];
    shadow_mark(addr + 8, 0);
    shadow_clear(addr, REGION);
    cr_assert_eq(atomic_load(&shadow_of(addr + 8)->epoch), 0);
    cr_assert_eq(owner_of(&memory[2 * REGION]), bias_me->id);
    cr_assert_eq(atomic_load(&bias_of[addr >> BIAS_BITS]) & (bias_word)BIAS_MARKS << BIAS_MARKS_SHIFT, 0);
}

static void share(unsigned region)
{
    uint32_t id;
    pthread_t t;
    for (int i = 0; owner_of(&memory[region * REGION]) != BIAS_SHARED; i++) {
        hold_and_count(region, 0);
        pthread_create(&t, NULL, hold_once, &(struct place){region, &id});
        pthread_join(t, NULL);
        cr_assert_lt(i, 4);
    }
}

static void hold_elsewhere(unsigned region)
{
    uint32_t id;
    pthread_t t;
    pthread_create(&t, NULL, hold_once, &(struct place){region, &id});
    pthread_join(t, NULL);
}

static unsigned shared_in_a_row(void)
{
    unsigned n = 0;
    while (n < REGIONS && owner_of(&memory[n * REGION]) == BIAS_SHARED)
        n++;
    return n;
}

/* Threads that work side by side on an array: the regions behind those that they share are shared when another comes there, more each time. One that is alone
 * there for a while has its own again. */
Test(race_bias, what_lies_behind_shared_regions_is_shared)
{
    shadow_start();
    for (unsigned r = 0; r < REGIONS - 1; r++)
        hold_and_count(r, 0);
    hold_elsewhere(REGIONS - 1);
    share(0);
    cr_assert_eq(shared_in_a_row(), 1);
    hold_elsewhere(1);
    cr_assert_eq(shared_in_a_row(), 2);
    hold_elsewhere(2);
    cr_assert_eq(shared_in_a_row(), 4);
    hold_elsewhere(4);
    cr_assert_eq(shared_in_a_row(), REGIONS);
    for (int i = 0; i < 2000; i++)
        hold_and_count(5, 0);
    cr_assert_eq(owner_of(&memory[5 * REGION]), bias_me->id);
    cr_assert_eq(owner_of(&memory[4 * REGION]), BIAS_SHARED);
}

/* Nobody's region behind a shared one begins shared. */
Test(race_bias, a_new_region_behind_a_shared_one_is_shared)
{
    shadow_start();
    share(0);
    hold_and_count(1, 0);
    hold_and_count(3, 0);
    cr_assert_eq(owner_of(&memory[REGION]), BIAS_SHARED);
    cr_assert_eq(owner_of(&memory[3 * REGION]), bias_me->id);
}

/* Who was slow in locking a word does not take a region that is shared again for one that was shared all the time: in between it had an owner, who may
 * have overwritten the lock. */
Test(race_bias, a_lock_is_none_if_the_region_moved)
{
    uintptr_t addr = (uintptr_t)&memory[3 * REGION];
    shadow_start();
    share(3);
    bias_word before = atomic_load(&bias_of[addr >> BIAS_BITS]);
    cr_assert(bias_allows(addr, before));
    for (int i = 0; i < 1000; i++)
        hold_and_count(3, 0);
    cr_assert_eq(owner_of(&memory[3 * REGION]), bias_me->id);
    cr_assert_not(bias_allows(addr, before));
    share(3);
    cr_assert_not(bias_allows(addr, before));
    cr_assert(bias_allows(addr, atomic_load(&bias_of[addr >> BIAS_BITS])));
}

static void *try_lock(void *p)
{
    uintptr_t addr = (uintptr_t)p;
    bool first;
    uint64_t e;
    bias_settle(addr, &first);
    cr_assert(shadow_try_lock(shadow_of(addr), addr, atomic_load(&bias_of[addr >> BIAS_BITS]), &e));
    return NULL;
}

/* The same epoch, locked by two threads one after the other: each takes off its own lock only. */
Test(race_bias, a_lock_is_taken_off_by_its_owner)
{
    uintptr_t addr = (uintptr_t)&memory[4 * REGION];
    struct shadow *s;
    pthread_t t;
    uint64_t e;
    shadow_start();
    share(4);
    s = shadow_of(addr);
    e = atomic_load(&s->epoch);
    pthread_create(&t, NULL, try_lock, (void *)addr);
    pthread_join(t, NULL);
    cr_assert(atomic_load(&s->epoch) & EPOCH_LOCK);
    shadow_lock_back(s, e);
    cr_assert(atomic_load(&s->epoch) & EPOCH_LOCK);
    atomic_store(&s->epoch, e);
    try_lock((void *)addr);
    shadow_lock_back(s, e);
    cr_assert_eq(atomic_load(&s->epoch), e);
}
