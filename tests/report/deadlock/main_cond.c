/* All asleep, main in: sync.Cond.Wait. Another goroutine sends on a nil channel. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 1 \[sync.Cond.Wait\]:$
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
    go_cond c = GO_COND_INIT;
    go_mutex m = GO_MUTEX_INIT;
    go_mutex_lock(&m);
    go_cond_wait(&c, &m);
    return 0;
}
