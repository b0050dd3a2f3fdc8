/* x86-64: the first frame of a context. See context.h and context_x86_64.S. */
#define _GNU_SOURCE
#include "context.h"

#include <ucontext.h>

void ctx_entry(void);
void ctx_entry_plain(void);

_Thread_local struct m *gort_m_tls __attribute__((tls_model("initial-exec")));

static_assert(sizeof(struct ctx_args) == 192 && CTX_FIRST_FRAME + CTX_BELOW <= 248, "context_x86_64.S loads from these offsets, and leaves room for the frame");
static_assert(offsetof(struct ctx, on_cpu) == 8, "context_x86_64.S clears it");

enum { NOP_BYTES = 1 };

/* The control words that a new context starts with: those of whoever makes it. */
static uint64_t fp_now(void)
{
    uint32_t mxcsr;
    uint16_t fcw;
    __asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
    __asm__ volatile("fnstcw %0" : "=m"(fcw));
    return mxcsr | (uint64_t)fcw << 32;
}

/* Marks the first frame of a goroutine, which begins at ctx_entry: a bit that no mxcsr has, so the switch sees it where it compares them. */
static const uint64_t is_new = (uint64_t)1 << 31;

static void make_frame(struct ctx *ctx, uintptr_t top, uintptr_t pc, uintptr_t rbp, uint64_t mark)
{
    uint64_t *frame = (uint64_t *)(top - CTX_SIZE);
    frame[CTX_FP / 8] = fp_now() | mark;
    frame[CTX_RBP / 8] = rbp;
    frame[CTX_PC / 8] = pc;
    ctx->sp = (uintptr_t)frame;
}

void ctx_make(struct ctx *ctx, uintptr_t hi, size_t n)
{
    RT_ASSERT(n % 16 == 0 && hi % 16 == 0);
    make_frame(ctx, hi - n - 8 - sizeof(struct ctx_args), (uintptr_t)ctx_entry + NOP_BYTES, 0, is_new);
}

void ctx_make_plain(struct ctx *ctx, uintptr_t hi, void (*fn)(void))
{
    make_frame(ctx, hi & ~(uintptr_t)15, (uintptr_t)ctx_entry_plain + NOP_BYTES, (uintptr_t)fn, 0);
}

struct tb_regs ctx_regs_of(const void *context)
{
    const greg_t *r = ((const ucontext_t *)context)->uc_mcontext.gregs;
    /* In DWARF's order: rax rdx rcx rbx rsi rdi rbp rsp r8..r15 rip. */
    static const int order[TB_NREGS] = {REG_RAX, REG_RDX, REG_RCX, REG_RBX, REG_RSI, REG_RDI, REG_RBP, REG_RSP, REG_R8,
                                        REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15, REG_RIP};
    struct tb_regs regs;
    for (int i = 0; i < TB_NREGS; i++)
        regs.r[i] = (uint64_t)r[order[i]];
    return regs;
}
