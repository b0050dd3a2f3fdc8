/* A plugin that was built with detection: its atomics, locks and output order what it does. */
// expect: all done
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <dlfcn.h>

static void (*publish)(void), (*count_locked)(void);
static int (*await_published)(void);
static void (*copy)(char *, const char *, unsigned long), (*send_byte)(int);
static char text[32];
static int p[2];

static void *publishes(void *arg)
{
    publish();
    return arg;
}

static void *counts(void *arg)
{
    for (int i = 0; i < 100; i++)
        count_locked();
    return arg;
}

static void *copies(void *arg)
{
    copy(text, "what is copied within the plugin", sizeof text);
    send_byte(p[1]);
    return arg;
}

int main(void)
{
    void *plugin = dlopen(PLUGIN, RTLD_NOW);
    if (!plugin)
        return fprintf(stderr, "%s\n", dlerror()), 1;
    publish = (void (*)(void))dlsym(plugin, "plugin_publish");
    count_locked = (void (*)(void))dlsym(plugin, "plugin_count_locked");
    await_published = (int (*)(void))dlsym(plugin, "plugin_await");
    pthread_t t[2];
    pthread_create(&t[0], NULL, publishes, NULL);
    await_published();
    pthread_join(t[0], NULL);
    for (int i = 0; i < 2; i++)
        pthread_create(&t[i], NULL, counts, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    copy = (void (*)(char *, const char *, unsigned long))dlsym(plugin, "plugin_copy");
    send_byte = (void (*)(int))dlsym(plugin, "plugin_send");
    pipe(p);
    pthread_create(&t[0], NULL, copies, NULL);
    read(p[0], &sink, 1);
    text[5]++;
    pthread_join(t[0], NULL);
    dlclose(plugin);
    puts("all done");
    return 0;
}
