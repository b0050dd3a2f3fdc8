/* GOTRACEBACK=all: the others too, and one that runs on another thread is asked where. */
// expect: ^panic: runtime error: integer divide by zero$
// expect: ^\[signal SIGFPE: floating-point exception code=0x1 addr=0x[0-9a-f]+ pc=0x[0-9a-f]+\]$
// expect: ^goroutine 4 \[running\]:$
// expect: ^divide\(\)$
// expect: ^goroutine 1 \[chan receive\]:$
// expect: ^main\(\)$
// expect: ^goroutine 2 \[chan receive\]:$
// expect: ^waits\(\)$
// expect: ^goroutine 3 \[running\]:$
// expect: ^spins\(\)$
// env: GOTRACEBACK=all
// env: GOMAXPROCS=2
// status: 2
#include <gort.h>

static volatile int zero, count;

static void divide(void)
{
    go_sleep(20 * GO_MILLISECOND);
    count = 100 / zero;
}

static void spins(void)
{
    for (;;)
        count++;
}

static void waits(go_recv_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(waits, c);
    go(spins);
    go(divide);
    go_recv(c, NULL);
}
