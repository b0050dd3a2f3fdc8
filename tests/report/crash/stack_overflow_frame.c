/* One function whose arrays alone are larger than the stack. */
// expect: ^runtime: goroutine stack exceeds 262144-byte limit$
// expect: ^fatal error: stack overflow$
// expect: ^goroutine 2 \[running\]:$
// expect: ^large_arrays\((\.\.\.)?\)$
// status: 2
#include <gort.h>

static void large_arrays(void)
{
    volatile char room[400000];
    for (int i = sizeof room - 1; i >= 0; i -= 1024)
        room[i] = 1;
}

int main(void)
{
    go(large_arrays);
    go_sleep(GO_MINUTE);
}
