/* A context of with_value has nothing of its own to cancel. */
// expect: ^panic: context: cancel of a context that was not made to be cancelled$
// expect: ^main\(\)$
// status: 2
#include <gort.h>

int main(void)
{
    static char key;
    go_context *c = go_context_with_cancel(go_context_background());
    go_context_cancel(go_context_with_value(c, &key, NULL));
    return 0;
}
