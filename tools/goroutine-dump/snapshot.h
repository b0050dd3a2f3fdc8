/* A consistent copy of all goroutines of a process: taken mostly while it runs, settled while it is stopped for a moment. */
#ifndef DUMP_SNAPSHOT_H
#define DUMP_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <gort/debug.h>
#include <traceback/format.h>
#include <traceback/unwind.h>

#include "target.h"

struct snap_g {
    uint64_t id, parent_id, state;
    uint64_t fn, create_pc, wait_obj;
    int64_t wait_ns;
    uint32_t flags;
    unsigned labels_n;      /* bytes, whole pairs */
    char labels[TB_LABELS_MAX];
    bool have_regs;         /* and a stack */
    bool first_is_return;   /* the pc in regs is a return address (saved by a switch), not a running thread's */
    struct tb_regs regs;
    uint64_t stack_at;      /* address of the first copied byte, */
    size_t stack_n;         /* how many */
    unsigned char *stack;   /* and the copy */
};

struct snapshot {
    struct snap_g *gs;      /* by id */
    size_t n;
    int64_t pause_ns;       /* how long the process was stopped */
    size_t copied_early, copied_late;   /* stacks, before and during the stop */
};

/* Takes one. False: *error. */
bool snapshot_take(struct target *t, struct snapshot *s, const char **error);
void snapshot_free(struct snapshot *s);
/* tb_memory.read over one goroutine's copied stack; arg: struct snap_g. */
bool snapshot_read_stack(void *arg, uint64_t addr, void *buf, size_t n);

#endif
