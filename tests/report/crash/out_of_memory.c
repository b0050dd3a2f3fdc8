/* No memory for a channel, nor for much of a report: the program ends all the same, at once. */
// expect: ^fatal error: makechan: out of memory \([0-9]+ elements of 4 bytes\)$
// absent: within a minute
// status: 2
#include <gort.h>
#include <sys/resource.h>

int main(void)
{
    go_yield();
    struct rlimit limit = {500 << 20, 500 << 20};
    setrlimit(RLIMIT_AS, &limit);
    for (;;)
        (void)go_make_chan(int, 1 << 20);
}
