/* A nil pointer dereference in a goroutine: Go's two lines, then its stack, and only its. */
// expect: ^panic: runtime error: invalid memory address or nil pointer dereference$
// expect: ^\[signal SIGSEGV: segmentation violation code=0x1 addr=0x8 pc=0x[0-9a-f]+\]$
// expect: ^goroutine 3 \[running\]:$
// expect: ^store\(\)$
// expect: ^work\(\)$
// expect: ^created by main in goroutine 1$
// absent: goroutine 2
// absent: thread
// status: 2
#include <gort.h>

struct thing {
    int a, b, c;
};

__attribute__((noinline)) static void store(struct thing *t)
{
    t->c = 1;
}

static void work(struct thing *t)
{
    go_sleep(GO_MILLISECOND);
    store(t);
    go_yield();
}

static void waits(go_recv_chan(int) c)
{
    go_recv(c, NULL);
}

int main(void)
{
    go_chan(int) c = go_make_chan(int, 0);
    go(waits, c);
    go(work, NULL);
    go_recv(c, NULL);
}
