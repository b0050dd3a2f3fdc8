/* Signal handlers of the program run on the goroutine that they interrupt, as part of it. But a signal may come while the detector itself is at
 * work on that thread, perhaps with one of its locks held; then the handler runs unchecked, or its first access would wait for ever.
 *
 * Whether the detector was at work is read from where the signal came: all code of the detector and the runtime is in one section, and what it
 * calls in libc with a lock held are a few leaves, whose return address lies at the top of the stack. A call into libc that waits on the
 * program's behalf says so (BLOCKING). */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <ucontext.h>

#include "race_libc.h"
#include "race_real.h"

_Thread_local unsigned race_in_call;
/* While a handler runs unchecked: the race_g it interrupted. longjmp out of it goes on as that one. */
_Thread_local struct race_g *race_interrupted __attribute__((tls_model("initial-exec")));

enum { SIGNALS = 65, TOP_WORDS = 8, LEAF_BYTES = 192 };
static struct {
    _Atomic(uintptr_t) fn;       /* also the address by which its installation is ordered before its calls */
    atomic_bool wants_info;
} handlers[SIGNALS];

/* The leaves. */
static const char *const leaf_names[] = {"sched_yield", "mmap", "mmap64", "munmap", "mincore", "madvise", "syscall"};
enum { LEAVES = sizeof leaf_names / sizeof leaf_names[0] };
static _Atomic(uintptr_t) leaves[LEAVES];

static void find_leaves(void)
{
    for (int i = 0; i < LEAVES; i++)
        if (!atomic_load_explicit(&leaves[i], memory_order_relaxed))
            atomic_store_explicit(&leaves[i], (uintptr_t)dlsym(RTLD_NEXT, leaf_names[i]), memory_order_relaxed);
}

static bool is_in_leaf(uintptr_t pc)
{
    for (int i = 0; i < LEAVES; i++)
        if (pc - atomic_load_explicit(&leaves[i], memory_order_relaxed) < LEAF_BYTES)
            return true;
    return false;
}

static bool is_at_work(const ucontext_t *uc)
{
    if (race_in_call)
        return false;
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    if (is_ours(pc))
        return true;
    if (!is_in_leaf(pc))
        return false;
    const uintptr_t *sp = (const uintptr_t *)uc->uc_mcontext.gregs[REG_RSP];
    for (int i = 0; i < TOP_WORDS; i++)
        if (is_ours(sp[i]))
            return true;
    return false;
}

static void handler(int s, siginfo_t *info, void *context)
{
    uintptr_t fn = atomic_load_explicit(&handlers[s].fn, memory_order_acquire);
    bool wants_info = atomic_load_explicit(&handlers[s].wants_info, memory_order_relaxed);
    struct race_g *g = race_cur_tls, *outer = race_interrupted;
    unsigned in_call = race_in_call;
    if (g != &race_ignored && is_at_work(context)) {
        race_interrupted = g;
        race_cur_tls = &race_ignored;
    }
    race_in_call = 0;
    race_acquire(race_cur_tls, &handlers[s].fn);
    if (wants_info)
        ((void (*)(int, siginfo_t *, void *))fn)(s, info, context);
    else
        ((void (*)(int))fn)(s);
    race_in_call = in_call;
    if (race_interrupted != outer) {
        race_interrupted = outer;
        race_cur_tls = g;
    }
}

/* The kernel has our handler, the program sees its own. */
static int set_action(int s, const struct sigaction *new, struct sigaction *old)
{
    if (s < 1 || s >= SIGNALS)
        return REAL(sigaction)(s, new, old);
    uintptr_t before = atomic_load_explicit(&handlers[s].fn, memory_order_relaxed);
    bool before_info = atomic_load_explicit(&handlers[s].wants_info, memory_order_relaxed);
    struct sigaction ours, was;
    bool is_function = new && (new->sa_flags & SA_SIGINFO || (new->sa_handler != SIG_DFL && new->sa_handler != SIG_IGN));
    if (is_function) {
        find_leaves();
        ours = *new;
        ours.sa_flags |= SA_SIGINFO;
        ours.sa_sigaction = handler;
        race_release(race_cur(), &handlers[s].fn);
        atomic_store_explicit(&handlers[s].wants_info, (new->sa_flags & SA_SIGINFO) != 0, memory_order_relaxed);
        atomic_store_explicit(&handlers[s].fn, (uintptr_t)new->sa_sigaction, memory_order_release);
    }
    int err = REAL(sigaction)(s, is_function ? &ours : new, &was);
    if (err != 0) {
        if (is_function) {
            atomic_store_explicit(&handlers[s].wants_info, before_info, memory_order_relaxed);
            atomic_store_explicit(&handlers[s].fn, before, memory_order_release);
        }
        return err;
    }
    if (old) {
        if (was.sa_flags & SA_SIGINFO && was.sa_sigaction == handler) {
            was.sa_sigaction = (void (*)(int, siginfo_t *, void *))before;
            if (!before_info)
                was.sa_flags &= ~SA_SIGINFO;
        }
        *old = was;
    }
    return 0;
}

INTERPOSE int sigaction(int s, const struct sigaction *new, struct sigaction *old)
{
    bool is_programs = is_in_program(PC);
    if (new && is_programs)
        reads(new, sizeof *new, PC);
    int err = set_action(s, new, old);
    if (err == 0 && old && is_programs)
        writes(old, sizeof *old, PC);
    return err;
}

/* libc's signal() sets a handler without calling sigaction. */
INTERPOSE __sighandler_t signal(int s, __sighandler_t fn)
{
    struct sigaction new = {.sa_handler = fn, .sa_flags = SA_RESTART}, old;
    sigemptyset(&new.sa_mask);
    if (fn == SIG_ERR || sigaddset(&new.sa_mask, s) != 0) {
        errno = EINVAL;
        return SIG_ERR;
    }
    return set_action(s, &new, &old) == 0 ? old.sa_handler : SIG_ERR;
}
