/* The lock order against a naive model, and what it costs.
 *
 * One thread plays a few goroutines, which lock, try, give back, in any order, for reading and writing, and end locks. The model keeps each place where
 * a goroutine waited for a lock while it held others, and searches all of them. What the detector reports must be a cycle of such places, with the conditions of
 * race_order.h; and where a new place closes one, it must report one. The seed is printed when they disagree.
 *
 * The costs are counts: what searches looked at, and edges. */
#include <criterion/criterion.h>
#include <race.h>
#include <race_held.h>
#include <race_locks.h>
#include <race_order.h>
#include <race_order_graph.h>
#include <race_report.h>
#include <race_shadow.h>
#include <race_waits.h>
#include <stdlib.h>
#include <string.h>

enum { LOCKS = 200000, GOROUTINES = 4, HELD_MAX = 64, PLACES = 6000, STEPS = 3000 };

static char memory[LOCKS][LOCK_BYTES] __attribute__((aligned(16)));
static struct race_g *goroutine[GOROUTINES];

/* ---- what the detector tells ---- */

static struct order_step told[64];
static int ntold, reports;

void race_report_cycle(struct race_g *g, const struct order_step *steps, int n)
{
    (void)g;
    memcpy(told, steps, (size_t)n * sizeof steps[0]);
    ntold = n;
    reports++;
}

bool race_signals_come(struct race_g *g) { return g->disabled != 0; }
void race_thread_attached(struct race_g *g) { (void)g; }

void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)g, (void)addr, (void)old, (void)now;
    cr_assert_fail("a race was reported");
}

void race_report_misuse(struct race_g *g, enum lock_misuse what, uintptr_t addr, unsigned kind, struct race_side before, struct race_side now)
{
    (void)g, (void)what, (void)addr, (void)kind, (void)before, (void)now;
    cr_assert_fail("a misuse was reported");
}

void race_waits_gone(struct race_g *g, uintptr_t addr, size_t n, enum lock_end how, uintptr_t pc)
{
    (void)g, (void)addr, (void)n, (void)how, (void)pc;
}

void race_sync_forget(uintptr_t addr, size_t n)
{
    (void)addr, (void)n;
}

void race_acquire(struct race_g *g, const void *addr)
{
    (void)g, (void)addr;
}

void lock_use_begins(struct race_g *g, uintptr_t addr, uintptr_t pc)
{
    (void)g, (void)addr, (void)pc;
}

void lock_use(struct race_g *g, uintptr_t addr, uintptr_t pc)
{
    (void)g, (void)addr, (void)pc;
}

void lock_use_ends(struct race_g *g, struct race_lock *l, enum lock_end how, uintptr_t pc)
{
    (void)g, (void)l, (void)how, (void)pc;
}

/* ---- what the goroutines do ---- */

static void lock_at(int who, int lock, unsigned kind, uintptr_t pc)
{
    struct race_g *g = goroutine[who];
    if (!(kind & LOCK_TRIED))
        race_lock_wanted(g, memory[lock], kind, pc);
    race_lock_taken(g, memory[lock], kind, pc, race_lock_begins(g, memory[lock], kind, pc));
}

static void lock(int who, int n)
{
    lock_at(who, n, LOCK_MUTEX, 16);
}

static void unlock(int who, int n)
{
    race_lock_leaves(goroutine[who]);
    race_g_publish(goroutine[who]);
    cr_assert(race_lock_released(goroutine[who], memory[n], LOCK_MUTEX), "it was not held");
}

static void end(int n)
{
    race_lock_gone(NULL, (uintptr_t)memory[n], LOCK_BYTES, LOCK_DESTROYED, 0);
}

static void start(void)
{
    shadow_start();
    for (int i = 0; i < GOROUTINES; i++)
        goroutine[i] = race_g_new(NULL);
    reports = 0;
}

/* ---- the model ---- */

struct held {
    int lock;
    unsigned kind;
    uint32_t life;
};

struct place {
    int who, n;
    struct held held[HELD_MAX], wanted;
};

static struct place places[PLACES], now[GOROUTINES];   /* now: what is held */
static uint32_t life[HELD_MAX];
static int nplaces;
static unsigned seed;

static unsigned rnd(unsigned n)
{
    return (unsigned)rand_r(&seed) % n;
}

static bool same(const struct held *a, const struct held *b)
{
    return a->lock == b->lock && a->kind == b->kind && a->life == b->life;
}

static bool lives(const struct place *p)
{
    bool all = p->wanted.life == life[p->wanted.lock];
    for (int i = 0; i < p->n; i++)
        all = all && p->held[i].life == life[p->held[i].lock];
    return all;
}

static bool is_known(const struct place *p)
{
    for (int i = 0; i < nplaces; i++) {
        bool equal = places[i].who == p->who && places[i].n == p->n && same(&places[i].wanted, &p->wanted) && lives(&places[i]);
        for (int k = 0; k < p->n && equal; k++)
            equal = same(&places[i].held[k], &p->held[k]);
        if (equal)
            return true;
    }
    return false;
}

static bool excludes(const struct held *a, const struct held *b)
{
    return a->lock == b->lock && !(a->kind & b->kind & LOCK_READ);
}

/* Whether both could be there at the same time. */
static bool meet(const struct place *a, const struct place *b)
{
    for (int i = 0; i < a->n; i++)
        for (int k = 0; k < b->n; k++)
            if (excludes(&a->held[i], &b->held[k]))
                return false;
    return a->who != b->who;
}

static bool waits_for(const struct place *a, const struct place *b)
{
    for (int i = 0; i < b->n; i++)
        if (excludes(&a->wanted, &b->held[i]))
            return true;
    return false;
}

static bool closes(const struct place **path, int n)
{
    if (n > 1 && waits_for(path[n - 1], path[0]))
        return true;
    for (int i = 0; i < nplaces && n < GOROUTINES; i++) {
        bool fits = lives(&places[i]) && waits_for(path[n - 1], &places[i]);
        for (int k = 0; k < n && fits; k++)
            fits = meet(path[k], &places[i]);
        path[n] = &places[i];
        if (fits && closes(path, n + 1))
            return true;
    }
    return false;
}

/* What the detector told was seen, by that goroutine, in this life of the locks. */
static struct place *place_of(const struct order_step *s)
{
    for (int i = 0; i < nplaces; i++) {
        struct place *p = &places[i];
        if (epoch_slot(s->by) != goroutine[p->who]->slot || (uintptr_t)memory[p->wanted.lock] != s->wanted->lock->addr || !lives(p) ||
            p->wanted.kind != s->wanted->kind || (uint32_t)p->n != s->wanted->parent->live)
            continue;
        struct lockset **held = lockset_held(s->wanted->parent);
        bool equal = true;
        for (int k = 0; k < p->n; k++)
            equal = equal && held[p->n - 1 - k]->lock->addr == (uintptr_t)memory[p->held[k].lock] && held[p->n - 1 - k]->kind == p->held[k].kind;
        if (equal)
            return p;
    }
    return NULL;
}

static void check_told(const struct place *p)
{
    const struct place *at[64];
    cr_assert(ntold >= 2 && ntold <= GOROUTINES, "%d steps", ntold);
    for (int i = 0; i < ntold; i++) {
        at[i] = place_of(&told[i]);
        cr_assert(at[i], "step %d was never seen", i);
        cr_assert(lockset_has(told[i].wanted->parent, told[i].held), "step %d did not hold that", i);
        cr_assert_eq(told[i].wanted->lock, told[(i + 1) % ntold].held->lock, "step %d leads elsewhere", i);
        cr_assert(!(told[i].wanted->kind & told[(i + 1) % ntold].held->kind & LOCK_READ), "step %d does not wait", i);
        for (int k = 0; k < i; k++)
            cr_assert(meet(at[i], at[k]), "steps %d and %d never meet", k, i);
    }
    cr_assert(at[0]->who == p->who && same(&at[0]->wanted, &p->wanted), "the first step is not the new one");
}

static bool is_free(int lock, unsigned kind, int who)
{
    for (int g = 0; g < GOROUTINES; g++)
        for (int i = 0; i < now[g].n; i++)
            if (now[g].held[i].lock == lock && (g == who || !(kind & now[g].held[i].kind & LOCK_READ)))
                return false;
    return true;
}

/* Of many locks, given back in any order, the detector may take one set for another: it may report a cycle again; and where locks end, one may be void. */
enum judge { EXACTLY, AT_LEAST, AT_MOST };

static void play_lock(int who, int lock, unsigned kind, enum judge judge)
{
    struct place *p = &now[who];
    int before = reports;
    bool is_new = false, closes_one = false;
    p->who = who;
    p->wanted = (struct held){lock, kind, life[lock]};
    if (!(kind & LOCK_TRIED) && p->n > 0) {
        const struct place *path[GOROUTINES] = {p};
        is_new = !is_known(p);
        closes_one = is_new && closes(path, 1);
        if (is_new)
            places[nplaces++] = *p;
    }
    lock_at(who, lock, kind, 16);
    if (reports > before)
        check_told(p);
    cr_assert(reports > before || !closes_one || judge == AT_MOST, "a cycle was not reported");
    cr_assert(reports == before || closes_one || judge != EXACTLY, "a cycle was reported that is none, or again");
    p->held[p->n++] = p->wanted;
}

static void play_unlock(int who, int i)
{
    struct place *p = &now[who];
    race_lock_leaves(goroutine[who]);
    race_g_publish(goroutine[who]);
    cr_assert(race_lock_released(goroutine[who], memory[p->held[i].lock], p->held[i].kind), "it was not held");
    memmove(&p->held[i], &p->held[i + 1], (size_t)(p->n - i - 1) * sizeof p->held[0]);
    p->n--;
}

static int play(unsigned first_seed, int nlocks, int most, int ends, enum judge judge)
{
    seed = first_seed;
    for (int step = 0; step < STEPS && nplaces < PLACES; step++) {
        int who = (int)rnd(GOROUTINES), lock = (int)rnd((unsigned)nlocks);
        static const unsigned kinds[] = {LOCK_MUTEX, LOCK_MUTEX, LOCK_RWLOCK, LOCK_RWLOCK | LOCK_READ, LOCK_MUTEX | LOCK_TRIED, LOCK_MUTEX};
        unsigned kind = lock % 3 ? LOCK_MUTEX : kinds[rnd(6)];
        if ((int)rnd(1000) < ends && is_free(lock, LOCK_MUTEX, -1)) {
            end(lock);
            life[lock]++;
        } else if ((int)rnd((unsigned)most) >= now[who].n && is_free(lock, kind, who)) {
            play_lock(who, lock, kind, judge);
        } else if (now[who].n > 0) {
            play_unlock(who, rnd(2) ? now[who].n - 1 : (int)rnd((unsigned)now[who].n));
        }
        for (int i = 0; i < nlocks && step % 64 == 0; i++) {
            bool holds = false;
            for (int k = 0; k < now[who].n; k++)
                holds = holds || now[who].held[k].lock == i;
            cr_assert_eq(race_holds(goroutine[who], (uintptr_t)memory[i]), holds);
        }
    }
    for (int who = 0; who < GOROUTINES; who++)
        while (now[who].n > 0)
            play_unlock(who, 0);
    for (int i = 0; i < nlocks; i++) {
        end(i);
        life[i]++;
    }
    nplaces = 0;
    cr_assert_eq(order_edges(), 0);
    return reports;
}

static void play_all(int nlocks, int most, int ends, enum judge judge)
{
    start();
    for (unsigned s = 1; s <= 30; s++) {
        cr_log_info("seed %u", s);
        play(s, nlocks, most, ends, judge);
    }
    cr_assert(reports > 0);
}

Test(race_order, few_locks_as_the_model) { play_all(6, 4, 20, EXACTLY); }
Test(race_order, more_locks_as_the_model) { play_all(14, 4, 60, EXACTLY); }
Test(race_order, locks_that_do_not_end_as_the_model) { play_all(30, 3, 0, EXACTLY); }
Test(race_order, many_held_as_the_model) { play_all(60, 40, 0, AT_LEAST); }
Test(race_order, many_held_that_end_are_never_told_falsely) { play_all(60, 56, 20, AT_MOST); }

/* ---- what it costs ---- */

enum { MANY = 16000 };

static void hold_all(int who, int n, bool in_reverse)
{
    for (int i = 0; i < n; i++)
        lock(who, i);
    for (int i = 0; i < n; i++)
        unlock(who, in_reverse ? n - 1 - i : i);
}

Test(race_order, many_held_at_once)
{
    start();
    for (int round = 0; round < 3; round++) {
        hold_all(0, MANY, true);
        hold_all(1, MANY, false);
    }
    cr_assert_eq(reports, 0);
    cr_assert_eq(order_edges(), MANY - 1);
    cr_assert_eq(order_visits(), 0);
    lock_at(2, MANY - 1, LOCK_MUTEX, 32);
    lock_at(2, 7, LOCK_MUTEX, 48);
    cr_assert(reports == 1 && ntold == 2, "%d reports", reports);
    cr_assert_eq(race_pc_unpack(told[0].held->pc), 32);
    cr_assert_eq(race_pc_unpack(told[0].wanted->pc), 48);
    cr_assert_eq(told[1].held->lock->addr, (uintptr_t)memory[7]);
    cr_assert_eq(told[1].wanted->lock->addr, (uintptr_t)memory[MANY - 1]);
    cr_assert_leq(order_visits(), 4 * MANY);
}

/* Each new one is taken, then the oldest is given back. */
Test(race_order, many_held_in_turn)
{
    enum { AT_ONCE = 1000 };
    start();
    for (int i = 0; i < MANY; i++) {
        lock(0, i);
        if (i >= AT_ONCE)
            unlock(0, i - AT_ONCE);
        cr_assert_eq((int)goroutine[0]->locks->live, i < AT_ONCE ? i + 1 : AT_ONCE);
        cr_assert_leq(goroutine[0]->locks->gone, 2 * AT_ONCE);
    }
    cr_assert_leq(order_edges(), 4 * MANY);
    cr_assert_eq(order_visits(), 0);
}

Test(race_order, a_chain_from_its_end)
{
    start();
    for (int i = MANY - 1; i-- > 0; ) {
        lock(0, i);
        lock(0, i + 1);
        unlock(0, i + 1);
        unlock(0, i);
    }
    cr_assert_eq(order_visits(), 0);
    lock(1, MANY - 1);
    lock(1, 0);
    cr_assert_eq(reports, 0, "it takes %d goroutines", MANY);
    cr_assert_leq(order_visits(), 2 * MANY);
}

Test(race_order, pairs_of_many_in_one_order)
{
    enum { PAIRS = 20 * MANY };
    start();
    seed = 1;
    for (int k = 0; k < PAIRS; k++) {
        int i = (int)rnd(MANY), j = (int)rnd(MANY);
        if (i == j)
            continue;
        lock(0, i < j ? i : j);
        lock(0, i < j ? j : i);
        unlock(0, i < j ? j : i);
        unlock(0, i < j ? i : j);
    }
    cr_assert_eq(reports, 0);
    cr_assert_leq(order_visits(), 10 * (uint64_t)order_edges());   /* 3 */
}

/* One lock for each connection, taken under one for all: others begin where some end. */
Test(race_order, locks_that_come_and_go)
{
    enum { AT_ONCE = 100 };
    start();
    for (int i = 1; i < LOCKS; i++) {
        lock(0, 0);
        lock(0, i);
        unlock(0, i);
        unlock(0, 0);
        if (i > AT_ONCE)
            end(i - AT_ONCE);
        cr_assert_leq(order_edges(), AT_ONCE + 1);
    }
    cr_assert_eq(order_visits(), 0);
    end(0);
    cr_assert_eq(order_edges(), 0);
}

/* What is a component no more is taken apart, at the next question. */
Test(race_order, a_cycle_ends_with_its_locks)
{
    enum { ALL = 400 };
    start();
    for (int who = 0; who < 2; who++) {   /* all in both orders, behind a gate */
        lock(who, ALL);
        for (int i = 0; i < ALL; i++)
            lock(who, who ? ALL - 1 - i : i);
        for (int i = 0; i < ALL; i++)
            unlock(who, i);
        unlock(who, ALL);
    }
    cr_assert_eq(reports, 0);
    for (int i = 0; i < ALL; i += 2)
        end(i);
    end(ALL);
    cr_assert_eq(order_edges(), 0);
    lock(0, 1);
    lock(0, 3);
    struct lockset *s = goroutine[0]->locks;
    cr_assert_not(order_may_cycle(s->lock->order, s->parent->lock->order));
    cr_assert(s->lock->order->component == &s->lock->order->alone, "it was not taken apart");
    lock(1, 3);
    lock(1, 1);
    cr_assert(reports == 1 && ntold == 2);
}
