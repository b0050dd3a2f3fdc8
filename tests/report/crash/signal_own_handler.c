/* A program's own handler stays. */
// expect: ^my own handler$
// absent: goroutine
// status: 7
#include <gort.h>
#include <signal.h>
#include <unistd.h>

static volatile uintptr_t address = 8;

static void handler(int s)
{
    (void)s;
    static const char text[] = "my own handler\n";
    _exit(write(2, text, sizeof text - 1) == sizeof text - 1 ? 7 : 8);
}

int main(void)
{
    signal(SIGSEGV, handler);
    go_yield();
    *(volatile int *)address = 1;
}
