/* getcontext, setcontext, swapcontext: each context has a call stack of its own, which the goroutine takes up with it.
 *
 * What the call stack was is kept in the ucontext_t itself, in words that glibc reserves and never touches, so it goes where the program copies the
 * structure, and there is no bound. getcontext and swapcontext save where they were called; they are noted by a piece of assembly that jumps
 * on to libc's own, as libc saves the registers of its caller.
 *
 * A context made by makecontext begins with an empty stack. It is told by its first return address, which is libc's code for the end of the function
 * (found by making a context once). That address is replaced by our own, ctx_return, which takes up the call stack of uc_link, where libc goes on next: by a
 * call of its own, which is not seen.
 *
 * A context that was saved where the detector does not see it (by a library) has no note: its stack is empty until it returns. */
#define _GNU_SOURCE
#include <ucontext.h>

#include "race_libc.h"
#include "race_noted.h"

/* Over the reserved words. */
struct note {
    uint64_t magic;
    struct stack_node *node;
    uint64_t cut;
};
#define MAGIC 0x9a7c15f39cc0605du

static struct note *note_of(const ucontext_t *u)
{
    _Static_assert(sizeof u->__fpregs_mem.__glibc_reserved1 >= sizeof(struct note) + 8, "there is room");
    uintptr_t at = (uintptr_t)&u->__fpregs_mem.__glibc_reserved1[0];
    return (struct note *)((at + 7) & ~(uintptr_t)7);
}

/* libc's code for the end of a context's function. */
static _Atomic(uintptr_t) libc_return __attribute__((used));
extern const char race_context_return[] __attribute__((visibility("hidden")));

static void nothing(void)
{
}

/* By whoever needs it first; all find the same. */
static race_noinline uintptr_t find_return(void)
{
    ucontext_t u;
    uint64_t stack[64] __attribute__((aligned(16)));
    u.uc_stack.ss_sp = stack;
    u.uc_stack.ss_size = sizeof stack;
    u.uc_link = NULL;
    makecontext(&u, nothing, 0);
    uintptr_t at = *(const uintptr_t *)u.uc_mcontext.gregs[REG_RSP];
    atomic_store_explicit(&libc_return, at, memory_order_relaxed);
    return at;
}

/* u has just been made: it returns to libc's code, or to ours. */
static bool is_new(const ucontext_t *u)
{
    uintptr_t libcs = atomic_load_explicit(&libc_return, memory_order_relaxed), *top = (uintptr_t *)u->uc_mcontext.gregs[REG_RSP];
    if (!libcs)
        libcs = find_return();
    if (*top == libcs)
        *top = (uintptr_t)race_context_return;
    return *top == (uintptr_t)race_context_return;
}

static void take_up(struct race_g *g, const ucontext_t *u)
{
    const struct note *n = note_of(u);
    bool is_noted = !is_new(u) && n->magic == MAGIC;
    g->node = is_noted ? n->node : &race_stack_root;
    g->cut = is_noted ? (uint32_t)n->cut : 0;
}

__attribute__((used)) void race_context_saved(ucontext_t *u, uintptr_t pc)
{
    struct race_g *g = race_cur();
    if (g == &race_ignored)
        return;
    writes(u, sizeof *u, pc);
    *note_of(u) = (struct note){MAGIC, g->node, g->cut};
}

__attribute__((used)) void race_context_left(ucontext_t *from, const ucontext_t *to, uintptr_t pc)
{
    struct race_g *g = race_cur();
    if (g == &race_ignored)
        return;
    race_context_saved(from, pc);
    reads(to, sizeof *to, pc);
    take_up(g, to);
}

int __real_setcontext(const ucontext_t *u);
int __wrap_setcontext(const ucontext_t *u)
{
    struct race_g *g = race_cur();
    if (g != &race_ignored) {
        reads(u, sizeof *u, PC);
        take_up(g, u);
    }
    return __real_setcontext(u);
}

/* The context's function has returned; libc goes on with `link`, if there is one. */
__attribute__((used)) void race_context_ended(const ucontext_t *link)
{
    struct race_g *g = race_cur();
    if (g != &race_ignored && link)
        take_up(g, link);
}

/* rbx is where libc's code finds uc_link; it sets the stack pointer itself. */
__asm__(".pushsection .text\n"
        ".type ctx_return, @function\n"   /* a frame of this name is left out of reports (traceback/format.c) */
        "ctx_return:\n"
        ".cfi_startproc\n"
        ".cfi_undefined rip\n"
        "nop\n"                           /* a return address is looked up one byte before */
        ".globl race_context_return\n"
        ".hidden race_context_return\n"
        "race_context_return:\n"
        "mov %rbx, %rsp\n"
        "and $-16, %rsp\n"
        "mov (%rbx), %rdi\n"
        "call race_context_ended@PLT\n"
        "jmp *libc_return(%rip)\n"
        ".cfi_endproc\n"
        ".size ctx_return, . - ctx_return\n"
        ".popsection\n");

/* With the return address, after one argument or two. */
NOTED(getcontext, race_context_saved, "mov 24(%rsp), %rsi")
NOTED(swapcontext, race_context_left, "mov 24(%rsp), %rdx")
