/* Goroutines use a plugin's thread-local variables in turn, as they do the program's (thread_local.c). RTLD_DEEPBIND is left out. */
// expect: ^gort: race detector: dlopen\(".*checked_plugin.*"\): RTLD_DEEPBIND is left out: with it
// expect: ^all done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// env: GOMAXPROCS=2
// runs: 3
#define _GNU_SOURCE
#include <dlfcn.h>

#include "race_test.h"

static int (*use)(int n);
static void (*count_locked)(void);
static go_waitgroup done;

static void uses(int n)
{
    for (int i = 0; i < 50; i++) {
        if (!use(n * 8 + i % 8))
            abort();
        count_locked();
        if (i % 10 == 0)
            go_yield();
    }
    go_waitgroup_done(&done);
}

int main(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_DEEPBIND);
    if (!plugin)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    use = (int (*)(int))dlsym(plugin, "plugin_use_thread_local");
    count_locked = (void (*)(void))dlsym(plugin, "plugin_count_locked");
    go_waitgroup_add(&done, 16);
    for (int i = 0; i < 16; i++)
        go(uses, i);
    go_waitgroup_wait(&done);
    puts("all done");
    return 0;
}
