/* Two goroutines that take turns by sleeping: main says "hello", another one "world", five times each. */
// expect: hello
// expect: done
// plain-expect: world
// race-expect: world
#include <gort.h>
#include <stdio.h>

static void say(const char *what, go_waitgroup *wg)
{
    for (int i = 0; i < 5; i++) {
        go_sleep(2 * GO_MILLISECOND);
        printf("%s\n", what);
    }
    go_waitgroup_done(wg);
}

int main(void)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    go_waitgroup_add(&wg, 2);
    go(say, "world", &wg);
    say("hello", &wg);
    go_waitgroup_wait(&wg);
    printf("done\n");
    return 0;
}
