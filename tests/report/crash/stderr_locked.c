/* A goroutine that holds the lock of stderr for long, as one does that is just logging: the report does not wait for it. */
// expect: ^panic: said at once$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// absent: let go
// status: 2
#include <gort.h>
#include <stdio.h>
#include <unistd.h>

static void holds(go_chan(int) held)
{
    static const char text[] = "let go\n";
    flockfile(stderr);
    go_send(held, 1);
    sleep(20);
    if (write(2, text, sizeof text - 1) < 0)
        _exit(3);
    funlockfile(stderr);
}

int main(void)
{
    go_chan(int) held = go_make_chan(int, 0);
    go(holds, held);
    go_recv(held, NULL);
    go_panic("said at once");
}
