/* The push door: what the runtime tells the race detector.
 *
 * With GO_RACE the functions are implemented by detectors/race/race_hooks.c, without it each is an empty inline that is still
 * type-checked and leaves no symbol. This is the only file of the runtime in which GO_RACE appears.
 *
 * A `struct race_g` is the detector's side of one goroutine (or of one thread of the program). The runtime keeps the pointer
 * in its goroutine and hands it back; it never looks inside. Synchronization is named by address: any address, the
 * detector keeps one clock for each 8-aligned one. The runtime calls with its own lock of the object held where that matters
 * (two calls for one address never run at once, unless the comment says so).
 *
 * Whose turn: hook_switch says which race_g the calling thread runs from now on; NULL: the scheduler itself, where nothing is to be checked.
 * A hook with a race_g that is not the current one acts for a parked goroutine; the caller guarantees that it stays parked. */
#ifndef RT_HOOKS_H
#define RT_HOOKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct race_g;

/* Synchronization that its object holds itself, which is cheaper than an address: zero at first, guarded by the object's lock. The contents are the
 * detector's. */
struct hook_pass {
    uint64_t word[2];
};

/* How a channel has been used, likewise. */
struct hook_uses {
    uint64_t word[3];
};

#ifdef GO_RACE
#define HOOK_CHAN_FIELDS struct hook_uses uses;
#define HOOK_CHAN_USES(c) (&(c)->uses)
#define HOOK_G_FIELDS struct race_g *race;
#define HOOK_RACE_G(g) ((g)->race)
#define HOOK_SET_RACE_G(g, r) ((g)->race = (r))
/* What each goroutine's stack but those made to size has above its top, in a page that is used anyway: room for its race_g. A multiple of a cache line. */
#define HOOK_STACK_BYTES 256
/* g will run soon; and very soon. 0, or what has ended, does no harm: the memory of a race_g is never unmapped. */
#define HOOK_PREFETCH(g) hook_prefetch((uintptr_t)__atomic_load_n(&(g)->race, __ATOMIC_RELAXED))
#define HOOK_PREFETCH_MORE(g) hook_prefetch_more(__atomic_load_n(&(g)->race, __ATOMIC_RELAXED))
static inline void hook_prefetch(uintptr_t r)
{
    for (uintptr_t line = r; line < r + HOOK_STACK_BYTES; line += 64)
        __builtin_prefetch((const void *)line);
}
void hook_prefetch_more(const struct race_g *r);
/* Bytes to add to a channel of CAP slots: a struct hook_pass for each. */
#define HOOK_CHAN_BYTES(cap) (sizeof(struct hook_pass) * (size_t)(cap))
#define HOOK_FN(type) type
/* What programs built without GO_RACE refer to (gort/base.h); the detector defines the other one. */
#define HOOK_BUILD_MARK
#define HOOK_BODY(...) ;
/* For work that only a detector wants. */
#define HOOK_IS_ON true
#else
#define HOOK_IS_ON false
#define HOOK_CHAN_FIELDS
#define HOOK_CHAN_USES(c) ((void)sizeof(c), (struct hook_uses *)NULL)
#define HOOK_G_FIELDS
#define HOOK_RACE_G(g) ((void)sizeof(g), (struct race_g *)NULL)
#define HOOK_SET_RACE_G(g, r) ((void)sizeof(g), (void)(r))
#define HOOK_PREFETCH(g) ((void)sizeof(g))
#define HOOK_PREFETCH_MORE(g) ((void)sizeof(g))
#define HOOK_STACK_BYTES 0
#define HOOK_CHAN_BYTES(cap) ((void)(cap), (size_t)0)
#define HOOK_BUILD_MARK const char gort_built_without_race = 1;
#define HOOK_FN(type) static inline __attribute__((always_inline)) type
#define HOOK_BODY(...) { __VA_ARGS__ }
#endif

/* Once, when the runtime starts, before any other hook. (The compiler's hooks may have run long before.) */
HOOK_FN(void) hook_init(void) HOOK_BODY()

/* The calling thread becomes goroutine `id` (main: 1). Returns its race_g, the one it has had since its first checked access. */
HOOK_FN(struct race_g *) hook_attach_thread(uint64_t id) HOOK_BODY((void)id; return NULL;)

/* Goroutine `parent` executes go(fn) at return address pc: makes the child's race_g. What the parent did happens before what the
 * child does. The parent's call stack is its creation stack. [stack_lo, stack_hi) is the child's stack, with
 * all that its last page has, whose former contents are forgotten. top: HOOK_STACK_BYTES of room until hook_end, never unmapped; NULL: there is none. All
 * three NULL: it is no goroutine yet. */
HOOK_FN(struct race_g *) hook_go(struct race_g *parent, uint64_t id, uint64_t parent_id, const void *fn, const void *pc,
                                 const void *stack_lo, const void *stack_hi, void *top)
    HOOK_BODY((void)parent; (void)id; (void)parent_id; (void)fn; (void)pc; (void)stack_lo; (void)stack_hi; (void)top; return NULL;)

/* The goroutine ended and will not run again; r is the detector's to free. Called by it, before its last switch. */
HOOK_FN(void) hook_end(struct race_g *r) HOOK_BODY((void)r;)

/* The calling thread now runs r (NULL: the scheduler). */
HOOK_FN(void) hook_switch(struct race_g *r) HOOK_BODY((void)r;)

/* r has seen all that was released at addr. */
HOOK_FN(void) hook_acquire(struct race_g *r, const void *addr) HOOK_BODY((void)r; (void)addr;)
/* addr := what r has seen; what was there is dropped (a store). */
HOOK_FN(void) hook_release(struct race_g *r, const void *addr) HOOK_BODY((void)r; (void)addr;)
/* addr := addr joined with what r has seen (a read-modify-write: a semaphore's release). May run at once for one address. */
HOOK_FN(void) hook_release_merge(struct race_g *r, const void *addr) HOOK_BODY((void)r; (void)addr;)
/* The same where many release side by side and few acquire. */
HOOK_FN(void) hook_release_part(struct race_g *r, const void *addr) HOOK_BODY((void)r; (void)addr;)
/* r passes a place one after another, as a channel's slot: it has seen what the one before had seen when that came, and the next one will have seen what r
 * had when it came. */
HOOK_FN(void) hook_pass(struct race_g *r, struct hook_pass *p) HOOK_BODY((void)r; (void)p;)
/* r has seen what was left at p, which stays. */
HOOK_FN(void) hook_pass_see(struct race_g *r, const struct hook_pass *p) HOOK_BODY((void)r; (void)p;)
/* The next one to pass p will have seen what r has. */
HOOK_FN(void) hook_pass_leave(struct race_g *r, struct hook_pass *p) HOOK_BODY((void)r; (void)p;)
/* n of them are gone. */
HOOK_FN(void) hook_passes_gone(struct hook_pass *p, size_t n) HOOK_BODY((void)p; (void)n;)
/* a and b meet: each has seen what the other has. One is current, the other parked. */
HOOK_FN(void) hook_meet(struct race_g *a, struct race_g *b) HOOK_BODY((void)a; (void)b;)
/* The object at addr is gone: its n bytes carry no synchronization any more, and the memory may be used for another purpose. */
HOOK_FN(void) hook_sync_gone(const void *addr, size_t n) HOOK_BODY((void)addr; (void)n;)

/* r holds the lock at `lock` from now on, by the call at return address pc (tried: by one that doesn't wait), or is about to wait for it.
 * What orders is told by the hooks above. Begins, taken: it has the lock, before the acquire, and after. Leaves, released: it still has, directly before the
 * release, and after. */
enum hook_lock { HOOK_MUTEX, HOOK_RWMUTEX_READ, HOOK_RWMUTEX_WRITE };
HOOK_FN(void) hook_lock_wanted(struct race_g *r, const void *lock, enum hook_lock kind, const void *pc)
    HOOK_BODY((void)r; (void)lock; (void)kind; (void)pc;)
HOOK_FN(void) hook_lock_begins(struct race_g *r, const void *lock, enum hook_lock kind, bool tried, const void *pc)
    HOOK_BODY((void)r; (void)lock; (void)kind; (void)tried; (void)pc;)
HOOK_FN(void) hook_lock_taken(struct race_g *r, const void *lock, enum hook_lock kind, bool tried, const void *pc)
    HOOK_BODY((void)r; (void)lock; (void)kind; (void)tried; (void)pc;)
HOOK_FN(void) hook_lock_leaves(struct race_g *r) HOOK_BODY((void)r;)
HOOK_FN(void) hook_lock_released(struct race_g *r, const void *lock, enum hook_lock kind) HOOK_BODY((void)r; (void)lock; (void)kind;)
/* All of that for a mutex, which one goroutine holds at a time, so what orders is cheaper: nothing else may use the address held_at. */
HOOK_FN(void) hook_lock(struct race_g *r, const void *lock, const void *held_at, bool tried, const void *pc)
    HOOK_BODY((void)r; (void)lock; (void)held_at; (void)tried; (void)pc;)
HOOK_FN(void) hook_unlock(struct race_g *r, const void *lock, const void *held_at) HOOK_BODY((void)r; (void)lock; (void)held_at;)

/* The caller has found the mutex locked, for the first time or again: it waits for as long as it is best not to look. */
HOOK_FN(void) hook_look_away(const void *lock, bool first) HOOK_BODY((void)lock; (void)first;)

/* r reads or writes n bytes at p in its own memory on behalf of the caller at return address pc (an element copied by a
 * channel operation). A report shows r's call stack with pc as its innermost frame. r is current. */
HOOK_FN(void) hook_read(struct race_g *r, const void *p, size_t n, const void *pc) HOOK_BODY((void)r; (void)p; (void)n; (void)pc;)
HOOK_FN(void) hook_write(struct race_g *r, const void *p, size_t n, const void *pc) HOOK_BODY((void)r; (void)p; (void)n; (void)pc;)

/* The caller at return address pc uses an object of the runtime in a way that is wrong unless it is ordered with the other one: adds to a wait group whose
 * counter is zero, waits for one; sends to a channel (or selects on that), closes it. Told before the operation synchronizes. r is current. */
enum hook_use { HOOK_WAITGROUP_LIFT, HOOK_WAITGROUP_WAIT, HOOK_CHAN_SEND, HOOK_CHAN_CLOSE, HOOK_USES };
/* Of a wait group. */
HOOK_FN(void) hook_use(struct race_g *r, const void *object, enum hook_use use, const void *pc)
    HOOK_BODY((void)r; (void)object; (void)use; (void)pc;)
/* Of a channel, whose lock is held. True: it is not ordered; when the lock has been given back, hook_chan_use_report tells, before anything else. */
HOOK_FN(bool) hook_chan_use(struct race_g *r, struct hook_uses *u, bool closes, const void *pc)
    HOOK_BODY((void)r; (void)u; (void)closes; (void)pc; return false;)
HOOK_FN(void) hook_chan_use_report(struct race_g *r, const void *channel) HOOK_BODY((void)r; (void)channel;)
HOOK_FN(void) hook_uses_gone(struct hook_uses *u) HOOK_BODY((void)u;)

/* Between these the calling thread's libc calls are the runtime's own: nothing intercepted is recorded. They nest. */
HOOK_FN(void) hook_ignore_begin(void) HOOK_BODY()
HOOK_FN(void) hook_ignore_end(void) HOOK_BODY()

/* What preceded a connect comes before what follows an accept, whoever made the call; and what was sent to fd before what follows the news that it is there. */
HOOK_FN(void) hook_io_connects(void) HOOK_BODY()
HOOK_FN(void) hook_io_accepted(void) HOOK_BODY()
HOOK_FN(void) hook_io_ready(int fd) HOOK_BODY((void)fd;)

/* The program is about to end without running exit(): prints what is due. Returns the status to end with, `status` unless
 * races were found and status is 0. */
HOOK_FN(int) hook_exiting(int status) HOOK_BODY(return status;)

#endif
