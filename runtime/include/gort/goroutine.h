/* Goroutines: start, yield, exit, identity.
 *
 * go(fn, args...) evaluates fn and args in the caller, as a call would, and runs the call fn(args...) as a new
 * goroutine; its result is discarded. The compiler checks the call and converts the arguments exactly as for a
 * direct call: the macro makes the compiler emit that very call, aimed at an entry point that keeps the argument
 * registers and stack words for the new goroutine. */
#ifndef GORT_GOROUTINE_H
#define GORT_GOROUTINE_H

#include <errno.h>

#include <gort/base.h>

/* errno belongs to the goroutine. Its address doesn't: a call that waits may go on on another thread. libc declares __errno_location() const, and so the
 * compiler would keep what it gave before such a call; declared here without that it is asked each time. */
int *gort_errno_location(void) __asm__("__errno_location");
#undef errno
#define errno (*gort_errno_location())

typedef void (*gort_fn)(void);

/* Internal: allocates the goroutine and returns the entry point that takes its arguments. Every gort_go_begin is
 * followed by exactly one call of what it returned, on the same goroutine; pairs nest. */
gort_fn gort_go_begin(gort_fn fn, size_t stack_arg_bytes);

/* Starts fn(args...) as a goroutine. At most 16 arguments. fn: a function or a function pointer, fixed or variadic;
 * it may return void, an integer, a pointer or a floating-point number. An argument with a comma in braces needs
 * parentheses, as in any macro: go(f, ((struct point){1, 2})). Never blocks. The new goroutine is
 * runnable at once, and on another processor it may run before go() returns. What happens before the go()
 * statement happens before the goroutine's start. If there is no memory for a stack the program ends with
 * "fatal error: ". Costs about as much as three channel operations. Any thread. */
#define go(...) GORT_CAT_(GORT_GO_, GORT_NARG_(__VA_ARGS__))(__VA_ARGS__)

/* As go(), on a stack of so many bytes (address space: memory is used as it is touched); 0: the default, 256 KiB. At least 16 KiB, in
 * whole pages. Such a stack is made for this goroutine and unmapped at its end: about 10 us. */
#define go_with_stack(bytes, ...)                                                                  \
    __extension__({                                                                                \
        gort_go_stack(bytes);                                                                      \
        go(__VA_ARGS__);                                                                           \
    })

/* Lets other goroutines run; returns when the scheduler comes back to this one. */
void go_yield(void);

/* Ends the calling goroutine, as a return from its function would. In a thread that the runtime did not make it
 * ends that thread; in main's it waits for ever while the other goroutines go on, as Go's runtime.Goexit does. In a deferred call of a goroutine that
 * panics it gives the panic up: the goroutine ends, the program goes on, as in Go. */
_Noreturn void go_exit(void);

/* The calling goroutine's number: unique for the life of the process, main's is 1. */
uint64_t go_id(void);

/* How many goroutines there are, threads that called the API included; not main's after its go_exit. */
int go_num_goroutine(void);

/* Sets how many goroutines may run at once and returns the former value; n < 1 only asks. The first value is
 * GOMAXPROCS from the environment, else the number of processors this process may use. Raising or lowering it takes
 * effect as goroutines next enter the scheduler; at most 1024. The first call that asks for more than one, in a program that began
 * with one, interrupts the process's threads once (membarrier) and waits for the operation that is under way, some 20 us; where the
 * kernel refuses membarrier by then it stays at one. */
int go_maxprocs(int n);

/* Runs the calling goroutine's deferred calls, then ends the program: "panic: MESSAGE" (511 bytes of it), the goroutine's stack as it was, status 2. A panic
 * in a deferred call is printed behind the first. If main returns or somebody calls exit() meanwhile, that waits, for the deferred calls a second at most. */
_Noreturn void go_panic(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* go_defer(fn, arg): fn(arg) is called when the enclosing block is left, in whatever way (its end, return, break, goto), and on go_exit()
 * and go_panic(), not when a signal ends the program; the last deferred one first. fn takes one pointer; arg is evaluated now. About 5 ns.
 * Not undone by longjmp: don't jump over it. */
#define go_defer(fn, arg) GORT_DEFER_(GORT_CAT_(gort_deferred_, __COUNTER__), fn, arg)

/* Wires the calling goroutine to its thread: until it has called go_unlock_os_thread() as often, it alone runs there. For libraries that
 * keep state by thread. While wired it runs without a P, so it is never delayed by other goroutines, nor they by it. No effect on a thread
 * that the runtime did not make: its goroutine is wired for ever. A goroutine that ends is unwired. */
void go_lock_os_thread(void);
void go_unlock_os_thread(void);

/* Labels the calling goroutine for dumps and reports; goroutines that it starts from then on have its labels too. value NULL: removes it. The strings are
 * copied. go_set_name(s) is the label "name". */
void go_set_label(const char *key, const char *value);
#define go_set_name(name) go_set_label("name", name)
/* The label's value, NULL if there is none; the string is good until the calling goroutine sets a label or ends. */
const char *go_get_label(const char *key);

/* ---- how go_defer() is made ---- */

struct gort_deferred {
    void (*fn)(void *);
    void *arg;
    struct gort_deferred *next;
};
void gort_defer(struct gort_deferred *d);
void gort_run_deferred(struct gort_deferred *d);
#define GORT_DEFER_(name, f, a)                                                                        \
    __attribute__((cleanup(gort_run_deferred))) struct gort_deferred name = {                          \
        .fn = (void (*)(void *))(f),                                                                   \
        .arg = (void *)((uintptr_t)(a) + 0 * sizeof((f)(a), 0) +                                       \
                        GORT_REQUIRE_(__builtin_classify_type(a) == 5, "go_defer: the argument must be a pointer"))}; \
    gort_defer(&name)

/* ---- how go() is made ---- */

/* The next go() of the calling goroutine gets a stack of so many bytes. */
void gort_go_stack(size_t bytes);

#define GORT_CAT_(a, b) GORT_CAT2_(a, b)
#define GORT_CAT2_(a, b) a##b
#define GORT_NARG_(...) \
    GORT_NARG2_(__VA_ARGS__, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define GORT_NARG2_(a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, a10, a11, a12, a13, a14, a15, a16, n, ...) n

/* Upper bound of the stack bytes that one argument can take after conversion to its parameter's type. */
#define GORT_ARG_(a) ((sizeof(__typeof__((void)0, (a))) + 15) & ~(size_t)15)

/* Fails to compile for a result that comes back through memory or the x87 stack. */
#define GORT_RESULT_OK_(call)                                                                          \
    GORT_REQUIRE_(__builtin_types_compatible_p(__typeof__(call), void) ||                              \
                      __builtin_classify_type(__builtin_choose_expr(                                   \
                          __builtin_types_compatible_p(__typeof__(call), void), 0, (call))) < 9,       \
                  "go: a function that returns a struct, union or complex number can't be started; wrap it")

#define GORT_GO_(fn, args, nbytes)                                                                     \
    __extension__({                                                                                    \
        GORT_STRICT_BEGIN_                                                                             \
        __typeof__(&*(fn)) gort_fn_ = (fn);                                                            \
        gort_fn_ = (__typeof__(&*(fn)))gort_go_begin((gort_fn)gort_fn_,                                \
                                                     (nbytes) + GORT_RESULT_OK_((fn)args));            \
        (void)gort_fn_ args;                                                                           \
        GORT_STRICT_END_                                                                               \
        (void)0;                                                                                       \
    })

#define GORT_A_ GORT_ARG_
#define GORT_GO_1(f) GORT_GO_(f, (), 0)
#define GORT_GO_2(f, a) GORT_GO_(f, (a), GORT_A_(a))
#define GORT_GO_3(f, a, b) GORT_GO_(f, (a, b), GORT_A_(a) + GORT_A_(b))
#define GORT_GO_4(f, a, b, c) GORT_GO_(f, (a, b, c), GORT_A_(a) + GORT_A_(b) + GORT_A_(c))
#define GORT_GO_5(f, a, b, c, d) \
    GORT_GO_(f, (a, b, c, d), GORT_A_(a) + GORT_A_(b) + GORT_A_(c) + GORT_A_(d))
#define GORT_GO_6(f, a, b, c, d, e) \
    GORT_GO_(f, (a, b, c, d, e), GORT_A_(a) + GORT_A_(b) + GORT_A_(c) + GORT_A_(d) + GORT_A_(e))
#define GORT_SUM6_(a, b, c, d, e, g) \
    (GORT_A_(a) + GORT_A_(b) + GORT_A_(c) + GORT_A_(d) + GORT_A_(e) + GORT_A_(g))
#define GORT_GO_7(f, a, b, c, d, e, g) GORT_GO_(f, (a, b, c, d, e, g), GORT_SUM6_(a, b, c, d, e, g))
#define GORT_GO_8(f, a, b, c, d, e, g, h) \
    GORT_GO_(f, (a, b, c, d, e, g, h), GORT_SUM6_(a, b, c, d, e, g) + GORT_A_(h))
#define GORT_GO_9(f, a, b, c, d, e, g, h, i) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i), GORT_SUM6_(a, b, c, d, e, g) + GORT_A_(h) + GORT_A_(i))
#define GORT_GO_10(f, a, b, c, d, e, g, h, i, j) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_A_(h) + GORT_A_(i) + GORT_A_(j))
#define GORT_GO_11(f, a, b, c, d, e, g, h, i, j, k) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_A_(h) + GORT_A_(i) + GORT_A_(j) + GORT_A_(k))
#define GORT_GO_12(f, a, b, c, d, e, g, h, i, j, k, l) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_A_(h) + GORT_A_(i) + GORT_A_(j) + GORT_A_(k) + GORT_A_(l))
#define GORT_GO_13(f, a, b, c, d, e, g, h, i, j, k, l, m) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l, m), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_SUM6_(h, i, j, k, l, m))
#define GORT_GO_14(f, a, b, c, d, e, g, h, i, j, k, l, m, n) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l, m, n), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_SUM6_(h, i, j, k, l, m) + GORT_A_(n))
#define GORT_GO_15(f, a, b, c, d, e, g, h, i, j, k, l, m, n, o) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l, m, n, o), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_SUM6_(h, i, j, k, l, m) + GORT_A_(n) + GORT_A_(o))
#define GORT_GO_16(f, a, b, c, d, e, g, h, i, j, k, l, m, n, o, p) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l, m, n, o, p), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_SUM6_(h, i, j, k, l, m) + GORT_A_(n) + GORT_A_(o) + GORT_A_(p))
#define GORT_GO_17(f, a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q) \
    GORT_GO_(f, (a, b, c, d, e, g, h, i, j, k, l, m, n, o, p, q), \
             GORT_SUM6_(a, b, c, d, e, g) + GORT_SUM6_(h, i, j, k, l, m) + GORT_A_(n) + GORT_A_(o) + GORT_A_(p) + \
                 GORT_A_(q))

#endif
