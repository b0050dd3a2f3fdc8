/* Reports: collects a record of plain data, then prints it in Go's text. Decides nothing about races; decides only whether this one was told
 * already: one report for each unordered pair of places (function, file, line) and kind of memory.
 *
 * Collected on the goroutine's own stack (numbers only), symbolized and printed on a big one, one report at a time. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <inspect.h>
#include <traceback/format.h>

#include "race.h"
#include "race_flags.h"

enum { DEEPEST = 128, SEEN = 4096 };

struct record_side {
    struct race_side access;
    struct race_who who;      /* a copy; id 0 and tid 0: forgotten */
    bool known;
    int n;
    uintptr_t pcs[DEEPEST];
    int create_n;
    uintptr_t create_pcs[DEEPEST];
    struct tb_frame frames[DEEPEST];
    int nframes;
};

struct record {
    uintptr_t addr;
    struct record_side side[2];   /* the access now, the one before */
    bool printed;
};

static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;
static atomic_int reported;
static struct { const char *file[2]; int line[2]; const char *func[2]; } seen[SEEN];
static int nseen;
static struct { uint32_t node[2], pc[2]; } tried[SEEN];   /* pairs of stacks that were looked at, printed or not */
static int ntried;

int race_reported(void)
{
    return atomic_load_explicit(&reported, memory_order_relaxed);
}

/* ---- collecting ---- */

static void collect(struct record_side *s, struct race_side access)
{
    s->access = access;
    s->n = race_stack_pcs(access.node, race_pc_unpack(access.pc), s->pcs, DEEPEST);
    struct race_who *w = race_who_at(epoch_slot(access.epoch), epoch_clock(access.epoch));
    s->known = w != NULL;
    if (w) {
        s->who = *w;
        s->create_n = w->create_pc ? race_stack_pcs(w->create_node, w->create_pc, s->create_pcs, DEEPEST) : 0;
    }
}

static bool tried_already(struct race_side a, struct race_side b)
{
    for (int i = 0; i < ntried; i++)
        if ((tried[i].node[0] == a.node && tried[i].pc[0] == a.pc && tried[i].node[1] == b.node && tried[i].pc[1] == b.pc) ||
            (tried[i].node[0] == b.node && tried[i].pc[0] == b.pc && tried[i].node[1] == a.node && tried[i].pc[1] == a.pc))
            return true;
    if (ntried < SEEN) {
        tried[ntried].node[0] = a.node;
        tried[ntried].node[1] = b.node;
        tried[ntried].pc[0] = a.pc;
        tried[ntried].pc[1] = b.pc;
        ntried++;
    }
    return false;
}

/* ---- printing ---- */

static FILE *open_log(void)
{
    const char *path = race_flags.log_path;
    if (strcmp(path, "stderr") == 0)
        return stderr;
    if (strcmp(path, "stdout") == 0)
        return stdout;
    static FILE *log;
    if (!log) {
        char name[4200];
        snprintf(name, sizeof name, "%s.%d", path, (int)getpid());
        log = fopen(name, "we");
        if (!log) {
            fprintf(stderr, "gort: race detector: GORACE log_path: can't write %s: %s; reports go to stderr\n", name, strerror(errno));
            log = stderr;
        }
    }
    return log;
}

static const char *stripped(const char *file)
{
    size_t n = strlen(race_flags.strip_path_prefix);
    return n && strncmp(file, race_flags.strip_path_prefix, n) == 0 ? file + n : file;
}

static void print_frames(FILE *out, struct tb_frame *frames, int n)
{
    for (int i = 0; i < n; i++) {
        frames[i].file = stripped(frames[i].file);
        if (frames[i].inlined) {   /* the race text has no mark for it */
            fprintf(out, "  %s()\n      %s:%d\n", frames[i].func, frames[i].file, frames[i].line);
            continue;
        }
        fprintf(out, "  %s()\n      %s:%d", frames[i].func, frames[i].file, frames[i].line);
        if (frames[i].offset)
            fprintf(out, " +0x%llx", (unsigned long long)frames[i].offset);
        fputc('\n', out);
    }
}

static void print_who(FILE *out, const struct record_side *s)
{
    if (!s->known)
        fputs("a goroutine that ended long ago", out);
    else if (s->who.is_main)
        fputs("main goroutine", out);
    else if (s->who.id)
        fprintf(out, "goroutine %llu", (unsigned long long)s->who.id);
    else
        fprintf(out, "thread T%u", s->who.tid);
}

static void print_access(FILE *out, const struct record *r, struct record_side *s, bool previous)
{
    uint64_t e = s->access.epoch;
    const char *what = e & EPOCH_WRITE ? "write" : "read";
    uintptr_t addr = r->addr + (uintptr_t)__builtin_ctz(epoch_mask(e) ? epoch_mask(e) : 1);
    char text[40];
    snprintf(text, sizeof text, "%s%s%s", previous ? "previous " : "", e & EPOCH_ATOMIC ? "atomic " : "", what);
    text[0] = (char)(text[0] - 'a' + 'A');
    fprintf(out, "%s at 0x%012llx by ", text, (unsigned long long)addr);
    print_who(out, s);
    fputs(":\n", out);
    print_frames(out, s->frames, s->nframes);
}

static void print_creation(FILE *out, struct tb_symbolizer *sym, const struct record_side *s)
{
    if (!s->known || s->who.is_main || s->create_n == 0)
        return;
    struct tb_frame frames[DEEPEST];
    int n = tb_symbolize_stack(sym, s->create_pcs, s->create_n, true, true, frames, DEEPEST);
    fputc('\n', out);
    if (s->who.id)
        fprintf(out, "Goroutine %llu", (unsigned long long)s->who.id);
    else
        fprintf(out, "Thread T%u", s->who.tid);
    fprintf(out, " (%s) created at:\n", s->who.finished ? "finished" : "running");
    print_frames(out, frames, n);
}

static bool seen_already(const struct record *r)
{
    const struct tb_frame *a = &r->side[0].frames[0], *b = &r->side[1].frames[0];
    for (int i = 0; i < nseen; i++) {
        for (int turn = 0; turn < 2; turn++) {
            const struct tb_frame *x = turn ? b : a, *y = turn ? a : b;
            if (seen[i].line[0] == x->line && seen[i].line[1] == y->line && strcmp(seen[i].func[0], x->func) == 0 &&
                strcmp(seen[i].func[1], y->func) == 0 && strcmp(seen[i].file[0], x->file) == 0 && strcmp(seen[i].file[1], y->file) == 0)
                return true;
        }
    }
    if (nseen < SEEN) {
        for (int k = 0; k < 2; k++) {
            const struct tb_frame *f = k ? b : a;
            seen[nseen].line[k] = f->line;
            seen[nseen].func[k] = f->func;
            seen[nseen].file[k] = f->file;
        }
        nseen++;
    }
    return false;
}

static void print_variable(FILE *out, struct tb_symbolizer *sym, const struct record *r)
{
    struct tb_variable v;
    if (!tb_symbolize_global(sym, r->addr + (uintptr_t)__builtin_ctz(epoch_mask(r->side[0].access.epoch)), &v))
        return;
    fprintf(out, "\nGlobal var %s of size %zu at 0x%012llx", v.name, v.size, (unsigned long long)v.addr);
    if (v.file)
        fprintf(out, " declared at %s:%d", stripped(v.file), v.line);
    fputc('\n', out);
}

static void print(void *arg)
{
    struct record *r = arg;
    struct tb_symbolizer *sym = tb_symbolizer_self();
    for (int i = 0; i < 2; i++) {
        struct record_side *s = &r->side[i];
        s->nframes = tb_symbolize_stack(sym, s->pcs, s->n, true, true, s->frames, DEEPEST);
        if (s->nframes == 0)
            s->frames[s->nframes++] = (struct tb_frame){.func = "??", .file = "??"};
    }
    if (seen_already(r))
        return;
    r->printed = true;
    FILE *out = open_log();
    fputs("==================\nWARNING: DATA RACE\n", out);
    print_access(out, r, &r->side[0], false);
    fputc('\n', out);
    print_access(out, r, &r->side[1], true);
    print_variable(out, sym, r);
    print_creation(out, sym, &r->side[0]);
    print_creation(out, sym, &r->side[1]);
    fputs("==================\n", out);
    fflush(out);
}

void race_report(struct race_g *g, uintptr_t addr, struct race_side old, struct race_side now)
{
    (void)g;
    static struct record r;   /* under the lock */
    race_ignore_begin();
    pthread_mutex_lock(&report_lock);
    if (!tried_already(old, now)) {
        memset(&r, 0, sizeof r);
        r.addr = addr;
        collect(&r.side[0], now);
        collect(&r.side[1], old);
        tb_run_on_big_stack(print, &r);
        if (r.printed)
            atomic_fetch_add_explicit(&reported, 1, memory_order_relaxed);
    }
    bool halt = race_flags.halt_on_error && r.printed;
    pthread_mutex_unlock(&report_lock);
    if (halt) {
        race_finish(0);
        fflush(NULL);
        _exit(race_flags.exitcode);
    }
    race_ignore_end();
}

/* ---- the end ---- */

static bool could_run(const struct inspect_g *v, void *arg)
{
    bool *any = arg;
    bool idle = v->self || (v->flags & GORT_G_MAIN) || (v->status == GORT_STATUS_WAITING && v->reason != GORT_WAIT_SLEEP);
    *any = !idle;
    return idle;
}

int race_finish(int status)
{
    static atomic_flag done = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&done))
        return -1;
    race_ignore_begin();
    bool others = false;
    inspect_each(could_run, &others);
    if (others && status < 0)   /* races of what still runs get their chance */
        usleep((useconds_t)race_flags.atexit_sleep_ms * 1000);
    int n = race_reported();
    if (n > 0) {
        FILE *out = open_log();
        fprintf(out, "Found %d data race(s)\n", n);
        fflush(out);
    }
    race_ignore_end();
    return n > 0 ? race_flags.exitcode : -1;
}
