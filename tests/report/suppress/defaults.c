/* The program's own suppressions, by each kind of name; what is left is told; at the end the counts. */
// race-expect: ^WARNING: DATA RACE$
// race-expect: ^  told_[ab]\(\)$
// race-expect: ^Found 1 data race\(s\)$
// race-expect: ^Suppressed 5 report\(s\):$
// race-expect: ^ +1 race:\^by_function$
// race-expect: ^ +1 race:by_variab\*e\$$
// race-expect: ^ +1 race_top:top_frame$
// race-expect: ^ +1 deadlock:lock_both$
// race-expect: ^ +1 mutex:never_locked$
// absent: by_function_a\(\)|not_here
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <gort/race.h>

const char *go_race_default_suppressions(void)
{
    return "# a comment\n"
           "race:^by_function\n"
           "\n"
           "  race:by_variab*e$\n"
           "race_top:top_frame\n"
           "deadlock:lock_both\n"
           "mutex:never_locked\n"
           "race:^function\n"       /* begins none */
           "race:by_variabl$\n"     /* ends none */
           "race_top:racy\n"        /* is never on top */
           "race:not_here\n";
}

int f, by_variable, t, n;
static go_mutex a, b;
static pthread_mutex_t never_locked = PTHREAD_MUTEX_INITIALIZER;

#define AT __attribute__((noinline)) static
AT void by_function_a(void) { f = 1; }
AT void by_function_b(void) { f = 2; }
AT void variable_a(void) { by_variable = 1; }
AT void variable_b(void) { by_variable = 2; }
AT void top_frame_a(void) { t = 1; }
AT void bottom_b(void) { t = 2; }
AT void told_a(void) { n = 1; }
AT void told_b(void) { n = 2; }
AT void lock_both(go_mutex *one, go_mutex *two)
{
    go_mutex_lock(one);
    go_mutex_lock(two);
    go_mutex_unlock(two);
    go_mutex_unlock(one);
}

static void racy(void)
{
    by_function_a();
    variable_a();
    top_frame_a();
    told_a();
    step(1);
    await(2);
    lock_both(&a, &b);
    step(3);
}

int main(void)
{
    go(racy);
    await(1);
    by_function_b();
    variable_b();
    bottom_b();
    told_b();
    step(2);
    await(3);
    lock_both(&b, &a);
    pthread_mutex_unlock(&never_locked);
    return 0;
}
