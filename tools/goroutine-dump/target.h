/* The process that is read: its memory, its threads, stopping and letting go. */
#ifndef DUMP_TARGET_H
#define DUMP_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <traceback/unwind.h>

struct target;

/* Opens process pid. NULL: *error is what is wrong, in words. */
struct target *target_open(int pid, const char **error);
void target_close(struct target *t);

/* Reads n bytes at addr. False: not all of it is readable. Signature of tb_memory.read: arg is the target. */
bool target_read(void *arg, uint64_t addr, void *buf, size_t n);

/* One of several reads at once. */
struct target_piece {
    uint64_t addr;
    void *buf;
    size_t n;
    bool ok;
};
void target_read_many(struct target *t, struct target_piece *pieces, size_t n);

/* Stops all threads. False: *error. They go on after target_resume, and also if this tool dies. */
bool target_stop(struct target *t, const char **error);
void target_resume(struct target *t);
/* Registers of a stopped thread. */
bool target_regs(struct target *t, uint32_t tid, struct tb_regs *regs);

/* The address of the debug descriptor (gort/debug.h), found by the ELF note; 0: the process has none. */
uint64_t target_find_descriptor(struct target *t);

#endif
