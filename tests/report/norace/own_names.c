/* A program and its shared library may have functions of the names that the runtime and the detector have inside. */
// expect: the program's: 63, the library's: 15
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include <gort.h>
#include <stdio.h>
#include "plain_names.h"

int conn_close(int n);
int timer_start(int n);
int list_free(int n);
int rt_ready(int n);
int race_print(int n);
int sched(int n);

int conn_close(int n)  { return n + 1; }
int timer_start(int n) { return n + 2; }
int list_free(int n)   { return n + 4; }
int rt_ready(int n)    { return n + 8; }
int race_print(int n)  { return n + 16; }
int sched(int n)       { return n + 32; }

static void work(go_send_chan(int) c)
{
    go_listener *l;
    if (go_listen("tcp", "127.0.0.1:0", &l) == 0)
        go_listener_close(l);
    go_sleep(1);
    go_send(c, conn_close(timer_start(list_free(rt_ready(race_print(sched(0)))))));
}

int main(void)
{
    int sum;
    go_chan(int) c = go_make_chan(int, 0);
    go(work, c);
    go_recv(c, &sum);
    printf("the program's: %d, the library's: %d\n", sum, names_sum());
    go_chan_free(c);
    return 0;
}
