/* A request with a deadline: the workers stop when it passes, and know for whom they worked. */
// expect: request 42: context deadline exceeded
// expect: 3 workers stopped
#include <gort.h>
#include <stdio.h>

static const char request_id;   /* its address is the key */

/* Works until the context is done. It has a reference of its own, since main may free the context before this goroutine has looked. */
static void work(go_context *c, go_send_chan(int) stopped)
{
    for (;;) {
        switch (go_select(go_case_recv(go_context_done(c), NULL), go_case_timeout(GO_MILLISECOND))) {
        case 0:
            go_context_release(c);
            go_send(stopped, 1);
            return;
        case 1:
            break;   /* a step of the work */
        }
    }
}

int main(void)
{
    int id = 42, n = 0;
    go_context *request = go_context_with_value(go_context_background(), &request_id, &id);
    go_context *c = go_context_with_timeout(request, 20 * GO_MILLISECOND);
    go_chan(int) stopped = go_make_chan(int, 0);
    for (int i = 0; i < 3; i++)
        go(work, go_context_hold(c), stopped);
    go_recv(go_context_done(c), NULL);
    printf("request %d: %s\n", *(int *)go_context_value(c, &request_id), go_strerror(go_context_err(c)));
    go_context_free(c);
    go_context_free(request);
    for (; n < 3; n++)
        go_recv(stopped, NULL);
    printf("%d workers stopped\n", n);
    return 0;
}
