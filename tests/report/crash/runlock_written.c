/* A runlock of what a writer holds is a fatal error. */
// expect: ^fatal error: sync: RUnlock of unlocked RWMutex$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_rwmutex rw = GO_RWMUTEX_INIT;
    go_rwmutex_lock(&rw);
    go_rwmutex_runlock(&rw);
    return 0;
}
