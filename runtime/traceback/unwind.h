/* Unwinding: from a register set and a way to read memory to a list of program counters. Works on a copied stack, of this process or of
 * another, live or gone: nothing is read but through the space's modules and the caller's reader. libunwind does the work. */
#ifndef TB_UNWIND_H
#define TB_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* x86-64, by DWARF number: rax rdx rcx rbx rsi rdi rbp rsp r8..r15, 16: rip. */
enum { TB_RBX = 3, TB_RBP = 6, TB_RSP = 7, TB_R12 = 12, TB_R13 = 13, TB_R14 = 14, TB_R15 = 15, TB_RIP = 16, TB_NREGS = 17 };
struct tb_regs {
    uint64_t r[TB_NREGS];
};

/* How to read the memory of the unwound process outside its modules, a copied stack for one. False: not readable. */
struct tb_memory {
    bool (*read)(void *arg, uint64_t addr, void *buf, size_t n);
    void *arg;
};

/* The modules (executable, shared objects, vdso) of one process, with their unwind tables. */
struct tb_space;

/* This process. Made at the first call, refreshed when a shared object was loaded since; never freed. */
struct tb_space *tb_space_self(void);
/* This process is about to end, and other threads stand still, maybe with locks of libc's or the dynamic loader's: from now on tb_space_self() is a list
 * made by way of the kernel, and no lock is waited for in vain. `memory` reads any address of this process. False: there is no /proc; all stays as it was. */
bool tb_freeze(struct tb_memory memory);
bool tb_is_frozen(void);
/* What it needs and has to allocate; before. */
void tb_freeze_prepare(void);
/* After it: the file that holds pc, and the address there, as addr2line takes it. NULL: none. Calls nothing of libc's that locks. */
const char *tb_frozen_object(uintptr_t pc, uintptr_t *in_object);
/* Another process: modules by /proc/PID/maps, their tables read through `memory`, which must outlive the space. NULL: errno says why. */
struct tb_space *tb_space_pid(int pid, struct tb_memory memory);
void tb_space_free(struct tb_space *space);

/* Fills pcs, innermost first; the first is regs' own, the others are return addresses. Returns how many, at least 1 unless max is 0. Stops at
 * the outermost frame, at what it can't unwind, and at max. Serialized by a lock of its own. Needs about 16 KiB of stack. */
int tb_unwind(struct tb_space *space, const struct tb_regs *regs, struct tb_memory stack, uintptr_t *pcs, int max);
/* The same; sps[i]: the stack pointer in frame i (NULL: not wanted). Frame i lies between sps[i] and sps[i + 1], which is its canonical frame address. */
int tb_unwind_frames(struct tb_space *space, const struct tb_regs *regs, struct tb_memory stack, uintptr_t *pcs, uintptr_t *sps, int max);

#endif
