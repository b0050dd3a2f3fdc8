/* A report as plain data: everything that any writer needs, names included, nothing that is still to be looked up. race_collect.c makes it from an
 * event, a writer (race_print.c: text) puts it down. Strings belong to the symbolizer or to the record. */
#ifndef RACE_RECORD_H
#define RACE_RECORD_H

#include <stdio.h>

#include <traceback/symbolize.h>

#include "race_locks.h"
#include "race_report.h"

struct order_step;

enum event_kind { EVENT_RACE, EVENT_CYCLE, EVENT_MISUSE };

/* What the detector hands over: numbers. */
struct race_event {
    enum event_kind kind;
    struct race_g *g;
    uintptr_t addr;                     /* race: of the shadow word; misuse: of the lock */
    struct race_side old, now;
    enum lock_misuse misuse;
    unsigned lock_kind;
    const struct order_step *steps;
    int nsteps;
    const struct tb_regs *regs;         /* of g, which stands still */
};

struct rec_stack {
    int nframes;                        /* 0: unknown */
    struct tb_frame *frames;            /* innermost first */
    char *source;                       /* text of the innermost frame's line; NULL: not readable */
};

struct rec_who {
    bool known;
    struct race_who who;
    struct rec_stack created;           /* nframes 0: main, or a thread not seen to start */
};

/* A lock of the report: numbered M1, M2, ... in order of appearance. */
struct rec_lock {
    int number;
    uintptr_t addr;
    unsigned kind;                      /* LOCK_*: as it was taken */
    const char *name;                   /* global variable; NULL: none */
    struct rec_stack at;                /* where it was locked */
};

struct rec_access {
    uintptr_t addr;
    int size;
    bool write, atomic;
    int use;                            /* enum hook_use: an operation of the runtime's, and its caller's stack; -1: the program's own access */
    const char *done;                   /* "close of descriptor 5"; NULL: an access to memory */
    struct rec_who by;
    struct rec_stack stack;
    bool locks_known;
    int nlocks;
    struct rec_lock *locks;             /* held meanwhile, first locked first */
};

enum rec_place { PLACE_UNKNOWN, PLACE_GLOBAL, PLACE_HEAP, PLACE_STACK, PLACE_THREAD_LOCAL, PLACE_DESCRIPTOR };

struct rec_location {
    enum rec_place place;
    struct tb_variable variable;        /* global, thread-local; name NULL: unknown */
    char *part;                         /* "table[3].hits"; NULL: the whole, or unknown */
    const char *field, *holder;         /* innermost field and its type: "hits", "struct entry" */
    struct rec_who owner;               /* of the stack, of the thread-local */
    uintptr_t addr;                     /* heap */
    size_t size;
    int fd;                             /* descriptor; allocator, allocated: who opened it, where */
    bool freed;
    struct rec_who allocator, freer;
    struct rec_stack allocated, released;
};

/* One edge: `taken` was taken at its place while `held` was held since its own. */
struct rec_step {
    struct rec_who by;
    struct rec_lock held, taken;
};

struct rec_part;                        /* memory of the record */
struct record {
    enum event_kind kind;
    const char *title;
    bool after_free;                    /* race: access[1] freed the memory, and access[0] is ordered after it */
    bool at_birth;                      /* race: access[1] allocated the memory */
    struct rec_access access[2];        /* race: now, before; misuse: access[0] where it happened */
    struct rec_location location;
    const char *hint;                   /* the likely way to mend it, where that is certain */
    int nsteps;
    struct rec_step *steps;             /* cycle */
    enum lock_misuse misuse;
    struct rec_lock lock;               /* misuse; `at`: where its holder locked it */
    struct rec_who holder;
    int lost_stacks;
    struct rec_part *parts;
};

/* Fills r. On a big stack, with the detector off. */
void race_collect(const struct race_event *e, struct record *r);
void race_record_free(struct record *r);
/* The text writer. Returns when it is written. */
void race_print(const struct record *r);
/* Where reports go. */
FILE *race_log(void);

#endif
