/* A stream that is closed while others may still use it, or twice. */
// race-expect: WARNING: DATA RACE
// race-expect: ^Write at 0x
// race-expect: main\(\)
// race-expect: > fclose\(f\);
// race-expect: ^Previous read at 0x
// race-expect: prints\(\)
// race-expect: Heap block of size [0-9]+ at 0x[0-9a-f]+ allocated by main goroutine:
// race-expect: +^  main\(\)$
// race-expect: Hint: the stream is gone after fclose
// race-expect: > fclose\(f\);
// race-expect: Hint: the stream is gone after fclose
// race-expect: Found 2 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void prints(FILE *f) { fprintf(f, "text\n"); step(1); }
static void *gets(void *f)
{
    fgetc(f);
    step(2);
    return NULL;
}

int main(void)
{
    FILE *f = fopen("/dev/null", "w");
    go(prints, f);
    await(1);
    fclose(f);
    f = fopen("/dev/zero", "r");
    pthread_t t;
    pthread_create(&t, NULL, gets, f);
    await(2);
    fclose(f);
    pthread_join(t, NULL);
    return 0;
}
