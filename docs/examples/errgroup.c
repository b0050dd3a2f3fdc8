/* Pages fetched four at a time; the first that fails stops the others. */
// expect: page 7 failed
// expect: result: no such host
#include <gort.h>
#include <stdio.h>

struct page {
    int number;
    go_context *context;
};

static int fetch(void *arg)
{
    struct page *p = arg;
    if (go_context_err(p->context))
        return go_context_err(p->context);   /* another one has failed: don't begin */
    if (p->number == 7) {
        printf("page 7 failed\n");
        return GO_ERR_NO_HOST;
    }
    go_sleep(GO_MILLISECOND);
    return 0;
}

int main(void)
{
    enum { PAGES = 20 };
    struct page page[PAGES];
    go_errgroup g;
    go_context *c = go_errgroup_with_context(&g, go_context_background());
    go_errgroup_set_limit(&g, 4);
    for (int i = 0; i < PAGES; i++) {
        page[i] = (struct page){i, c};
        go_errgroup_go(&g, fetch, &page[i]);
    }
    int err = go_errgroup_wait(&g);
    printf("result: %s\n", go_strerror(err));
    go_context_free(c);
    return err != GO_ERR_NO_HOST;
}
