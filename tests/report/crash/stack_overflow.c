/* Endless recursion: a report, the innermost and the outermost frames. */
// expect: ^runtime: goroutine stack exceeds 262144-byte limit$
// expect: ^fatal error: stack overflow$
// expect: ^goroutine 2 \[running\]:$
// expect: ^recurse\((\.\.\.)?\)$
// expect: ^\.\.\.[0-9]+ frames elided\.\.\.$
// expect: ^recurse\((\.\.\.)?\)$
// expect: ^starts\(\)$
// expect: ^created by main in goroutine 1$
// status: 2
#include <gort.h>

static volatile int limit = -1;

static int recurse(int n)
{
    volatile char room[100];
    room[n % 100] = 1;
    return n == limit ? 0 : recurse(n + 1) + room[n % 100];
}

static void starts(void)
{
    recurse(0);
    go_yield();
}

int main(void)
{
    go(starts);
    go_sleep(GO_MINUTE);
}
