/* What an M does that has no goroutine: it looks for one (its own P's queue, the global one, the netpoller, other Ps'), gives its P back when there is
 * none, and sleeps, the timekeeper in the netpoller. The protocols (A) and (T) are told in sched.c. */
#include "procs.h"

#include <errno.h>

#include "asan.h"
#include "cxx.h"
#include "netpoll.h"
#include "os.h"
#include "signals.h"

enum { POLL_SHARE = 16 };   /* so many goroutines readied at once are worth waking a thread for */

/* ---- looking for work ---- */

/* What a thief has seen of the other Ps since it began to look. */
enum { WATCHED = 64, JUDGE_NS = HOOK_IS_ON ? RT_JUDGE_NS_RACE : RT_JUDGE_NS };   /* Ps beyond WATCHED are not judged */
struct watch {
    struct seen {
        uint32_t head, tick;
    } seen[WATCHED];
};

static struct seen look_at(struct p *p)
{
    return (struct seen){atomic_load_explicit(&p->runq.head, memory_order_relaxed), __atomic_load_n(&p->tick, __ATOMIC_RELAXED)};
}

/* Whether to take from the victim's queue, or (next) its next goroutine: not, if it gets on with them by itself. */
static bool worth_stealing(const struct watch *w, struct p *victim, bool next, bool judged)
{
    unsigned len = runq_len(&victim->runq);
    if (!next && (len == 0 || len >= RT_STEAL_AT_ONCE || victim->id >= WATCHED))
        return len > 0;
    if (!judged || victim->id >= WATCHED)
        return judged;
    struct seen now = look_at(victim);
    return next ? now.tick == w->seen[victim->id].tick : 2 * (now.head - w->seen[victim->id].head) < len;
}

/* One pass over the other Ps, from a random one on: their queues, their `next`, their timers. */
static struct g *steal_pass(struct m *m, struct p *p, const struct watch *w, bool judged)
{
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    unsigned start = m_random(m) % (unsigned)n;
    for (int i = 0; i < n; i++) {
        struct p *victim = sched.ps[(start + (unsigned)i) % (unsigned)n];
        if (victim == p)
            continue;
        struct g *g = worth_stealing(w, victim, false, judged) ? runq_steal(&p->runq, &victim->runq) : NULL;
        if (!g && worth_stealing(w, victim, true, judged))
            g = runq_take_next(&victim->runq);
        if (g)
            return g;
        if (timers_first(&victim->timers) != TIMER_NEVER && timers_run(&victim->timers, m, sched_clock()) > 0) {
            g = runq_take_next(&p->runq);
            if (g || (g = runq_get(&p->runq)))
                return g;
        }
    }
    return NULL;
}

/* Whether p's first timer is due before `at`. */
static bool timer_before(struct p *p, int64_t at)
{
    return timers_first(&p->timers) <= at;
}

/* Spins over the others' queues and the global one: for RT_SPIN_NS, after a nap only as long as it takes to judge what is there; longer while there are
 * stacks to be got ready. Ends when a timer of p's is due. */
static struct g *steal(struct m *m, struct p *p)
{
    int64_t start = os_now(), now = start, until = start + (os_ncpu() > 1 && m->naps == 0 ? RT_SPIN_NS : 0);
    struct watch w;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n && i < WATCHED; i++)
        w.seen[i] = look_at(sched.ps[i]);
    for (;;) {
        bool judged = now - start >= JUDGE_NS;
        struct g *g = steal_pass(m, p, &w, judged);
        if (g || (g = sched_global_get(p)))
            return g;
        now = os_now();
        if (atomic_load_explicit(&p->slow, memory_order_relaxed) || timer_before(p, now))
            return NULL;
        if (judged && os_ncpu() > 1 && stack_make_some()) {
            until = os_now() + RT_SPIN_NS;
            continue;
        }
        if (judged && now >= until)
            return NULL;
        for (int i = 0; i < 20; i++)
            ctx_pause();
    }
}

/* A spinning M that found nothing sleeps a little and looks again, rather than give its P back: false if it shall. It counts as spinning all the while. Not
 * while somebody waits for I/O, which an idle M waits for best, nor when no other P is busy, from which work could come. */
static bool nap(struct m *m)
{
    int busy = atomic_load_explicit(&sched.nprocs, memory_order_relaxed) - atomic_load_explicit(&sched.nidle, memory_order_relaxed) -
               atomic_load_explicit(&sched.nspinning, memory_order_relaxed);
    if (m->naps >= RT_NAPS || busy <= 0 || atomic_load_explicit(&netpoll_waiters, memory_order_relaxed) > 0 || os_ncpu() == 1)
        return false;
    int64_t left = sched_first_timer() - os_now();
    if (left > RT_SPIN_NS)   /* else it is waited for awake */
        os_nanosleep(left < RT_NAP_NS ? left : RT_NAP_NS);
    m->naps++;
    return true;
}

/* The maximum of Ps was lowered below p: its goroutines and timers move on, and p is nobody's. */
static void retire(struct m *m, struct p *p)
{
    struct g *g = runq_take_next(&p->runq);
    if (g)
        sched_global_put(g);
    while ((g = runq_get(&p->runq)))
        sched_global_put(g);
    timers_move(&sched.ps[0]->timers, &p->timers);
    lock(&sched.lock);
    p->m = NULL;
    p->status = P_RETIRED;
    m->p = NULL;
    unlock(&sched.lock);
    if (m->spinning) {
        m->spinning = false;
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);
    }
    sched_wake_p();
}

/* The timekeeper's deadline: ns until the first of all timers, -1: none. See (T). */
static int64_t keep_timeout(void)
{
    int64_t first = sched_first_timer();
    for (;;) {
        atomic_store_explicit(&sched.keep_until, first, memory_order_seq_cst);
        int64_t again = sched_first_timer();
        if (again >= first)
            break;
        first = again;
    }
    if (first == TIMER_NEVER)
        return -1;
    int64_t left = first - sched_clock();
    return left > 0 ? left : 0;
}

static void remove_idle_m_locked(struct m *m)
{
    struct m **link = &sched.idle_ms;
    while (*link != m)
        link = &(*link)->idle_next;
    *link = m->idle_next;
    sched.nidle_ms--;
    sched_keeper_leaves_locked(m);
}

/* ---- the netpoller ---- */

static struct g *list_pop(struct gqueue *list)
{
    struct g *g = list->first;
    if (g) {
        list->first = g->next;
        g->next = NULL;
    }
    return g;
}

/* What the netpoller found becomes runnable: in the P's queue, or without one in the global queue. Wakes another M if there is much. */
static void inject(struct p *p, struct gqueue *list)
{
    int n = 0;
    for (struct g *g; (g = list_pop(list)); n++) {
        if (g->flags & GORT_G_THREAD) {
            sched_ready_thread(g);
            continue;
        }
        g_set_state(g, GORT_STATUS_RUNNABLE, GORT_WAIT_NONE);
        if (p)
            sched_queue_put(p, g);
        else
            sched_global_put(g);
    }
    *list = (struct gqueue){0};
    if (n > 0 && !p)
        sched_wake_p();
    else if (n >= POLL_SHARE && atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0)
        sched_wake_p();
}

/* Looks without waiting, unless an idle M waits there anyway. */
static void poll_now(struct p *p)
{
    if (atomic_load_explicit(&netpoll_waiters, memory_order_relaxed) == 0 || !netpoll_is_on())
        return;
    struct gqueue list = {0};
    netpoll(&list, 0);
    if (list.first)
        inject(p, &list);
}

void sched_poll_unwatched(void)
{
    lock(&sched.lock);
    bool watched = sched.keeper_polls;
    unlock(&sched.lock);
    if (!watched)
        poll_now(NULL);
}

void sched_poller_is_on(void)
{
    lock(&sched.lock);
    struct m *keeper = sched.timekeeper;
    unlock(&sched.lock);
    if (keeper)
        note_wake(&keeper->note);   /* it looks again, and waits in the poller from now on */
    else
        sched_wake_p();   /* there may be no M at all yet */
}

/* m found work: it is no longer spinning. Step 3 of the essay, for an M that keeps its P. */
static void sched_after_spin(struct m *m)
{
    m->spinning = false;
    atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) */
    if (atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0)
        return;
    bool timers_unwatched = sched_first_timer() != TIMER_NEVER &&
                            atomic_load_explicit(&sched.keep_until, memory_order_seq_cst) == TIMER_NEVER;
    if (timers_unwatched || sched_any_queue_has_work())
        sched_wake_p();
}

/* m has no P: sleeps until it is given one. */
static void stop_m(struct m *m)
{
    struct gqueue list = {0};
    forked_check();
    g_flush(m);
    lock(&sched.lock);
    m->idle_next = sched.idle_ms;
    sched.idle_ms = m;
    sched.nidle_ms++;
    /* A keeper that went to sleep when every P was busy, or before there was a poller, doesn't poll: the next M takes over. */
    if (!sched.timekeeper || (!sched.keeper_polls && netpoll_is_on())) {
        sched.keeper_polls = false;
        sched.timekeeper = m;
    }
    sched_check_dead_locked();
    for (;;) {
        bool keeper = sched.timekeeper == m;
        /* With every P busy whoever schedules next looks at the poller himself. */
        bool poll = keeper && netpoll_is_on() && !sched.polling && atomic_load_explicit(&sched.nidle, memory_order_relaxed) > 0;
        if (keeper)
            sched.keeper_polls = poll;
        if (poll)
            sched.polling = true;
        unlock(&sched.lock);
        int64_t timeout = keeper ? keep_timeout() : -1;
        /* All Ps are busy and a timer is due: whoever schedules next on its P fires it; look again in a while. */
        if (timeout == 0 && atomic_load_explicit(&sched.nidle, memory_order_seq_cst) == 0)
            timeout = 1000000;
        if (poll && timeout != 0 && note_poll_begin(&m->note)) {
            netpoll(&list, timeout);
            note_poll_end(&m->note);
        } else if (!poll && timeout != 0) {
            note_sleep(&m->note, timeout);
        } else if (poll) {
            note_poll_end(&m->note);
        }
        lock(&sched.lock);
        if (poll) {
            sched.polling = false;
            /* Who has become the keeper while we were on the way out could not poll yet. */
            if (sched.timekeeper && sched.timekeeper != m && !sched.keeper_polls)
                note_wake(&sched.timekeeper->note);
        }
        if (m->p)
            break;
        if (list.first || (sched.timekeeper == m && sched_first_timer() <= sched_clock())) {
            struct p *p = sched_get_idle_locked(m);
            if (p) {
                remove_idle_m_locked(m);
                m->p = p;
                m->spinning = true;
                atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
                break;
            }
        }
        if (list.first) {   /* every P is busy */
            unlock(&sched.lock);
            inject(NULL, &list);
            lock(&sched.lock);
            if (m->p)
                break;
        }
    }
    unlock(&sched.lock);
    sched_wake_monitor();   /* our P may come from the idle list: we took it for a timer */
    if (list.first)
        inject(m->p, &list);
}

/* Gives m's P back and, after the last look that the essay asks for, sleeps until m has one again. */
static void idle(struct m *m)
{
    struct p *p = m->p;
    lock(&sched.lock);
    if (atomic_load_explicit(&sched.global.n, memory_order_relaxed) > 0 || atomic_load_explicit(&p->slow, memory_order_relaxed)) {
        unlock(&sched.lock);
        return;
    }
    m->p = NULL;
    sched_put_idle_locked(p);
    unlock(&sched.lock);
    if (m->spinning) {
        m->spinning = false;
        atomic_fetch_sub_explicit(&sched.nspinning, 1, memory_order_seq_cst);   /* (A) 2 */
    }
    if (sched_any_queue_has_work()) {   /* (A) 3 */
        lock(&sched.lock);
        p = sched_get_idle_locked(m);
        m->p = p;
        unlock(&sched.lock);
        if (p) {
            m->spinning = true;
            atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
            sched_wake_monitor();
            return;
        }
    }
    stop_m(m);
}

static struct g *find_runnable(struct m *m)
{
    for (;;) {
        if (!m->p)
            stop_m(m);
        struct p *p = m->p;
        if (rt_unlikely(atomic_load_explicit(&p->slow, memory_order_relaxed))) {
            forked_check();
            atomic_store_explicit(&p->slow, false, memory_order_relaxed);
            if ((int)p->id >= atomic_load_explicit(&sched.nprocs, memory_order_acquire)) {
                retire(m, p);
                continue;
            }
        }
        if (timers_first(&p->timers) != TIMER_NEVER)
            timers_run(&p->timers, m, sched_clock());
        struct g *g = NULL;
        if (sched_tick(p) % RT_GLOBAL_EVERY == 1)
            g = sched_global_get(p);
        if (!g)
            g = runq_take_next(&p->runq);
        if (!g)
            g = runq_get(&p->runq);
        if (!g)
            g = sched_global_get(p);
        if (!g) {
            poll_now(p);
            g = runq_get(&p->runq);
        }
        if (!g) {
            int busy = atomic_load_explicit(&sched.nprocs, memory_order_relaxed) - atomic_load_explicit(&sched.nidle, memory_order_relaxed);
            if (!m->spinning && 2 * atomic_load_explicit(&sched.nspinning, memory_order_relaxed) < busy) {
                m->spinning = true;
                atomic_fetch_add_explicit(&sched.nspinning, 1, memory_order_seq_cst);
            }
            if (m->spinning)
                g = steal(m, p);
        }
        if (g) {
            m->naps = 0;
            if (m->spinning)
                sched_after_spin(m);
            return g;
        }
        if (timer_before(p, os_now() + (os_ncpu() > 1 ? RT_SPIN_NS : 0))) {   /* a thread that sleeps until then wakes late */
            ctx_pause();
            continue;
        }
        if (m->spinning && nap(m))
            continue;
        m->naps = 0;
        idle(m);
    }
}

_Noreturn void sched_worker_main(void *arg)
{
    struct m *m = arg;
    rt_set_m(m);
    m->tid = os_tid();
    m->errno_addr = __errno_location();
    m->cxx_eh = cxx_eh_here();
    os_thread_stack(&m->g0_lo, &m->g0_hi);
    signals_thread_start(m);
    os_sleep_exactly();
    os_take_signal_mask();   /* that of the thread that started the runtime: the monitor, which may have made this one, takes no signals */
    for (;;) {
        if (m->thread_g) {   /* go_lock_os_thread: it alone runs here */
            thread_wait_turn(m);
            continue;
        }
        struct g *g = find_runnable(m);
        sched_prepare(m, g);
        asan_leave(&m->asan, g->stack_lo, g->stack_hi);
        ctx_switch(&m->g0, &g->ctx);
        asan_arrive(m->asan);
    }
}
