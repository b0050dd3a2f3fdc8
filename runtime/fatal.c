/* How a program ends that can't go on: fatal errors, panics, and bugs of the runtime. First line and stacks as Go prints them, on stderr;
 * status 2.
 *
 * What is to be said is collected here, as program counters only; it is symbolized and printed on a thread with a big stack, since libdw needs more
 * than a goroutine has. GOTRACEBACK as Go has it: none prints no stacks; single (the default) the current goroutine's, and all if
 * there is none or the error concerns all; all: every goroutine's; system: with the runtime's own frames; crash: as system, then SIGABRT. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <gort/goroutine.h>

#include "inspect.h"
#include "internal.h"
#include "os.h"

enum { DEEPEST = 100 };   /* frames of one stack, as Go */
enum level { LEVEL_NONE, LEVEL_SINGLE, LEVEL_ALL, LEVEL_SYSTEM, LEVEL_CRASH };

struct entry {
    struct inspect_g view;
    int n;
    bool parked;
    uintptr_t pcs[DEEPEST];
};

struct ending {
    const char *kind;
    char message[512];
    enum level level;
    bool concerns_all;
    struct entry *entries;
    size_t n, cap;
    int own_n;
    uintptr_t own_pcs[DEEPEST];
};

static enum level level_from_env(void)
{
    static const char *const names[] = {"none", "single", "all", "system", "crash"};
    const char *env = getenv("GOTRACEBACK");
    for (int i = 0; env && i <= LEVEL_CRASH; i++)
        if (strcmp(env, names[i]) == 0 || (env[0] == '0' + i && i < 3 && env[1] == 0))
            return (enum level)i;
    return LEVEL_SINGLE;
}

static bool collect(const struct inspect_g *v, void *arg)
{
    struct ending *e = arg;
    if (!v->self && e->level < LEVEL_ALL && !e->concerns_all)
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
    x->view = *v;
    x->parked = !v->self;
    x->n = 0;
    if (v->self) {
        x->n = e->own_n;
        memcpy(x->pcs, e->own_pcs, (size_t)e->own_n * sizeof x->pcs[0]);
    } else {
        x->n = inspect_stack(v, x->pcs, DEEPEST);
    }
    return true;
}

static int order(const void *a, const void *b)
{
    const struct inspect_g *x = &((const struct entry *)a)->view, *y = &((const struct entry *)b)->view;
    if (x->self != y->self)
        return x->self ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static void print(void *arg)
{
    struct ending *e = arg;
    qsort(e->entries, e->n, sizeof *e->entries, order);
    for (size_t i = 0; i < e->n; i++) {
        struct entry *x = &e->entries[i];
        struct tb_frame frames[DEEPEST];
        struct tb_goroutine g = inspect_describe(&x->view, x->pcs, x->n, x->parked, e->level >= LEVEL_SYSTEM, frames, DEEPEST);
        fputc('\n', stderr);
        tb_print_goroutine(stderr, &g);
        if (x->n == 0)
            fputs("\tgoroutine running on other thread; stack unavailable\n", stderr);
    }
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

static _Noreturn void end_program(const char *kind, bool concerns_all, const char *fmt, va_list ap)
{
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&ending))   /* somebody else is at it: the first one speaks */
        for (;;)
            os_nanosleep(1000000000);
    hook_ignore_begin();
    static struct ending e;   /* large, and there is only one */
    e.kind = kind;
    e.concerns_all = concerns_all;
    e.level = level_from_env();
    vsnprintf(e.message, sizeof e.message, fmt, ap);
    flush_stdout();
    fprintf(stderr, "%s: %s\n", kind, e.message);
    fflush(stderr);
    if (e.level > LEVEL_NONE) {
        e.own_n = inspect_own_stack(e.own_pcs, DEEPEST);
        struct m *m = rt_m();
        e.concerns_all = concerns_all || !m || !m->g;
        inspect_each(collect, &e);
        tb_run_on_big_stack(print, &e);
    }
    int status = hook_exiting(2);
    if (e.level == LEVEL_CRASH)
        abort();
    _exit(status);
}

rt_cold _Noreturn void rt_fatal(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end_program("fatal error", true, fmt, ap);
}

rt_cold _Noreturn void rt_panic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    end_program("panic", false, fmt, ap);
}

rt_cold _Noreturn void go_panic(const char *fmt, ...)
{
    rt_enter();
    va_list ap;
    va_start(ap, fmt);
    end_program("panic", false, fmt, ap);
}

_Noreturn void rt_throw(const char *file, int line, const char *msg)
{
    char buf[300];
    int n = snprintf(buf, sizeof buf, "fatal error: gort: %s (%s:%d): a bug of the runtime, please report it\n", msg, file, line);
    os_write(2, buf, n < (int)sizeof buf ? (size_t)n : sizeof buf - 1);
    abort();
}
