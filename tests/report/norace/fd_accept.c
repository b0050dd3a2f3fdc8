/* The clean twin of race/fd_accept.c: shutdown ends the wait, then the thread is waited for, or closes the descriptor itself. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <netinet/in.h>
#include <sys/socket.h>

static int l;
static void *clean(void *closes)
{
    step(1);
    accept(l, NULL, NULL);
    if (closes)
        close(l);
    return NULL;
}

int main(void)
{
    pthread_t t;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int closes = 0; closes < 2; closes++) {
        step(0);
        l = socket(AF_INET, SOCK_STREAM, 0);
        bind(l, (struct sockaddr *)&at, sizeof at);
        listen(l, 5);
        pthread_create(&t, NULL, clean, closes ? &l : NULL);
        await(1);
        usleep(20000);
        shutdown(l, SHUT_RDWR);
        pthread_join(t, NULL);
        if (!closes)
            close(l);
    }
    return 0;
}
