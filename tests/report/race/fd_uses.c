/* Every kind of use, each by a goroutine that the close does not wait for. One report for each. */
// race-expect: WARNING: DATA RACE
// race-expect: +Close of descriptor
// race-expect: Found 48 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "fd_uses.inc"

static int nused;
HIDDEN void used_hidden(void) { step(++nused); }
static void used(void) { used_hidden(); }

int main(void)
{
    start();
    for (int i = 0; i < NUSES; i++) {
        go(uses[i]);
        await(i + 1);
    }
    close(fd);
    return 0;
}
