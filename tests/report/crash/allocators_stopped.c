/* Goroutines that are stopped in the midst of malloc, and of printing, to see where they are: the report needs both, and has them. */
// expect: ^fatal error: sync: unlock of unlocked mutex$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^created by main in goroutine 1$
// absent: no names
// env: MALLOC_ARENA_MAX=1
// runs: 3
// status: 2
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>

static void allocates(size_t n)
{
    for (;;) {
        void *volatile p = malloc(100 + n), *volatile q = malloc(3000 + n);
        free(p);
        free(q);
    }
}

static void prints(FILE *null)
{
    for (;;)
        fprintf(null, "%s", "");
}

int main(void)
{
    go_mutex free_one = {0};
    go_maxprocs(4);
    for (size_t i = 0; i < 4; i++)
        go(allocates, i);
    go(prints, stderr);
    go_sleep(5 * GO_MILLISECOND);
    go_mutex_unlock(&free_one);
}
