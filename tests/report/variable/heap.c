/* A heap block with the stack that allocated it, through realloc too. */
// race-expect: ^Write at 0x[0-9a-f]+ by main goroutine:$
// race-expect: ^Previous write at 0x[0-9a-f]+ by goroutine 3:$
// race-expect: ^Heap block of size 100 at 0x[0-9a-f]+ allocated by goroutine 2:$
// race-expect: ^  make\(\)$
// race-expect: ^  maker\(\)$
// race-expect: ^Goroutine 3 \((running|finished)\) created at:$
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static char *block;
static go_chan(char *) c;

static __attribute__((noinline)) char *make(size_t n)
{
    char *p = malloc(n);
    p[50] = 0;
    return p;
}

static void maker(void)
{
    char *p = make(100);
    go_send(c, p);
}

static void racy(char *p) { p[50] = 1; step(1); }

int main(void)
{
    c = go_make_chan(char *, 0);
    go(maker);
    go_recv(c, &block);
    go(racy, block);
    await(1);
    block[50] = 2;
    return 0;
}
