/* Tracebacks of this process: unwinding a parked goroutine, symbolizing with inlined frames, and the text that parsers read. */
#include <criterion/criterion.h>
#include <gort.h>
#include <inspect.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

static go_chan(int) c;

static __attribute__((noinline)) void inner(void)
{
    go_recv(c, NULL);
    __asm__ volatile("");
}

static inline __attribute__((always_inline)) void inlined(void)
{
    inner();
    __asm__ volatile("");
}

static __attribute__((noinline)) void outer(void)
{
    inlined();
    __asm__ volatile("");
}

struct found {
    struct inspect_g v;
    int n;
    uintptr_t pcs[50];
    char *text;
};

static bool keep_parked(const struct inspect_g *v, void *arg)
{
    struct found *f = arg;
    if (v->self || v->status != GORT_STATUS_WAITING)
        return true;
    f->v = *v;
    f->n = inspect_stack(v, f->pcs, 50);
    return false;
}

static void describe(void *arg)
{
    struct found *f = arg;
    struct tb_frame frames[50];
    struct tb_goroutine g = inspect_describe(&f->v, f->pcs, f->n, true, false, frames, 50);
    size_t n;
    FILE *out = open_memstream(&f->text, &n);
    g.wait_ns = 150 * GO_SECOND;
    tb_print_goroutine(out, &g);
    fclose(out);
}

static bool matches(const char *line, const char *re)
{
    regex_t r;
    regcomp(&r, re, REG_EXTENDED | REG_NOSUB);
    bool ok = regexec(&r, line, 0, NULL, 0) == 0;
    regfree(&r);
    return ok;
}

/* The lines are in the form that Go's parsers want. */
Test(traceback, parked_goroutine_as_text)
{
    struct found f = {0};
    c = go_make_chan(int, 0);
    go(outer);
    go_sleep(5 * GO_MILLISECOND);
    inspect_each(keep_parked, &f);
    cr_assert_gt(f.n, 2);
    cr_assert_eq(f.v.wait_obj, (uintptr_t)c);
    tb_run_on_big_stack(describe, &f);
    const char *const want[] = {
        "^goroutine [0-9]+ \\[chan receive, 2 minutes\\]:$",
        "^inner\\(\\)$", "^\t.*test_traceback\\.c:13 \\+0x[0-9a-f]+$",
        "^inlined\\(\\.\\.\\.\\)$", "^\t.*test_traceback\\.c:19$",
        "^outer\\(\\)$", "^\t.*test_traceback\\.c:25 \\+0x[0-9a-f]+$",
        "^created by .* in goroutine 1$", "^\t.*test_traceback\\.c:[0-9]+ \\+0x[0-9a-f]+$",
    };
    char *rest = f.text;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
        char *line = strsep(&rest, "\n");
        cr_assert(line && matches(line, want[i]), "line %zu is '%s', wanted %s", i, line ? line : "(none)", want[i]);
    }
    cr_assert(rest && *rest == 0, "more than expected: %s", rest);
    free(f.text);
    go_close(c);
}

#ifndef __clang__   /* which has none */
static __attribute__((noinline)) uintptr_t place_of_caller(void) { return (uintptr_t)__builtin_return_address(0); }

static void name_of_place(void *arg)
{
    struct tb_frame *f = arg;
    tb_symbolize(tb_symbolizer_self(), f->pc, true, f, 1);
}

/* A function inside another: its code is not the other's. */
Test(traceback, nested_function)
{
    volatile uintptr_t pc;   /* no call at the end: that would be a jump */
    int line = __LINE__ + 1;
    __attribute__((noinline)) void nested(void) { pc = place_of_caller(); }
    nested();
    struct tb_frame f = {.pc = pc};
    tb_run_on_big_stack(name_of_place, &f);
    cr_assert_str_eq(f.func, "nested");
    cr_assert(strstr(f.file, "test_traceback.c"));
    cr_assert_eq(f.line, line);
}
#endif

static int a_variable[10];
static char far_behind[3 << 20];   /* its end lies far behind what is mapped from the file */

static void look_up_far(void *arg)
{
    struct tb_variable *v = arg;
    if (!tb_symbolize_global(tb_symbolizer_self(), (uintptr_t)&far_behind[sizeof far_behind - 5], v))
        v->name = "not found";
}

/* A variable of the zero-initialized part. */
Test(traceback, global_variable_behind_the_file)
{
    struct tb_variable v = {0};
    far_behind[1] = 1;
    tb_run_on_big_stack(look_up_far, &v);
    cr_assert_str_eq(v.name, "far_behind");
    cr_assert_eq(v.size, sizeof far_behind);
}

static void look_up(void *arg)
{
    struct tb_variable *v = arg;
    if (!tb_symbolize_global(tb_symbolizer_self(), (uintptr_t)&a_variable[3], v))
        v->name = "not found";
}

Test(traceback, global_variable)
{
    struct tb_variable v = {0};
    tb_run_on_big_stack(look_up, &v);
    cr_assert_str_eq(v.name, "a_variable");
    cr_assert_eq(v.addr, (uintptr_t)a_variable);
    cr_assert_eq(v.size, sizeof a_variable);
    cr_assert(v.file && strstr(v.file, "test_traceback.c"));
}

Test(traceback, own_stack_and_state_texts)
{
    uintptr_t pcs[50];
    cr_assert_gt(inspect_own_stack(pcs, 50), 2);
    cr_assert_str_eq(tb_state_text(GORT_STATUS_RUNNING), "running");
    cr_assert_str_eq(tb_state_text(GORT_STATUS_WAITING | GORT_WAIT_SELECT << 8), "select");
    cr_assert_str_eq(tb_state_text(GORT_STATUS_WAITING | 250 << 8), "unknown wait reason");
    cr_assert_str_eq(tb_state_text(250), "unknown status");
}
