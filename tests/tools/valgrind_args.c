/* For valgrind.sh: goroutines one after another on the same stack, with and without arguments that take room there. */
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct large {
    char c[3000];
};
static go_waitgroup ended;
static long sum;

static void takes_one(int i)
{
    sum += i;
    go_waitgroup_done(&ended);
}

static void takes_much(struct large l, int i)
{
    sum += l.c[0] + l.c[sizeof l.c - 1] + i;
    go_waitgroup_done(&ended);
}

static void takes_some(int a, int b, int c, int d, int e, int f, int g, double h)
{
    sum += a + b + c + d + e + f + g + (int)h;
    go_waitgroup_done(&ended);
}

static void leaves(int i)
{
    sum += i;
    go_waitgroup_done(&ended);
    go_exit();
}

/* Those with much are entered from the end of another one, on a stack that was in use further down. */
static void takes_room(int i)
{
    volatile char room[3000];
    for (size_t k = 0; k < sizeof room; k++)
        room[k] = (char)i;
    sum += room[7];
    go_waitgroup_done(&ended);
}

static void starts_crowds(struct large l)
{
    for (int i = 0; i < 5; i++) {
        go_waitgroup_add(&ended, 4);
        go(takes_room, 1);
        go(takes_room, 2);
        go_yield();
        go(takes_much, l, i);
        go(takes_room, 3);
        go_yield();
    }
    go_waitgroup_done(&ended);
}

int main(void)
{
    setenv("GOMAXPROCS", "1", 1);
    struct large l;
    memset(&l, 7, sizeof l);
    for (int i = 0; i < 40; i++) {
        go_waitgroup_add(&ended, 1);
        switch (i * 7 % 5) {
        case 0: go(takes_one, i); break;
        case 1: go(takes_much, l, i); break;
        case 2: go(takes_some, i, 1, 2, 3, 4, 5, 6, 7.0); break;
        case 3: go(leaves, i); break;
        default: go(takes_one, -i); break;
        }
        go_waitgroup_wait(&ended);
    }
    go_waitgroup_add(&ended, 1);
    go(starts_crowds, l);
    go_waitgroup_wait(&ended);
    printf("%ld\n", sum);
    return 0;
}
