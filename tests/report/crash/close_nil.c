/* Closing the nil channel panics. */
// expect: ^panic: close of nil channel$
// status: 2
#include <gort.h>

int main(void)
{
    go_chan(int) c = NULL;
    go_close(c);
    return 0;
}
