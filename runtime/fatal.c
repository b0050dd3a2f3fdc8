/* How a program ends that can't go on: fatal errors, panics, and bugs of the runtime. First line and stacks as Go prints them, on stderr;
 * status 2. The end by a signal is in fatal_signal.c; how stacks are shown, in ending.c. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <gort/goroutine.h>
#include <gort/time.h>

#include "defer.h"
#include "ending.h"
#include "internal.h"
#include "os.h"

static atomic_int npanicking;     /* goroutines that run deferred calls because of a panic, or are beyond them */
static uint32_t watched_process;  /* the one that at_exit() is for: not a fork's child */

rt_cold _Noreturn void rt_fatal(const char *fmt, ...)
{
    char message[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    ending_begin();
    ending_say("fatal error: %s\n", message);
    struct m *m = rt_m();
    static struct ending_stack own;   /* there is one end */
    ending_take_own(&own);
    ending_freeze();
    ending_show(&own, m ? m->g : NULL, 0, true, false);
    ending_end(0);
}

/* A panic is not lost because main returns meanwhile, perhaps let go on by a deferred call of the goroutine that panics: that of a group's goroutine
 * says that it is done. A report that has begun is waited for; a deferred call, which may wait for somebody else, not for ever. As in Go. */
static void at_exit(void)
{
    enum { STEP_NS = 100000, PATIENCE = 10000 };
    struct m *m = rt_m();
    if ((m && m->g && m->g->panics) || watched_process != os_pid())   /* a deferred call has decided to exit */
        return;
    for (int i = 0; i < PATIENCE && atomic_load_explicit(&npanicking, memory_order_acquire) && !ending_has_begun(); i++)
        go_sleep(STEP_NS);
    if (ending_has_begun())
        ending_wait();
}

void fatal_start(void)
{
    watched_process = os_pid();
    hook_ignore_begin();
    atexit(at_exit);
    hook_ignore_end();
    ending_start();
}

/* ---- panics ---- */

/* One panic at work on a goroutine, in the frame that panicked: its message and stack are taken first, then the deferred calls run, which may panic in
 * turn; then all is printed, the first panic first, with the stack of the last. */
struct panic {
    struct panic *before;
    bool counted;            /* in npanicking */
    char message[512];
    struct ending_stack stack;
};

/* The first lines of all, in one. */
static int panic_lines(const struct panic *p, char *to, int room, int *indent)
{
    int n = p->before ? panic_lines(p->before, to, room, indent) : 0;
    if (n < room - 1)
        n += snprintf(to + n, (size_t)(room - n), "%*.*spanic: %s\n", *indent, *indent, "\t", p->message);
    *indent = 1;
    return n < room - 1 ? n : room - 1;
}

static _Noreturn void end_by_panic(const struct panic *p)
{
    static char lines[16 * 1024];
    static struct ending_stack own;
    struct m *m = rt_m();
    int indent = 0;
    ending_begin();
    panic_lines(p, lines, sizeof lines, &indent);
    ending_say("%s", lines);
    own = p->stack;
    ending_freeze();
    ending_show(&own, m ? m->g : NULL, 0, false, false);
    ending_end(0);
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
    ending_take_own(&p.stack);
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
