/* The debug descriptor: how a tool reads the goroutines of a live process or of a core file, without the program's headers
 * and whatever the layout of the runtime's structs. Needs only <stdint.h>.
 *
 * Finding it: the executable (or shared object) that holds the runtime has an ELF note, name "gort", type
 * GORT_NOTE_TYPE, in a read-only loaded segment. The note's description is one int64_t: the distance from the description's own
 * address to the descriptor (so it needs no relocation and survives strip).
 *
 * Goroutines live in slabs that are never unmapped. `slabs` is the address of an array of slab addresses (uint64_t
 * each) of which the first `*nslabs` (a uint32_t) are in use. A slab holds `slab_gs` goroutine structs of g_size bytes
 * each from offset slab_g_off on, and an array of as many 64-bit state words from offset slab_state_off on. The state word of
 * goroutine i of the slab stands at index (i % slab_lanes) * (slab_gs / slab_lanes) + i / slab_lanes: neighbours are kept
 * apart, so that two processors don't fight for a cache line.
 *
 * A state word is sequence << 16 | wait reason << 8 | status; it is written with one plain 64-bit store by whoever owns
 * the goroutine's next move, and every change counts the sequence up. A copy of a goroutine and of its stack that was made
 * while its status was WAITING is good if the word is the same before and after.
 *
 * A goroutine that is WAITING or RUNNABLE has its registers saved at its saved stack pointer, in the frame that ctx_*
 * describe, and its stack in use is [saved sp, stack_hi). A RUNNING one has them in its thread: g_m leads to the M,
 * whose m_tid names the thread. */
#ifndef GORT_DEBUG_H
#define GORT_DEBUG_H

#include <stdint.h>

#define GORT_DEBUG_MAGIC "gortdbg"   /* with its NUL: 8 bytes */
#define GORT_DEBUG_VERSION 3
#define GORT_NOTE_NAME "gort"
#define GORT_NOTE_TYPE 0x676f7274
#define GORT_ARCH_X86_64 62          /* as ELF's e_machine */

#define GORT_STATUSES(X)                        \
    X(FREE, "free")         /* slot not in use */ \
    X(RUNNABLE, "runnable")                     \
    X(RUNNING, "running")                       \
    X(WAITING, "waiting")   /* the reason tells for what */
enum gort_status {
#define X(name, text) GORT_STATUS_##name,
    GORT_STATUSES(X)
#undef X
};

/* Why a goroutine is parked; the texts are Go's. New ones go at the end. */
#define GORT_WAIT_REASONS(X)                    \
    X(NONE, "")                                 \
    X(CHAN_RECV, "chan receive")                \
    X(CHAN_SEND, "chan send")                   \
    X(CHAN_RECV_NIL, "chan receive (nil chan)") \
    X(CHAN_SEND_NIL, "chan send (nil chan)")    \
    X(SELECT, "select")                         \
    X(SELECT_NONE, "select (no cases)")         \
    X(SLEEP, "sleep")                           \
    X(MUTEX, "sync.Mutex.Lock")                 \
    X(WAITGROUP, "sync.WaitGroup.Wait")         \
    X(EXITED, "goexit")     /* main after go_exit() */ \
    X(IO, "IO wait")                            \
    X(RWMUTEX_RLOCK, "sync.RWMutex.RLock")      \
    X(RWMUTEX_LOCK, "sync.RWMutex.Lock")        \
    X(COND, "sync.Cond.Wait")                   \
    X(SEM, "semacquire")                        \
    X(ONCE, "sync.Once.Do")                    \
    X(ERRGROUP, "errgroup.Group.Go")
enum gort_wait_reason {
#define X(name, text) GORT_WAIT_##name,
    GORT_WAIT_REASONS(X)
#undef X
};

#define GORT_STATE_STATUS(word) ((uint8_t)(word))
#define GORT_STATE_REASON(word) ((uint8_t)((word) >> 8))
#define GORT_STATE_SEQ(word)    ((word) >> 16)

/* Bits of the field at g_flags. */
#define GORT_G_THREAD 1u   /* bound to a thread that the runtime did not make */
#define GORT_G_MAIN   2u   /* the goroutine that main runs on */
#define GORT_G_WIRED  4u   /* with THREAD: by go_lock_os_thread, for a while */
#define GORT_G_BIG    8u   /* its stack was made to size */

#define GORT_LABELS_TEXT 8

struct gort_debug {
    char magic[8];
    uint32_t version;
    uint32_t size;             /* of this struct */
    uint32_t arch;             /* GORT_ARCH_* */
    uint32_t pid;              /* process that filled it; 0: the runtime has not started */
    /* addresses in the process */
    uint64_t slabs;
    uint64_t nslabs;
    uint64_t ms;               /* address of a pointer: the first M; 0 at the end of the list */
    uint64_t clock;            /* address of an int64_t: CLOCK_MONOTONIC ns, refreshed at least every 10 ms while goroutines run */
    uint32_t slab_gs, slab_lanes, slab_state_off, slab_g_off;
    /* a goroutine: size, and offsets of its fields */
    uint32_t g_size;
    uint32_t g_id;             /* uint64_t */
    uint32_t g_parent_id;      /* uint64_t; 0: not created by go() */
    uint32_t g_sp;             /* uint64_t: saved stack pointer */
    uint32_t g_on_cpu;         /* uint32_t: 1: its registers are in its M's thread, whatever its status; the saved sp counts if that thread's
                                  stack pointer is not in the goroutine's stack */
    uint32_t g_stack_lo;       /* uint64_t */
    uint32_t g_stack_hi;       /* uint64_t */
    uint32_t g_fn;             /* uint64_t: start function */
    uint32_t g_create_pc;      /* uint64_t: return address of the go() that made it */
    uint32_t g_wait_since;     /* int64_t: CLOCK_MONOTONIC ns */
    uint32_t g_wait_obj;       /* uint64_t: address of the channel, mutex ... it waits for; 0: none or several */
    uint32_t g_m;              /* uint64_t: its M while it runs, and always for a thread's goroutine */
    uint32_t g_flags;          /* uint32_t: GORT_G_* */
    uint32_t g_labels;         /* uint64_t: address of its labels, 0: none: uint32_t bytes, then at GORT_LABELS_TEXT: key, NUL, value, NUL ... */
    /* an M (an OS thread that runs goroutines): offsets of its fields */
    uint32_t m_next;           /* uint64_t */
    uint32_t m_tid;            /* uint32_t: 0: ended */
    uint32_t m_g;              /* uint64_t: goroutine that it runs now, 0: none */
    /* the frame that a context switch leaves at the saved stack pointer: offsets of the 8-byte registers */
    uint32_t ctx_size;         /* the stack pointer after resumption = saved sp + ctx_size */
    uint32_t ctx_pc, ctx_rbp;  /* the function that switched keeps the others in its own frame, and its unwind information says where */
};

#endif
