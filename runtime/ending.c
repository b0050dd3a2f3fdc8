/* The report at a program's end: which stacks, how they are printed, and what if that gets stuck. GOTRACEBACK as Go has it: none prints no stacks; single (the
 * default) the current goroutine's, and all if there is none or the error concerns all; all: every goroutine's; system: with the runtime's own frames;
 * crash: as system, then a core.
 *
 * A thread that is gone wrong stands still for good, maybe with a lock of libc's (the allocator's, a stream's) or of the dynamic loader, and those that are
 * stopped to see where they are do so for a while. So
 * - what is printed goes through a stream of our own, made at the start, with a buffer of its own;
 * - program counters are collected without them: tb_freeze, mmap;
 * - for names libdw is needed, which is loaded and allocates. That is done by a thread of its own (to which the allocator gives an arena that is free), and
 *   watched: PATIENCE_ABLE_NS for libdw to be there, PATIENCE_NS for each step after that. If it is stuck, the watcher takes over and prints the rest with
 *   files and addresses only. `turn` is whose it is to write: the printer has it for one goroutine at a time, so nothing is torn or printed twice. */
#define _GNU_SOURCE
#include "ending.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "internal.h"
#include "os.h"

enum { SHOWN_EACH_END = ENDING_DEEPEST / 2 };   /* as Go: of a deeper stack the first and last 50 */
enum level { LEVEL_NONE, LEVEL_SINGLE, LEVEL_ALL, LEVEL_SYSTEM, LEVEL_CRASH };
enum turn { TURN_FREE, TURN_PRINTER, TURN_WATCHER, TURN_DONE };

static const int64_t PATIENCE_ABLE_NS = 3000000000, PATIENCE_NS = 60000000000;

static struct {
    enum level level;
    bool concerns_all;
    const void *self;            /* the goroutine that it is about, NULL: none */
    uint32_t tid;                /* the thread, if it runs none */
    struct ending_stack own;
    struct ending_stack *list;   /* by mmap */
    size_t n, cap;
    struct ending_stack **in_order;
    atomic_bool collected;       /* (release) own and list are as they stay */
    atomic_bool able;            /* names can be looked up */
    atomic_uint steps;           /* changes as long as there is progress */
    atomic_size_t shown;         /* of own, if there is a thread, and list; written by who has the turn */
    atomic_int turn;             /* enum turn; acquire and release */
} ending;

static atomic_bool begun;
static _Atomic(uint32_t) reporters[2];   /* the threads that make the report: who began it, who prints it */
static FILE *out;

static void step(void)
{
    atomic_fetch_add_explicit(&ending.steps, 1, memory_order_relaxed);
}

static enum level level_from_env(void)
{
    static const char *const names[] = {"none", "single", "all", "system", "crash"};
    const char *env = getenv("GOTRACEBACK");
    for (int i = 0; env && i <= LEVEL_CRASH; i++)
        if (strcmp(env, names[i]) == 0)
            return (enum level)i;
    if (env && env[0] >= '0' && env[0] <= '2' && env[1] == 0)
        return env[0] == '0' ? LEVEL_NONE : env[0] == '1' ? LEVEL_ALL : LEVEL_SYSTEM;   /* as Go has numbers */
    return LEVEL_SINGLE;
}

/* ---- the first lines ---- */

void ending_start(void)
{
    static char buffer[16 * 1024];
    hook_ignore_begin();
    inspect_freeze_prepare();
    if (!out && (out = fdopen(STDERR_FILENO, "w")))   /* never closed: the descriptor is the program's */
        setvbuf(out, buffer, _IOFBF, sizeof buffer);
    hook_ignore_end();
}

static FILE *stream(void)
{
    return out ? out : stderr;
}

/* What the program has printed should not be lost, but a lock that a dead goroutine holds must not stop the end. */
static void flush(FILE *f)
{
    if (ftrylockfile(f) == 0) {
        fflush_unlocked(f);
        funlockfile(f);
    }
}

bool ending_has_begun(void)
{
    return atomic_load_explicit(&begun, memory_order_acquire);
}

_Noreturn void ending_wait(void)
{
    for (;;)
        os_nanosleep(1000000000);
}

bool fatal_reports_on(uint32_t tid)
{
    return tid == atomic_load_explicit(&reporters[0], memory_order_relaxed) || tid == atomic_load_explicit(&reporters[1], memory_order_relaxed);
}

void ending_begin(void)
{
    if (atomic_exchange_explicit(&begun, true, memory_order_acq_rel))
        ending_wait();
    atomic_store_explicit(&reporters[0], os_tid(), memory_order_relaxed);
    hook_ignore_begin();
    ending.level = level_from_env();
    flush(stdout);
    flush(stderr);
}

void ending_say(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vfprintf(stream(), fmt, ap);
    va_end(ap);
    fflush(stream());
}

/* ---- what is shown ---- */

void ending_keep(struct ending_stack *x, const uintptr_t *pcs, int n)
{
    x->parked = false;
    x->elided = n > ENDING_DEEPEST ? n - ENDING_DEEPEST : 0;
    x->n = n - x->elided;
    for (int i = 0; i < x->n; i++)
        x->pcs[i] = pcs[i < SHOWN_EACH_END ? i : i + x->elided];
}

void ending_take_own(struct ending_stack *x)
{
    hook_ignore_begin();
    uintptr_t *pcs = malloc(ENDING_UNWOUND * sizeof *pcs);
    ending_keep(x, pcs, pcs ? inspect_own_stack(pcs, ENDING_UNWOUND) : 0);
    free(pcs);
    hook_ignore_end();
}

void ending_freeze(void)
{
    inspect_freeze();
    step();
}

/* One that runs on another thread: the thread is stopped for a moment, and its registers tell where. */
static int stack_of_running(const struct inspect_g *v, uintptr_t *pcs, int max)
{
    struct m *m = ((const struct g *)v->g)->m;
    struct tb_regs regs;
    if (!m || m->g != v->g || !signals_stop_thread(m, &regs))
        return 0;
    int n = m->g == v->g ? inspect_stack_at(v->g, &regs, pcs, max) : 0;
    signals_let_go(m);
    return n;
}

static struct ending_stack *more_room(void)
{
    if (ending.n == ending.cap) {
        size_t cap = ending.cap ? ending.cap * 2 : 64;
        struct ending_stack *list = os_map(cap * sizeof *list);
        if (!list)
            return NULL;
        if (ending.list) {
            memcpy(list, ending.list, ending.n * sizeof *list);
            os_unmap(ending.list, ending.cap * sizeof *list);
        }
        ending.list = list;
        ending.cap = cap;
    }
    return &ending.list[ending.n++];
}

static bool collect(const struct inspect_g *v, void *arg)
{
    (void)arg;
    bool self = v->g == ending.self;
    if (!self && (sched_forked || (ending.level < LEVEL_ALL && !ending.concerns_all)))   /* (a child of fork has only the thread that forked) */
        return true;
    struct ending_stack *x = more_room();
    if (!x)
        return false;
    step();
    if (self) {
        *x = ending.own;
        x->view = *v;
        x->view.self = true;
        return true;
    }
    static uintptr_t pcs[ENDING_UNWOUND];   /* one report at a time */
    x->view = *v;
    x->view.self = false;
    x->parked = true;
    int n = inspect_stack(v, pcs, ENDING_UNWOUND);
    if (n == 0 && v->status == GORT_STATUS_RUNNING) {
        n = stack_of_running(v, pcs, ENDING_UNWOUND);
        x->parked = false;
    }
    bool parked = x->parked;
    ending_keep(x, pcs, n);
    x->parked = parked;
    return true;
}

static bool comes_after(const struct ending_stack *a, const struct ending_stack *b)
{
    const struct inspect_g *x = &a->view, *y = &b->view;
    return x->self != y->self ? y->self : x->id > y->id;
}

static void sink(struct ending_stack **list, size_t at, size_t n)
{
    for (size_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && comes_after(list[child + 1], list[child]))
            child++;
        if (!comes_after(list[child], list[at]))
            return;
        struct ending_stack *x = list[at];
        list[at] = list[child];
        list[child] = x;
    }
}

/* Ours first, then by number. (qsort allocates.) Without memory they stay as they were found. */
static void put_in_order(void)
{
    struct ending_stack **list = os_map((ending.n + 1) * sizeof *list);
    if (!list)
        return;
    for (size_t i = 0; i < ending.n; i++)
        list[i] = &ending.list[i];
    for (size_t i = ending.n / 2; i-- > 0;)
        sink(list, i, ending.n);
    for (size_t end = ending.n; end-- > 1;) {
        struct ending_stack *last = list[0];
        list[0] = list[end];
        list[end] = last;
        sink(list, 0, end);
    }
    ending.in_order = list;
}

static const struct ending_stack *nth(size_t i)
{
    return ending.in_order ? ending.in_order[i] : &ending.list[i];
}

/* ---- printing, with names ---- */

static bool take_turn(enum turn whose)
{
    int expected = TURN_FREE;
    return atomic_compare_exchange_strong_explicit(&ending.turn, &expected, whose, memory_order_acquire, memory_order_relaxed);
}

static void give_turn(enum turn next)
{
    atomic_store_explicit(&ending.turn, next, memory_order_release);
}

/* What was written goes out, and the turn back. */
static void shown(void)
{
    fflush(stream());
    atomic_fetch_add_explicit(&ending.shown, 1, memory_order_relaxed);
    step();
    give_turn(TURN_FREE);
}

static void begin_showing(void)
{
    if (!take_turn(TURN_PRINTER))
        ending_wait();   /* the watcher has lost his patience */
}

static void print_stack(const struct ending_stack *x, bool all)
{
    struct tb_frame frames[2 * ENDING_DEEPEST];
    int k = x->elided ? SHOWN_EACH_END : x->n;
    struct inspect_g view = x->view;
    if (x->elided || x->n == 0)
        view.fn = 0;   /* it comes at the end of the rest, or nobody knows */
    struct tb_goroutine g = inspect_describe(&view, x->pcs, k, x->parked, all, frames, 2 * ENDING_DEEPEST);
    struct tb_frame rest[2 * ENDING_DEEPEST];
    if (x->elided) {
        g.elided = x->elided;
        g.rest = rest;
        g.nrest = inspect_rest(&x->view, x->pcs + k, x->n - k, rest, 2 * ENDING_DEEPEST);
    }
    begin_showing();
    fputc('\n', stream());
    tb_print_goroutine(stream(), &g);
    if (x->n == 0)
        fputs("\tgoroutine running on other thread; stack unavailable\n", stream());
    shown();
}

static void print_thread(void)
{
    struct tb_frame frames[2 * ENDING_DEEPEST];
    int n = inspect_rest_first(ending.own.pcs, ending.own.n, frames, 2 * ENDING_DEEPEST);
    begin_showing();
    fprintf(stream(), "\nthread %u [running]:\n", ending.tid);
    for (int i = 0; i < n; i++)
        tb_print_frame(stream(), &frames[i], "", "\t");
    shown();
}

static void print(void *arg)
{
    (void)arg;
    atomic_store_explicit(&reporters[1], os_tid(), memory_order_relaxed);
    while (!atomic_load_explicit(&ending.collected, memory_order_acquire))
        os_nanosleep(20000);
    inspect_prepare_names();
    atomic_store_explicit(&ending.able, true, memory_order_relaxed);
    step();
    if (ending.tid)
        print_thread();
    for (size_t i = 0; i < ending.n; i++)
        print_stack(nth(i), ending.level >= LEVEL_SYSTEM);
    begin_showing();
    give_turn(TURN_DONE);
}

/* ---- printing, without ---- */

static struct tb_frame bare_frame(uintptr_t pc, bool is_return_address)
{
    uintptr_t in_object = pc;
    const char *object = tb_frozen_object(is_return_address ? pc - 1 : pc, &in_object);
    return (struct tb_frame){.func = "??", .file = object ? object : "??", .pc = pc, .offset = object ? in_object + is_return_address : pc};
}

static void print_bare(const struct ending_stack *x)
{
    struct tb_frame frames[ENDING_DEEPEST];
    for (int i = 0; i < x->n; i++)
        frames[i] = bare_frame(x->pcs[i], i > 0 || x->parked);
    struct tb_goroutine g = {.id = x->view.id, .state = tb_state_text(x->view.state), .wait_ns = x->view.wait_ns, .frames = frames,
                             .nframes = x->elided ? SHOWN_EACH_END : x->n, .parent_id = x->view.parent_id};
    g.labels_n = inspect_labels(&x->view, g.labels, sizeof g.labels);
    if (x->elided) {
        g.elided = x->elided;
        g.rest = frames + SHOWN_EACH_END;
        g.nrest = x->n - SHOWN_EACH_END;
    }
    if (x->view.create_pc)
        g.created_by = bare_frame(x->view.create_pc, true);
    fputc('\n', stream());
    tb_print_goroutine(stream(), &g);
}

/* With the turn, which nobody gets any more. */
static _Noreturn void take_over(void)
{
    if (!atomic_load_explicit(&ending.collected, memory_order_acquire)) {
        fputs("\nfatal error: gort: the stacks can't be had: the program stands still within the allocator or the dynamic loader\n", stream());
        fflush(stream());
        ending_end(0);
    }
    fputs("\ngort: no names: the program stands still within the allocator or the dynamic loader; what follows are addresses in files, for addr2line\n",
          stream());
    size_t done = atomic_load_explicit(&ending.shown, memory_order_relaxed), i = 0;
    if (ending.tid && i++ >= done) {
        fprintf(stream(), "\nthread %u [running]:\n", ending.tid);
        for (int k = 0; k < ending.own.n; k++) {
            struct tb_frame f = bare_frame(ending.own.pcs[k], k > 0);
            tb_print_frame(stream(), &f, "", "\t");
        }
    }
    for (size_t g = 0; g < ending.n; g++)
        if (i++ >= done)
            print_bare(nth(g));
    fflush(stream());
    ending_end(0);
}

/* How long nothing has moved, as the watcher has seen it. Not by the clock alone: the process may have been stopped, or starved, in between. */
struct patience {
    unsigned steps;
    int64_t looked_at, waited_ns;
};

static bool is_stuck(struct patience *p)
{
    enum { MOST_NS = 20000000 };
    int64_t now = os_now(), passed = now - p->looked_at;
    unsigned at = atomic_load_explicit(&ending.steps, memory_order_relaxed);
    p->waited_ns = at != p->steps ? 0 : p->waited_ns + (passed < MOST_NS ? passed : MOST_NS);
    p->steps = at;
    p->looked_at = now;
    return p->waited_ns > (atomic_load_explicit(&ending.able, memory_order_relaxed) ? PATIENCE_NS : PATIENCE_ABLE_NS);
}

void ending_watch(void)
{
    struct patience p = {.looked_at = os_now()};
    for (;;) {
        int turn = atomic_load_explicit(&ending.turn, memory_order_acquire);
        if (turn == TURN_DONE)
            return;
        if (turn == TURN_WATCHER)
            ending_wait();
        if (is_stuck(&p) && take_turn(TURN_WATCHER))   /* (who is at writing waits for whoever reads) */
            take_over();
        os_nanosleep(p.waited_ns < 100000000 ? 200000 : 10000000);
    }
}

/* ---- all of it ---- */

void ending_show(const struct ending_stack *own, const void *self, uint32_t tid, bool concerns_all, bool is_watched)
{
    if (ending.level == LEVEL_NONE)
        return;
    ending.own = *own;
    ending.self = self;
    ending.tid = tid;
    ending.concerns_all = concerns_all || !self;
    bool other = !is_watched && tb_start_on_big_stack(print, NULL);   /* before any thread is stopped: that allocates */
    inspect_each(collect, NULL);
    put_in_order();
    atomic_store_explicit(&ending.collected, true, memory_order_release);
    step();
    if (!other)
        print(NULL);
    ending_watch();
}

_Noreturn void ending_end(int signal_number)
{
    int status = hook_exiting(2);
    if (ending.level == LEVEL_CRASH) {
        int s = signal_number ? signal_number : SIGABRT;
        struct sigaction by_default = {.sa_handler = SIG_DFL};
        hook_ignore_begin();
        sigaction(s, &by_default, NULL);
        hook_ignore_end();
        syscall(SYS_tgkill, os_pid(), os_tid(), s);
    }
    _exit(status);
}
