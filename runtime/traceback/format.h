/* A goroutine as text, in the form of Go's debug=2, which existing parsers read: dumps, leak reports and fatal errors share it. The record is
 * plain data; the printer decides nothing. */
#ifndef TB_FORMAT_H
#define TB_FORMAT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "symbolize.h"

enum { TB_LABELS_MAX = 256 };

struct tb_goroutine {
    uint64_t id;
    const char *state;           /* Go's words: gort/debug.h; NULL: running */
    int64_t wait_ns;             /* minutes are printed from 1 on */
    bool locked;                 /* "locked to thread" */
    unsigned labels_n;           /* bytes of labels: key, NUL, value, NUL ...; 0: none */
    char labels[TB_LABELS_MAX];
    const char *mark;            /* put behind the state in parentheses ("leaked"), NULL: none */
    const struct tb_frame *frames;   /* innermost first */
    int nframes;
    int elided;                  /* frames left out between `frames` and `rest`; 0: there is no rest */
    const struct tb_frame *rest;
    int nrest;
    struct tb_frame created_by;  /* where go() was called; func NULL: not created by go() */
    uint64_t parent_id;
};

/* Adds a goroutine's start function (0: unknown) behind its n frames if it isn't the last of them: a function whose last act is a call may have left its
 * frame to that call, and of one that runs elsewhere no stack is to be had. How many frames there are then, of at most max. */
int tb_add_start(struct tb_symbolizer *s, uintptr_t fn, struct tb_frame *frames, int n, int max);
/* How many of the n bytes at labels, of which there may be more, are whole pairs of key and value. */
unsigned tb_whole_labels(const char *labels, unsigned n);
/* The status and the wait reason of a state word (gort/debug.h) in Go's words. */
const char *tb_state_text(uint64_t state_word);

/* "goroutine 7 [chan receive, 2 minutes]:" and its frames, no blank line behind. */
void tb_print_goroutine(FILE *out, const struct tb_goroutine *g);
/* One frame: its function line, prefixed by `indent`, and its file line, prefixed by `file_indent`. */
void tb_print_frame(FILE *out, const struct tb_frame *f, const char *indent, const char *file_indent);

/* Symbolizes pcs, innermost first, into out. first_is_return_address: of pcs[0]; all others are. hide_runtime: frames of the runtime's own functions
 * at the top are left out, so that the first is the program's. Returns how many frames. */
int tb_symbolize_stack(struct tb_symbolizer *s, const uintptr_t *pcs, int n, bool first_is_return_address, bool hide_runtime,
                       struct tb_frame *out, int max);
/* How many frames at the top are the runtime's: those down to the public function by which the goroutine entered it; 0: it runs
 * the program's code. */
int tb_skip_runtime(const struct tb_frame *frames, int n);

#endif
