/* The run queue. The protocol and its memory orders are in runq.h. */
#include "runq.h"

#ifdef RT_DEBUG
#include "internal.h"
#include "os.h"

void runq_perturb(void)
{
    static _Thread_local uint32_t turn __attribute__((tls_model("initial-exec")));
    if (!sched_perturbs)
        return;
    turn = turn * 1664525 + 1013904223 + (uint32_t)os_now();
    if (turn >> 26 == 0)
        os_nanosleep(20000);
    else if (turn >> 29 == 1)
        os_thread_yield();
}
#endif

static_assert((RT_RUNQ_SLOTS & (RT_RUNQ_SLOTS - 1)) == 0, "a power of two");

unsigned runq_take_half(struct runq *q, struct g **out)
{
    unsigned head = atomic_load_explicit(&q->head, memory_order_acquire);
    unsigned tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
    unsigned n = (tail - head) / 2;
    if (n > RT_RUNQ_SLOTS / 2)
        n = RT_RUNQ_SLOTS / 2;
    for (unsigned i = 0; i < n; i++)
        out[i] = atomic_load_explicit(&q->slot[(head + i) % RT_RUNQ_SLOTS], memory_order_relaxed);
    if (n == 0 || !atomic_compare_exchange_strong_explicit(&q->head, &head, head + n, memory_order_acq_rel, memory_order_relaxed))
        return 0;
    q->head_seen = head + n;
    return n;
}

struct g *runq_steal(struct runq *to, struct runq *q)
{
    unsigned to_tail = atomic_load_explicit(&to->tail, memory_order_relaxed);
    for (;;) {
        unsigned head = atomic_load_explicit(&q->head, memory_order_acquire);
        unsigned tail = atomic_load_explicit(&q->tail, memory_order_acquire);
        unsigned n = tail - head;
        n -= n / 2;
        if (n == 0)
            return NULL;
        if (n > RT_RUNQ_SLOTS / 2)   /* head and tail were read apart and don't fit together */
            continue;
        for (unsigned i = 0; i < n; i++) {
            struct g *g = atomic_load_explicit(&q->slot[(head + i) % RT_RUNQ_SLOTS], memory_order_relaxed);
            atomic_store_explicit(&to->slot[(to_tail + i) % RT_RUNQ_SLOTS], g, memory_order_relaxed);
        }
        if (!atomic_compare_exchange_strong_explicit(&q->head, &head, head + n, memory_order_acq_rel, memory_order_relaxed))
            continue;
        /* The last of them runs at once; the others are published. */
        struct g *g = atomic_load_explicit(&to->slot[(to_tail + n - 1) % RT_RUNQ_SLOTS], memory_order_relaxed);
        atomic_store_explicit(&to->tail, to_tail + n - 1, memory_order_release);
        return g;
    }
}

unsigned runq_len(struct runq *q)
{
    unsigned head = atomic_load_explicit(&q->head, memory_order_acquire);
    unsigned tail = atomic_load_explicit(&q->tail, memory_order_acquire);
    return tail - head;
}

bool runq_is_empty(struct runq *q)
{
    return runq_len(q) == 0 && atomic_load_explicit(&q->next, memory_order_acquire) == NULL;
}
