/* A once whose function calls it again waits for itself: all asleep, with the stack that says so. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 1 \[sync.Once.Do\]:$
// expect: ^again\(\)$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

static go_once once;
int calls;

static void again(void *arg)
{
    go_once_do(&once, again, arg);
    calls++;   /* not a tail call: the stack is to show it */
}

int main(void)
{
    go_once_do(&once, again, NULL);
    return 0;
}
