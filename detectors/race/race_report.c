/* From events to what the user sees; the counts; the end of the program. See race_report.h.
 *
 * Quick looks come first, without a lock: the same pair of stacks again costs a hash and a load. Then one report at a time, under report_lock, on a big
 * stack of its own thread; or, if the thread that met with the race is within the loader, on that. */
#define _GNU_SOURCE
#include <errno.h>
#include <link.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <unistd.h>

#include <inspect.h>

#include "race_flags.h"
#include "race_order.h"
#include "race_record.h"
#include "race_report.h"
#include "race_seen.h"
#include "race_suppress.h"

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
enum { COUNT_FREED = EVENT_MISUSE + 1, COUNTS };
static atomic_int reported[COUNTS];             /* by event_kind, and of the races those that are uses of freed memory */
static int lost_stacks;                         /* under report_lock */

int race_reported(void)
{
    int n = 0;
    for (int i = 0; i < COUNTS; i++)
        n += atomic_load_explicit(&reported[i], memory_order_relaxed);
    return n;
}

struct job {
    const struct race_event *event;
    bool printed, after_free;
};

static void tell(void *arg)
{
    static struct record r;   /* under report_lock */
    struct job *j = arg;
    race_collect(j->event, &r);
    if (!race_seen_places(&r) && !race_suppressed(&r)) {
        race_print(&r);
        j->printed = true;
        j->after_free = r.after_free;
        lost_stacks += r.lost_stacks;
    }
    race_record_free(&r);
}

static void report(struct race_event *e)
{
    struct tb_regs regs;
    int cancel_state;
    if (race_seen_stacks(e))
        return;
    INSPECT_OWN_REGS(&regs);
    e->regs = &regs;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);   /* (it may have to wait for another thread, which reads this one's stack) */
    race_ignore_begin();
    pthread_mutex_lock(&report_lock);
    struct job j = {.event = e};
    tb_run_within_loader(tell, &j);   /* elsewhere, so that what it allocates doesn't take the place of the block that was freed */
    if (j.printed)
        atomic_fetch_add_explicit(&reported[j.after_free ? COUNT_FREED : (int)e->kind], 1, memory_order_relaxed);
    pthread_mutex_unlock(&report_lock);
    if (race_flags.halt_on_error && j.printed) {
        race_finish(0);
        fflush(NULL);
        _exit(race_flags.exitcode);
    }
    race_ignore_end();
    pthread_setcancelstate(cancel_state, NULL);
}

/* errno lies with the thread but belongs to the goroutine, whose switch carries it along: goroutines that run on one thread in turn do not share it.
 * Whether the bytes that both sides touched are this thread's, which is what g means by it. */
static bool is_errno(uintptr_t addr, uint64_t old, uint64_t now)
{
    uintptr_t at = (uintptr_t)__errno_location();
    uint32_t both = epoch_mask(old) & epoch_mask(now), own = (0xfu << at % 8) & 0xff;
    return addr == at - at % 8 && (both & ~own) == 0;
}

/* The bytes below the thread pointer that the program's own thread-local variables take. */
static uintptr_t thread_local_bytes(void)
{
    static _Atomic(uintptr_t) known;   /* and one more, so that 0 is: not yet */
    uintptr_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
    if (bytes)
        return bytes - 1;
    const ElfW(Phdr) *ph = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    for (unsigned long i = 0, n = ph ? getauxval(AT_PHNUM) : 0; i < n; i++)
        if (ph[i].p_type == PT_TLS) {
            uintptr_t align = ph[i].p_align ? ph[i].p_align : 1;
            bytes = (ph[i].p_memsz + align - 1) / align * align;
        }
    atomic_store_explicit(&known, bytes + 1, memory_order_relaxed);
    return bytes;
}

struct in_block {
    uintptr_t addr;
    bool found;
};

static int look_in_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct in_block *b = arg;
    if (size < offsetof(struct dl_phdr_info, dlpi_tls_data) + sizeof info->dlpi_tls_data || !info->dlpi_tls_data)
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_TLS)
            b->found |= b->addr - (uintptr_t)info->dlpi_tls_data < info->dlpi_phdr[i].p_memsz;
    return b->found;
}

/* Whether one of the variables of the calling thread, a worker of the runtime's, lies there: the program's, mostly, or a shared library's. Those that libc has
 * placed at the top of the thread's stack, a plugin's among them, are all that a program finds there: its goroutines have stacks of their own. */
static bool is_thread_local(uintptr_t addr)
{
    struct in_block b = {.addr = addr};
    uintptr_t tp = (uintptr_t)__builtin_thread_pointer(), lo, hi;
    if (tp - addr - 1 < thread_local_bytes())
        return true;
    inspect_thread_stack(&lo, &hi);
    if (addr >= lo && addr < tp && tp < hi)
        return true;
    dl_iterate_phdr(look_in_module, &b);
    return b.found;
}

/* Thread-local variables are used by one goroutine after another, all those that run on the thread: none can be interrupted there by the next one, so they
 * are ordered like what one thread does. Whether this is one of the calling thread's, and both sides are goroutines that threads take turns at; a thread of
 * the program's own is alone on its thread, so who was there before it came by a pointer. (A goroutine that came by a pointer, from another thread, before one
 * that runs on this thread is not told from one that ran here, and not reported.) */
static bool is_own_thread_local(const struct race_g *g, uintptr_t addr, uint64_t old)
{
    struct race_who who;
    uint32_t lockset;
    if (g->is_thread || (race_who_read(epoch_slot(old), epoch_clock(old), &who, &lockset) && who.tp != 0))
        return false;
    return is_thread_local(addr);
}

void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    uint32_t both = epoch_mask(old.epoch) & epoch_mask(now.epoch);
    if (is_errno(addr, old.epoch, now.epoch) || is_own_thread_local(g, addr, old.epoch) || race_is_benign(addr + (both ? (uintptr_t)__builtin_ctz(both) : 0)))
        return;
    report(&(struct race_event){.kind = EVENT_RACE, .g = g, .addr = addr, .old = old, .now = now});
}

void race_report_misuse(struct race_g *g, enum lock_misuse what, uintptr_t addr, unsigned kind, struct race_side before, struct race_side now)
{
    if (race_flags.report_mutex_bugs)
        report(&(struct race_event){.kind = EVENT_MISUSE, .g = g, .addr = addr, .old = before, .now = now, .misuse = what, .lock_kind = kind});
}

void race_report_cycle(struct race_g *g, const struct order_step *steps, int n)
{
    report(&(struct race_event){.kind = EVENT_CYCLE, .g = g, .steps = steps, .nsteps = n});
}

/* ---- the end ---- */

static bool could_run(const struct inspect_g *v, void *arg)
{
    bool *any = arg;
    bool idle = v->self || (v->flags & GORT_G_MAIN) || (v->status == GORT_STATUS_WAITING && v->reason != GORT_WAIT_SLEEP);
    *any = !idle;
    return idle;
}

static void print_counts(void)
{
    static const char *const what[COUNTS] = {
        [EVENT_RACE] = "data race(s)", [EVENT_CYCLE] = "lock order inversion(s)", [EVENT_MISUSE] = "misuse(s) of locks",
        [COUNT_FREED] = "use(s) of freed memory",
    };
    if (race_reported() == 0 && race_suppressed_count() == 0)
        return;   /* no file for nothing */
    FILE *out = race_log();
    for (int i = 0; i < COUNTS; i++) {
        int n = atomic_load_explicit(&reported[i], memory_order_relaxed);
        if (n > 0)
            fprintf(out, "Found %d %s\n", n, what[i]);
    }
    if (race_seen_overflow() > 0)
        fprintf(out, "%d more report(s) were left out: there were too many different ones\n", race_seen_overflow());
    if (lost_stacks > 0)
        fprintf(out, "%d stack(s) could not be restored\n", lost_stacks);
    race_suppress_print(out);
    fflush(out);
}

int race_finish(int status)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    int cancel_state;
    if (atomic_flag_test_and_set(&done))
        return -1;
    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
    race_ignore_begin();
    bool others = false;
    inspect_each(could_run, &others);
    if (others && status < 0)   /* races of what still runs get their chance */
        usleep((useconds_t)race_flags.atexit_sleep_ms * 1000);
    pthread_mutex_lock(&report_lock);   /* a report that is being printed is finished first */
    print_counts();
    pthread_mutex_unlock(&report_lock);
    race_ignore_end();
    pthread_setcancelstate(cancel_state, NULL);
    return race_reported() > 0 && race_flags.exitcode > 0 ? race_flags.exitcode : -1;
}
