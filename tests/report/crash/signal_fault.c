/* An access to an address that is not mapped, on the main goroutine, which is no small number. */
// expect: ^unexpected fault address 0x10000$
// expect: ^fatal error: fault$
// expect: ^\[signal SIGSEGV: segmentation violation code=0x1 addr=0x10000 pc=0x[0-9a-f]+\]$
// expect: ^goroutine 1 \[running\]:$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

static volatile uintptr_t address = 0x10000;

int main(void)
{
    go_yield();
    *(volatile int *)address = 1;
}
