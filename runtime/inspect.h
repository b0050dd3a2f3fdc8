/* The pull door: how detectors look at the goroutines of their own process, at any time, without stopping it.
 *
 * A view of one goroutine is consistent (checked by its state word). Its stack is copied, the word is checked again, and only
 * then is the copy unwound: a goroutine that moved meanwhile yields no stack, never a wrong one. */
#ifndef RT_INSPECT_H
#define RT_INSPECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gort/debug.h>

#include "traceback/bigstack.h"
#include "traceback/format.h"
#include "traceback/unwind.h"

struct inspect_g {
    uint64_t id;
    uint64_t parent_id;       /* 0: not created by go() */
    uint64_t state;           /* the state word; see gort/debug.h */
    enum gort_status status;
    enum gort_wait_reason reason;
    uint32_t flags;           /* GORT_G_* */
    bool self;                /* the calling goroutine */
    int64_t wait_ns;          /* how long it has waited, within about 10 ms; 0 if it does not */
    uintptr_t fn;             /* start function */
    uintptr_t create_pc;      /* return address of its go() */
    uintptr_t labels;         /* its block of labels (label.c), 0: none */
    uintptr_t wait_obj;       /* what it waits for, 0: none or several */
    const void *g;            /* for inspect_stack */
};

/* Calls visit for every goroutine until it returns false. Goroutines created or ended meanwhile may or may not be seen. */
void inspect_each(bool (*visit)(const struct inspect_g *v, void *arg), void *arg);

/* Fills pcs, innermost first, with the program counters of the goroutine's stack: return addresses, except
 * where the value names no call (the first of a running goroutine); symbolize pc - 1. The runtime's own frames on top are left in. Returns how many;
 * 0 if the goroutine has moved since the view was taken or runs on another thread. Allocates. */
int inspect_stack(const struct inspect_g *v, uintptr_t *pcs, int max);

/* The same with each frame's stack pointer (traceback/unwind.h). */
int inspect_stack_frames(const struct inspect_g *v, uintptr_t *pcs, uintptr_t *sps, int max);
/* Those of a stack of this process that stands still, whose registers are regs. */
int inspect_frames_at(const struct tb_regs *regs, uintptr_t *pcs, uintptr_t *sps, int max);
/* The calling function's registers, in so far as unwinding needs them; it must not return as long as they are used. */
#define INSPECT_OWN_REGS(regs) \
    do { \
        *(regs) = (struct tb_regs){{0}}; \
        __asm__ volatile("movq %%rbx, %0" : "=m"((regs)->r[TB_RBX])); \
        __asm__ volatile("movq %%rbp, %0" : "=m"((regs)->r[TB_RBP])); \
        __asm__ volatile("movq %%r12, %0" : "=m"((regs)->r[TB_R12])); \
        __asm__ volatile("movq %%r13, %0" : "=m"((regs)->r[TB_R13])); \
        __asm__ volatile("movq %%r14, %0" : "=m"((regs)->r[TB_R14])); \
        __asm__ volatile("movq %%r15, %0" : "=m"((regs)->r[TB_R15])); \
        __asm__ volatile("movq %%rsp, %0" : "=m"((regs)->r[TB_RSP])); \
        uintptr_t own_pc_; \
        __asm__ volatile("leaq 1f(%%rip), %0\n1:" : "=r"(own_pc_)); \
        (regs)->r[TB_RIP] = own_pc_; \
    } while (0)

/* The caller's own stack, innermost (this function) first; symbolize all but the first as return addresses. */
int inspect_own_stack(uintptr_t *pcs, int max);

/* The stack of goroutine g (a struct g), which is halted at regs. The first pc is no return address. */
int inspect_stack_at(const void *g, const struct tb_regs *regs, uintptr_t *pcs, int max);
/* The stack of a halted thread of this process that runs no goroutine, as far as it can be read. */
int inspect_thread_stack_at(const struct tb_regs *regs, uintptr_t *pcs, int max);
/* Symbolizes pcs. rest: the outermost of a deep stack of goroutine v, all return addresses; rest_first: of a thread's, all but the first. How many frames. */
int inspect_rest(const struct inspect_g *v, const uintptr_t *pcs, int n, struct tb_frame *out, int max);
int inspect_rest_first(const uintptr_t *pcs, int n, struct tb_frame *out, int max);

/* Its labels into out, if they are surely still there; whole pairs only. How many bytes. */
unsigned inspect_labels(const struct inspect_g *v, char *out, unsigned room);

/* The record that prints a goroutine (traceback/format.h), from a view and its pcs. first_is_return_address: of pcs[0], true for a parked
 * one. all: with the runtime's own frames. frames holds the result. On a big stack. */
struct tb_goroutine inspect_describe(const struct inspect_g *v, const uintptr_t *pcs, int n, bool first_is_return_address,
                                     bool all, struct tb_frame *frames, int max);

/* The process is about to end, and threads stand still, maybe with locks of libc's: stacks are taken without any from here on (tb_freeze). prepare: at the
 * start, what it has to allocate. */
void inspect_freeze_prepare(void);
void inspect_freeze(void);
/* Loads what names are looked up with, and allocates: it comes back only if this thread gets past the loader's lock and the allocator's. On a big stack. */
void inspect_prepare_names(void);

/* The address by which go_read and go_write synchronize both ends of the pipe or connection fd (any of its descriptors). Costs system calls. */
const void *inspect_io_meeting(int fd);

/* The calling thread's stack, of which libc takes the top for itself and for thread-local variables. */
void inspect_thread_stack(uintptr_t *lo, uintptr_t *hi);
/* Milliseconds-accurate sleep of the calling goroutine, for detectors that wait with back-off. */
void inspect_sleep(int64_t ns);

#endif
