/* Races that are met with while the thread holds a lock which a report needs: the dynamic loader's, as a plugin's constructor does, and that of the stream that
 * reports go to, as a function that is just logging does. */
// race-expect: WARNING: DATA RACE
// race-expect: > loaded\+\+;
// race-expect: WARNING: DATA RACE
// race-expect: > logged\+\+;
// race-expect: Found 2 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#define _GNU_SOURCE
#include "race_test.h"
#include <link.h>

static int loaded, logged;

static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)info;
    (void)size;
    (void)arg;
    loaded++;
    return 1;
}

static void loads(int way)
{
    dl_iterate_phdr(look, NULL);
    step(way);
}

static void forgets(int way)
{
    logged++;
    step(way);
}

static void logs(int way)
{
    flockfile(stderr);
    logged++;
    funlockfile(stderr);
    step(way);
}

int main(void)
{
    go(loads, 1);
    await(1);
    go(loads, 2);
    await(2);
    go(forgets, 3);
    await(3);
    go(logs, 4);
    await(4);
    return 0;
}
