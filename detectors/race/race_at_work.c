/* Was the detector at work where a signal came? That is read from there: all code of the detector and the runtime is in one section, and what it calls in libc
 * with a lock held are a few leaves, whose return address lies at the top of the stack. A call into libc that waits on the program's behalf says so
 * (BLOCKING): while it is in libc, the thread is not at work, whatever leaf it is in. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "race_libc.h"
#include "race_signal.h"

_Thread_local unsigned race_in_call;
_Thread_local unsigned race_deferring;

enum { TOP_WORDS = 8, LEAF_BYTES = 192, RESTORER_BYTES = 9 };

/* The leaves. The first two push nothing, so their caller is known for sure. The program calls them, too: by syscall it may well send a signal to itself, which
 * is handled before the call returns; __errno_location is every errno, the detector's as well, with which it keeps the program's. */
static const char *const leaf_names[] = {"syscall", "__errno_location", "sched_yield", "mmap", "mmap64", "munmap", "mprotect", "mincore", "madvise"};
enum { PUSH_NOTHING = 2, LEAVES = sizeof leaf_names / sizeof leaf_names[0] };
static _Atomic(uintptr_t) leaves[LEAVES];

void at_work_start(void)
{
    for (int i = 0; i < LEAVES; i++)
        if (!atomic_load_explicit(&leaves[i], memory_order_relaxed))
            atomic_store_explicit(&leaves[i], (uintptr_t)dlsym(RTLD_NEXT, leaf_names[i]), memory_order_relaxed);
}

/* LEAVES: in none. */
static int leaf_of(uintptr_t pc)
{
    int i = 0;
    while (i < LEAVES && pc - atomic_load_explicit(&leaves[i], memory_order_relaxed) >= LEAF_BYTES)
        i++;
    return i;
}

/* A handler that has returned is in libc's __restore_rt: what it interrupted is still to be taken up, from the context on top of the stack. */
static _Atomic(uintptr_t) restorer;

void at_work_installed(int s)
{
    struct kernel_action a;
    if (!atomic_load_explicit(&restorer, memory_order_relaxed) && syscall(SYS_rt_sigaction, s, NULL, &a, sizeof a.mask) == 0)
        atomic_store_explicit(&restorer, (uintptr_t)a.restorer, memory_order_relaxed);
}

static const ucontext_t *interrupted(const ucontext_t *uc)
{
    uintptr_t from = atomic_load_explicit(&restorer, memory_order_relaxed);
    while (from && (uintptr_t)uc->uc_mcontext.gregs[REG_RIP] - from < RESTORER_BYTES)
        uc = (const ucontext_t *)uc->uc_mcontext.gregs[REG_RSP];
    return uc;
}

bool is_at_work(const ucontext_t *uc)
{
    uc = interrupted(uc);
    uintptr_t pc = (uintptr_t)uc->uc_mcontext.gregs[REG_RIP];
    if (race_deferring || is_ours(pc))
        return true;
    if (race_in_call)
        return false;
    int leaf = leaf_of(pc);
    const uintptr_t *sp = (const uintptr_t *)uc->uc_mcontext.gregs[REG_RSP];
    for (int i = 0; leaf < LEAVES && i < (leaf < PUSH_NOTHING ? 1 : TOP_WORDS); i++)
        if (is_ours(sp[i]))
            return true;
    return false;
}
