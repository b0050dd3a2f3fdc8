/* Use after free: the block, and that it was freed. */
// race-expect: ^WARNING: DATA RACE$
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine 2:$
// race-expect: ^  frees\(\)$
// race-expect: ^Heap block of size 64 at 0x[0-9a-f]+ allocated by main goroutine:$
// race-expect: ^  main\(\)$
// race-expect: ^Hint: the block is freed while another goroutine still uses it
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static void frees(char *p) { free(p); step(1); }
static __attribute__((noinline)) void use(volatile char *p) { *p; }

int main(void)
{
    char *p = malloc(64);
    go(frees, p);
    await(1);
    use(p + 40);
    return 0;
}
