/* GOTRACEBACK=none: the message alone. */
// expect: ^panic: no more$
// absent: goroutine
// env: GOTRACEBACK=none
// status: 2
#include <gort.h>

int main(void)
{
    go_panic("no more");
}
