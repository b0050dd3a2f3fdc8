/* Two locks in both orders, one after the other in time: nothing hangs, but it could. Both stacks of both orders are told. */
// race-expect: ^WARNING: lock-order-inversion \(potential deadlock\)$
// race-expect: ^Cycle in lock order graph: M1 \(0x[0-9a-f]+\) => M2 \(0x[0-9a-f]+\) => M1$
// race-expect: ^Mutex M2 \(0x[0-9a-f]+, a\) acquired here while holding mutex M1 by goroutine 3:$
// race-expect: ^  second\(\)$
// race-expect: ^Mutex M1 \(0x[0-9a-f]+, b\) previously acquired by the same goroutine here:$
// race-expect: ^Mutex M1 \(0x[0-9a-f]+, b\) acquired here while holding mutex M2 by goroutine 2:$
// race-expect: ^  first\(\)$
// race-expect: ^Mutex M2 \(0x[0-9a-f]+, a\) previously acquired by the same goroutine here:$
// race-expect: ^  first\(\)$
// race-expect: ^Goroutine 3 \((running|finished)\) created at:$
// race-expect: ^Found 1 lock order inversion\(s\)$
// absent: DATA RACE
// race-status: 66
#include "race_test.h"

static go_mutex a, b;
static go_waitgroup wg;

static void first(void)
{
    go_mutex_lock(&a);
    go_mutex_lock(&b);
    x++;
    go_mutex_unlock(&b);
    go_mutex_unlock(&a);
    go_waitgroup_done(&wg);
}

static void second(void)
{
    go_mutex_lock(&b);
    go_mutex_lock(&a);
    x++;
    go_mutex_unlock(&a);
    go_mutex_unlock(&b);
    go_waitgroup_done(&wg);
}

int main(void)
{
    go_waitgroup_add(&wg, 1);
    go(first);
    go_waitgroup_wait(&wg);
    go_waitgroup_add(&wg, 1);
    go(second);
    go_waitgroup_wait(&wg);
    return 0;
}
