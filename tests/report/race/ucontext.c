/* Each context has a call stack of its own: accesses are shown with the calls of theirs, after switches, copies, the end of a context's function, and in the one
 * that goes on. */
// race-expect: ^Previous write at .* by main goroutine:
// race-expect: +^  contexts\(\)
// race-expect: > at_home = 1;
// race-expect: +^  main\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^$
// race-expect: ^Previous write at .* by main goroutine:
// race-expect: +^  first_deep\(\)
// race-expect: > in_first = 1;
// race-expect: +^  first_deep\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^  first_deep\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^  first_main\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^$
// race-expect: ^Previous write at .* by main goroutine:
// race-expect: +^  second_inner\(\)
// race-expect: > in_second = 1;
// race-expect: +^  second_main\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^$
// race-expect: ^Previous write at .* by main goroutine:
// race-expect: +^  deep_at_home\(\)
// race-expect: > after_end = 1;
// race-expect: +^  deep_at_home\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^  contexts\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^  main\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^$
// race-expect: ^Previous write at .* by main goroutine:
// race-expect: +^  contexts\(\)
// race-expect: > after_get = 1;
// race-expect: +^  main\(\)
// race-expect: +\.(c|inc):[0-9]+
// race-expect: +^$
// race-expect: ^Found 5 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include "ucontext.inc"

static void *reader(void *p)
{
    await(1);
    sink += at_home;
    sink += in_first;
    sink += in_second;
    sink += after_end;
    sink += after_get;
    return p;
}

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, reader, NULL);
    contexts();
    step(1);
    pthread_join(t, NULL);
    return argument == 7 && turns > 0 ? 0 : 1;
}
