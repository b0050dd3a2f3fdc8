/* goroutine-dump PID: prints every goroutine of a live process with its symbolized stack, in the form of Go's debug=2. The process is stopped
 * only while its copy is settled (snapshot.c); unwinding and symbolizing happen after it was let go. docs/goroutine-dump.md is the manual. */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <traceback/format.h>

#include "snapshot.h"

enum { UNWOUND = 8192, SHOWN_EACH_END = 100, FRAMES_MAX = 4 * SHOWN_EACH_END, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct options {
    int pid;
    bool all, stats;
    const char *state;
};

static void usage(FILE *out)
{
    fputs("usage: goroutine-dump [OPTION]... PID\n"
          "Prints every goroutine of process PID with its stack, as Go's debug=2 does.\n"
          "\n"
          "  -a, --all          show the runtime's own frames too\n"
          "  -s, --state=STATE  only goroutines in this state, for example 'chan receive'\n"
          "      --stats        say on stderr how long the process was stopped\n"
          "  -h, --help         this text\n"
          "  -V, --version      the version\n"
          "\n"
          "Exit status: 0 done, 1 the process can't be read, 2 wrong arguments.\n",
          out);
}

static int complain(const char *what, const char *value)
{
    fprintf(stderr, "goroutine-dump: %s%s%s%s\nTry 'goroutine-dump --help'.\n", what, value ? " '" : "", value ? value : "", value ? "'" : "");
    return EXIT_USAGE;
}

/* 0: go on; otherwise the status to end with, plus 1. */
static int parse(int argc, char **argv, struct options *o)
{
    static const struct option longs[] = {
        {"all", no_argument, NULL, 'a'},  {"state", required_argument, NULL, 's'}, {"stats", no_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'},     {NULL, 0, NULL, 0},
    };
    for (int c; (c = getopt_long(argc, argv, "as:hV", longs, NULL)) != -1;) {
        switch (c) {
        case 'a': o->all = true; break;
        case 's': o->state = optarg; break;
        case 'S': o->stats = true; break;
        case 'h': usage(stdout); return 1;
        case 'V': puts("goroutine-dump " GORT_VERSION); return 1;
        default: fputs("Try 'goroutine-dump --help'.\n", stderr); return EXIT_USAGE + 1;
        }
    }
    if (optind + 1 != argc)
        return complain(optind == argc ? "which process? A PID is missing" : "one PID only, please; this is too many:",
                        optind == argc ? NULL : argv[optind + 1]) + 1;
    char *end;
    errno = 0;
    long pid = strtol(argv[optind], &end, 10);
    if (errno || *end || end == argv[optind] || pid <= 0 || pid > INT_MAX)
        return complain("not a process number:", argv[optind]) + 1;
    o->pid = (int)pid;
    return 0;
}

/* Inlined or not, the function that the program knows is the real one, the last. */
static struct tb_frame place_of_go(struct tb_symbolizer *sym, uint64_t pc)
{
    struct tb_frame frames[32] = {{0}};
    int n = tb_symbolize(sym, pc, true, frames, 32);
    struct tb_frame f = frames[0];
    if (n > 1) {
        f.func = frames[n - 1].func;
        f.offset = frames[n - 1].offset;
    }
    return f;
}

static void print(const struct options *o, struct target *t, struct snapshot *s, struct tb_symbolizer *sym)
{
    struct tb_space *space = tb_space_pid(o->pid, (struct tb_memory){target_read, t});
    bool first = true;
    for (size_t i = 0; i < s->n; i++) {
        struct snap_g *g = &s->gs[i];
        struct tb_goroutine out = {
            .id = g->id,
            .state = tb_state_text(g->state),
            .wait_ns = g->wait_ns,
            .locked = g->flags & GORT_G_THREAD && !(g->flags & GORT_G_MAIN),
            .parent_id = g->parent_id,
        };
        out.labels_n = g->labels_n;
        memcpy(out.labels, g->labels, g->labels_n);
        if (o->state && strcmp(o->state, out.state) != 0)
            continue;
        static uintptr_t pcs[UNWOUND];
        static struct tb_frame frames[FRAMES_MAX], rest[FRAMES_MAX];
        int n = 0;
        if (space && g->have_regs)
            n = tb_unwind(space, &g->regs, (struct tb_memory){snapshot_read_stack, g}, pcs, UNWOUND);
        out.elided = n > 2 * SHOWN_EACH_END ? n - 2 * SHOWN_EACH_END : 0;   /* of a very deep one both ends are shown */
        out.frames = frames;
        out.nframes = tb_symbolize_stack(sym, pcs, out.elided ? SHOWN_EACH_END : n, g->first_is_return, !o->all, frames, FRAMES_MAX);
        if (out.elided) {
            out.rest = rest;
            out.nrest = tb_symbolize_stack(sym, pcs + n - SHOWN_EACH_END, SHOWN_EACH_END, true, false, rest, FRAMES_MAX);
            out.nrest = tb_add_start(sym, g->fn, rest, out.nrest, FRAMES_MAX);
        } else {
            out.nframes = tb_add_start(sym, g->fn, frames, out.nframes, FRAMES_MAX);
        }
        if (g->create_pc)
            out.created_by = place_of_go(sym, g->create_pc);
        if (!first)
            putchar('\n');
        first = false;
        tb_print_goroutine(stdout, &out);
    }
    tb_space_free(space);
}

int main(int argc, char **argv)
{
    struct options o = {0};
    int status = parse(argc, argv, &o);
    if (status)
        return status - 1;
    const char *error = NULL;
    struct target *t = target_open(o.pid, &error);
    struct tb_symbolizer *sym = t ? tb_symbolizer_pid(o.pid) : NULL;   /* the list of modules, while the process is surely there */
    struct snapshot s = {0};
    if (!t || !sym || !snapshot_take(t, &s, &error)) {
        fprintf(stderr, "goroutine-dump: process %d: %s\n", o.pid, error ? error : "out of memory");
        return EXIT_FAILED;
    }
    print(&o, t, &s, sym);
    if (o.stats)
        fprintf(stderr, "goroutine-dump: %zu goroutines, stopped for %.3f ms, %zu stacks copied before and %zu during the stop\n", s.n,
                (double)s.pause_ns / 1e6, s.copied_early, s.copied_late);
    snapshot_free(&s);
    tb_symbolizer_free(sym);
    target_close(t);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "goroutine-dump: writing failed: %s\n", strerror(errno));
        return EXIT_FAILED;
    }
    return 0;
}
