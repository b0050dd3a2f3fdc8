/* The end of the program by a signal: Go's first lines, and the stack of the goroutine or thread that got it. See ending.c for the rest. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>

#include "ending.h"
#include "internal.h"
#include "os.h"
#include "signals.h"

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
        ending_say("runtime: goroutine stack exceeds %zu-byte limit\nfatal error: stack overflow\n", limit);
    } else if (sent || s->sig == SIGILL || s->sig == SIGABRT || s->sig == SIGQUIT) {
        ending_say("%s: %s\nPC=0x%lx m=%u sigcode=%d\n", name, text, pc, s->tid, s->code);
    } else {
        char fault[80];
        const char *cause = fault;
        if (s->sig == SIGFPE)
            cause = s->code == FPE_INTDIV ? "panic: runtime error: integer divide by zero" : "panic: runtime error: floating point error";
        else if (s->sig == SIGSEGV && s->code < 0x80 && addr < 4096)
            cause = "panic: runtime error: invalid memory address or nil pointer dereference";
        else
            snprintf(fault, sizeof fault, "unexpected fault address 0x%lx\nfatal error: fault", addr);
        ending_say("%s\n[signal %s: %s code=0x%x addr=0x%lx pc=0x%lx]\n", cause, name, text, (unsigned)s->code, addr, pc);
    }
}

_Noreturn void fatal_signal(const struct fatal_signal *s)
{
    static uintptr_t pcs[ENDING_UNWOUND];
    static struct ending_stack own;
    const struct g *g = s->m ? s->m->g : NULL;
    ending_begin();
    print_cause(s, g);
    ending_freeze();
    int n = g ? inspect_stack_at(g, &s->regs, pcs, ENDING_UNWOUND) : 0;
    uint32_t tid = 0;
    if (n == 0) {   /* on a thread that is no goroutine, or in the scheduler: its own stack first */
        n = inspect_thread_stack_at(&s->regs, pcs, ENDING_UNWOUND);
        tid = s->tid;
    }
    ending_keep(&own, pcs, n);
    ending_show(&own, g, tid, s->sig == SIGQUIT, os_tid() == sched.monitor_tid && s->tid != os_tid() && !sched_forked);
    ending_end(s->sig);
}
