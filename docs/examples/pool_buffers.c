/* A pool of buffers: what a goroutine has finished with, the next one uses again. Clearing the pool frees them all. */
// expect: 1000 lines formatted
// expect: every buffer freed
// absent: DATA RACE
#include <gort.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BYTES = 4096 };

static _Atomic(int) made, freed, formatted;

static void *make_buffer(void *arg)
{
    (void)arg;
    made++;
    return malloc(BYTES);
}

static void free_buffer(void *buffer)
{
    freed++;
    free(buffer);
}

static go_pool buffers = {.make = make_buffer, .drop = free_buffer};

static void format(int i, go_waitgroup *wg)
{
    char *b = go_pool_get(&buffers);
    snprintf(b, BYTES, "line %d", i);
    formatted += atoi(b + strlen("line ")) == i;
    go_pool_put(&buffers, b);
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 1000);
    for (int i = 0; i < 1000; i++)
        go(format, i, &wg);
    go_waitgroup_wait(&wg);
    printf("%d lines formatted\n", formatted);
    go_pool_clear(&buffers);
    if (made > 0 && made == freed)
        puts("every buffer freed");
    return 0;
}
