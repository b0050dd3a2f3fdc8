/* No memory for the runtime to start with: said as what it is. */
// expect: ^fatal error: runtime: out of memory for a (thread|processor)$
// status: 2
#include <gort.h>
#include <sys/resource.h>

int main(void)
{
    struct rlimit limit = {1 << 20, 1 << 20};
    setrlimit(RLIMIT_AS, &limit);
    go_yield();
}
