/* All asleep, main in: semacquire. Another goroutine sends on a nil channel. */
// expect: ^fatal error: all goroutines are asleep - deadlock!$
// expect: ^goroutine 1 \[semacquire\]:$
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
    go_sem s;
    go_sem_init(&s, 2);
    go_sem_acquire(&s, 3);
    return 0;
}
