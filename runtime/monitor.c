/* The monitor: one thread that sees to it that nobody starves.
 *
 * C code can't be preempted safely (it may hold malloc's lock), so it isn't. When a goroutine has run for RT_SLICE_NS
 * without entering the runtime, in a loop or in a system call alike, and others wait, the monitor takes the P away from its M and gives
 * it to another M. The goroutine runs on, on its thread, without a P, and gets in line for one at its next runtime call.
 *
 * The protocol, paid by the monitor alone (Dekker, with an asymmetric barrier):
 *
 *   M, at each runtime entry (rt_enter)      monitor, holding sched.lock
 *   1. in_rt = 1                             1. p_lost = 1
 *   2. compiler barrier                      2. membarrier: a full barrier in every thread
 *   3. if p_lost: monitor_regain             3. if in_rt: p_lost = ASKED   else: the P is taken
 *   at exit: in_rt = 0 (release)
 *
 * If the monitor reads in_rt == 0, M had not stored 1 before the membarrier, so M's load of p_lost comes after it and sees 1: M
 * can't use the P any more without going through monitor_regain, which takes sched.lock. If both see each other, M keeps the P, but is ASKED: at this entry or
 * the next it lets the others go first, by itself. Otherwise a goroutine that never waits but is in the runtime most of the time (a loop around a select with a
 * default) would be found there again and again. Whoever runs on M by then may be asked in its place; it costs one turn. A kernel without membarrier never
 * hands off.
 *
 * The monitor also looks at the netpoller when every P is busy, refreshes the cached clock, wakes an M for timers that nobody
 * watches, does what signal handlers may not do (signals.c), calls mutexes quiet that nobody waits for any more (contended.h), and looks again
 * for a deadlock that unknown threads made doubtful. It sleeps while every P is idle. */
#include "contended.h"
#include "internal.h"
#include "os.h"
#include "scavenge.h"
#include "signals.h"

enum { TAKEN = 1, ASKED = 2 };   /* p_lost */
enum { TICK_NS = 5000000, RECHECK_NS = 50000000, SCAVENGE_NS = 20000000, QUIETEN_NS = 100000000 };

struct m *monitor_regain(struct m *m)
{
    lock(&sched.lock);
    unsigned lost = atomic_load_explicit(&m->p_lost, memory_order_relaxed);
    atomic_store_explicit(&m->p_lost, 0, memory_order_relaxed);
    unlock(&sched.lock);
    if (lost == 0 || (lost == ASKED && !m->p))   /* wired meanwhile */
        return m;
    sched_get_in_line(m);
    return rt_m();
}

static void try_take(struct p *p, uint32_t tick)
{
    lock(&sched.lock);
    struct m *m = p->m;
    if (p->status != P_RUNNING || !m || m->p != p || __atomic_load_n(&p->tick, __ATOMIC_RELAXED) != tick) {
        unlock(&sched.lock);
        return;
    }
    bool in_rt = atomic_load_explicit(&m->in_rt, memory_order_relaxed);
    atomic_store_explicit(&m->p_lost, in_rt ? ASKED : TAKEN, memory_order_relaxed);
    if (in_rt || !os_membarrier() || atomic_load_explicit(&m->in_rt, memory_order_acquire)) {
        atomic_store_explicit(&m->p_lost, ASKED, memory_order_relaxed);
        unlock(&sched.lock);
        return;
    }
    m->p = NULL;
    p->m = NULL;
    __atomic_store_n(&p->tick, tick + 1, __ATOMIC_RELAXED);   /* a fresh slice */
    unlock(&sched.lock);
    sched_handoff(p);
}

/* Looks at each P; whether any is in use. */
static bool look(int64_t now)
{
    bool busy = false;
    int n = atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (int i = 0; i < n; i++) {
        struct p *p = sched.ps[i];
        if (__atomic_load_n(&p->status, __ATOMIC_RELAXED) != P_RUNNING)
            continue;
        busy = true;
        uint32_t tick = __atomic_load_n(&p->tick, __ATOMIC_RELAXED);
        if (tick != p->monitor_tick || p->monitor_since == 0) {
            p->monitor_tick = tick;
            p->monitor_since = now;
        } else if (now - p->monitor_since >= RT_SLICE_NS && sched_has_work(p)) {
            try_take(p, tick);
            p->monitor_since = 0;
        }
    }
    return busy;
}

static void monitor_main(void *arg)
{
    (void)arg;
    __atomic_store_n(&sched.monitor_tid, os_tid(), __ATOMIC_RELEASE);
    os_block_signals();   /* handlers run on the program's threads, and wake this one */
    for (;;) {
        if (signals_pending())
            signals_run();
        int64_t now = os_now();
        atomic_store_explicit(&sched.now, now, memory_order_relaxed);
        bool busy = look(now);
        if (busy && atomic_load_explicit(&sched.nidle, memory_order_seq_cst) > 0 && sched_first_timer() <= now)
            sched_wake_p();
        if (busy)
            sched_poll_unwatched();
        bool scavenging = scavenge(now);
        contended_look(now);
        int64_t sleep_ns = TICK_NS;
        if (!busy) {
            /* Whoever puts a P to use next reads monitor_asleep after it has taken the P, so it wakes us or look() sees the P. */
            atomic_store_explicit(&sched.monitor_asleep, true, memory_order_seq_cst);
            if (!look(now)) {
                lock(&sched.lock);
                bool recheck = sched.recheck_dead;
                if (recheck)
                    sched_check_dead_locked();
                recheck = sched.recheck_dead;
                unlock(&sched.lock);
                sleep_ns = recheck ? RECHECK_NS : scavenging ? SCAVENGE_NS : contended_look(now) ? QUIETEN_NS : -1;
            }
        }
        note_sleep(&sched.monitor_note, sleep_ns);
        atomic_store_explicit(&sched.monitor_asleep, false, memory_order_seq_cst);
    }
}

void monitor_start(void)
{
    int err = os_thread_start(monitor_main, NULL, RT_MONITOR_STACK_BYTES);
    if (err < 0)
        rt_fatal("runtime: can't create the monitor thread (error %d); raise the limit of processes or threads", -err);
}
