/* All that the runtime asks of the system. One file implements it per system (os_linux.c). Errors are negative errno values. */
#ifndef RT_OS_H
#define RT_OS_H

#include <sys/uio.h>

#include "base.h"

/* CLOCK_MONOTONIC, nanoseconds. About 30 ns. */
int64_t os_now(void);
void os_nanosleep(int64_t ns);
void os_thread_yield(void);
/* Processors that this process may use, asked once. */
int os_ncpu(void);
uint32_t os_tid(void);
uint32_t os_pid(void);
/* Threads that the process has now, of any origin; negative if the system doesn't tell. */
int os_thread_count(void);

/* Sleeps while *word == expected, until os_futex_wake(word), or the timeout (ns; < 0: none). May return early. */
void os_futex_wait(atomic_uint *word, unsigned expected, int64_t timeout_ns);
void os_futex_wake(atomic_uint *word, int count);

/* Starts a detached thread that runs fn(arg) on a stack of so many bytes, with all signals as the caller has them. 0 or a negative error. */
int os_thread_start(void (*fn)(void *), void *arg, size_t stack_bytes);

/* Fresh zero memory, page aligned, committed as touched (never counted against overcommit). NULL: none. */
void *os_map(size_t bytes);
void os_unmap(void *p, size_t bytes);
/* Makes [p, p+bytes) fault on access. 0 or a negative error. Doesn't cost a VMA where the kernel can (Linux 6.13). */
int os_guard(void *p, size_t bytes);
/* The same for n pieces of as many bytes, the first at p, each `stride` bytes behind the one before, with few system calls. */
int os_guard_many(char *p, size_t stride, unsigned n, size_t bytes);
/* Commits n such pieces now instead of at the first touch; only an optimization, nothing happens where the kernel can't. */
void os_commit_many(char *p, size_t stride, unsigned n, size_t bytes);
#define OS_PAGE 4096
/* Gives the pages back; they read as zero afterwards. */
void os_discard(void *p, size_t bytes);
/* The same for up to OS_PIECES pieces, where the kernel can with one system call and one interruption of the other processors (Linux 6.15). */
enum { OS_PIECES = 128 };
void os_discard_many(const struct iovec *pieces, unsigned n);

/* Whether the page at p is in memory. */
bool os_is_resident(void *p);

/* After it returns, every other thread of the process has passed a full memory barrier since the call. 0.5 us alone, 15 us when
 * others run: rare paths only. False: the kernel doesn't have it. */
bool os_membarrier(void);

/* Remembers the calling thread's signal mask; and gives the calling thread the remembered one. */
void os_keep_signal_mask(void);
void os_take_signal_mask(void);
/* The calling thread's sleeps end on time: the system may otherwise let them be 50 us late to save power. */
void os_sleep_exactly(void);
/* The calling thread takes no signals any more but those of its own faults. */
void os_block_signals(void);

/* The calling thread's stack. */
void os_thread_stack(uintptr_t *lo, uintptr_t *hi);

/* Copies n bytes of this process's memory; false if they can't be read. */
bool os_peek(void *to, const void *from, size_t n);

/* Writes all of it, in spite of interruptions. */
void os_write(int fd, const void *p, size_t n);

#endif
