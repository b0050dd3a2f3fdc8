/* Threads that the runtime did not make: each becomes a goroutine of its own at its first call, main's with number 1, and stays
 * bound to its thread (sched.c says why it has no P). It ends with the thread.
 *
 * Its M has a g0 on a stack of the pool. To park, the goroutine switches to it as any other would, so its registers are saved where
 * tools and detectors expect them; g0 then sleeps until the goroutine is made runnable, and switches back. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include <gort/goroutine.h>

#include "asan.h"
#include "cxx.h"
#include "internal.h"
#include "label.h"
#include "os.h"
#include "signals.h"

static pthread_key_t exit_key;
static pthread_once_t exit_key_once = PTHREAD_ONCE_INIT;

struct m *m_new(bool is_worker)
{
    struct m *m = os_map(sizeof *m);
    if (!m)
        rt_out_of_memory("a thread");
    m->is_worker = is_worker;
    /* A worker is in the runtime until it runs a goroutine. From before it has a P: a thread may take longer to start than the monitor waits, and
     * the P, or a spinning M's place in nspinning, would be lost. */
    atomic_init(&m->in_rt, is_worker);
    m->rng = (uint32_t)os_now() * 2654435761u ^ (uint32_t)((uintptr_t)m >> 12);
#ifdef RT_DEBUG
    const char *seed = getenv("GORT_PERTURB");
    static atomic_uint made;
    if (seed)
        m->rng = ((uint32_t)atoi(seed) + atomic_fetch_add_explicit(&made, 1, memory_order_relaxed)) * 2654435761u;
#endif
    m->rng = m->rng ? m->rng : 1;
    struct m *head = atomic_load_explicit(&sched.ms, memory_order_relaxed);
    do
        m->next = head;
    while (!atomic_compare_exchange_weak_explicit(&sched.ms, &head, m, memory_order_release, memory_order_relaxed));
    return m;
}

/* m's own goroutine has switched here to wait: sleeps until it is runnable, and switches back. */
void thread_wait_turn(struct m *m)
{
    struct g *g = m->thread_g;
    forked_check();
    lock(&sched.lock);
    sched.nthreads_running--;
    if (sched.nthreads_running == 0)
        sched_check_dead_locked();
    unlock(&sched.lock);
    int64_t until = os_ncpu() > 1 ? os_now() + RT_SPIN_NS : 0;
    while (g_status(g) != GORT_STATUS_RUNNABLE) {
        if (os_now() < until)
            ctx_pause();
        else
            note_sleep(&m->note, -1);
    }
    atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_relaxed);
    m->g = g;
    g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
    hook_switch(HOOK_RACE_G(g));
    asan_leave(&m->asan, g->stack_lo, g->stack_hi);
    ctx_switch(&m->g0, &g->ctx);
    asan_arrive(m->asan);
}

/* The scheduler of a thread M. */
static _Noreturn void thread_g0(void)
{
    asan_arrive(NULL);
    for (;;)
        thread_wait_turn(rt_m());
}

/* ---- go_lock_os_thread: a worker M becomes a thread M for a while ---- */

void go_lock_os_thread(void)
{
    struct m *m = rt_enter();
    struct g *g = m->g;
    if (!(g->flags & GORT_G_THREAD)) {
        lock(&sched.lock);
        struct p *p = m->p;
        m->p = NULL;
        p->m = NULL;
        m->thread_g = g;
        g->flags |= GORT_G_THREAD | GORT_G_WIRED;
        sched.nthreads_running++;
        sched.nthread_ms++;
        atomic_fetch_sub_explicit(&sched.nworkers, 1, memory_order_relaxed);
        unlock(&sched.lock);
        sched_handoff(p);
    }
    g->thread_locks++;
    rt_leave();
}

void thread_unwire(struct m *m)
{
    struct g *g = m->g;
    lock(&sched.lock);
    m->thread_g = NULL;
    g->flags &= ~(GORT_G_THREAD | GORT_G_WIRED);
    g->thread_locks = 0;
    sched.nthreads_running--;
    sched.nthread_ms--;
    atomic_fetch_add_explicit(&sched.nworkers, 1, memory_order_relaxed);
    unlock(&sched.lock);
    sched_get_in_line(m);
}

void go_unlock_os_thread(void)
{
    struct m *m = rt_enter();
    struct g *g = m->g;
    if (g->thread_locks > 0 && --g->thread_locks == 0 && g->flags & GORT_G_WIRED)
        thread_unwire(m);
    rt_leave();
}

/* The thread ends. Its M stays in the list, marked, for tools that are just walking it; another thread takes it over. */
static void thread_detach(void *arg)
{
    struct m *m = arg;
    struct g *g = m->thread_g;
    g_flush(m);
    signals_thread_end(m);
    labels_drop(g->labels);
    g->labels = NULL;
    g_set_state(g, GORT_STATUS_FREE, GORT_WAIT_NONE);
    g_count_add(m, -1);
    __atomic_store_n(&m->tid, 0, __ATOMIC_RELEASE);
    m->g = NULL;
    rt_set_m(NULL);
    lock(&sched.lock);
    sched.nthreads_running--;
    sched.nthread_ms--;
    m->idle_next = sched.free_ms;
    sched.free_ms = m;
    if (sched.nthreads_running == 0)
        sched.recheck_dead = true;   /* this thread still exists for a moment: the monitor looks again */
    bool wake = sched.recheck_dead && atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst);
    unlock(&sched.lock);
    if (wake)
        note_wake(&sched.monitor_note);
}

static void make_exit_key(void)
{
    pthread_key_create(&exit_key, thread_detach);
}

struct m *thread_attach(void)
{
    int saved_errno = errno;
    sched_start();
    uint32_t tid = os_tid();
    bool is_main = tid == os_pid();
    lock(&sched.lock);
    struct m *m = sched.free_ms;
    if (m)
        sched.free_ms = m->idle_next;
    unlock(&sched.lock);
    uintptr_t g0_lo, g0_hi;
    if (!m) {
        m = m_new(false);
        if (!stack_alloc(&g0_lo, &g0_hi))
            rt_fatal("no memory for a thread's scheduler stack");
        m->g0_lo = g0_lo;
        m->g0_hi = g0_hi;
    }
    asan_fresh(m->g0_lo, m->g0_hi);
    struct g *g = m->thread_g ? m->thread_g : g_get_bare();
    if (!g)
        rt_fatal("no memory for a thread's goroutine");
    ctx_make_plain(&m->g0, m->g0_hi & ~(uintptr_t)15, thread_g0);
    os_thread_stack(&g->stack_lo, &g->stack_hi);
    g->id = is_main ? 1 : g_new_id(m);
    g->parent_id = 0;
    g->flags = GORT_G_THREAD | (is_main ? GORT_G_MAIN : 0);
    g->fn = g->create_pc = 0;
    g->wait_obj = 0;
    g->pending = NULL;
    g->deferred = NULL;
    g->panics = NULL;
    g->labels = NULL;
    g->thread_locks = 0;
    g->next_stack_bytes = 0;
    g->m = m;
    atomic_store_explicit(&g->ctx.on_cpu, 1, memory_order_relaxed);
    m->thread_g = g;
    m->g = g;
    m->errno_addr = __errno_location();
    m->cxx_eh = cxx_eh_here();
    m->tid = tid;
    signals_thread_start(m);
    HOOK_SET_RACE_G(g, hook_attach_thread(g->id));
    hook_ignore_begin();
    pthread_once(&exit_key_once, make_exit_key);
    pthread_setspecific(exit_key, m);
    hook_ignore_end();
    g_count_add(m, 1);
    lock(&sched.lock);
    sched.nthread_ms++;
    sched.nthreads_running++;
    unlock(&sched.lock);
    g_set_state(g, GORT_STATUS_RUNNING, GORT_WAIT_NONE);
    rt_set_m(m);
    errno = saved_errno;
    return m;
}
