/* Main has ended by go_exit, and then the last of the others ends. While one is left it is a deadlock like any other. */
// expect: ^2 goroutines, then 1$
// expect: ^fatal error: no goroutines \(main called runtime.Goexit\) - deadlock!$
// status: 2
#include <gort.h>
#include <stdio.h>

static void works(void)
{
    int before = go_num_goroutine();
    while (go_num_goroutine() != 1)
        go_yield();
    printf("%d goroutines, then 1\n", before);
}

int main(void)
{
    go_lock_os_thread();
    go(works);
    go_sleep(20 * GO_MILLISECOND);
    go_exit();
}
