/* A ticker that reports progress, a timer that ends it, and a function that runs later. */
// expect: tick 1
// expect: tick 2
// expect: tick 3
// expect: time is up
// expect: cleaned up
#include <gort.h>
#include <stdio.h>

static go_chan(int) cleaned;

static void clean_up(void *what)
{
    printf("%s\n", (const char *)what);
    go_send(cleaned, 1);
}

int main(void)
{
    cleaned = go_make_chan(int, 0);
    go_ticker *ticker = go_ticker_new(20 * GO_MILLISECOND);
    go_timer *end = go_timer_new(GO_HOUR);
    for (int ticks = 0, running = 1; running;) {
        switch (go_select(go_case_recv(go_ticker_chan(ticker), NULL), go_case_recv(go_timer_chan(end), NULL))) {
        case 0:
            printf("tick %d\n", ++ticks);
            if (ticks == 3) {
                go_ticker_stop(ticker);
                go_timer_reset(end, GO_MILLISECOND);
            }
            break;
        case 1:
            printf("time is up\n");
            running = 0;
            break;
        }
    }
    go_timer *later = go_after_func(GO_MILLISECOND, clean_up, "cleaned up");
    go_recv(cleaned, NULL);
    go_timer_free(later);
    go_timer_free(end);
    go_ticker_free(ticker);
    return 0;
}
