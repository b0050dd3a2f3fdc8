/* Vector clocks: the persistent tree against the naive model, an array. The seed is printed when they disagree. */
#include <criterion/criterion.h>
#include <race_clock.h>
#include <stdlib.h>
#include <string.h>

enum { CLOCKS = 12, SLOTS = 600 };

static uint32_t slot_of(unsigned r)
{
    return r % 3 == 0 ? r % 20 : r % 3 == 1 ? r % SLOTS : r % SLOTS * 1000;   /* dense, wide, sparse */
}

static void run(unsigned seed)
{
    static uint32_t model[CLOCKS][SLOTS * 1000];
    struct clock c[CLOCKS] = {{0}};
    unsigned first_seed = seed;
    memset(model, 0, sizeof model);
    static uint32_t used[3000];
    int nused = 0;
    for (int step = 0; step < 2500; step++) {
        int a = rand_r(&seed) % CLOCKS, b = rand_r(&seed) % CLOCKS;
        switch (rand_r(&seed) % 4) {
        case 0:
        case 1: {
            uint32_t slot = slot_of((unsigned)rand_r(&seed)), value = (uint32_t)rand_r(&seed) % 1000 + 1;
            clock_raise(&c[a], slot, value);
            if (model[a][slot] < value)
                model[a][slot] = value;
            used[nused++] = slot;
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
                clock_copy(&c[a], &c[b]);
                for (int i = 0; i < nused; i++)
                    model[a][used[i]] = model[b][used[i]];
                cr_assert(clock_same(&c[a], &c[b]));
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
    for (unsigned seed = 1; seed <= 30; seed++)
        run(seed);
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
