/* The function of go_after_func runs in a goroutine that names its creator. */
// expect: ^panic: the time has come$
// expect: ^goroutine [0-9]+ \[running\]:$
// expect: ^late\(\)$
// expect: ^created by main in goroutine 1$
// expect: after_func_panic\.c:[0-9]+
// status: 2
#include <gort.h>

static void late(void *arg)
{
    go_panic("the time has %s", (const char *)arg);
}

int main(void)
{
    go_after_func(GO_MILLISECOND, late, "come");
    go_sleep(10 * GO_SECOND);
    return 0;
}
