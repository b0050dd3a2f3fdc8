/* leakcheck(): which goroutines does a test leave behind? The public contract is in gort/leak.h; the shape is goleak's: snapshot, filter, retry
 * with back-off, report.
 *
 * Counting costs little and is repeated until nothing is left or patience is out; only then are stacks taken. The report is data first (struct
 * leak), collected on the caller's stack, then completed and printed on a big one, since symbolizing needs it. A goroutine that
 * ends while that happens is left out: its state word has changed. */
#include <gort/leak.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hooks.h>
#include <inspect.h>

enum { TRIES = 20, FRAMES_MAX = 64, FIRST = 50, LAST = FRAMES_MAX - FIRST, UNWOUND = 8192, PRINTED_MAX = 100 };
static const int64_t WAIT_FIRST_NS = 1000, WAIT_MOST_NS = 100000000;

/* One goroutine that was left. */
struct leak {
    struct inspect_g view;
    int npcs;
    int elided;       /* frames left out behind the FIRST of them */
    uintptr_t pcs[FRAMES_MAX];
    /* filled on the big stack */
    struct tb_goroutine record;
    struct tb_frame *frames;
    bool ignored;
    size_t same_as;   /* position of the first with this stack and state; its own if it is that */
};

struct leaks {
    const struct leakcheck_options *options;
    struct leak *list;
    size_t n, cap;
    size_t left;      /* not ignored */
    uintptr_t *pcs;   /* room for UNWOUND */
};

/* ---- filters ---- */

static bool is_ignored_id(const struct leakcheck_options *o, uint64_t id)
{
    for (const uint64_t *p = o->ignore_id; p && *p; p++)
        if (*p == id)
            return true;
    return false;
}

static bool has_ignored_function(const struct leakcheck_options *o, const struct leak *l)
{
    for (const char *const *p = o->ignore_function; p && *p; p++)
        for (int i = 0; i < l->record.nframes; i++)
            if (strcmp(l->frames[i].func, *p) == 0)
                return true;
    return false;
}

/* What needs no stack to be told. A thread of the program's own is not ours to judge; a goroutine that is wired to one was started as any other. */
static bool is_expected(const struct leakcheck_options *o, const struct inspect_g *v)
{
    bool of_thread = (v->flags & GORT_G_THREAD) && !(v->flags & GORT_G_WIRED);
    return v->self || of_thread || is_ignored_id(o, v->id);
}

/* ---- snapshot ---- */

struct count {
    const struct leakcheck_options *options;
    size_t n;
};

static bool count_one(const struct inspect_g *v, void *arg)
{
    struct count *c = arg;
    c->n += !is_expected(c->options, v);
    return true;
}

static size_t count_left(const struct leakcheck_options *o)
{
    struct count c = {.options = o};
    inspect_each(count_one, &c);
    return c.n;
}

static bool take_one(const struct inspect_g *v, void *arg)
{
    struct leaks *ls = arg;
    if (is_expected(ls->options, v))
        return true;
    if (ls->n == ls->cap) {
        size_t cap = ls->cap ? ls->cap * 2 : 64;
        struct leak *list = realloc(ls->list, cap * sizeof *list);
        if (!list)
            return false;
        ls->list = list;
        ls->cap = cap;
    }
    struct leak *l = &ls->list[ls->n++];
    *l = (struct leak){.view = *v};
    const uintptr_t *pcs = ls->pcs;
    int n = pcs ? inspect_stack(v, ls->pcs, UNWOUND) : 0;
    l->elided = n > FRAMES_MAX ? n - FRAMES_MAX : 0;
    l->npcs = n - l->elided;
    for (int i = 0; i < l->npcs; i++)
        l->pcs[i] = pcs[i < FIRST ? i : i + l->elided];
    return true;
}

/* ---- the record ---- */

static bool same_kind(const struct leak *a, const struct leak *b)
{
    return a->view.reason == b->view.reason && a->view.status == b->view.status && a->view.create_pc == b->view.create_pc;
}

/* The same calls in the program's own code; in the runtime below they may have parked by different ways. */
static bool same_frames(const struct leak *a, const struct leak *b)
{
    if (a->record.nframes != b->record.nframes || a->elided != b->elided || (a->elided && memcmp(a->pcs + FIRST, b->pcs + FIRST, LAST * sizeof a->pcs[0]) != 0))
        return false;
    for (int i = 0; i < a->record.nframes; i++)
        if (a->frames[i].pc != b->frames[i].pc || a->frames[i].line != b->frames[i].line)
            return false;
    return true;
}

static void complete(struct leaks *ls)
{
    struct tb_frame frames[FRAMES_MAX];
    for (size_t i = 0; i < ls->n; i++) {
        struct leak *l = &ls->list[i];
        l->same_as = i;
        l->frames = frames;
        struct inspect_g view = l->view;
        if (l->elided)
            view.fn = 0;   /* it comes at the end of the rest */
        l->record = inspect_describe(&view, l->pcs, l->elided ? FIRST : l->npcs, true, false, frames, FRAMES_MAX);
        for (size_t k = 0; k < i && l->same_as == i; k++)
            if (ls->list[k].same_as == k && same_kind(&ls->list[k], l) && same_frames(&ls->list[k], l))
                l->same_as = k;
        if (l->same_as != i) {
            l->ignored = ls->list[l->same_as].ignored;
            l->frames = NULL;
        } else {
            l->ignored = has_ignored_function(ls->options, l);
            l->frames = malloc(sizeof frames);
            if (l->frames)
                memcpy(l->frames, frames, sizeof frames);
            else
                l->record.nframes = 0;
            l->record.frames = l->frames;
        }
        ls->left += !l->ignored;
    }
}

/* ---- the printer ---- */

static void print_waits(FILE *out, const struct leaks *ls, size_t first)
{
    const struct leak *l = &ls->list[first];
    int64_t least = INT64_MAX, most = 0;
    size_t same = 0;
    for (size_t i = first; i < ls->n; i++) {
        if (ls->list[i].same_as == first) {
            int64_t ns = ls->list[i].view.wait_ns;
            least = ns < least ? ns : least;
            most = ns > most ? ns : most;
            same++;
        }
    }
    if (l->view.status == GORT_STATUS_WAITING) {
        fprintf(out, "    waiting for %.3f s", (double)least / 1e9);
        if (same > 1)
            fprintf(out, " to %.3f s", (double)most / 1e9);
        if (l->view.wait_obj && same == 1)
            fprintf(out, " on 0x%llx", (unsigned long long)l->view.wait_obj);
        fputc('\n', out);
    }
    if (same > 1) {
        fprintf(out, "    %zu goroutines with this stack:", same);
        size_t shown = 0;
        for (size_t i = first; i < ls->n && shown < 20; i++)
            if (ls->list[i].same_as == first)
                fprintf(out, "%s %llu", shown++ ? "," : "", (unsigned long long)ls->list[i].view.id);
        fputs(same > shown ? ", ...\n" : "\n", out);
    }
}

static void print(const struct leaks *ls, int fd)
{
    FILE *out = fdopen(dup(fd), "w");
    if (!out)
        return;
    fprintf(out, "leakcheck: found unexpected goroutines: %zu\n", ls->left);
    size_t printed = 0, kinds = 0;
    for (size_t i = 0; i < ls->n; i++) {
        const struct leak *l = &ls->list[i];
        if (l->ignored || l->same_as != i || kinds++ >= PRINTED_MAX)
            continue;
        struct tb_goroutine record = l->record;
        struct tb_frame rest[FRAMES_MAX];
        if (l->elided) {
            record.elided = l->elided;
            record.rest = rest;
            record.nrest = inspect_rest(&l->view, l->pcs + FIRST, LAST, rest, FRAMES_MAX);
        }
        fputc('\n', out);
        tb_print_goroutine(out, &record);
        print_waits(out, ls, i);
        printed++;
    }
    if (kinds > printed)
        fprintf(out, "\n... and %zu more stacks\n", kinds - printed);
    fprintf(out, "\nleakcheck: %zu goroutine%s leaked\n", ls->left, ls->left == 1 ? "" : "s");
    fclose(out);
}

static void report(void *arg)
{
    struct leaks *ls = arg;
    complete(ls);
    if (ls->left > 0 && !ls->options->quiet)
        print(ls, ls->options->fd > 0 ? ls->options->fd : STDERR_FILENO);
    for (size_t i = 0; i < ls->n; i++)
        free(ls->list[i].frames);
}

/* ---- the check ---- */

/* Waits with back-off until nothing is left; how many are, when patience is out. */
static size_t wait_for_stragglers(const struct leakcheck_options *o)
{
    int64_t waited = 0, pause = WAIT_FIRST_NS;
    size_t n = count_left(o);
    for (int i = 0; n > 0 && (o->max_wait_ns > 0 ? waited < o->max_wait_ns : i < TRIES); i++) {
        if (o->max_wait_ns > 0 && pause > o->max_wait_ns - waited)
            pause = o->max_wait_ns - waited;
        inspect_sleep(pause);
        waited += pause;
        pause = pause * 2 < WAIT_MOST_NS ? pause * 2 : WAIT_MOST_NS;
        n = count_left(o);
    }
    return n;
}

int leakcheck_with(const struct leakcheck_options *options)
{
    static const struct leakcheck_options defaults;
    struct leaks ls = {.options = options ? options : &defaults};
    if (wait_for_stragglers(ls.options) == 0)
        return 0;
    hook_ignore_begin();
    fflush(stdout);
    ls.pcs = malloc(UNWOUND * sizeof *ls.pcs);
    inspect_each(take_one, &ls);
    tb_run_on_big_stack(report, &ls);
    free(ls.list);
    free(ls.pcs);
    hook_ignore_end();
    return (int)ls.left;
}

int leakcheck(void)
{
    return leakcheck_with(NULL);
}

/* ---- what there is now ---- */

struct ids {
    uint64_t *list;
    size_t n, cap;
};

static bool add_id(const struct inspect_g *v, void *arg)
{
    struct ids *ids = arg;
    if (ids->n + 1 >= ids->cap) {
        size_t cap = ids->cap ? ids->cap * 2 : 64;
        uint64_t *list = realloc(ids->list, cap * sizeof *list);
        if (!list)
            return false;
        ids->list = list;
        ids->cap = cap;
    }
    ids->list[ids->n++] = v->id;
    ids->list[ids->n] = 0;
    return true;
}

uint64_t *leakcheck_current(void)
{
    struct ids ids = {0};
    inspect_each(add_id, &ids);
    return ids.list ? ids.list : calloc(1, sizeof(uint64_t));
}
