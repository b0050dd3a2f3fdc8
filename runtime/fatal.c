/* How a program ends that can't go on: fatal errors, panics, and bugs of the runtime. First line and stacks as Go prints them, on stderr;
 * status 2.
 *
 * What is to be said is collected here, as program counters only; it is symbolized and printed on a thread with a big stack, since libdw needs more
 * than a goroutine has. GOTRACEBACK as Go has it: none prints no stacks; single (the default) the current goroutine's, and all if
 * there is none or the error concerns all; all: every goroutine's; system: with the runtime's own frames; crash: as system, then SIGABRT. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gort/goroutine.h>
#include <gort/time.h>

#include "defer.h"
#include "inspect.h"
#include "internal.h"
#include "os.h"
#include "signals.h"

enum { DEEPEST = 100, SHOWN_EACH_END = 50 };   /* frames of one stack, as Go: of a deeper one the first and last 50 */
enum { UNWOUND = 8192 };
enum level { LEVEL_NONE, LEVEL_SINGLE, LEVEL_ALL, LEVEL_SYSTEM, LEVEL_CRASH };

struct entry {
    struct inspect_g view;
    int n;
    int elided;              /* frames left out before pcs[SHOWN_EACH_END] */
    bool parked;             /* pcs[0] is a return address */
    uintptr_t pcs[DEEPEST];
};

struct ending {
    enum level level;
    bool concerns_all;
    const void *self;        /* the goroutine that it is about, NULL: none */
    struct entry own;        /* its stack */
    struct entry *entries;
    size_t n, cap;
};

static _Atomic(uint32_t) reporters[2];   /* the threads that make the report: who began it, who prints it */

static enum level level_from_env(void)
{
    static const char *const names[] = {"none", "single", "all", "system", "crash"};
    const char *env = getenv("GOTRACEBACK");
    for (int i = 0; env && i <= LEVEL_CRASH; i++)
        if (strcmp(env, names[i]) == 0 || (env[0] == '0' + i && i < 3 && env[1] == 0))
            return (enum level)i;
    return LEVEL_SINGLE;
}

/* Keeps the first and the last 50 of a deep stack. */
static void keep(struct entry *x, const uintptr_t *pcs, int n)
{
    x->parked = false;
    x->elided = n > DEEPEST ? n - DEEPEST : 0;
    x->n = n - x->elided;
    for (int i = 0; i < x->n; i++)
        x->pcs[i] = pcs[i < SHOWN_EACH_END ? i : i + x->elided];
}

/* One that runs on another thread: the thread is stopped for good, and its registers tell where. */
static int stack_of_running(const struct inspect_g *v, uintptr_t *pcs, int max)
{
    struct m *m = ((const struct g *)v->g)->m;
    struct tb_regs regs;
    if (!m || m->g != v->g || !signals_stop_thread(m, &regs) || m->g != v->g)
        return 0;
    return inspect_stack_at(v->g, &regs, pcs, max);
}

static bool collect(const struct inspect_g *v, void *arg)
{
    struct ending *e = arg;
    bool self = v->g == e->self;
    if (!self && e->level < LEVEL_ALL && !e->concerns_all)
        return true;
    if (e->n == e->cap) {
        size_t cap = e->cap ? e->cap * 2 : 64;
        struct entry *list = realloc(e->entries, cap * sizeof *list);
        if (!list)
            return false;
        e->entries = list;
        e->cap = cap;
    }
    struct entry *x = &e->entries[e->n++];
    if (self) {
        *x = e->own;
        x->view = *v;
        x->view.self = true;
        return true;
    }
    static uintptr_t pcs[UNWOUND];   /* one report at a time */
    x->view = *v;
    x->view.self = false;
    x->parked = true;
    int n = inspect_stack(v, pcs, UNWOUND);
    if (n == 0 && v->status == GORT_STATUS_RUNNING) {
        n = stack_of_running(v, pcs, UNWOUND);
        x->parked = false;
    }
    keep(x, pcs, n);
    return true;
}

static int order(const void *a, const void *b)
{
    const struct inspect_g *x = &((const struct entry *)a)->view, *y = &((const struct entry *)b)->view;
    if (x->self != y->self)
        return x->self ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void print_entry(const struct entry *x, bool all)
{
    struct tb_frame frames[2 * DEEPEST];
    int k = x->elided ? SHOWN_EACH_END : x->n;
    struct inspect_g view = x->view;
    if (x->elided)
        view.fn = 0;   /* it comes at the end of the rest */
    struct tb_goroutine g = inspect_describe(&view, x->pcs, k, x->parked, all, frames, 2 * DEEPEST);
    struct tb_frame rest[2 * DEEPEST];
    if (x->elided) {
        g.elided = x->elided;
        g.rest = rest;
        g.nrest = inspect_rest(x->pcs + k, x->n - k, rest, 2 * DEEPEST);
    }
    fputc('\n', stderr);
    tb_print_goroutine(stderr, &g);
    if (x->n == 0)
        fputs("\tgoroutine running on other thread; stack unavailable\n", stderr);
}

static void print(void *arg)
{
    struct ending *e = arg;
    atomic_store_explicit(&reporters[1], os_tid(), memory_order_relaxed);
    qsort(e->entries, e->n, sizeof *e->entries, order);
    for (size_t i = 0; i < e->n; i++)
        print_entry(&e->entries[i], e->level >= LEVEL_SYSTEM);
    fflush(stderr);
}

/* What the program has printed should not be lost, but a lock that a dead goroutine holds must not stop the end. */
static void flush_stdout(void)
{
    if (ftrylockfile(stdout) == 0) {
        fflush_unlocked(stdout);
        funlockfile(stdout);
    }
}

static struct ending ending;   /* large, and there is only one */

static atomic_bool begun;         /* a report */
static atomic_int npanicking;     /* goroutines that run deferred calls because of a panic, or are beyond them */
static uint32_t watched_process;  /* the one that at_exit() is for: not a fork's child */

static _Noreturn void wait_for_the_end(void)
{
    for (;;)
        os_nanosleep(1000000000);
}

bool fatal_reports_on(uint32_t tid)
{
    return tid == atomic_load_explicit(&reporters[0], memory_order_relaxed) || tid == atomic_load_explicit(&reporters[1], memory_order_relaxed);
}

/* One report only. Who comes second waits for the first to end the program. */
static void begin(void)
{
    if (atomic_exchange_explicit(&begun, true, memory_order_acq_rel))
        wait_for_the_end();
    atomic_store_explicit(&reporters[0], os_tid(), memory_order_relaxed);
    hook_ignore_begin();
    ending.level = level_from_env();
    flush_stdout();
}

static _Noreturn void end_now(struct ending *e)
{
    int status = hook_exiting(2);
    if (e->level == LEVEL_CRASH) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    _exit(status);
}

/* The caller's own stack. */
static void take_own(struct entry *x)
{
    hook_ignore_begin();
    uintptr_t *pcs = malloc(UNWOUND * sizeof *pcs);
    keep(x, pcs, pcs ? inspect_own_stack(pcs, UNWOUND) : 0);
    free(pcs);
    hook_ignore_end();
}

static void print_all(struct ending *e, bool concerns_all)
{
    if (e->level == LEVEL_NONE)
        return;
    struct m *m = rt_m();
    e->self = m ? m->g : NULL;
    e->concerns_all = concerns_all || !e->self;
    inspect_each(collect, e);
    tb_run_on_big_stack(print, e);
}

rt_cold _Noreturn void rt_fatal(const char *fmt, ...)
{
    begin();
    va_list ap;
    va_start(ap, fmt);
    fputs("fatal error: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    fflush(stderr);
    take_own(&ending.own);
    print_all(&ending, true);
    end_now(&ending);
}

/* A panic is not lost because main returns meanwhile, perhaps let go on by a deferred call of the goroutine that panics: that of a group's goroutine
 * says that it is done. A report that has begun is waited for; a deferred call, which may wait for somebody else, not for ever. As in Go. */
static void at_exit(void)
{
    enum { STEP_NS = 100000, PATIENCE = 10000 };
    struct m *m = rt_m();
    if ((m && m->g && m->g->panics) || watched_process != os_pid())   /* a deferred call has decided to exit */
        return;
    for (int i = 0; i < PATIENCE && atomic_load_explicit(&npanicking, memory_order_acquire) && !atomic_load_explicit(&begun, memory_order_acquire); i++)
        go_sleep(STEP_NS);
    if (atomic_load_explicit(&begun, memory_order_acquire))
        wait_for_the_end();
}

void fatal_start(void)
{
    watched_process = os_pid();
    hook_ignore_begin();
    atexit(at_exit);
    hook_ignore_end();
}

/* ---- panics ---- */

/* One panic at work on a goroutine, in the frame that panicked: its message and stack are taken first, then the deferred calls run, which may panic in
 * turn; then all is printed, the first panic first, with the stack of the last. */
struct panic {
    struct panic *before;
    bool counted;            /* in npanicking */
    char message[512];
    struct entry stack;
};

static void print_panics(const struct panic *p, int *indent)
{
    if (p->before)
        print_panics(p->before, indent);
    for (int i = 0; i < *indent; i++)
        fputc('\t', stderr);
    fprintf(stderr, "panic: %s\n", p->message);
    *indent = 1;
}

static _Noreturn void end_by_panic(const struct panic *p)
{
    begin();
    int indent = 0;
    print_panics(p, &indent);
    fflush(stderr);
    ending.own = p->stack;
    print_all(&ending, false);
    end_now(&ending);
}

/* go_exit in a deferred call gives the panics up, as runtime.Goexit does: the goroutine ends, the program goes on. */
void panics_drop(struct g *g)
{
    for (struct panic *p = g->panics; p; p = p->before)
        if (p->counted)
            atomic_fetch_sub_explicit(&npanicking, 1, memory_order_acq_rel);
    g->panics = NULL;
}

static _Noreturn void panic(const char *fmt, va_list ap)
{
    struct panic p;
    struct m *m = rt_enter();   /* it may be the first call of this thread's */
    vsnprintf(p.message, sizeof p.message, fmt, ap);
    p.before = NULL;
    p.counted = false;
    take_own(&p.stack);
    if (m && m->g) {
        p.before = m->g->panics;
        m->g->panics = &p;
        if (m->g->deferred) {
            atomic_fetch_add_explicit(&npanicking, 1, memory_order_acq_rel);
            p.counted = true;
            rt_leave();
            defer_run_all();
        }
    }
    end_by_panic(&p);
}

rt_cold _Noreturn void rt_panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    panic(fmt, ap);
}

rt_cold _Noreturn void go_panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    panic(fmt, ap);
}

_Noreturn void rt_throw(const char *file, int line, const char *msg)
{
    char buf[300];
    int n = snprintf(buf, sizeof buf, "fatal error: gort: %s (%s:%d): a bug of the runtime, please report it\n", msg, file, line);
    os_write(2, buf, n < (int)sizeof buf ? (size_t)n : sizeof buf - 1);
    abort();
}

_Noreturn void rt_out_of_memory(const char *what)
{
    char buf[200];
    int n = snprintf(buf, sizeof buf, "fatal error: runtime: out of memory for %s\n", what);
    os_write(2, buf, (size_t)n);
    _exit(2);
}

/* ---- the end by a signal ---- */

static const struct {
    int sig;
    const char *name, *text;
} signal_names[] = {
    {SIGSEGV, "SIGSEGV", "segmentation violation"},
    {SIGBUS, "SIGBUS", "bus error"},
    {SIGFPE, "SIGFPE", "floating-point exception"},
    {SIGILL, "SIGILL", "illegal instruction"},
    {SIGABRT, "SIGABRT", "abort"},
    {SIGQUIT, "SIGQUIT", "quit"},
};

static bool is_overflow(const struct fatal_signal *s, const struct g *g)
{
    uintptr_t sp = (uintptr_t)s->regs.r[TB_RSP];
    enum { NEAR = 64 * 1024, FAR = 64 * 1024 * 1024 };   /* how far from the stack pointer a function touches its new frame first; the largest frame */
    if ((s->sig != SIGSEGV && s->sig != SIGBUS) || !g || s->addr + NEAR <= sp || s->addr >= g->stack_lo + 4096)
        return false;
    if (sp < g->stack_lo)   /* a frame that reaches beyond the end may be touched anywhere first */
        return sp + FAR > g->stack_lo;
    return s->addr < sp + NEAR && sp < g->stack_lo + NEAR && s->addr + 2 * NEAR > g->stack_lo;
}

/* Go's first lines. */
static void print_cause(const struct fatal_signal *s, const struct g *g)
{
    const char *name = "signal", *text = "";
    for (size_t i = 0; i < sizeof signal_names / sizeof signal_names[0]; i++)
        if (signal_names[i].sig == s->sig) {
            name = signal_names[i].name;
            text = signal_names[i].text;
        }
    unsigned long pc = (unsigned long)s->regs.r[TB_RIP], addr = (unsigned long)s->addr;
    bool sent = s->code <= 0;   /* by kill(), not by an instruction */
    if (is_overflow(s, g)) {
        bool thread = g->flags & GORT_G_THREAD;
        size_t limit = thread ? g->stack_hi - g->stack_lo : (g->stack_hi - g->stack_lo + 8191) / 4096 * 4096;   /* + guard and colour */
        fprintf(stderr, "runtime: goroutine stack exceeds %zu-byte limit\nfatal error: stack overflow\n", limit);
    } else if (sent || s->sig == SIGILL || s->sig == SIGABRT || s->sig == SIGQUIT) {
        fprintf(stderr, "%s: %s\nPC=0x%lx m=%u sigcode=%d\n", name, text, pc, s->tid, s->code);
    } else {
        if (s->sig == SIGFPE)
            fputs(s->code == FPE_INTDIV ? "panic: runtime error: integer divide by zero\n" : "panic: runtime error: floating point error\n", stderr);
        else if (s->sig == SIGSEGV && s->code < 0x80 && addr < 4096)
            fputs("panic: runtime error: invalid memory address or nil pointer dereference\n", stderr);
        else
            fprintf(stderr, "unexpected fault address 0x%lx\nfatal error: fault\n", addr);
        fprintf(stderr, "[signal %s: %s code=0x%x addr=0x%lx pc=0x%lx]\n", name, text, (unsigned)s->code, addr, pc);
    }
    fflush(stderr);
}

_Noreturn void fatal_signal(const struct fatal_signal *s)
{
    begin();
    struct ending *e = &ending;
    const struct g *g = s->m ? s->m->g : NULL;
    print_cause(s, g);
    if (e->level > LEVEL_NONE) {
        static uintptr_t pcs[UNWOUND];
        e->self = g;
        e->concerns_all = s->sig == SIGQUIT || !g;
        keep(&e->own, pcs, g ? inspect_stack_at(g, &s->regs, pcs, UNWOUND) : 0);
        if (!g || e->own.n == 0) {   /* on a thread that is no goroutine, or in the scheduler: its own stack first */
            uintptr_t here[DEEPEST];
            struct tb_frame frames[DEEPEST];
            int n = inspect_thread_stack_at(&s->regs, here, DEEPEST);
            n = inspect_rest_first(here, n, frames, DEEPEST);
            fprintf(stderr, "\nthread %u [running]:\n", s->tid);
            for (int i = 0; i < n; i++)
                tb_print_frame(stderr, &frames[i], "", "\t");
        }
        inspect_each(collect, e);
        print(e);
    }
    int status = hook_exiting(2);
    if (e->level == LEVEL_CRASH) {
        signal(s->sig, SIG_DFL);
        syscall(SYS_tgkill, os_pid(), os_tid(), s->sig);
    }
    _exit(status);
}
