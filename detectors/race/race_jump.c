/* longjmp leaves functions without their __tsan_func_exit: the call stack is set back to what it was at setjmp.
 *
 * setjmp can't be called by a stand-in that returns, so __wrap_ is a piece of assembly that notes (stack pointer, current call stack) and jumps on to
 * libc's own. longjmp finds the note by the stack pointer in the buffer, wherever the buffer was copied to. Notes are overwritten as
 * stacks are used again; one that was lost leaves the report's stacks too deep, nothing else. */
#define _GNU_SOURCE
#include <setjmp.h>

#include "race_libc.h"
#include "race_noted.h"

extern _Thread_local struct race_g *race_interrupted __attribute__((tls_model("initial-exec")));

enum { NOTES = 1 << 14 };
static struct {
    _Atomic(uintptr_t) sp;
    _Atomic(struct stack_node *) node;
} notes[NOTES];

static unsigned place(uintptr_t sp)
{
    return (unsigned)((sp * 0x9e3779b97f4a7c15u) >> 50);
}

__attribute__((used)) void race_jump_note(uintptr_t sp)
{
    struct race_g *g = race_cur();
    if (g == &race_ignored)
        return;
    unsigned i = place(sp);
    atomic_store_explicit(&notes[i].node, g->node, memory_order_relaxed);
    atomic_store_explicit(&notes[i].sp, sp, memory_order_relaxed);
}

/* glibc keeps the stack pointer at index 6, rotated and combined with a secret of the thread's control block. */
static uintptr_t sp_of(const struct __jmp_buf_tag *env)
{
    uintptr_t v = (uintptr_t)env->__jmpbuf[6], secret;
    __asm__("mov %%fs:0x30, %0" : "=r"(secret));
    return (v >> 17 | v << 47) ^ secret;
}

static void jump(const struct __jmp_buf_tag *env)
{
    if (race_interrupted) {
        race_cur_tls = race_interrupted;
        race_interrupted = NULL;
    }
    race_in_call = race_deferring = 0;
    struct race_g *g = race_cur();
    uintptr_t sp = sp_of(env);
    unsigned i = place(sp);
    if (g == &race_ignored || atomic_load_explicit(&notes[i].sp, memory_order_relaxed) != sp)
        return;
    struct stack_node *n = atomic_load_explicit(&notes[i].node, memory_order_relaxed);
    if (n) {
        g->node = n;
        g->cut = 0;
    }
}

#define LEAVE(name) \
    _Noreturn void __real_##name(struct __jmp_buf_tag *env, int value); \
    _Noreturn void __wrap_##name(struct __jmp_buf_tag *env, int value) \
    { \
        jump(env); \
        __real_##name(env, value); \
    }
LEAVE(longjmp)
LEAVE(_longjmp)
LEAVE(siglongjmp)
LEAVE(__longjmp_chk)

/* Noted is the caller's stack pointer after the return. */
NOTED(setjmp, race_jump_note, "lea 32(%rsp), %rdi")
NOTED(_setjmp, race_jump_note, "lea 32(%rsp), %rdi")
NOTED(__sigsetjmp, race_jump_note, "lea 32(%rsp), %rdi")
