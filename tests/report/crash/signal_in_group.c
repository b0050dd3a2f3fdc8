/* What crashes in a function that the runtime calls has its own frames in the report. */
// expect: ^SIGABRT: abort$
// expect: ^goroutine 2 \[running\]:$
// expect: ^breaks\((\.\.\.)?\)$
// expect: signal_in_group\.c:12
// status: 2
#include <gort.h>
#include <stdlib.h>

static void breaks(void *arg)
{
    arg ? (void)0 : abort();
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_go(&wg, breaks, NULL);
    go_waitgroup_wait(&wg);
    return 0;
}
