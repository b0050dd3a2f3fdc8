/* Printing goroutines. See format.h. */
#include "format.h"

#include <string.h>

#include <gort/debug.h>

const char *tb_state_text(uint64_t word)
{
    static const char *const statuses[] = {
#define X(name, text) [GORT_STATUS_##name] = text,
        GORT_STATUSES(X)
#undef X
    };
    static const char *const reasons[] = {
#define X(name, text) [GORT_WAIT_##name] = text,
        GORT_WAIT_REASONS(X)
#undef X
    };
    unsigned status = GORT_STATE_STATUS(word), reason = GORT_STATE_REASON(word);
    if (status == GORT_STATUS_WAITING && reason != GORT_WAIT_NONE)
        return reason < sizeof reasons / sizeof reasons[0] ? reasons[reason] : "unknown wait reason";
    return status < sizeof statuses / sizeof statuses[0] ? statuses[status] : "unknown status";
}

void tb_print_frame(FILE *out, const struct tb_frame *f, const char *indent, const char *file_indent)
{
    fprintf(out, "%s%s(%s)\n%s%s:%d", indent, f->func, f->inlined ? "..." : "", file_indent, f->file, f->line);
    if (!f->inlined && f->offset)
        fprintf(out, " +0x%llx", (unsigned long long)f->offset);
    fputc('\n', out);
}

unsigned tb_whole_labels(const char *labels, unsigned n)
{
    unsigned whole = 0, ends = 0;
    for (unsigned i = 0; i < n; i++)
        if (labels[i] == 0 && ++ends % 2 == 0)
            whole = i + 1;
    return whole;
}

static void print_quoted(FILE *out, const char *s)
{
    fputc('"', out);
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            fprintf(out, "\\%c", *s);
        else if ((unsigned char)*s < ' ' || *s == 0x7f)
            fprintf(out, "\\x%02x", (unsigned char)*s);
        else
            fputc(*s, out);
    }
    fputc('"', out);
}

/* As Go has it since 1.27. */
static void print_labels(FILE *out, const char *labels, unsigned n)
{
    const char *s = labels;
    fputs(" labels:{", out);
    while (s < labels + n) {
        const char *value = s + strlen(s) + 1;
        fputs(s == labels ? "" : ", ", out);
        print_quoted(out, s);
        fputs(": ", out);
        print_quoted(out, value);
        s = value + strlen(value) + 1;
    }
    fputc('}', out);
}

void tb_print_goroutine(FILE *out, const struct tb_goroutine *g)
{
    fprintf(out, "goroutine %llu [%s", (unsigned long long)g->id, g->state ? g->state : "running");
    if (g->mark)
        fprintf(out, " (%s)", g->mark);
    int64_t minutes = g->wait_ns / 60000000000;
    if (minutes >= 1)
        fprintf(out, ", %lld minutes", (long long)minutes);
    if (g->locked)
        fputs(", locked to thread", out);
    fputc(']', out);
    if (g->labels_n > 0)
        print_labels(out, g->labels, g->labels_n);
    fputs(":\n", out);
    for (int i = 0; i < g->nframes; i++)
        tb_print_frame(out, &g->frames[i], "", "\t");
    if (g->elided) {
        fprintf(out, "...%d frames elided...\n", g->elided);
        for (int i = 0; i < g->nrest; i++)
            tb_print_frame(out, &g->rest[i], "", "\t");
    }
    if (g->created_by.func) {
        fprintf(out, "created by %s in goroutine %llu\n\t%s:%d", g->created_by.func, (unsigned long long)g->parent_id,
                g->created_by.file, g->created_by.line);
        if (g->created_by.offset)
            fprintf(out, " +0x%llx", (unsigned long long)g->created_by.offset);
        fputc('\n', out);
    }
}

/* The public functions by which a goroutine enters the runtime; one line for each that may park or fail. */
static bool is_entry_point(const char *name)
{
    static const char *const names[] = {
        "go_sleep", "go_after", "go_mutex_lock", "go_mutex_unlock", "go_waitgroup_add", "go_waitgroup_done", "go_waitgroup_wait",
        "go_yield", "go_exit", "go_panic", "go_rwmutex_rlock", "go_rwmutex_runlock", "go_rwmutex_lock", "go_rwmutex_unlock",
        "go_once_do", "go_cond_wait", "go_cond_wait_timeout", "go_cond_signal", "go_cond_broadcast", "go_sem_init", "go_sem_acquire",
        "go_sem_try_acquire", "go_sem_acquire_timeout", "go_sem_release", "go_pool_get", "go_pool_put", "go_pool_clear",
        "go_accept", "go_dial", "go_dial_timeout", "go_listen", "go_listen_packet", "go_read", "go_read_full", "go_write", "go_recv_from", "go_send_to",
        "go_conn_close", "go_fd_wait", "go_lookup_host", "go_resolve", "go_lock_os_thread", "go_unlock_os_thread",
        "go_timer_new", "go_timer_stop", "go_timer_reset", "go_timer_free", "go_after_func", "go_ticker_new", "go_ticker_stop",
        "go_ticker_reset", "go_ticker_free",
        "go_context_with_cancel", "go_context_with_deadline", "go_context_with_timeout", "go_context_with_value", "go_context_cancel",
        "go_context_cancel_cause", "go_context_free", "go_context_release",
        "go_errgroup_go", "go_errgroup_try_go", "go_errgroup_set_limit", "go_errgroup_wait",
        "go_sync_map_store", "go_sync_map_load_or_store", "go_sync_map_swap", "go_sync_map_range",
    };
    static const char *const runners[] = {"gort_waitgroup_run", "gort_errgroup_run", "gort_run_deferred", "gort_g_return"};   /* call the program; no waits */
    for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++)
        if (strcmp(name, runners[i]) == 0)
            return false;
    if (strncmp(name, "gort_", 5) == 0)   /* what the typed macros call */
        return true;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(name, names[i]) == 0)
            return true;
    return false;
}

/* These wait by themselves, and call the program, whose frames are then above theirs. */
static bool calls_program(const struct tb_frame *frames, int i)
{
    const char *name = frames[i].func, *above = i > 0 ? frames[i - 1].func : "rt_";
    return (strcmp(name, "go_once_do") == 0 || strcmp(name, "go_sync_map_range") == 0) && strncmp(above, "sema_", 5) != 0 && strncmp(above, "rt_", 3) != 0;
}

int tb_skip_runtime(const struct tb_frame *frames, int n)
{
    enum { DEEPEST = 24 };   /* of the runtime's own calls below an entry point */
    for (int i = 0, last = 0; i < n && i < DEEPEST; i++) {
        if (is_entry_point(frames[i].func) && !calls_program(frames, i))
            last = i + 1;
        else if (last > 0 || (i > 0 && strcmp(frames[i].func, "defer_run_all") == 0))   /* (which has called the program) */
            return last;   /* go_waitgroup_done calls go_waitgroup_add: the outermost in a row */
        if (i + 1 == n || i + 1 == DEEPEST)
            return last;
    }
    return 0;
}

/* Deferred calls that a panic or go_exit runs: below them the runtime's own calls, down to the entry point, in which the program called it. What
 * is left of out[0..n). */
static int hide_deferring(struct tb_frame *out, int n)
{
    enum { DEEPEST = 8 };
    for (int from = 0, to; from < n; from++) {
        if (strcmp(out[from].func, "defer_run_all") != 0)
            continue;
        for (to = from + 1; to < n && to - from < DEEPEST && !is_entry_point(out[to].func); to++) {
        }
        if (to < n && is_entry_point(out[to].func)) {
            memmove(out + from, out + to, (size_t)(n - to) * sizeof *out);
            n -= to - from;
        }
    }
    return n;
}

int tb_symbolize_stack(struct tb_symbolizer *s, const uintptr_t *pcs, int n, bool first_is_return_address, bool hide_runtime,
                       struct tb_frame *out, int max)
{
    int total = 0;
    for (int i = 0; i < n && total < max; i++) {
        struct tb_frame frames[32];
        int k = tb_symbolize(s, pcs[i], i > 0 || first_is_return_address, frames, 32);
        for (int j = 0; j < k && total < max; j++) {
            if (strcmp(frames[j].func, "ctx_entry") == 0 || strcmp(frames[j].func, "ctx_return") == 0)
                continue;   /* below the goroutine's function: never of interest */
            out[total++] = frames[j];
            if (hide_runtime && strcmp(frames[j].func, "main") == 0)
                i = n;   /* nor is what calls main */
        }
    }
    if (!hide_runtime)
        return total;
    int skip = tb_skip_runtime(out, total);
    memmove(out, out + skip, (size_t)(total - skip) * sizeof *out);
    return hide_deferring(out, total - skip);
}

int tb_add_start(struct tb_symbolizer *s, uintptr_t fn, struct tb_frame *frames, int n, int max)
{
    struct tb_frame start[32];
    if (!fn || n == max)
        return n;
    int k = tb_symbolize(s, fn, false, start, 32);
    if (n == 0 || strcmp(frames[n - 1].func, start[k - 1].func) != 0)
        frames[n++] = start[k - 1];
    return n;
}
