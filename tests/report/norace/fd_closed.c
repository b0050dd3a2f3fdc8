/* The clean twin of race/fd_closed.c: the number is another's by then, and comes from a call that is not seen; later it is closed by who knows that. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <fcntl.h>
#include <sys/syscall.h>

static int fds[2];
static void clean(void) { close(fds[0]); step(1); }

int main(void)
{
    char c;
    pipe(fds);
    go(clean);
    await(1);
    int again = (int)syscall(SYS_openat, AT_FDCWD, "/dev/zero", O_RDONLY);
    if (again != fds[0])
        abort();
    read(again, &c, 1);
    close(again);
    return 0;
}
