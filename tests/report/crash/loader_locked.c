/* A fault while the dynamic loader's lock is held: names can't be looked up, so the files are told, and where in them. */
// expect: ^panic: runtime error: invalid memory address or nil pointer dereference$
// expect: ^gort: no names: the program stands still within
// expect: ^goroutine 2 \[running\]:$
// expect: ^\?\?\(\)$
// expect: +^	/.*loader_locked.*:0 \+0x[0-9a-f]+$
// expect: ^created by \?\? in goroutine 1$
// status: 2
#define _GNU_SOURCE
#include <gort.h>
#include <link.h>

static int *volatile nowhere;

static int fault(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info;
    (void)size;
    (void)arg;
    *nowhere = 1;
    return 0;
}

static void looks(void)
{
    dl_iterate_phdr(fault, NULL);
}

int main(void)
{
    go(looks);
    go_sleep(60 * GO_SECOND);
}
