/* The timer heap against a naive model: a list searched for the least. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <timer.h>

enum { N = 300 };
static struct timers heap, other;
static struct timer timers[N];
static int64_t when[N];      /* the model: 0 is not armed */
static int fired[N];

static void fire(struct m *m, struct timer *t)
{
    (void)m;
    fired[t - timers]++;
}

static int64_t model_first(void)
{
    int64_t first = TIMER_NEVER;
    for (int i = 0; i < N; i++)
        if (when[i] && when[i] < first)
            first = when[i];
    return first;
}

Test(timer, heap_agrees_with_the_model)
{
    unsigned seed = 7;
    int64_t now = 1;
    timers_init(&heap);
    for (int i = 0; i < N; i++)
        timers[i].fn = fire;
    for (int step = 0; step < 50000; step++) {
        int i = rand_r(&seed) % N;
        switch (rand_r(&seed) % 3) {
        case 0:
            if (!when[i]) {
                when[i] = now + rand_r(&seed) % 1000;
                timer_start(&heap, &timers[i], when[i]);
            }
            break;
        case 1:
            cr_assert_eq(timer_stop(&timers[i]), when[i] != 0);
            when[i] = 0;
            break;
        case 2: {
            now += rand_r(&seed) % 20;
            int due = 0, expect[N] = {0};
            for (int k = 0; k < N; k++) {
                if (when[k] && when[k] <= now) {
                    expect[k] = 1;
                    when[k] = 0;
                    due++;
                }
                fired[k] = 0;
            }
            cr_assert_eq(timers_run(&heap, NULL, now), due);
            for (int k = 0; k < N; k++)
                cr_assert_eq(fired[k], expect[k]);
        }
        }
        cr_assert_eq(timers_first(&heap), model_first());
        if (step % 500 == 0)
            cr_assert(timers_is_valid(&heap));
    }
}

Test(timer, moving_keeps_all)
{
    timers_init(&heap);
    timers_init(&other);
    for (int i = 0; i < N; i++) {
        timers[i] = (struct timer){.fn = fire};
        timer_start(&heap, &timers[i], 100 + i * 37 % 101);
    }
    timers_move(&other, &heap);
    cr_assert_eq(timers_first(&heap), TIMER_NEVER);
    cr_assert(timers_is_valid(&other));
    cr_assert(timer_stop(&timers[5]));
    cr_assert_eq(timers_run(&other, NULL, 1000), N - 1);
}

/* A periodic timer fires once for all the instants that were missed, and goes on in its beat; stop takes it out. */
Test(timer, periodic_keeps_the_beat)
{
    static struct timer t = {.fn = fire, .period = 10};
    timers_init(&heap);
    timers[0] = t;
    fired[0] = 0;
    timer_start(&heap, &timers[0], 5);
    cr_assert_eq(timers_run(&heap, NULL, 4), 0);
    cr_assert_eq(timers_run(&heap, NULL, 5), 1);
    cr_assert_eq(timers_first(&heap), 15);
    cr_assert_eq(timers_run(&heap, NULL, 14), 0);
    cr_assert_eq(timers_run(&heap, NULL, 15), 1);
    cr_assert_eq(timers_run(&heap, NULL, 58), 1);
    cr_assert_eq(timers_first(&heap), 65);
    cr_assert_eq(fired[0], 3);
    cr_assert(timers_is_valid(&heap));
    cr_assert(timer_try_stop(&timers[0]));
    cr_assert_not(timer_stop(&timers[0]));
    cr_assert_eq(timers_first(&heap), TIMER_NEVER);
    timers[0].period = INT64_MAX;
    timer_start(&heap, &timers[0], 100);
    cr_assert_eq(timers_run(&heap, NULL, 100), 1);
    cr_assert_eq(timers_first(&heap), TIMER_NEVER - 1);
    cr_assert(timer_stop(&timers[0]));
}
