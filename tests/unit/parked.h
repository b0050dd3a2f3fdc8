/* For tests that need others to be parked before they go on: looks, instead of hoping that a sleep was long enough. */
#include <gort.h>
#include <inspect.h>

struct parked_count {
    enum gort_wait_reason reason;
    int n;
};

static inline bool parked_one(const struct inspect_g *v, void *arg)
{
    struct parked_count *c = arg;
    c->n += v->status == GORT_STATUS_WAITING && v->reason == c->reason;
    return true;
}

/* Waits until n goroutines are parked for this reason. */
static inline void await_parked(enum gort_wait_reason reason, int n)
{
    for (;;) {
        struct parked_count c = {reason, 0};
        inspect_each(parked_one, &c);
        if (c.n == n)
            return;
        go_sleep(100 * GO_MICROSECOND);
    }
}
