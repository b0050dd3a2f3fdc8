/* abort(), as by a failed assertion. */
// expect: ^SIGABRT: abort$
// expect: ^PC=0x[0-9a-f]+ m=[0-9]+ sigcode=
// expect: ^goroutine 2 \[running\]:$
// expect: ^checks\(\)$
// status: 2
#undef NDEBUG
#include <assert.h>
#include <gort.h>

static void checks(int n)
{
    assert(n == 2);
    go_yield();
}

int main(void)
{
    go(checks, 1);
    go_sleep(GO_MINUTE);
}
