/* What go_fd_wait tells of comes after it, read or not, as with poll; what precedes a connect comes before what follows its accept, whoever made the calls. */
// expect: ^all$
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"
#include <arpa/inet.h>
#include <sys/socket.h>

static int ends[2], value;
static char where[64];

static void writes(void)
{
    value++;
    if (write(ends[1], "a", 1) != 1)
        abort();
}

static void closes(void)
{
    value++;
    close(ends[1]);
}

static void accepts(go_listener *l, go_chan(int) done)
{
    go_conn *c;
    if (go_accept(l, &c) != 0)
        abort();
    value++;
    go_conn_close(c);
    go_send(done, 1);
}

static void connects_by_hand(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(strrchr(where, ':') + 1)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    value++;
    if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
        abort();
    close(fd);
}

int main(void)
{
    char c;
    go_listener *l;
    go_conn *conn;
    go_chan(int) done = go_make_chan(int, 0);
    if (pipe(ends) != 0)
        abort();
    go(writes);
    go_fd_wait(ends[0], GO_READABLE, -1);
    value++;
    if (read(ends[0], &c, 1) != 1)
        abort();
    go(closes);
    go_fd_wait(ends[0], GO_READABLE, -1);
    value++;

    if (go_listen("tcp", "127.0.0.1:0", &l) != 0 || go_listener_addr(l, where, sizeof where) != 0)
        abort();
    go(accepts, l, done);
    value++;
    if (go_dial("tcp", where, &conn) != 0)
        abort();
    go_recv(done, NULL);
    go_conn_close(conn);
    go(accepts, l, done);
    connects_by_hand();
    go_recv(done, NULL);
    go_listener_close(l);
    puts("all");
    return value == 8 ? 0 : 1;
}
