/* A program with races for judge_test.py: on part of a global variable, and on a heap block. With an argument it also
 *   order   takes two locks in both orders
 *   abort   ends by abort() */
#include <gort.h>
#include <stdlib.h>
#include <string.h>

struct state {
    int unused, count;
};
struct state state;
int sink;
static int *cell;
static go_waitgroup wg;
static go_mutex a, b;

static void writer(void)
{
    state.count = 1;
    *cell = 1;
    go_waitgroup_done(&wg);
}

static void reader(void)
{
    int n = state.count;
    n += *cell;
    sink = n;
    go_waitgroup_done(&wg);
}

static void take(go_mutex *first, go_mutex *second)
{
    go_mutex_lock(first);
    go_mutex_lock(second);
    go_mutex_unlock(second);
    go_mutex_unlock(first);
    go_waitgroup_done(&wg);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    cell = malloc(sizeof *cell);
    go_waitgroup_add(&wg, 2);
    go(writer);
    go(reader);
    go_waitgroup_wait(&wg);
    free(cell);
    if (!strcmp(what, "order")) {
        go_waitgroup_add(&wg, 1);
        go(take, &a, &b);
        go_waitgroup_wait(&wg);
        go_waitgroup_add(&wg, 1);
        go(take, &b, &a);
        go_waitgroup_wait(&wg);
    }
    if (!strcmp(what, "abort"))
        abort();
    return 0;
}
