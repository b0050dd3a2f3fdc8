/* The detector's synchronization against the naive model: one thread plays many goroutines, in a random order, that release, acquire, pass, meet,
 * start and end others, and use atomics of every memory order. The model keeps for each goroutine an array of how many accesses of each other
 * goroutine happened before its present, and for each atomic the heads of its release sequences. After each step the detector must say of past accesses what the
 * model says: no edge missing (a false report), none too many (a missed race). The seed is printed when they disagree.
 *
 * The one thread plays two, as far as biased regions know (race_bias.h): so what they synchronize by is one's own, taken by the other, shared. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <race_pass.h>
#include <race_shadow.h>
#include <race_sync_table.h>
#include <stdlib.h>
#include <string.h>

enum { LIVE = 9, ALL = 300, PLACES = 5, CROWDED = 2, ATOMICS = 4, HEADS = 64, STEPS = 1500, PAST = STEPS * 2 };
enum { RELAXED, CONSUME, ACQUIRE, RELEASE, ACQ_REL, SEQ_CST };

typedef uint16_t vector[ALL];

struct goroutine {
    struct race_g *g;     /* NULL: ended */
    vector knows;         /* of its own: all it did so far */
    vector fence_acquire, fence_release;
    bool has_fence;
};

struct head {
    int who;
    vector knows;
};

static struct goroutine all[ALL];
static int live[LIVE], nlive, nall;
static struct { int who, index; uint64_t epoch; } past[PAST];
static int npast;
static vector left[PLACES + CROWDED];     /* by address: the last ones are where many release side by side */
static vector passes[PLACES];
static struct race_pass race_passes[PLACES];
static char place[(PLACES + CROWDED) * 8] __attribute__((aligned(8)));
static struct { struct head head[HEADS]; int n, whole_by; } sequence[ATOMICS];   /* whole_by: who released last, knowing the rest; -1: nobody */
static uint64_t atomic[ATOMICS];
static unsigned seed, first_seed;
static int step;

bool race_signals_come(struct race_g *g) { return g->disabled != 0; }
void race_thread_attached(struct race_g *g) { (void)g; }

/* Atomics don't race with each other. */
void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)g, (void)addr, (void)old, (void)now;
    cr_assert_fail("an atomic was reported");
}

uint64_t __tsan_atomic64_load(const volatile uint64_t *a, int mo);
void __tsan_atomic64_store(volatile uint64_t *a, uint64_t x, int mo);
uint64_t __tsan_atomic64_fetch_add(volatile uint64_t *a, uint64_t x, int mo);
int __tsan_atomic64_compare_exchange_strong(volatile uint64_t *a, uint64_t *c, uint64_t x, int mo, int fmo);
void __tsan_atomic_thread_fence(int mo);

static unsigned rnd(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static void max(vector to, const vector from)
{
    for (int i = 0; i < nall; i++)
        if (to[i] < from[i])
            to[i] = from[i];
}

static void copy(vector to, const vector from)
{
    memcpy(to, from, sizeof(vector));
}

/* w accesses something, in the epoch given. */
static void access(int w, uint64_t epoch)
{
    if (npast == PAST)
        return;
    past[npast].who = w;
    past[npast].index = all[w].knows[w]++;
    past[npast++].epoch = epoch;
}

static int start(struct race_g *parent_g, int parent)
{
    int w = nall++;
    struct goroutine *c = &all[w];
    memset(c, 0, sizeof *c);
    if (parent >= 0)
        copy(c->knows, all[parent].knows);
    c->g = race_g_new(parent_g);
    live[nlive++] = w;
    return w;
}

static void check(int i, int w)
{
    bool model = all[w].knows[past[i].who] > past[i].index, said = race_before(all[w].g, past[i].epoch);
    cr_assert(said == model, "seed %u step %d: goroutine %d, access %d of goroutine %d: the detector says %s", first_seed, step, w, past[i].index, past[i].who,
              said ? "before" : "not before");
}

static bool acquires(int mo)
{
    return mo == CONSUME || mo == ACQUIRE || mo == ACQ_REL || mo == SEQ_CST;
}
static bool releases(int mo)
{
    return mo == RELEASE || mo == ACQ_REL || mo == SEQ_CST;
}

static void saw(int w, int k, int mo)
{
    for (int i = 0; i < sequence[k].n; i++)
        max(acquires(mo) ? all[w].knows : all[w].fence_acquire, sequence[k].head[i].knows);
}

static void add_head(int w, int k, const vector knows)
{
    for (int i = 0; i < sequence[k].n; i++) {
        if (sequence[k].head[i].who == w) {   /* what it released before is part of that */
            max(sequence[k].head[i].knows, knows);
            return;
        }
    }
    cr_assert(sequence[k].n < HEADS);
    sequence[k].head[sequence[k].n].who = w;
    copy(sequence[k].head[sequence[k].n++].knows, knows);
}

/* Of the sequences at k those that w heads go on. */
static void only_own(int w, int k)
{
    int n = 0;
    for (int i = 0; i < sequence[k].n; i++)
        if (sequence[k].head[i].who == w)
            sequence[k].head[n++] = sequence[k].head[i];
    sequence[k].n = n;
}

static void leaves(int w, int k, int mo)
{
    if (releases(mo) || all[w].has_fence)
        sequence[k].whole_by = releases(mo) && (acquires(mo) || sequence[k].n == 0) ? w : -1;
    if (releases(mo))
        add_head(w, k, all[w].knows);
    else if (all[w].has_fence)
        add_head(w, k, all[w].fence_release);
}

static bool is_mixed(int w, int k)
{
    bool own = false;
    for (int i = 0; i < sequence[k].n; i++)
        own = own || sequence[k].head[i].who == w;
    return own && sequence[k].n > 1 && sequence[k].whole_by != w;
}

static uint64_t epoch_before(const struct race_g *g, bool released)
{
    return released ? epoch_make(g->slot, g->clock - 1) : g->epoch;
}

static void use_atomic(int w, int k)
{
    struct race_g *g = all[w].g;
    race_cur_tls = g;
    switch (rnd(4)) {
    case 0: {
        int mo = (int[]){RELAXED, CONSUME, ACQUIRE, SEQ_CST}[rnd(4)];
        __tsan_atomic64_load(&atomic[k], mo);
        saw(w, k, mo);
        access(w, g->epoch);
        break;
    }
    case 1: {
        int mo = (int[]){RELAXED, RELEASE, SEQ_CST}[rnd(3)];
        if (!releases(mo) && is_mixed(w, k))   /* the one place where the detector keeps more than C does (race_atomic.c) */
            break;
        __tsan_atomic64_store(&atomic[k], 1, mo);
        access(w, epoch_before(g, releases(mo)));
        if (releases(mo))
            sequence[k].n = 0;
        else
            only_own(w, k);
        leaves(w, k, mo);
        break;
    }
    case 2: {
        int mo = (int)rnd(6);
        int times = 1 + (int)rnd(3);
        for (int i = 0; i < times; i++) {   /* again: in the same epoch, if nobody can tell */
            __tsan_atomic64_fetch_add(&atomic[k], 1, mo);
            saw(w, k, mo);
            access(w, epoch_before(g, releases(mo)));
            leaves(w, k, mo);
        }
        break;
    }
    case 3: {
        int mo = (int)rnd(6), fmo = rnd(2) ? RELAXED : ACQUIRE;
        uint64_t expected = rnd(2) ? atomic[k] : 1ull << 40;
        bool done = __tsan_atomic64_compare_exchange_strong(&atomic[k], &expected, 7, mo, fmo);
        saw(w, k, done ? mo : fmo);
        access(w, epoch_before(g, done && releases(mo)));
        if (done)
            leaves(w, k, mo);
        break;
    }
    }
    race_cur_tls = &race_ignored;
}

/* Some in a row, as who is alone with it. */
static void use_one_atomic(int w)
{
    int k = (int)rnd(ATOMICS), times = 1 + (int)rnd(3);
    for (int i = 0; i < times; i++)
        use_atomic(w, k);
}

static void fence(int w)
{
    int mo = (int)rnd(6);
    race_cur_tls = all[w].g;
    __tsan_atomic_thread_fence(mo);
    race_cur_tls = &race_ignored;
    if (acquires(mo))
        max(all[w].knows, all[w].fence_acquire);
    if (releases(mo)) {
        copy(all[w].fence_release, all[w].knows);
        all[w].has_fence = true;
    }
}

static struct bias_thread *another = &bias_nobody;

/* The regions forget how often they have moved, so that they are somebody's again and again. */
static void change_thread(void)
{
    struct bias_thread *t = bias_me;
    bias_me = another;
    another = t;
    atomic_fetch_and(&bias_of[(uintptr_t)atomic >> BIAS_BITS], ~(BIAS_MOVES << BIAS_MOVES_SHIFT));
    atomic_fetch_and(&bias_of[(uintptr_t)place >> BIAS_BITS], ~(BIAS_MOVES << BIAS_MOVES_SHIFT));
}

static void begin_regions(void)
{
    shadow_start();
    shadow_clear((uintptr_t)atomic, sizeof atomic);
    atomic_store(&bias_of[(uintptr_t)atomic >> BIAS_BITS], BIAS_NONE);
    atomic_store(&bias_of[(uintptr_t)place >> BIAS_BITS], BIAS_NONE);
    shadow_settle((uintptr_t)place);
}

/* Now and then the thread gets a part of what is left at a crowded place, as if it had met another there. */
static void release_side_by_side(int w, int k)
{
    bool met;
    if (rnd(2)) {
        race_sync_part(race_sync_lock_part((uintptr_t)&place[k * 8], &met));
        race_sync_unlock((uintptr_t)&place[k * 8]);
    }
    race_release_part(all[w].g, &place[k * 8]);
    max(left[k], all[w].knows);
}

static void visit_a_crowded_place(int w)
{
    int k = PLACES + (int)rnd(CROWDED);
    void *at = &place[k * 8];
    switch (rnd(8)) {
    case 0:
        race_acquire(all[w].g, at);
        max(all[w].knows, left[k]);
        break;
    case 1:
        race_release(all[w].g, at);
        copy(left[k], all[w].knows);
        break;
    case 2:
        race_release_merge(all[w].g, at);
        max(left[k], all[w].knows);
        break;
    case 3:
        race_sync_forget((uintptr_t)at, 8);
        memset(left[k], 0, sizeof left[k]);
        break;
    default:
        release_side_by_side(w, k);
    }
}

/* Each comes in turn, to what mostly has not changed meanwhile. */
static void all_acquire(int k)
{
    for (int i = 0; i < nlive; i++) {
        race_acquire(all[live[i]].g, &place[k * 8]);
        max(all[live[i]].knows, left[k]);
        if (rnd(16) == 0) {
            race_release(all[live[i]].g, &place[k * 8]);
            copy(left[k], all[live[i]].knows);
        }
    }
}

static void one_step(bool with_fences)
{
    if (rnd(64) == 0)
        change_thread();
    int i = (int)rnd((unsigned)nlive), w = live[i];
    struct race_g *g = all[w].g;
    int k = (int)rnd(PLACES);
    const void *at = &place[k * 8];
    vector before;
    switch (rnd(16)) {
    case 0:
    case 1:
        g->recorded = true;
        access(w, g->epoch);
        break;
    case 2:
        race_acquire(g, at);
        max(all[w].knows, left[k]);
        break;
    case 3:
        race_release(g, at);
        copy(left[k], all[w].knows);
        break;
    case 4:
        race_release_merge(g, at);
        max(left[k], all[w].knows);
        break;
    case 5:   /* a critical section */
        race_acquire_held(g, at);
        max(all[w].knows, left[k]);
        if (rnd(2)) {
            g->recorded = true;
            access(w, g->epoch);
        }
        race_release_held(g, at);
        copy(left[k], all[w].knows);
        break;
    case 6:
        if (rnd(4) == 0) {
            race_pass_see(g, &race_passes[k]);
            max(all[w].knows, passes[k]);
            break;
        }
        race_pass(g, &race_passes[k]);
        copy(before, all[w].knows);
        max(all[w].knows, passes[k]);
        copy(passes[k], before);
        break;
    case 7:
        race_pass_leave(g, &race_passes[k]);
        max(passes[k], all[w].knows);
        break;
    case 8: {
        int other = live[rnd((unsigned)nlive)];
        if (other != w) {
            race_meet(g, all[other].g);
            max(all[w].knows, all[other].knows);
            copy(all[other].knows, all[w].knows);
        }
        break;
    }
    case 9:
        if (nlive < LIVE && nall < ALL)
            start(g, w);
        break;
    case 10:
        if (nlive > 2) {
            if (rnd(3)) {   /* waited for */
                race_release_merge(g, at);
                max(left[k], all[w].knows);
            }
            race_g_end(g);
            all[w].g = NULL;
            live[i] = live[--nlive];
        }
        break;
    case 11:
        use_one_atomic(w);
        break;
    case 12:
        if (with_fences)
            fence(w);
        else
            use_one_atomic(w);
        break;
    case 13:
    case 14:
        visit_a_crowded_place(w);
        break;
    case 15:
        if (rnd(8) == 0)
            all_acquire(k);
        break;
    }
}

static void run(unsigned s, bool with_fences)
{
    seed = first_seed = s;
    nlive = nall = npast = 0;
    memset(left, 0, sizeof left);
    memset(passes, 0, sizeof passes);
    memset(sequence, 0, sizeof sequence);
    begin_regions();
    race_cur_tls = &race_ignored;
    start(NULL, -1);
    start(all[0].g, 0);
    for (step = 0; step < STEPS; step++) {
        one_step(with_fences);
        for (int c = 0; c < 12 && npast; c++)
            check(c < 6 ? npast - 1 - (int)rnd(npast < 20 ? (unsigned)npast : 20) : (int)rnd((unsigned)npast), live[rnd((unsigned)nlive)]);
    }
    for (int i = 0; i < npast; i++)
        for (int l = 0; l < nlive; l++)
            check(i, live[l]);
    for (int l = 0; l < nlive; l++)
        race_g_end(all[live[l]].g);
    race_sync_forget((uintptr_t)place, sizeof place);
    race_sync_forget((uintptr_t)atomic, sizeof atomic);
    race_passes_forget(race_passes, PLACES);
}

Test(race_sync, agrees_with_the_model)
{
    for (unsigned s = 1; s <= 1000; s++)
        run(s, false);
}

Test(race_sync, agrees_with_the_model_fences_too)
{
    for (unsigned s = 1; s <= 1000; s++)
        run(s, true);
}

/* A goroutine that nobody waits for, whose last act is an access, keeps its slot for itself; one that was waited for gives it to the next. */
Test(race_sync, a_slot_is_used_again_when_all_of_its_user_is_known)
{
    begin_regions();
    struct race_g *parent = race_g_new(NULL), *a = race_g_new(parent);
    uint32_t slot = a->slot;
    a->recorded = true;
    race_release_merge(a, place);
    race_g_end(a);
    race_acquire(parent, place);
    struct race_g *b = race_g_new(parent);
    cr_assert_eq(b->slot, slot);
    race_release_merge(b, place);
    b->recorded = true;
    race_g_end(b);
    race_acquire(parent, place);
    for (int i = 0; i < 200; i++) {
        struct race_g *c = race_g_new(parent);
        cr_assert_neq(c->slot, slot, "its last access is not known to anybody");
        race_release_merge(c, place);
        race_g_end(c);
        race_acquire(parent, place);
    }
}

/* Releases between which nothing happened do not end the epoch. */
Test(race_sync, an_epoch_ends_only_when_there_is_something_in_it)
{
    begin_regions();
    struct race_g *g = race_g_new(NULL);
    race_release_merge(g, place);
    uint64_t epoch = g->epoch;
    race_release_merge(g, place + 8);
    race_release(g, place);
    cr_assert_eq(g->epoch, epoch);
    g->recorded = true;
    race_release(g, place);
    cr_assert_neq(g->epoch, epoch);
}

/* What is synchronized by may be any number, not only an address. */
Test(race_sync, by_any_number)
{
    begin_regions();
    struct race_g *a = race_g_new(NULL), *b = race_g_new(NULL);
    for (int bit = 1; bit < 64; bit++) {
        const void *at = (const void *)((uintptr_t)-1 << bit);
        for (int again = 0; again < 3; again++) {
            a->recorded = true;
            uint64_t e = a->epoch;
            cr_assert_not(race_before(b, e));
            race_release_merge(a, at);
            race_acquire(b, at);
            cr_assert(race_before(b, e), "bit %d", bit);
        }
    }
}

/* ---- threads that take syncs from each other ----
 *
 * Each operation is ordered after all earlier ones at its place: so whoever did the n-th must know the epoch in which the one before it was left.
 * Mostly a thread stays at a place of its own, where it does without locks (race_sync.h: owner); now and then another comes, and in the end it is shared:
 * then the thread goes on to a place where nobody has been. */

enum { THREADS = 4, HOMES = 4096, STAY = 300, HOME = 1 << BIAS_BITS, NOTED = 4096 };

static _Alignas(HOME) char homes[HOMES * HOME];
static _Atomic(uint64_t) left_in[HOMES][2][NOTED];   /* the epoch of the n-th: of an atomic; under a lock */
static pthread_mutex_t locks[HOMES];
static uint32_t nlocked[HOMES];
static atomic_uint missing, next_home;
static atomic_uint home_of[THREADS];

static void compare(const struct race_g *g, const _Atomic(uint64_t) *left_by, uint64_t n)
{
    uint64_t e = n && n < NOTED ? atomic_load(&left_by[n - 1]) : 0;   /* 0: its thread has not written it down yet */
    if (e && !race_before(g, e))
        atomic_fetch_add(&missing, 1);
}

static void add_at(int home)
{
    struct race_g *g = race_cur();
    uint64_t n = __tsan_atomic64_fetch_add((uint64_t *)(void *)&homes[home * HOME], 1, SEQ_CST);
    compare(g, left_in[home][0], n);
    if (n < NOTED)
        atomic_store(&left_in[home][0][n], epoch_make(g->slot, g->clock - 1));
}

static void lock_at(int home)
{
    struct race_g *g = race_cur();
    void *at = &homes[home * HOME + 64];
    pthread_mutex_lock(&locks[home]);
    race_acquire(g, at);
    uint32_t n = nlocked[home]++;
    compare(g, left_in[home][1], n);
    race_access_range(g, (uintptr_t)at + 8, 8, EPOCH_WRITE, 0);
    uint64_t now = g->epoch;
    race_release_merge(g, at);
    pthread_mutex_unlock(&locks[home]);
    if (n < NOTED)
        atomic_store(&left_in[home][1][n], now);
}

static void *visit(void *p)
{
    unsigned me = (unsigned)(uintptr_t)p;
    uint64_t s = (me + 1) * 0x9e3779b97f4a7c15u;
    unsigned home;
    while ((home = atomic_fetch_add(&next_home, 1)) < HOMES) {
        atomic_store(&home_of[me], home);
        for (int i = 0; i < STAY; i++) {
            s ^= s << 13;
            s ^= s >> 7;
            s ^= s << 17;
            int at = (int)(s >> 20) % 100 == 0 ? (int)atomic_load(&home_of[(s >> 32) % THREADS]) : (int)home;
            if (s >> 50 & 1)
                add_at(at);
            else
                lock_at(at);
            if ((s >> 52) % 8 == 0)
                race_access_range(race_cur(), (uintptr_t)&homes[at * HOME + 128 + me * 8], 8, EPOCH_WRITE, 0);
        }
    }
    bias_thread_end();
    return NULL;
}

Test(race_sync, what_is_taken_from_its_owner_is_complete)
{
    shadow_start();
    pthread_t t[THREADS];
    for (int i = 0; i < HOMES; i++)
        pthread_mutex_init(&locks[i], NULL);
    for (uintptr_t i = 0; i < THREADS; i++)
        cr_assert_eq(pthread_create(&t[i], NULL, visit, (void *)i), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    cr_assert_eq(atomic_load(&missing), 0, "%u edges are missing", atomic_load(&missing));
}

/* ---- threads that release side by side ----
 *
 * In each round they all release at one address, each several times, some in parts of their own, and count themselves; two wait for the count, and must know of
 * all that was done: who comes second may find that the first has gathered it. */

enum { RELEASERS = 3, GATHERERS = 2, ROUNDS = 4000, RELEASES = 8, OTHERS = 40 };

static char crowded[64] __attribute__((aligned(64)));
static atomic_uint done, gone, unknown;
static uint64_t released[RELEASERS][RELEASES];
static pthread_barrier_t round_begins;

static void *release_with_others(void *p)
{
    unsigned me = (unsigned)(uintptr_t)p;
    struct race_g *g = race_cur();
    for (unsigned r = 0; r < ROUNDS; r++) {
        pthread_barrier_wait(&round_begins);
        char *at = &crowded[r % 4 * 8];
        for (unsigned i = 0; i < RELEASES; i++) {
            bool met;
            if ((r + me) % 3 == 0 && i == me) {
                race_sync_part(race_sync_lock_part((uintptr_t)at, &met));
                race_sync_unlock((uintptr_t)at);
            }
            g->recorded = true;
            released[me][i] = g->epoch;
            race_release_part(g, at);
        }
        atomic_fetch_add_explicit(&done, 1, memory_order_release);
        while (atomic_load_explicit(&gone, memory_order_acquire) != (r + 1) * GATHERERS)
            sched_yield();
    }
    bias_thread_end();
    return NULL;
}

static void *gather(void *p)
{
    (void)p;
    for (unsigned r = 0; r < ROUNDS; r++) {
        pthread_barrier_wait(&round_begins);
        struct race_g *g = race_g_new(NULL);
        while (atomic_load_explicit(&done, memory_order_acquire) < (r + 1) * RELEASERS)
            sched_yield();
        race_acquire(g, &crowded[r % 4 * 8]);
        for (int i = 0; i < RELEASERS * RELEASES; i++)
            if (!race_before(g, released[i / RELEASES][i % RELEASES]))
                atomic_fetch_add(&unknown, 1);
        race_g_end(g);
        atomic_fetch_add_explicit(&gone, 1, memory_order_release);
    }
    race_sync_thread_end();
    bias_thread_end();
    return NULL;
}

Test(race_sync, what_is_released_side_by_side_is_complete)
{
    shadow_start();
    for (int i = 0; i < OTHERS; i++)
        race_g_new(NULL);   /* clocks of more than a leaf */
    pthread_t t[RELEASERS + GATHERERS];
    pthread_barrier_init(&round_begins, NULL, RELEASERS + GATHERERS);
    for (uintptr_t i = 0; i < RELEASERS + GATHERERS; i++)
        cr_assert_eq(pthread_create(&t[i], NULL, i < RELEASERS ? release_with_others : gather, (void *)i), 0);
    for (int i = 0; i < RELEASERS + GATHERERS; i++)
        pthread_join(t[i], NULL);
    cr_assert_eq(atomic_load(&unknown), 0, "%u edges are missing", atomic_load(&unknown));
}

static bool gets_a_part(void *at)
{
    bool met;
    struct race_sync *sync = race_sync_lock_part((uintptr_t)at, &met);
    race_sync_part(sync);
    bool got = sync->parts != 0;
    race_sync_unlock((uintptr_t)at);
    return got;
}

/* A part is to be had again when its memory's life, or what was left there, is over. */
Test(race_sync, parts_are_given_back)
{
    begin_regions();
    struct race_g *g = race_g_new(NULL), *other = race_g_new(NULL);
    cr_assert(gets_a_part(crowded));
    race_release_part(g, crowded);
    race_sync_forget((uintptr_t)crowded, 8);
    cr_assert(gets_a_part(crowded), "forgotten");
    uint64_t e = other->epoch;
    other->recorded = true;
    race_release_part(other, crowded);
    race_acquire(g, crowded);
    cr_assert(race_before(g, e));
    cr_assert(gets_a_part(crowded), "gathered");
    race_release(g, crowded);
    struct race_g *third = race_g_new(NULL);
    race_acquire(third, crowded);
    cr_assert(race_before(third, e), "g knew of it");
}
