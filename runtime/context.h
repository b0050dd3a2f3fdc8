/* Everything that depends on the machine: the saved context, the switch, how a new goroutine starts, the current-M accessor,
 * the pause hint. One context_ARCH.S beside it per machine. docs/sched.md draws the stack of a new goroutine.
 *
 * A context is the stack pointer alone: a switch pushes the frame pointer and the control words of SSE and x87, which belong to the goroutine too, stores
 * the stack pointer, takes the other one and pops. The other registers that the ABI lets a function keep are saved by the function that switches, as any
 * function saves what it changes: to its compiler the switch changes them all. The control words are loaded only where they differ: a load costs more than
 * the rest of the switch.
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

/* The argument registers and fn of a goroutine that has not run yet, on its stack. See ctx_make. */
struct ctx_args {
    uint64_t integer[6];   /* rdi rsi rdx rcx r8 r9 */
    uint64_t nvector;      /* al: how many vector registers a variadic call uses */
    uint64_t fn;
    uint64_t vector[8][2];
};

/* What gort_go_begin hands out: an entry point that may be called with any arguments. It writes the argument registers where the current goroutine's
 * first pending one has them (ctx_args), calls gort_go_commit(stack words) and returns nothing. */
void ctx_capture(void);
void gort_go_commit(const void *stack_args);

/* Lays out the stack below hi so that resuming the context calls gort_g_start(), then ctx_args(ctx)->fn with the registers there and the n bytes
 * at ctx_stack_words(ctx), then gort_g_return(). These are the caller's to fill in. */
void ctx_make(struct ctx *ctx, uintptr_t hi, size_t n);
/* Likewise, for a context of the runtime's own: resuming it calls fn(), which never returns. */
void ctx_make_plain(struct ctx *ctx, uintptr_t hi, void (*fn)(void));

void gort_g_start(void);
/* Ends the current goroutine; never returns. */
void gort_g_return(void);

#if defined(__x86_64__)

#include <gort/debug.h>
#include "traceback/unwind.h"
#define CTX_ARCH GORT_ARCH_X86_64
/* The frame at a saved sp (keep in step with context_x86_64.S). */
enum { CTX_FP = 0, CTX_RBP = 8, CTX_PC = 16, CTX_SIZE = 24 };
/* What ctx_make lays out below the stack words: that frame, struct ctx_args, room for the function's return address; and what the switch uses below it. */
enum { CTX_FIRST_FRAME = CTX_SIZE + sizeof(struct ctx_args) + 8, CTX_BELOW = 8 };

/* Of a context that ctx_make made and nobody resumed yet. */
static inline struct ctx_args *ctx_args(const struct ctx *ctx)
{
    return (struct ctx_args *)(ctx->sp + CTX_SIZE);
}
static inline uint64_t *ctx_stack_words(const struct ctx *ctx)
{
    return (uint64_t *)(ctx->sp + CTX_FIRST_FRAME);
}

/* Where ctx_capture finds the pending goroutine: offsets in struct m and struct g (types.h; checked in g.c). */
enum { CTX_M_G = 16, CTX_G_PENDING = 16 };

/* Saves the caller in *from, resumes *to. Returns when somebody resumes *from, possibly on another thread: whatever was
 * read from thread-local storage before must be read again. */
static inline __attribute__((always_inline)) void ctx_switch(struct ctx *from, struct ctx *to)
{
    /* Compiled with -mno-red-zone (runtime/CMakeLists.txt): the call writes below the stack pointer. */
    __asm__ volatile("call ctx_switch_frame"
                     : "+D"(from), "+S"(to)
                     :
                     : "rax", "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",
                       "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15", "cc", "memory");
}

/* Resumes *to and leaves *from, which nobody may resume. By a jump: see context_x86_64.S. */
static inline __attribute__((always_inline)) _Noreturn void ctx_leave(struct ctx *from, struct ctx *to)
{
    __asm__ volatile("jmp ctx_leave_frame" : : "D"(from), "S"(to) : "memory");
    __builtin_unreachable();
}

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
