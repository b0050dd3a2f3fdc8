/* Something that all need and nobody wants to prepare twice: the first who asks prepares it, and the others wait until it is there. */
// expect: ^loading$
// expect: ^10 goroutines saw port 8080$
// absent: DATA RACE
#include <gort.h>
#include <stdio.h>

static struct {
    int port;
} config;
static go_once loaded;

static void load(void *arg)
{
    puts("loading");
    go_sleep(5 * GO_MILLISECOND);
    config.port = *(int *)arg;
}

struct job {
    int port;
    _Atomic(int) saw;
};

static void serve(void *arg)
{
    struct job *j = arg;
    go_once_do(&loaded, load, &j->port);
    if (config.port == 8080)
        j->saw++;
}

int main(void)
{
    struct job j = {.port = 8080};
    go_waitgroup wg = GO_WAITGROUP_INIT;
    for (int i = 0; i < 10; i++)
        go_waitgroup_go(&wg, serve, &j);
    go_waitgroup_wait(&wg);
    printf("%d goroutines saw port %d\n", j.saw, config.port);
    return 0;
}
