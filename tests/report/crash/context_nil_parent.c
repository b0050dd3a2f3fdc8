/* A context needs a parent. */
// expect: ^panic: cannot create context from nil parent$
// expect: ^(derives|main)\(\)$
// status: 2
#include <gort.h>

static void derives(go_context *parent)
{
    go_context_free(go_context_with_timeout(parent, GO_SECOND));
    go_yield();
}

int main(void)
{
    derives(NULL);
}
