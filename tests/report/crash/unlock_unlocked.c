/* Unlocking what is not locked is a fatal error. */
// expect: ^fatal error: sync: unlock of unlocked mutex$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_mutex m = GO_MUTEX_INIT;
    go_mutex_unlock(&m);
    return 0;
}
