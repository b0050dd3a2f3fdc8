/* Another thread's thread-local variable, by a pointer. */
// race-expect: ^Write at 0x[0-9a-f]+ by main goroutine:$
// race-expect: ^Previous write at 0x[0-9a-f]+ by thread T[0-9]+:$
// race-expect: ^Thread-local var mine of size 16 at 0x[0-9a-f]+ of thread T[0-9]+ declared at .*thread_local\.c:11$
// race-expect: ^Accessed part: mine\.second \(field second of struct pair\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

struct pair { long first, second; };
static _Thread_local struct pair mine;
static struct pair *shared;

static void *owner(void *p)
{
    shared = &mine;
    mine.second = 1;
    step(1);
    await(2);
    return p;
}

HIDDEN struct pair *look(void) { return shared; }

int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, owner, NULL);
    await(1);
    look()->second = 2;
    step(2);
    pthread_join(t, NULL);
    return 0;
}
