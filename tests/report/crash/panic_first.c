/* A panic in what is the thread's first call has its stack as any other. */
// expect: ^panic: makechan: size out of range$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// expect: +.*/panic_first.c:[0-9]+
// status: 2
#include <gort.h>

int main(void)
{
    (void)go_make_chan(int, -1);
}
