/* A plugin that is loaded at run time and was built with detection is checked as the program is. */
// race-expect: WARNING: DATA RACE
// race-expect: plugin_count\(\)
// race-expect: checked_plugin.c:12 \+
// race-expect: plugin_copy\(\)
// race-expect: Found 2 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <dlfcn.h>

static void (*count)(void), (*copy)(char *, const char *, unsigned long);
static char text[32];

static void *counts(void *p)
{
    count();
    copy(text, "what is copied within the plugin", sizeof text);
    step(1);
    return p;
}

int main(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW);
    if (!plugin)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    count = (void (*)(void))dlsym(plugin, "plugin_count");
    copy = (void (*)(char *, const char *, unsigned long))dlsym(plugin, "plugin_copy");
    pthread_t t;
    pthread_create(&t, NULL, counts, NULL);
    await(1);
    count();
    sink = text[5];
    pthread_join(t, NULL);
    return 0;
}
