/* Every compile-time knob of the runtime: its default, what it is, and the trade-off. */
#ifndef RT_CONFIG_H
#define RT_CONFIG_H

/* Bytes of a goroutine's stack, address space only: pages are committed as they are touched. Larger: deeper recursion and
 * bigger local arrays; smaller: more goroutines under a limit of address space (128 TiB holds 500 million of these). */
#define RT_STACK_BYTES (256 * 1024)

/* Guard at the low end of each stack. One page catches an overflow that touches it; a function with a larger frame that is not
 * compiled with -fstack-clash-protection may step over it. */
#define RT_STACK_GUARD_BYTES 4096

/* Stacks are cut from mappings of this many at least, and of as many as there are already up to the most: larger means fewer calls of mmap, which keep
 * all other threads from their page faults (a third of the time of a million goroutines); more address space that is reserved and not yet used. */
#define RT_STACKS_PER_SLAB 256
#define RT_STACKS_PER_SLAB_MAX 16384

/* Finished stacks and goroutines kept warm by each M before half of them go to the shared list. More: fewer trips to a lock when
 * spawning in bursts; the memory that stays touched is this times the pages a stack used. */
#define RT_G_CACHE 64

/* Goroutine structs per slab (gort/debug.h explains slabs); the table of slabs bounds the number of goroutines at once. */
#define RT_SLAB_GS 1024
#define RT_SLAB_LANES 128
#define RT_SLABS_MAX 16384   /* 16 Mi goroutines */
#define RT_SLABS_MAPPED 32   /* with one call, at most */

/* Slots of a P's run queue (a power of two); more goes to the global queue, half a queue at a time. */
#define RT_RUNQ_SLOTS 256

/* A go() that makes the P's queue this long lets its children run first: on stacks that are in the cache still, and without new ones, which cost page
 * faults. (256 children between two turns of the parent: 85 ns each, 32: 58.) Larger: the parent is held up less often. */
#define RT_GO_YIELD 32

/* A P looks at the global queue before its own once in so many schedules, so that neither starves. A power of two: it is asked at each. */
#define RT_GLOBAL_EVERY 64

/* A goroutine that has been parked for so long gives back the stack pages it doesn't use, and a finished one that is not used again for so long its whole
 * stack. Shorter: less memory; longer: fewer pages that are faulted in again (4 us each), and a monitor that looks at a million parked goroutines, or
 * interrupts the other processors to forget a page, less often. */
#define RT_SCAVENGE_AGE_NS 3000000000

/* Finished goroutines that keep their stacks warm in the shared lists for ever, besides those of each M. */
#define RT_WARM_GS 256

/* At most this many Ps. */
#define RT_PROCS_MAX 1024

/* How long an M without work looks around before it sleeps. Longer saves wake-ups (15-22 us each for the waker), and
 * burns a processor that another process could use. */
#define RT_SPIN_NS 20000

/* Work that another P will reach by itself in about a microsecond is not stolen: moving a goroutine's data costs more. So a thief looks on for so long
 * before it takes from a short queue, or another P's next goroutine; a queue from RT_STEAL_AT_ONCE on is long. Under race detection the P takes longer to reach
 * it, and there are more data to move (a pipe of 128 elements is filled in 7 us; its receiver stolen meanwhile, an element costs twice as much): the second
 * number. */
#define RT_JUDGE_NS 2000
#define RT_JUDGE_NS_RACE 8000
#define RT_STEAL_AT_ONCE 64

/* An M that found nothing, while other Ps are busy, naps so long and looks again, so many times, before it sleeps until it is woken: as long as it naps
 * nobody need wake it, which costs the waker 15-22 us, again and again where goroutines ready each other and wait. Longer: work for two Ps starts later. */
#define RT_NAP_NS 100000
#define RT_NAPS 20

/* The monitor takes the P from a goroutine that has run this long without entering the runtime, if others wait. */
#define RT_SLICE_NS 10000000

/* Stack of a thread that the runtime makes: the scheduler's own code runs there, and signal handlers of the program. */
#define RT_THREAD_STACK_BYTES (256 * 1024)

/* Stack of the monitor, which prints the report of a fatal signal: libdw wants much. */
#define RT_MONITOR_STACK_BYTES (8 * 1024 * 1024)

/* Name lookups at work at the same time, each on a thread of its own with so much stack. */
#define RT_LOOKUPS_MAX 64
#define RT_LOOKUP_STACK_BYTES (1024 * 1024)

/* Most OS threads that the runtime makes; needing more ends the program, as Go's 10,000 does. */
#define RT_THREADS_MAX 10000

#endif
