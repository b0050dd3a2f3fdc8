/* Where a signal finds the detector at work: asked at each single instruction of code that stands in for the detector's, by the processor's trap flag, from
 * its call of something in libc to the return from there. */
#define _GNU_SOURCE
#include "../../detectors/race/race_libc.h"
#include "../../detectors/race/race_signal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define OURS __attribute__((noinline, section("gort_race_text")))

enum { TRAP_FLAG = 0x100 };
static volatile bool looks;
static volatile int steps, at_work, in_libc;

static void step(int s, siginfo_t *info, void *context)
{
    (void)s;
    (void)info;
    ucontext_t *uc = context;
    if (!looks) {
        uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
        return;
    }
    steps = steps + 1;
    at_work = at_work + is_at_work(uc);
    in_libc = in_libc + !is_ours((uintptr_t)uc->uc_mcontext.gregs[REG_RIP]);
}

/* From the first of these to the second each instruction is looked at: inline, so that all of that is in the caller. */
static inline __attribute__((always_inline)) void begin(void)
{
    steps = at_work = in_libc = 0;
    looks = true;
    __asm__ volatile("pushfq; orl %0, (%%rsp); popfq" ::"i"(TRAP_FLAG) : "memory", "cc");
}

static inline __attribute__((always_inline)) void end(void)
{
    looks = false;
    __asm__ volatile("nop; nop" ::: "memory");
}

static void install(void)
{
    struct sigaction a = {.sa_sigaction = step, .sa_flags = SA_SIGINFO};
    cr_assert_eq(sigaction(SIGTRAP, &a, NULL), 0);
    at_work_start();
    at_work_installed(SIGTRAP);
    syscall(SYS_gettid);   /* each is called once, so that nothing is left for the dynamic linker */
    sched_yield();
    munmap(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096);
    madvise(NULL, 0, MADV_NORMAL);
    mprotect(NULL, 0, PROT_READ);
}

/* Red zones are left alone by pushfq: the file is built without any. */
#define DETECTOR(name, calls) \
    static OURS void name(void) \
    { \
        begin(); \
        calls; \
        end(); \
    }
#define PROGRAM(name, calls) \
    static __attribute__((noinline)) void name(void) \
    { \
        begin(); \
        calls; \
        end(); \
    }
static unsigned char resident[1];
static char page[2 * 4096] __attribute__((aligned(4096)));
static volatile uintptr_t sink;
#define CALLS(_) \
    _(errno_is, errno = (int)sink) \
    _(gettid_is, sink = (uintptr_t)syscall(SYS_gettid)) \
    _(syscall_fails, sink = (uintptr_t)syscall(SYS_close, -1)) \
    _(yields, sched_yield()) \
    _(maps, sink = (uintptr_t)mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
    _(map_fails, sink = (uintptr_t)mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) \
    _(unmaps, munmap((void *)sink, 4096)) \
    _(unmap_fails, munmap((void *)1, 1)) \
    _(protects, mprotect(page, 4096, PROT_READ | PROT_WRITE)) \
    _(protect_fails, mprotect(page + 1, 1, PROT_READ)) \
    _(looks_for_pages, mincore(page, 4096, resident)) \
    _(look_fails, mincore(page + 1, 4096, resident)) \
    _(advises, madvise(page, 4096, MADV_NORMAL)) \
    _(advice_fails, madvise(page + 1, 4096, MADV_NORMAL))

#define DEFINE(name, calls) \
    DETECTOR(detector_##name, calls) \
    PROGRAM(program_##name, calls)
CALLS(DEFINE)

#define TEST(name, calls) \
    Test(race_at_work, name) \
    { \
        install(); \
        sink = (uintptr_t)(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)); \
        detector_##name(); \
        cr_assert_gt(in_libc, 2); \
        cr_assert_gt(steps, in_libc); \
        cr_assert_eq(at_work, steps, "%d of %d steps of the detector's, %d in libc", at_work, steps, in_libc); \
        program_##name(); \
        cr_assert_gt(steps, 2); \
        cr_assert_eq(at_work, 0, "%d of %d steps of the program's", at_work, steps); \
    }
CALLS(TEST)

/* What lies deeper in the stack is an old word of the detector's, maybe: the program's call of what pushes nothing is the program's. */
static __attribute__((noinline)) void calls_above_old_words(void)
{
    volatile uintptr_t old[32];
    for (int i = 0; i < 32; i++)
        old[i] = (uintptr_t)__start_gort_race_text;
    begin();
    errno = 1;
    syscall(SYS_gettid);
    end();
    sink = old[0];
}

Test(race_at_work, old_words_are_not_looked_at)
{
    install();
    calls_above_old_words();
    cr_assert_gt(steps, 10);
    cr_assert_eq(at_work, 0, "%d of %d steps", at_work, steps);
}

static OURS void waits(void)
{
    begin();
    BLOCKING(syscall(SYS_gettid));
    end();
}

Test(race_at_work, a_call_that_blocks_is_the_programs)
{
    install();
    waits();
    cr_assert_gt(in_libc, 2);
    cr_assert_eq(at_work, steps - in_libc);
}

/* Looked at from here to the end of __restore_rt, which is the way back. */
static void handler(int s)
{
    (void)s;
    begin();
    __asm__ volatile("nop; nop; nop");
}

static long own_pid, own_tid;
#define RAISES \
    register long nr __asm__("rax") = SYS_tgkill; \
    register long pid __asm__("rdi") = own_pid; \
    register long tid __asm__("rsi") = own_tid; \
    register long sig __asm__("rdx") = SIGUSR1; \
    __asm__ volatile("syscall" : "+r"(nr) : "r"(pid), "r"(tid), "r"(sig) : "rcx", "r11", "memory"); \
    looks = false
static OURS void detector_raises(void)
{
    RAISES;
}
static __attribute__((noinline)) void program_raises(void)
{
    RAISES;
}

Test(race_at_work, a_handler_that_has_returned_goes_back_to_what_it_interrupted)
{
    install();
    struct sigaction a = {.sa_handler = handler};
    cr_assert_eq(sigaction(SIGUSR1, &a, NULL), 0);
    own_pid = getpid();
    own_tid = syscall(SYS_gettid);
    detector_raises();
    cr_assert_geq(at_work, 2, "in __restore_rt");
    cr_assert_lt(at_work, steps, "the handler itself is the program's");
    int all = steps;
    program_raises();
    cr_assert_eq(steps, all);
    cr_assert_eq(at_work, 0);
}
