/* What is done after a library has sent a byte is not ordered with who has received it. */
// race-expect: WARNING: DATA RACE
// race-expect: Found 10 data race\(s\)
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include "plain_bell.h"
#include <sys/socket.h>

static int s[2];

#define BOTH(name, ring, wait) \
    int value_##name; \
    static void *rings_##name(void *b) \
    { \
        (void)b; \
        ring; \
        value_##name = 1; \
        step(1); \
        return NULL; \
    } \
    static void waits_##name(void *b) \
    { \
        pthread_t t; \
        step(0); \
        pthread_create(&t, NULL, rings_##name, b); \
        wait; \
        await(1); \
        value_##name++; \
        pthread_join(t, NULL); \
    }
#define X(name) BOTH(name, bell_ring(b), bell_wait(b))
BELLS(X)
#undef X
BOTH(ready, send(s[1], "x", 1, 0), bell_ready(s[0]))
BOTH(sent, bell_send(s[1]), read(s[0], &sink, 1))

int main(void)
{
    struct bell *b;
#define X(name) \
    b = bell_new(BELL_##name); \
    waits_##name(b); \
    bell_free(b);
    BELLS(X)
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    waits_sent(NULL);
    waits_ready(NULL);
    return 0;
}
