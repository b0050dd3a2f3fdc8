/* A negative number of permits panics. */
// expect: ^panic: semaphore: negative number of permits$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    go_sem s = {0};
    go_sem_release(&s, -1);
    return 0;
}
