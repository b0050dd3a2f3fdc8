/* go(): every kind of argument arrives as in a call; identity, counting, yielding, exiting, errno. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fenv.h>
#include <gort.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct small { int a; double b; };
struct large { long v[12]; };
static go_waitgroup wg;
static char seen[400];

static void all_kinds(char c, short s, int i, long l, float f, double d, const char *p, struct small sm, struct large la, long double ld, bool b,
                      unsigned long long last)
{
    snprintf(seen, sizeof seen, "%c %d %d %ld %g %g %s %d %g %ld %ld %Lg %d %llu", c, s, i, l, (double)f, d, p, sm.a, sm.b, la.v[0], la.v[11], ld, b, last);
    go_waitgroup_done(&wg);
}

Test(go, arguments_of_every_kind)
{
    struct large la = {{1, [11] = 12}};
    go_waitgroup_add(&wg, 1);
    go(all_kinds, 'c', -2, 3, 4000000000L, 5.5f, 6, "seven", ((struct small){8, 8.5}), la, 9.5L, 2, 18446744073709551615ULL);
    go_waitgroup_wait(&wg);
    cr_assert_str_eq(seen, "c -2 3 4000000000 5.5 6 seven 8 8.5 1 12 9.5 1 18446744073709551615");
}

static void sixteen(int a, int b, int c, int d, int e, int f, int g, int h, int i, int j, int k, int l, int m, int n, int o, int p)
{
    snprintf(seen, sizeof seen, "%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d%d", a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p);
    go_waitgroup_done(&wg);
}

Test(go, sixteen_arguments)
{
    go_waitgroup_add(&wg, 1);
    go(sixteen, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7);
    go_waitgroup_wait(&wg);
    cr_assert_str_eq(seen, "1234567891234567");
}

static void start_sixteen(void)
{
    go(sixteen, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7);
}

/* What is kept of the caller's stack ends where that ends: the first function of a goroutine has next to nothing above its frame. */
Test(go, sixteen_arguments_from_a_shallow_stack)
{
    for (int i = 0; i < 100; i++) {   /* the first stack among them, which ends at the end of its memory */
        go_waitgroup_add(&wg, 1);
        if (i % 2)
            go(start_sixteen);
        else
            go_with_stack(16384, start_sixteen);
        go_waitgroup_wait(&wg);
        cr_assert_str_eq(seen, "1234567891234567");
    }
}

static void ten_doubles(double a, double b, double c, double d, double e, double f, double g, double h, double i, double j)
{
    snprintf(seen, sizeof seen, "%g", a + 2 * b + 3 * c + 4 * d + 5 * e + 6 * f + 7 * g + 8 * h + 9 * i + 10 * j);
    go_waitgroup_done(&wg);
}

Test(go, more_doubles_than_registers)
{
    go_waitgroup_add(&wg, 1);
    go(ten_doubles, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
    go_waitgroup_wait(&wg);
    cr_assert_str_eq(seen, "385");
}

static int variadic(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(seen, sizeof seen, fmt, ap);
    va_end(ap);
    go_waitgroup_done(&wg);
    return 1;
}

Test(go, variadic_functions_and_pointers)
{
    int (*fp)(const char *, ...) = variadic;
    go_waitgroup_add(&wg, 1);
    go(fp, "%d %s %g", 1, "two", 3.0);
    go_waitgroup_wait(&wg);
    cr_assert_str_eq(seen, "1 two 3");
}

static void nothing(void)
{
    go_waitgroup_done(&wg);
}

static int counted(void)
{
    static int n;
    go_waitgroup_add(&wg, 1);
    go(nothing);   /* a go() while the arguments of another are evaluated */
    go_yield();
    return ++n;
}

static void take(int a, int b)
{
    snprintf(seen, sizeof seen, "%d", a + b);
    go_waitgroup_done(&wg);
}

Test(go, statements_nest)
{
    go_waitgroup_add(&wg, 1);
    go(take, counted(), counted());
    go_waitgroup_wait(&wg);
    cr_assert_str_eq(seen, "3");
}

static void tell_id(go_send_chan(uint64_t) c)
{
    go_send(c, go_id());
}

Test(go, ids_and_count)
{
    go_chan(uint64_t) c = go_make_chan(uint64_t, 0);
    cr_assert_eq(go_num_goroutine(), 1);
    uint64_t last = 1;
    for (int i = 0; i < 100; i++) {
        uint64_t id;
        go(tell_id, c);
        go_recv(c, &id);
        cr_assert_gt(id, last);
        last = id;
    }
    go_sleep(GO_MILLISECOND);
    cr_assert_eq(go_num_goroutine(), 1);
    go_chan_free(c);
}

static void exits(_Atomic(int) *reached)
{
    *reached = 1;
    go_waitgroup_done(&wg);
    go_exit();
    *reached = 2;
}

Test(go, exit_ends_the_goroutine)
{
    static _Atomic(int) reached;
    go_waitgroup_add(&wg, 1);
    go(exits, &reached);
    go_waitgroup_wait(&wg);
    go_sleep(2 * GO_MILLISECOND);
    cr_assert_eq(reached, 1);
    cr_assert_eq(go_num_goroutine(), 1);
}

/* Not cached by the compiler, which takes errno's address for a constant of the function. */
static __attribute__((noinline)) int *errno_place(void)
{
    __asm__ volatile("");
    return __errno_location();
}

static void keeps_errno_in_one_function(int value, _Atomic(int) *wrong)
{
    errno = value;
    for (int i = 0; i < 500; i++) {
        if (i % 10 == 0)
            go_sleep(20 * GO_MICROSECOND);
        else
            go_yield();
        *wrong += errno != value;
    }
    go_waitgroup_done(&wg);
}

/* The compiler must not keep the address of a thread's errno over a call that waits. */
Test(go, errno_is_read_where_the_goroutine_is_now)
{
    _Atomic(int) wrong = 0;
    int old = go_maxprocs(4);
    go_waitgroup_add(&wg, 40);
    for (int i = 0; i < 40; i++)
        go(keeps_errno_in_one_function, 100 + i, &wrong);
    go_waitgroup_wait(&wg);
    go_maxprocs(old);
    cr_assert_eq(wrong, 0);
}

static void keeps_errno(int value, _Atomic(int) *wrong)
{
    *errno_place() = value;
    for (int i = 0; i < 200; i++) {
        go_yield();
        if (i % 20 == 0)
            go_sleep(10000);
        *wrong += *errno_place() != value;
    }
    go_waitgroup_done(&wg);
}

Test(go, errno_belongs_to_the_goroutine)
{
    static _Atomic(int) wrong;
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(keeps_errno, 100 + i, &wrong);
    go_waitgroup_wait(&wg);
    cr_assert_eq(wrong, 0);
}

static void keeps_rounding(int mode, _Atomic(int) *wrong)
{
    fesetround(mode);
    for (int i = 0; i < 200; i++) {
        go_yield();
        *wrong += fegetround() != mode;
    }
    go_waitgroup_done(&wg);
}

Test(go, floating_point_environment_belongs_to_the_goroutine)
{
    static _Atomic(int) wrong;
    int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    go_waitgroup_add(&wg, 8);
    for (int i = 0; i < 8; i++)
        go(keeps_rounding, modes[i % 4], &wrong);
    go_waitgroup_wait(&wg);
    cr_assert_eq(wrong, 0);
    cr_assert_eq(fegetround(), FE_TONEAREST);
}

Test(go, maxprocs_up_and_down)
{
    int first = go_maxprocs(0);
    cr_assert_geq(first, 1);
    for (int n = 1; n <= 8; n++) {
        go_maxprocs(n);
        cr_assert_eq(go_maxprocs(0), n);
        go_waitgroup_add(&wg, 100);
        for (int i = 0; i < 100; i++)
            go(nothing);
        go_waitgroup_wait(&wg);
    }
    go_maxprocs(1);
    go_waitgroup_add(&wg, 100);
    for (int i = 0; i < 100; i++)
        go(nothing);
    go_waitgroup_wait(&wg);
}

/* Nobody starves: with one P, a goroutine that never enters the runtime does not stop the others. */
static void endless(_Atomic(bool) *stop)
{
    while (!*stop) {
    }
    go_waitgroup_done(&wg);
}

Test(go, an_endless_loop_does_not_stop_the_others)
{
    static _Atomic(bool) stop;
    go_maxprocs(1);
    go_waitgroup_add(&wg, 1);
    go(endless, &stop);
    go_sleep(GO_MILLISECOND);
    go_waitgroup_add(&wg, 1);
    go(nothing);
    while (go_num_goroutine() > 2)
        go_sleep(GO_MILLISECOND);
    stop = true;
    go_waitgroup_wait(&wg);
}

/* Nor does one that is in the runtime all the time but never waits: twenty timers are not much later than its slices last. In the processor's time, since the
 * machine may be busy; a loop that is never asked to let others go first takes ten times as much. */
static void endless_looks(_Atomic(bool) *stop)
{
    go_chan(int) c = go_make_chan(int, 0);
    while (!*stop)
        go_select(go_case_recv(c, NULL), go_case_recv(c, NULL), go_case_send(c, 1), go_case_default);
    go_chan_free(c);
    go_waitgroup_done(&wg);
}

Test(go, an_endless_loop_of_looks_does_not_stop_the_others, .timeout = 60)
{
    static _Atomic(bool) stop;
    go_maxprocs(1);
    go_waitgroup_add(&wg, 1);
    go(endless_looks, &stop);
    go_sleep(GO_MILLISECOND);
    clock_t begin = clock();
    for (int i = 0; i < 20; i++)
        go_sleep(GO_MILLISECOND);
    cr_expect_lt(clock() - begin, CLOCKS_PER_SEC, "%f s", (double)(clock() - begin) / CLOCKS_PER_SEC);
    stop = true;
    go_waitgroup_wait(&wg);
}

static void uses(size_t n, go_waitgroup *wg)
{
    volatile char *p = __builtin_alloca(n);
    for (size_t i = 0; i < n; i += 4096)
        p[i] = 1;
    go_waitgroup_done(wg);
}

/* Stacks to size: large ones can be used to the end, and go when their goroutine does. */
Test(goroutine, stacks_to_size)
{
    go_waitgroup wg = GO_WAITGROUP_INIT;
    for (int i = 0; i < 300; i++) {
        go_waitgroup_add(&wg, 2);
        go_with_stack(64 << 20, uses, 60 << 20, &wg);
        go_with_stack(1, uses, 1000, &wg);   /* raised to the least */
        go_waitgroup_wait(&wg);
    }
    go_waitgroup_add(&wg, 1);
    go_with_stack(0, uses, 200000, &wg);   /* the default */
    go_waitgroup_wait(&wg);
}

/* The same when the goroutine that starts the loop was itself woken by a timer out of complete idleness, when the monitor slept too. */
static void sleeps_then_loops(_Atomic(bool) *stop)
{
    go_sleep(30 * GO_MILLISECOND);   /* several ticks of the monitor */
    go(endless, stop);
    go_sleep(GO_MILLISECOND);
    *stop = true;
    go_waitgroup_done(&wg);
}

Test(go, an_endless_loop_after_idleness_does_not_stop_the_others, .timeout = 30)
{
    static _Atomic(bool) stop;
    go_maxprocs(1);
    for (int i = 0; i < 10; i++) {
        stop = false;
        go_waitgroup_add(&wg, 2);
        go(sleeps_then_loops, &stop);
        go_waitgroup_wait(&wg);
    }
}

/* GOMAXPROCS, read at the first call: what isn't a number from 1 on is ignored. */
Test(go, maxprocs_from_the_environment)
{
    static const struct {
        const char *text;
        int n;   /* 0: as if there were none */
    } given[] = {{"1", 1}, {"7", 7}, {"007", 7}, {"99999", 1024}, {"99999999999999999999", 1024}, {"0", 0}, {"-3", 0}, {"4x", 0}, {"x4", 0}, {" 4", 0}, {"", 0}, {NULL, 0}};
    int none = -1;
    for (size_t i = sizeof given / sizeof given[0]; i-- > 0;) {
        int p[2], got = 0;
        cr_assert_eq(pipe(p), 0);
        pid_t child = fork();
        if (child == 0) {
            unsetenv("GOMAXPROCS");
            if (given[i].text)
                setenv("GOMAXPROCS", given[i].text, 1);
            got = go_maxprocs(0);
            _exit(write(p[1], &got, sizeof got) != sizeof got);
        }
        cr_assert_eq(read(p[0], &got, sizeof got), sizeof got);
        waitpid(child, NULL, 0);
        close(p[0]);
        close(p[1]);
        if (none < 0)
            none = got;
        cr_assert_eq(got, given[i].n ? given[i].n : none, "\"%s\": %d", given[i].text ? given[i].text : "(none)", got);
    }
}
