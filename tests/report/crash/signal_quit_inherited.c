/* Started with SIGQUIT ignored, as what a script starts with &: it prints all goroutines nevertheless. */
// expect: ^SIGQUIT: quit$
// expect: ^goroutine 1 \[running\]:$
// expect: ^goroutine 2 \[chan send\]:$
// expect: ^sends\(\)$
// status: 2
#include <gort.h>
#include <signal.h>
#include <unistd.h>

static void sends(go_send_chan(int) c)
{
    go_send(c, 1);
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        signal(SIGQUIT, SIG_IGN);
        execl("/proc/self/exe", argv[0], "again", (char *)NULL);
        return 1;
    }
    go_chan(int) c = go_make_chan(int, 0);
    go(sends, c);
    go_sleep(30 * GO_MILLISECOND);
    kill(getpid(), SIGQUIT);
    go_sleep(GO_MINUTE);
}
