/* The clean twin of race/fd_reused.c: the number goes from hand to hand, each closes it once. dup2 onto a descriptor in use is no mistake. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static int fd;
static void clean(void) { close(fd); step(1); }
static void *writes(void *p) { write(fd, "\n", 1); step(2); return p; }

int main(void)
{
    pthread_t t;
    fd = dup(1);
    go(clean);
    await(1);
    int mine = dup(1);
    if (mine != fd)
        abort();
    pthread_create(&t, NULL, writes, NULL);
    await(2);
    dup2(0, mine);
    pthread_join(t, NULL);
    write(mine, "\n", 1);
    close(mine);
    return 0;
}
