/* Vector clocks: the persistent tree against the naive model, an array. The seed is printed when they disagree. */
#include <criterion/criterion.h>
#include <pthread.h>
#include <race_clock.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCKS = 12, SLOTS = 600 };

static bool is_narrow;   /* a single leaf's slots only */
static int passes;

static uint32_t slot_of(unsigned r)
{
    if (is_narrow)
        return r % CLOCK_LEAF;
    return r % 3 == 0 ? r % 20 : r % 3 == 1 ? r % SLOTS : r % SLOTS * 1000;   /* dense, wide, sparse */
}

struct seen {
    const uint32_t *later, *known;
    uint32_t but;
    int n;
    bool stop;
};

static bool newer(void *arg, uint32_t slot, uint32_t value)
{
    struct seen *s = arg;
    cr_assert(slot != s->but && value == s->later[slot] && value > s->known[slot], "slot %u value %u", slot, value);
    s->n++;
    return s->stop;
}

static void run(unsigned seed)
{
    static uint32_t model[CLOCKS][SLOTS * 1000];
    struct clock c[CLOCKS] = {{0}};
    unsigned first_seed = seed;
    memset(model, 0, sizeof model);
    static uint32_t used[6000];
    int nused = 0;
    for (int step = 0; step < 2500; step++) {
        int a = rand_r(&seed) % CLOCKS, b = rand_r(&seed) % CLOCKS;
        switch (rand_r(&seed) % 8) {
        case 0:
        case 1: {
            uint32_t slot = slot_of((unsigned)rand_r(&seed)), value = (uint32_t)rand_r(&seed) % 1000 + 1;
            clock_raise(&c[a], slot, value);
            if (model[a][slot] < value)
                model[a][slot] = value;
            used[nused++] = slot;
            break;
        }
        case 4: {   /* learn; assign */
            uint32_t slot = slot_of((unsigned)rand_r(&seed)), value = (uint32_t)rand_r(&seed) % 1000 + 1;
            clock_learn(&c[a], &c[b], slot, value);
            used[nused++] = slot;
            for (int i = 0; i < nused; i++)
                if (model[b][used[i]] > model[a][used[i]])
                    model[a][used[i]] = model[b][used[i]];
            if (model[a][slot] < value)
                model[a][slot] = value;
            b = rand_r(&seed) % CLOCKS;
            if (a == b)
                break;
            clock_assign(&c[b], &c[a]);
            for (int i = 0; i < nused; i++)
                model[b][used[i]] = model[a][used[i]];
            break;
        }
        case 7: {
            struct seen seen = {.later = model[a], .known = model[b], .but = used[0]};
            cr_assert_not(clock_newer(&c[a], &c[b], seen.but, newer, &seen), "seed %u", first_seed);
            int n = 0;
            for (int i = 0; i < nused; i++) {
                bool first = true;
                for (int k = 0; k < i && first; k++)
                    first = used[k] != used[i];
                n += first && used[i] != seen.but && model[a][used[i]] > model[b][used[i]];
            }
            cr_assert_eq(seen.n, n, "seed %u: %d newer places, %d seen", first_seed, n, seen.n);
            seen.stop = true;
            cr_assert_eq(clock_newer(&c[a], &c[b], seen.but, newer, &seen), n > 0, "seed %u", first_seed);
            break;
        }
        case 6: {
            static uint32_t before[6000];
            uint32_t slot = slot_of((unsigned)rand_r(&seed)), value = (uint32_t)rand_r(&seed) % 1000 + 1;
            if (a == b || !clock_pass(&c[a], &c[b], slot, value))
                break;
            passes++;
            used[nused++] = slot;
            for (int i = 0; i < nused; i++)
                before[i] = model[a][used[i]];
            for (int i = 0; i < nused; i++) {
                if (model[b][used[i]] > model[a][used[i]])
                    model[a][used[i]] = model[b][used[i]];
            }
            for (int i = 0; i < nused; i++)
                model[b][used[i]] = before[i];
            if (model[a][slot] < value)
                model[a][slot] = value;
            break;
        }
        case 5: {
            uint32_t slot_a = slot_of((unsigned)rand_r(&seed)), slot_b = slot_of((unsigned)rand_r(&seed));
            if (a == b)
                break;
            clock_meet(&c[a], slot_a, 500, &c[b], slot_b, 600);
            used[nused++] = slot_a;
            used[nused++] = slot_b;
            for (int i = 0; i < nused; i++) {
                uint32_t most = model[a][used[i]] > model[b][used[i]] ? model[a][used[i]] : model[b][used[i]];
                most = used[i] == slot_a && most < 500 ? 500 : most;
                most = used[i] == slot_b && most < 600 ? 600 : most;
                model[a][used[i]] = model[b][used[i]] = most;
            }
            break;
        }
        case 2: {
            bool changed = false;
            for (int i = 0; i < nused; i++) {
                if (model[b][used[i]] > model[a][used[i]]) {
                    model[a][used[i]] = model[b][used[i]];
                    changed = true;
                }
            }
            bool said = clock_join(&c[a], &c[b], rand_r(&seed) % 2);
            cr_assert(said || !changed, "seed %u step %d: a join that changed nothing", first_seed, step);
            break;
        }
        case 3:
            if (rand_r(&seed) % 8 == 0) {
                clock_clear(&c[a]);
                for (int i = 0; i < nused; i++)
                    model[a][used[i]] = 0;
            } else {
                bool root = rand_r(&seed) % 2;
                (root ? clock_copy_root : clock_copy)(&c[a], &c[b]);
                for (int i = 0; i < nused; i++)
                    model[a][used[i]] = model[b][used[i]];
                cr_assert(root || clock_same(&c[a], &c[b]));
            }
            break;
        }
        for (int k = 0; k < 5 && nused; k++) {
            uint32_t slot = used[rand_r(&seed) % nused];
            cr_assert_eq(clock_get(&c[a], slot), model[a][slot], "seed %u step %d slot %u", first_seed, step, slot);
        }
    }
    for (int a = 0; a < CLOCKS; a++) {
        for (int i = 0; i < nused; i++)
            cr_assert_eq(clock_get(&c[a], used[i]), model[a][used[i]], "seed %u clock %d slot %u", first_seed, a, used[i]);
        clock_clear(&c[a]);
    }
}

Test(clock, agrees_with_an_array)
{
    for (unsigned seed = 1; seed <= 30; seed++) {
        is_narrow = seed % 3 == 0;
        run(seed);
    }
    cr_assert_gt(passes, 100);
}

Test(clock, what_is_not_known_is_zero)
{
    struct clock c = {0};
    cr_assert_eq(clock_get(&c, 0), 0);
    cr_assert_eq(clock_get(&c, 4000000), 0);
    clock_raise(&c, 3, 5);
    cr_assert_eq(clock_get(&c, 4000000), 0);
    cr_assert_eq(clock_get(&c, 3), 5);
    clock_raise(&c, 3, 2);
    cr_assert_eq(clock_get(&c, 3), 5, "a clock never goes back");
}

/* Threads that share nodes through clocks under locks, as goroutines through mutexes: what each knows must be what its array says. Many slots, so that
 * joins go by descent, and few places, so that the same clocks meet again and again. */
enum { THREADS = 4, PLACES = 3, WIDE = 700, TURNS = 20000 };
static struct {
    pthread_mutex_t lock;
    struct clock clock;
    uint32_t model[WIDE];
} place[PLACES];
static struct { unsigned seed; int wrong; } thread[THREADS];

static void *share(void *arg)
{
    int me = (int)(intptr_t)arg;
    unsigned seed = thread[me].seed;
    uint32_t model[WIDE] = {0}, now = 0;
    struct clock c = {0};
    for (int turn = 0; turn < TURNS; turn++) {
        uint32_t slot = (uint32_t)(rand_r(&seed) % (WIDE / THREADS)) * THREADS + (uint32_t)me;   /* each thread raises slots of its own */
        int k = rand_r(&seed) % PLACES;
        pthread_mutex_lock(&place[k].lock);
        switch (rand_r(&seed) % 4) {
        case 0:
            clock_join(&c, &place[k].clock, false);
            for (int i = 0; i < WIDE; i++)
                model[i] = model[i] > place[k].model[i] ? model[i] : place[k].model[i];
            break;
        case 1:
            clock_join(&place[k].clock, &c, true);
            for (int i = 0; i < WIDE; i++)
                place[k].model[i] = model[i] > place[k].model[i] ? model[i] : place[k].model[i];
            break;
        case 2:
            clock_assign(&place[k].clock, &c);
            memcpy(place[k].model, model, sizeof model);
            break;
        case 3:
            clock_learn(&c, &place[k].clock, slot, ++now);
            for (int i = 0; i < WIDE; i++)
                model[i] = model[i] > place[k].model[i] ? model[i] : place[k].model[i];
            model[slot] = now;
            break;
        }
        pthread_mutex_unlock(&place[k].lock);
        clock_raise(&c, slot, ++now);
        model[slot] = now;
        for (int i = 0; i < 4; i++) {
            uint32_t s = (uint32_t)rand_r(&seed) % WIDE;
            thread[me].wrong += clock_get(&c, s) != model[s];
        }
    }
    for (uint32_t s = 0; s < WIDE; s++)
        thread[me].wrong += clock_get(&c, s) != model[s];
    clock_clear(&c);
    return NULL;
}

Test(clock, threads_share_nodes)
{
    pthread_t t[THREADS];
    for (int k = 0; k < PLACES; k++)
        pthread_mutex_init(&place[k].lock, NULL);
    for (int i = 0; i < THREADS; i++) {
        thread[i].seed = (unsigned)i + 1;
        pthread_create(&t[i], NULL, share, (void *)(intptr_t)i);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        cr_expect_eq(thread[i].wrong, 0, "thread %d: %d values", i, thread[i].wrong);
    }
    for (int k = 0; k < PLACES; k++) {
        for (uint32_t s = 0; s < WIDE; s++)
            cr_expect_eq(clock_get(&place[k].clock, s), place[k].model[s]);
        clock_clear(&place[k].clock);
    }
}
