/* Closed while a thread waits in accept: the wait goes on, or ends, or is for another's descriptor. */
// race-expect: WARNING: DATA RACE
// race-expect: +Close of descriptor [0-9]+ by main goroutine:
// race-expect: Previous accept on descriptor [0-9]+ by thread T[0-9]+:
// race-expect: Found 1 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <netinet/in.h>
#include <sys/socket.h>

static int l;
static void *racy(void *p) { step(1); accept(l, NULL, NULL); return p; }

int main(void)
{
    pthread_t t;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    l = socket(AF_INET, SOCK_STREAM, 0);
    bind(l, (struct sockaddr *)&at, sizeof at);
    listen(l, 5);
    pthread_create(&t, NULL, racy, NULL);
    await(1);
    usleep(20000);
    shutdown(l, SHUT_RDWR);
    close(l);
    pthread_join(t, NULL);
    return 0;
}
