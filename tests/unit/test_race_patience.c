/* How long a thread looks away from a lock that it found taken. A machine under load is later, never sooner: so single waits have lower bounds, and only the
 * least of many an upper one. */
#include "../../detectors/race/race_patience.h"

#include <criterion/criterion.h>

static int a, b;

/* How long the next wait for `lock` takes that follows so many turns. */
static uint64_t wait_after(const int *lock, int turns)
{
    for (int i = 0; i < turns; i++)
        race_turn_begins();
    uint64_t from = __builtin_ia32_rdtsc();
    race_look_away(lock, true);
    return __builtin_ia32_rdtsc() - from;
}

/* The least of many: an interruption makes single ones longer. */
static uint64_t least_wait(const int *lock, const int *other, int turns)
{
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < 200; i++) {
        if (other)
            wait_after(other, turns);
        uint64_t t = wait_after(lock, turns);
        least = t < least ? t : least;
    }
    return least;
}

Test(race_patience, a_lock_that_is_fought_for_is_looked_at_less_and_less_often)
{
    int longest = 0;
    for (int i = 0; i < 100000 && longest < 100; i++)   /* where the thread is interrupted between two, it begins anew */
        longest += wait_after(&a, 100) >= 190000;
    cr_assert_eq(longest, 100);
}

Test(race_patience, a_lock_met_by_chance_is_looked_at_soon)
{
    wait_after(&a, 0);
    cr_assert_lt(least_wait(&a, NULL, 1), 20000, "after one turn of its own each time");
    cr_assert_lt(least_wait(&a, &b, 100), 20000, "after another lock was found taken");
}

Test(race_patience, looks_again_after_as_long)
{
    uint64_t first = UINT64_MAX, again = UINT64_MAX;
    for (int i = 0; i < 200; i++) {
        uint64_t t = wait_after(&a, 0), from = __builtin_ia32_rdtsc();
        race_look_away(&a, false);
        uint64_t u = __builtin_ia32_rdtsc() - from;
        first = t < first ? t : first;
        again = u < again ? u : again;
    }
    cr_assert_geq(first, 1500);
    cr_assert_geq(again, 1500);
}
