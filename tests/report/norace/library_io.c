/* A library that was built without detection hands on what the program gave it by a byte through a descriptor, of its own or the program's: that orders. And the
 * pages that it maps begin a new life. */
// absent: DATA RACE
// expect: all done
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
        value_##name = 1; \
        ring; \
        return NULL; \
    } \
    static void waits_##name(void *b) \
    { \
        pthread_t t; \
        pthread_create(&t, NULL, rings_##name, b); \
        wait; \
        value_##name++; \
        pthread_join(t, NULL); \
    }
#define X(name) BOTH(name, bell_ring(b), bell_wait(b))
BELLS(X)
#undef X
BOTH(ready, send(s[1], "x", 1, 0), bell_ready(s[0]))
BOTH(sent, bell_send(s[1]), read(s[0], &sink, 1))

static void *maps(void *p)
{
    char *pages = bell_map(1 << 16);
    pages[0] = pages[40000] = 1;
    bell_unmap(pages, 1 << 16);
    step(1);
    return p;
}

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
    pthread_t t;
    pthread_create(&t, NULL, maps, NULL);
    await(1);
    char *pages = bell_map(1 << 16);
    pages[0] = pages[40000] = 2;
    pthread_join(t, NULL);
    puts("all done");
    return 0;
}
