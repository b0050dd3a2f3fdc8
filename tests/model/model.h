/* The reference model of the race detector: the textbook, slowly. It judges the detector (play_engine.c, play_runtime.c).
 *
 * A trace is what a program did, in the order in which it happened: events of goroutines. The model keeps all of them, draws the edges that
 * docs/race.md promises and no others, gives each event a full vector clock (one place for each goroutine of the program), and compares each access
 * with each. Two accesses are a race if they share a byte in the same life of the memory, one writes, not both are atomic, and neither happened
 * before the other, or the first one frees the memory.
 *
 * What the detector must report, exactly:
 *   - nothing but races;
 *   - at access j, for each earlier access i that races with it in byte b: the pair (i, j), or (r, j) with an r that stands for i in byte b:
 *     r contains b and conflicts with all that i conflicts with (it writes or i reads; it is not atomic or i is), and either
 *     i happened before r (then whoever races with i races with r), or r is of i's goroutine, came before it, and nobody up to j has
 *     seen r without i (then nobody can tell them apart), or r frees the memory later than i (then whoever comes after i races with r);
 *   - unless an access of j's goroutine stands for j in b in the second way, and did not happen before a free that j came after: then the race has been
 *     reported already;
 *   - a birth (the allocation of memory is a write to it) stands for no access of its own goroutine, until it has raced; and it need not be reported
 *     with j if something in the same 8 bytes was accessed after it (ordered, and earlier than j).
 * Where accesses ran free, at the same time, all that can be said is: nothing but races; and for each byte in which there is a race, one that
 * contains it. */
#ifndef MODEL_H
#define MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { EVENTS_MAX = 1024, GOROUTINES_MAX = 64, IDS_MAX = 1024, REPORTS_MAX = 16384 };

/* What an event means. `object` names a channel, mutex, ...; `id` a channel's element, or of accesses the name by which reports call them. */
#define EVENT_KINDS(X) \
    X(GO, "go")                     /* object: the child */ \
    X(START, "starts") \
    X(ACCESS, "access")             /* addr, size, write */ \
    X(LIFE, "new memory")           /* addr, size: a new life of these bytes */ \
    X(FORGET, "sync gone")          /* addr, size: what was released there is gone */ \
    X(ATOMIC_LOAD, "atomic load")   /* addr, size, order; a failed compare-exchange is one */ \
    X(ATOMIC_STORE, "atomic store") \
    X(ATOMIC_RMW, "atomic rmw") \
    X(FENCE, "fence")               /* order */ \
    X(ACQUIRE, "acquire")           /* addr */ \
    X(RELEASE, "release")           /* addr; replaces what is there */ \
    X(RELEASE_MERGE, "merge")       /* addr; joins it */ \
    X(SEND_BEGIN, "send begins")    /* object, id: the element */ \
    X(SEND_END, "send ends") \
    X(RECV_BEGIN, "receive begins") /* object */ \
    X(RECV_END, "receive ends")     /* object, id: the element; begin: the index of its RECV_BEGIN */ \
    X(RECV_CLOSED, "finds closed") \
    X(CLOSE, "close") \
    X(LOCK, "lock") \
    X(UNLOCK, "unlock") \
    X(RLOCK, "rlock") \
    X(RUNLOCK, "runlock") \
    X(WLOCK, "wlock") \
    X(WUNLOCK, "wunlock") \
    X(DONE, "done")                 /* object: the wait group */ \
    X(WAIT, "wait") \
    X(ONCE_RAN, "once ran") \
    X(ONCE, "once returns")

enum event_kind {
#define X(name, text) EV_##name,
    EVENT_KINDS(X)
#undef X
};

enum order { MO_RELAXED, MO_CONSUME, MO_ACQUIRE, MO_RELEASE, MO_ACQ_REL, MO_SEQ_CST };

struct event {
    enum event_kind kind;
    int g;
    uintptr_t addr;
    uint32_t size;
    bool write, atomic;   /* of accesses; the atomic operations are accesses, too */
    bool birth;           /* a write that begins the memory's life */
    bool frees;           /* a write after which the memory is nobody's, until its next life */
    int order;
    int object;
    int id;
    int begin;
};

struct trace {
    int n, goroutines;
    bool free;                      /* plain accesses were made at their record or a little later: in which order, nobody knows */
    int capacity[GOROUTINES_MAX];   /* of channels, by object */
    struct event event[EVENTS_MAX];
};

/* What the detector said: access `old` and access `now`, by id, race in the 8 bytes at word. */
struct reported {
    int old, now;
    uintptr_t word;
};

struct verdict {
    bool agreed;
    bool undetermined;   /* the trace does not say in which order a channel's elements went; nothing was compared */
    int races;           /* pairs */
    char why[512];
};

/* Each reads the whole trace. */
struct verdict model_judge(const struct trace *t, const struct reported *r, int n);
void model_print(const struct trace *t, FILE *to);

#endif
