/* What the test says to ignore is ignored: by number, by function; quiet only counts. */
// expect: ^by number 0$
// expect: ^by function 0$
// expect: ^quiet 1$
// absent: leakcheck
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>

static void background(go_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(background, c);
    uint64_t *before = leakcheck_current();
    const char *functions[] = {"background", NULL};
    int64_t wait = 5 * GO_MILLISECOND;
    printf("by number %d\n", leakcheck_with(&(struct leakcheck_options){.max_wait_ns = wait, .ignore_id = before}));
    printf("by function %d\n", leakcheck_with(&(struct leakcheck_options){.max_wait_ns = wait, .ignore_function = functions}));
    printf("quiet %d\n", leakcheck_with(&(struct leakcheck_options){.max_wait_ns = wait, .quiet = true}));
    free(before);
    return 0;
}
