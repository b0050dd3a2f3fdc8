/* Ps and the Ms that serve them: the idle lists, the global queue, GOMAXPROCS, when an M is started or woken, and the end of a program that can never go
 * on. The protocols (A), (B) and (T) are told in sched.c. */
#include "procs.h"

#include <stdlib.h>

#include "asan.h"
#include "netpoll.h"
#include "os.h"
#include "signals.h"

struct sched sched = {.lock = LOCK_INIT(SCHED), .keep_until = TIMER_NEVER};

/* ---- Ps ---- */

void sched_put_idle_locked(struct p *p)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    p->m = NULL;
    p->status = P_IDLE;
    p->idle_next = sched.idle_ps;
    sched.idle_ps = p;
    atomic_fetch_add_explicit(&sched.nidle, 1, memory_order_seq_cst);   /* (A) 1 */
}

struct p *sched_get_idle_locked(struct m *m)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    struct p *p = sched.idle_ps;
    if (p) {
        sched.idle_ps = p->idle_next;
        p->status = P_RUNNING;   /* before the barrier below: see sched_wake_monitor */
        p->m = m;
        atomic_fetch_sub_explicit(&sched.nidle, 1, memory_order_seq_cst);
    }
    return p;
}

static struct p *p_new(uint32_t id)
{
    struct p *p = os_map(sizeof *p);
    if (!p)
        rt_out_of_memory("a processor");
    p->id = id;
    timers_init(&p->timers);
    return p;
}

/* ---- the global queue ---- */

/* first to last, n of them, linked. */
static void global_put_locked(struct g *first, struct g *last, int n)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    last->next = NULL;
    if (sched.global.last)
        sched.global.last->next = first;
    else
        sched.global.first = first;
    sched.global.last = last;
    atomic_fetch_add_explicit(&sched.global.n, n, memory_order_seq_cst);
}

void sched_global_put(struct g *g)
{
    lock(&sched.lock);
    g->ahead = NULL;
    global_put_locked(g, g, 1);
    unlock(&sched.lock);
}

/* Takes one to run and a fair share more into the P's queue, where there is room: only thieves touch it besides us. One by one: the caller's stack may be a
 * goroutine's, which is better left on its first page. */
struct g *sched_global_get(struct p *p)
{
    int n = atomic_load_explicit(&sched.global.n, memory_order_seq_cst);
    if (n == 0)
        return NULL;
    int share = n / atomic_load_explicit(&sched.nprocs, memory_order_relaxed), room = 1 + RT_RUNQ_SLOTS / 2 - (int)runq_len(&p->runq);
    share = share < room ? share : room;
    share = share < RT_RUNQ_SLOTS / 2 ? share : RT_RUNQ_SLOTS / 2;
    lock(&sched.lock);
    struct g *first = sched.global.first, *g = first;
    for (n = 0; g && (n == 0 || n < share); n++) {
        struct g *next = g->next;
        g_fetch(g->ahead);
        g->next = NULL;
        if (n > 0) {
            bool put = runq_put(&p->runq, g);
            RT_CHECK(put);
        }
        g = next;
    }
    sched.global.first = g;
    if (!g)
        sched.global.last = NULL;
    atomic_fetch_sub_explicit(&sched.global.n, n, memory_order_relaxed);
    unlock(&sched.lock);
    return first;
}

/* p's queue is full: half of it goes to the global one. */
void sched_overflow(struct p *p)
{
    struct g *half[RT_RUNQ_SLOTS / 2];
    unsigned n = runq_take_half(&p->runq, half);
    if (n == 0)
        return;
    for (unsigned i = 0; i < n; i++) {
        half[i]->next = i + 1 < n ? half[i + 1] : NULL;
        half[i]->ahead = i + G_AHEAD < n ? half[i + G_AHEAD] : NULL;
    }
    lock(&sched.lock);
    global_put_locked(half[0], half[n - 1], (int)n);
    unlock(&sched.lock);
}

bool sched_has_work(struct p *p)
{
    return !runq_is_empty(&p->runq) || atomic_load_explicit(&sched.global.n, memory_order_seq_cst) > 0 ||
           timers_first(&p->timers) <= atomic_load_explicit(&sched.now, memory_order_relaxed);
}

bool sched_any_queue_has_work(void)
{
    if (atomic_load_explicit(&sched.global.n, memory_order_seq_cst) > 0)
        return true;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n; i++)
        if (!runq_is_empty(&sched.ps[i]->runq))
            return true;
    return false;
}

int64_t sched_first_timer(void)
{
    int64_t first = TIMER_NEVER;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        int64_t t = timers_first(&sched.ps[i]->timers);
        if (t < first)
            first = t;
    }
    return first;
}

/* ---- threads: start, wake ---- */

/* m leaves the idle list; if it watched timers and the netpoller, nobody does for now. */
void sched_keeper_leaves_locked(struct m *m)
{
    if (sched.timekeeper == m) {
        sched.timekeeper = NULL;
        sched.keeper_polls = false;
        atomic_store_explicit(&sched.keep_until, TIMER_NEVER, memory_order_seq_cst);
    }
}

void sched_start_m(struct p *p, bool spinning)
{
    forked_check();
    lock(&sched.lock);
    struct m *m = sched.idle_ms;
    if (m) {
        sched.idle_ms = m->idle_next;
        sched.nidle_ms--;
        sched_keeper_leaves_locked(m);
        m->p = p;
        m->spinning = spinning;
        p->m = m;
    }
    unlock(&sched.lock);
    sched_wake_monitor();
    if (m) {
        note_wake(&m->note);
        return;
    }
    if (atomic_fetch_add_explicit(&sched.nworkers, 1, memory_order_relaxed) >= RT_THREADS_MAX)
        rt_fatal("runtime: program exceeds %d-thread limit", RT_THREADS_MAX);
    m = m_new(true);
    m->p = p;
    m->spinning = spinning;
    atomic_store_explicit(&m->in_rt, 1, memory_order_relaxed);   /* the thread may start late: the P is not the monitor's to take */
    lock(&sched.lock);
    p->m = m;
    unlock(&sched.lock);
    int err = os_thread_start(sched_worker_main, m, RT_THREAD_STACK_BYTES);
    if (err < 0)
        rt_fatal("runtime: can't create a thread (error %d); raise the limit of processes or threads", -err);
}

void sched_handoff(struct p *p)
{
    sched_start_m(p, false);
}

/* Wakes one M to look for work, unless one is looking or no P is free. While we look for a P we count as spinning, and whoever submits work
 * in that time relies on it: so if there is no P we owe the second look that a spinning M owes ((A) in the essay). */
void sched_wake_p(void)
{
    for (;;) {
        int zero = 0;
        if (atomic_load_explicit(&sched.nspinning, memory_order_seq_cst) != 0 ||
            !atomic_compare_exchange_strong_explicit(&sched.nspinning, &zero, 1, memory_order_seq_cst, memory_order_relaxed))
            return;
        lock(&sched.lock);
        struct p *p = sched_get_idle_locked(NULL);
        unlock(&sched.lock);
        if (p) {
            sched_start_m(p, true);
            return;
        }
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) */
        if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0 || !sched_any_queue_has_work())
            return;
    }
}

void sched_timer_start(struct m *m, struct timer *t, int64_t when)
{
    struct timers *ts = m->p ? &m->p->timers : &sched.ps[0]->timers;   /* P 0 never retires */
    if (timer_start(ts, t, when))
        sched_timer_watch(when);
}

void sched_timer_watch(int64_t when)
{
    if (when >= atomic_load_explicit(&sched.keep_until, memory_order_seq_cst))   /* (T) */
        return;
    lock(&sched.lock);
    struct m *keeper = sched.timekeeper;
    unlock(&sched.lock);
    if (keeper)
        note_wake(&keeper->note);   /* a wake too many only makes it look again */
    else if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0)
        sched_wake_p();
}

/* ---- start, GOMAXPROCS, the end ---- */

/* sched.lock held. */
static void set_procs_locked(int n)
{
    int made = atomic_load_explicit(&sched.nps, memory_order_relaxed);
    for (; made < n; made++) {
        struct p *p = p_new((uint32_t)made);
        p->status = P_RETIRED;
        sched.ps[made] = p;
        atomic_store_explicit(&sched.nps, made + 1, memory_order_release);
    }
    atomic_store_explicit(&sched.nprocs, n, memory_order_release);
    struct p *keep = NULL, *p;
    while ((p = sched_get_idle_locked(NULL))) {   /* idle ones that are too many retire here, the others at their next turn */
        if ((int)p->id >= n) {
            p->status = P_RETIRED;
            continue;
        }
        p->idle_next = keep;
        keep = p;
    }
    while ((p = keep)) {
        keep = p->idle_next;
        sched_put_idle_locked(p);
    }
    for (int i = 0; i < made; i++) {
        if (i < n && sched.ps[i]->status == P_RETIRED)
            sched_put_idle_locked(sched.ps[i]);
        else if (i >= n && sched.ps[i]->status == P_RUNNING)
            atomic_store_explicit(&sched.ps[i]->slow, true, memory_order_relaxed);
    }
}

/* Before there are more Ps than one: the owner of the first one's queue shares it from now on (runq.h), and is in no operation that began when he was alone
 * with it. As in the monitor's protocol: the barrier comes before or after an M's entry to the runtime. An M that enters after it sees that it isn't alone; one
 * that was in before is waited for, until it has left, or lost the P, or picked another goroutine (tick), which it does between two operations. The caller, if
 * the P is his own, is in none. Others who come here meanwhile wait, too. False: there is no barrier any more (a filter of system calls was installed since
 * the start), so it must stay at one P. */
static bool share_queue(void)
{
    struct p *p = sched.ps[0];
    if (atomic_load_explicit(&sched.is_shared, memory_order_acquire) || sched_forked)   /* (in a child of fork there is no other thread) */
        return true;
    atomic_store_explicit(&p->runq.alone, false, memory_order_relaxed);
    if (!os_membarrier())
        return false;
    uint32_t tick = __atomic_load_n(&p->tick, __ATOMIC_ACQUIRE);
    for (;;) {
        lock(&sched.lock);
        struct m *owner = p->m;
        bool is_out = !owner || owner == rt_m() || !atomic_load_explicit(&owner->in_rt, memory_order_acquire);
        unlock(&sched.lock);
        if (is_out || __atomic_load_n(&p->tick, __ATOMIC_ACQUIRE) != tick)
            break;
        os_thread_yield();
    }
    atomic_store_explicit(&sched.is_shared, true, memory_order_release);
    return true;
}

int sched_set_procs(int n)
{
    if (n > 1 && !share_queue())
        n = 0;
    lock(&sched.lock);
    int old = atomic_load_explicit(&sched.nprocs, memory_order_relaxed);
    if (n >= 1 && n != old)
        set_procs_locked(n < RT_PROCS_MAX ? n : RT_PROCS_MAX);
    unlock(&sched.lock);
    if (n >= 1 && n < old) {   /* timers of Ps that retired while idle */
        for (int i = n; i < old; i++)
            if (sched.ps[i]->status == P_RETIRED)
                timers_move(&sched.ps[0]->timers, &sched.ps[i]->timers);
    }
    if (n > old && sched_any_queue_has_work())
        sched_wake_p();
    return old;
}

/* As much as matters of a number; 0: it is none. ("4x" is not 4: a mistake should not count as a wish.) */
static int number(const char *text)
{
    int n = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n < RT_PROCS_MAX ? n * 10 + *text - '0' : n;
    return *text ? 0 : n;
}

void sched_start(void)
{
    lock(&sched.lock);
    if (!atomic_load_explicit(&sched.started, memory_order_relaxed)) {
        hook_init();
        debug_init();
        bool can_barrier = os_membarrier();   /* registers the process */
        const char *env = getenv("GOMAXPROCS");
        int n = env ? number(env) : 0;
        n = n >= 1 ? n : os_ncpu();
        set_procs_locked(n < RT_PROCS_MAX ? n : RT_PROCS_MAX);
        bool alone = n == 1 && can_barrier;
        atomic_store_explicit(&sched.ps[0]->runq.alone, alone, memory_order_relaxed);
        atomic_store_explicit(&sched.is_shared, !alone, memory_order_relaxed);
        sched_clock();
#ifdef RT_DEBUG
        sched_perturbs = getenv("GORT_PERTURB") != NULL;
#endif
        asan_start();
        signals_start();
        os_keep_signal_mask();
        atomic_store_explicit(&sched.started, true, memory_order_release);
        unlock(&sched.lock);
        fatal_start();
        forked_start();
        monitor_start();
        return;
    }
    unlock(&sched.lock);
}

void sched_check_dead_locked(void)
{
    RT_ASSERT(lock_is_held(&sched.lock));
    sched.recheck_dead = false;
    if (sched.nthreads_running > 0 || atomic_load_explicit(&netpoll_waiters, memory_order_seq_cst) > 0 ||
        atomic_load_explicit(&sched.nspinning, memory_order_seq_cst) > 0 || sched_any_queue_has_work() ||
        sched_first_timer() != TIMER_NEVER)
        return;
    int left = g_count();
    bool main_ended = atomic_load_explicit(&sched.main_ended, memory_order_relaxed);
    if (left == 0 && !main_ended)
        return;
    int workers = atomic_load_explicit(&sched.nworkers, memory_order_relaxed);
    if (sched.nidle_ms != workers)   /* one runs a goroutine, with or without a P, or is about to */
        return;
    /* The monitor counts once it runs: counted earlier, it would stand for a thread that hasn't called us yet and may still wake somebody. */
    int known = workers + sched.nthread_ms + stack_maker_threads() + (__atomic_load_n(&sched.monitor_tid, __ATOMIC_ACQUIRE) != 0);
    int threads = os_thread_count();
    if (threads > known || threads < 0) {
        sched.recheck_dead = true;
        if (atomic_load_explicit(&sched.monitor_asleep, memory_order_seq_cst))
            note_wake(&sched.monitor_note);
        return;
    }
    unlock(&sched.lock);
    rt_fatal(left == 0 ? "no goroutines (main called runtime.Goexit) - deadlock!" : "all goroutines are asleep - deadlock!");
}
