/* All asleep, main in: sync.WaitGroup.Wait. Another goroutine sends on a nil channel. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 1 \[sync.WaitGroup.Wait\]:$
// expect: ^main\(\)$
// expect: ^goroutine 2 \[chan send \(nil chan\)\]:$
// expect: ^stuck\(\)$
// expect: ^created by main in goroutine 1$
// status: 2
#include <gort.h>

static void stuck(void)
{
    go_chan(int) c = NULL;
    go_send(c, 1);
}

int main(void)
{
    go(stuck);
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1);
    go_waitgroup_wait(&wg);
    return 0;
}
