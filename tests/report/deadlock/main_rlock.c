/* All asleep, main in: sync.RWMutex.RLock. Another goroutine sends on a nil channel. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 1 \[sync.RWMutex.RLock\]:$
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
    go_rwmutex rw = GO_RWMUTEX_INIT;
    go_rwmutex_lock(&rw);
    go_rwmutex_rlock(&rw);
    return 0;
}
