/* A panic runs the deferred calls; one that panics in turn is printed behind the first. */
// expect: ^deferred$
// expect: ^panic: first 1$
// expect: ^	panic: second$
// expect: ^goroutine 2 \[running\]:$
// expect: ^deferred_panic\(\)$
// expect: ^work\(\)$
// status: 2
#include <gort.h>
#include <stdio.h>

static void deferred(void *arg)
{
    (void)arg;
    fprintf(stderr, "deferred\n");
}

static void deferred_panic(void *arg)
{
    (void)arg;
    go_panic("second");
}

static void work(void)
{
    go_defer(deferred, NULL);
    go_defer(deferred_panic, NULL);
    go_panic("first %d", 1);
}

int main(void)
{
    go(work);
    go_sleep(GO_MINUTE);
}
