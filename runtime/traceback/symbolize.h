/* Symbolizing: from program counters to functions, files and lines, inlined calls included; and from data addresses to variables.
 *
 * libdw does the work. It is loaded at the first question (dlopen), so that a program that never prints a report neither needs it
 * nor pays for it; without it, names come from the dynamic symbols alone, and one line on stderr says so. */
#ifndef TB_SYMBOLIZE_H
#define TB_SYMBOLIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One function at one program counter. Strings belong to the symbolizer. */
struct tb_frame {
    const char *func;    /* "??" if unknown */
    const char *file;    /* "??" if unknown */
    int line;            /* 0 if unknown */
    uintptr_t pc;
    uint64_t offset;     /* of pc in its function; 0 for inlined ones */
    bool inlined;
};

struct tb_variable {
    const char *name;
    uintptr_t addr;
    size_t size;         /* 0: unknown */
    const char *file;    /* declared at; NULL: unknown */
    int line;
    const char *function;   /* whose local or static local it is; NULL: of none */
    char part[200];      /* which part of it was asked for, "table[3].hits"; "": the whole, or unknown */
    const char *field;   /* the innermost member in part; NULL: none */
    char holder[80];     /* its structure's type, "struct entry"; "": unknown */
};

struct tb_symbolizer;

/* This process's; made at the first call. Use it on a thread with at least 1 MiB of stack (tb_run_on_big_stack). */
struct tb_symbolizer *tb_symbolizer_self(void);
/* Another process's. NULL: no memory. */
struct tb_symbolizer *tb_symbolizer_pid(int pid);
void tb_symbolizer_free(struct tb_symbolizer *s);

/* Fills out with the frames at pc, innermost inlined call first; at least one if max > 0. is_return_address: pc is where a call
 * will return to, so the line of the call is the one before. Answers are remembered. Any thread. */
int tb_symbolize(struct tb_symbolizer *s, uintptr_t pc, bool is_return_address, struct tb_frame *out, int max);

/* The global or static variable that holds addr. False: none is known. */
bool tb_symbolize_global(struct tb_symbolizer *s, uintptr_t addr, struct tb_variable *out);
/* The thread-local variable of this process at that distance from a thread's thread pointer; out->addr is a distance too. */
bool tb_symbolize_thread_local(struct tb_symbolizer *s, intptr_t offset, struct tb_variable *out);

/* The local variable or parameter that holds addr in the frame at pc, whose canonical frame address is cfa. */
bool tb_symbolize_local(struct tb_symbolizer *s, uintptr_t pc, bool is_return_address, uintptr_t cfa, uintptr_t addr, struct tb_variable *out);

#endif
