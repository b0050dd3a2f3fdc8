/* kill -QUIT: every goroutine, whatever GOTRACEBACK says but none. */
// expect: ^SIGQUIT: quit$
// expect: ^goroutine 1 \[sleep\]:$
// expect: ^main\(\)$
// expect: ^goroutine 2 \[chan send\]:$
// expect: ^sends\(\)$
// expect: ^created by main in goroutine 1$
// expect: ^goroutine 3 \[running\]:$
// expect: ^spins\(\)$
// status: 2
#include <gort.h>
#include <signal.h>
#include <unistd.h>

static volatile int count;

static void sends(go_send_chan(int) c)
{
    go_send(c, 1);
}

static void spins(void)
{
    for (;;)
        count++;
}

static void kills(void)
{
    go_sleep(30 * GO_MILLISECOND);
    kill(getpid(), SIGQUIT);
    go_sleep(GO_MINUTE);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(sends, c);
    go(spins);
    go(kills);
    go_sleep(GO_MINUTE);
}
