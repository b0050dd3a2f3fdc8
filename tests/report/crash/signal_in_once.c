/* What crashes in a function that the runtime calls has its own frames in the report. */
// expect: ^SIGABRT: abort$
// expect: ^goroutine 1 \[running\]:$
// expect: ^breaks\((\.\.\.)?\)$
// expect: signal_in_once\.c:12
// status: 2
#include <gort.h>
#include <stdlib.h>

static void breaks(void *arg)
{
    arg ? (void)0 : abort();
}

int main(void)
{
    go_once o = GO_ONCE_INIT;
    go_once_do(&o, breaks, NULL);
    return 0;
}
