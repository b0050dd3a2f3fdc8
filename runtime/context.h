/* Everything that depends on the machine: the saved context, the switch, how a new goroutine starts, the current-M accessor,
 * the pause hint. One context_ARCH.S beside it per machine. docs/sched.md draws the stack of a new goroutine.
 *
 * A context is the stack pointer alone: a switch pushes what the ABI lets a function keep in registers (x86-64: rbx, rbp, r12 to
 * r15, and the control words of SSE and x87, which belong to the goroutine too), stores the stack pointer, takes the other one
 * and pops. The control words are loaded only where they differ: a load costs more than the rest of the switch.
 *
 * on_cpu is 1 from just before a context is resumed until its registers have been saved again: the switch clears it with a
 * release store after the last push. A goroutine becomes visible to wakers before it has switched away; whoever dequeues it waits
 * for on_cpu == 0 (acquire) before it resumes it. */
#ifndef RT_CONTEXT_H
#define RT_CONTEXT_H

#include "base.h"

struct m;

struct ctx {
    uintptr_t sp;
    atomic_uint on_cpu;
    atomic_uint hold;   /* 1: the scavenger is at its stack, don't resume it (scavenge.c) */
};

/* Saves the caller in *from, resumes *to. Returns when somebody resumes *from, possibly on another thread: whatever was
 * read from thread-local storage before must be read again. */
void ctx_switch(struct ctx *from, struct ctx *to);

/* The argument registers and fn of a goroutine that has not run yet; its stack words follow. See ctx_make. */
struct ctx_args {
    uint64_t integer[6];   /* rdi rsi rdx rcx r8 r9 */
    uint64_t nvector;      /* al: how many vector registers a variadic call uses */
    uint64_t fn;
    uint64_t vector[8][2];
};

/* What gort_go_begin hands out: an entry point that may be called with any arguments. It calls gort_go_commit(registers,
 * stack words) and returns nothing. */
void ctx_capture(void);
void gort_go_commit(const struct ctx_args *regs, const void *stack_args);

/* Lays out the stack below hi so that resuming the context calls gort_g_start(), then args->fn with the
 * registers and n bytes of stack words given, then gort_g_return(). */
void ctx_make(struct ctx *ctx, uintptr_t hi, const struct ctx_args *args, const void *stack_args, size_t n);
/* Likewise, for a context of the runtime's own: resuming it calls fn(), which never returns. */
void ctx_make_plain(struct ctx *ctx, uintptr_t hi, void (*fn)(void));

void gort_g_start(void);
_Noreturn void gort_g_return(void);

#if defined(__x86_64__)

#include <gort/debug.h>
#include "traceback/unwind.h"
#define CTX_ARCH GORT_ARCH_X86_64
/* The frame at a saved sp (keep in step with context_x86_64.S). */
enum { CTX_FP = 0, CTX_R15 = 8, CTX_R14 = 16, CTX_R13 = 24, CTX_R12 = 32, CTX_RBX = 40, CTX_RBP = 48, CTX_PC = 56, CTX_SIZE = 64 };

static inline void ctx_pause(void)
{
    __builtin_ia32_pause();
}

static inline uint64_t ctx_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

/* The calling thread's M, NULL for one that the runtime doesn't know. A goroutine may resume on another thread, and a compiler may
 * keep the address of a thread-local variable over any call: so the address never becomes visible to it. */
extern _Thread_local struct m *gort_m_tls __attribute__((tls_model("initial-exec")));
static inline struct m *rt_m(void)
{
    struct m *m;
    __asm__ volatile("movq gort_m_tls@gottpoff(%%rip), %0\n\tmovq %%fs:(%0), %0" : "=r"(m) : : "memory");
    return m;
}
static inline void rt_set_m(struct m *m)
{
    uintptr_t t;
    __asm__ volatile("movq gort_m_tls@gottpoff(%%rip), %0\n\tmovq %1, %%fs:(%0)" : "=&r"(t) : "r"(m) : "memory");
}

/* The registers at which a signal interrupted, for the unwinder. uc: a ucontext_t. */
struct tb_regs ctx_regs_of(const void *uc);

/* A system call: its result, or a negative errno value. errno is not touched. */
static inline long ctx_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

#else
#error "gort runs on x86-64 so far: add a context_ARCH.S and the lines above for this machine"
#endif

#endif
