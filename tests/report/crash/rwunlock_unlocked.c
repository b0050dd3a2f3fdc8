/* An unlock without a writer is a fatal error, whatever readers there are. */
// expect: ^fatal error: sync: Unlock of unlocked RWMutex$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_rwmutex rw = GO_RWMUTEX_INIT;
    go_rwmutex_rlock(&rw);
    go_rwmutex_unlock(&rw);
    return 0;
}
