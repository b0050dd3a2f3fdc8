/* libc ends the program from within free, and has the allocator's lock. (With race detection it doesn't come to that.) */
// expect: ^SIGABRT: abort$
// expect: ^goroutine 2 \[running\]:$
// expect: ^(__GI_)?abort\(\)$
// expect: ^frees\(\)$
// expect: ^created by main in goroutine 1$
// status: 2
#include <gort.h>
#include <stdlib.h>

static void frees(void)
{
    void *volatile p = malloc(5000), *volatile behind = malloc(5000);   /* more than a thread keeps to itself */
    free(p);
    free(p);
    free(behind);
}

int main(void)
{
    go(frees);
    go_sleep(60 * GO_SECOND);
}
