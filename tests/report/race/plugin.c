/* A plugin that is loaded at run time and was built with detection is checked as the program is. */
// race-expect: WARNING: DATA RACE
// race-expect: plugin_count\(\)
// race-expect: checked_plugin.c:10 \+
// race-expect: Found 1 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <dlfcn.h>

static void (*count)(void);

static void *counts(void *p)
{
    count();
    step(1);
    return p;
}

int main(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW);
    if (!plugin)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    count = (void (*)(void))dlsym(plugin, "plugin_count");
    pthread_t t;
    pthread_create(&t, NULL, counts, NULL);
    await(1);
    count();
    pthread_join(t, NULL);
    return 0;
}
