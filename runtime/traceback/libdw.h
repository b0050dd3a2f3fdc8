/* libdw through a table of function pointers, and the symbolizer's inside: shared by symbolize.c (functions and lines), names.c and
 * variables.c. */
#ifndef TB_LIBDW_H
#define TB_LIBDW_H

#include <elfutils/libdwfl.h>
#include <pthread.h>

#include "symbolize.h"

#define LIBDW_FUNCTIONS(X)                                                                                         \
    X(dwfl_begin) X(dwfl_end) X(dwfl_linux_proc_report) X(dwfl_linux_proc_find_elf) X(dwfl_report_end)             \
    X(dwfl_addrmodule) X(dwfl_getmodules) X(dwfl_module_addrinfo) X(dwfl_module_addrdie) X(dwarf_getsrc_die) X(dwarf_linesrc)         \
    X(dwfl_module_build_id) X(dwfl_module_nextcu) X(dwfl_module_getsymtab) X(dwfl_module_getsym)                                      \
    X(dwarf_diename) X(dwarf_tag) X(dwarf_attr) X(dwarf_attr_integrate) X(dwarf_formudata)  \
    X(dwarf_getsrcfiles) X(dwarf_filesrc) X(dwarf_child) X(dwarf_siblingof) X(dwarf_formref_die) X(dwarf_peel_type)                   \
    X(dwarf_lineno) X(dwarf_haspc) X(dwarf_decl_line) X(dwarf_getlocation) X(dwarf_aggregate_size)                 \
    X(dwarf_getlocation_attr) X(dwarf_formaddr) X(dwarf_getlocations) X(dwarf_lineaddr)                   \
    X(dwarf_diecu) X(dwarf_srclang) X(dwarf_dieoffset) X(dwfl_module_info) X(dwfl_module_relocations) X(dwfl_module_relocate_address)

struct tb_libdw {
#define X(name) __typeof__(&name) name;
    LIBDW_FUNCTIONS(X)
#undef X
};
/* The compilation unit that holds address at; symbolize.c. */
Dwarf_Die *tb_unit_of(Dwfl_Module *mod, uintptr_t at, Dwarf_Addr *bias) __attribute__((visibility("hidden")));
/* The scopes around address at in its unit, innermost first, up to the function: blocks, inlined functions, the real one. Out has room for
 * TB_SCOPES_MAX; returns how many. symbolize.c. */
enum { TB_SCOPES_MAX = 128 };
int tb_scopes(Dwarf_Die *cu, Dwarf_Addr at, Dwarf_Die *out) __attribute__((visibility("hidden")));
/* The name that an entry has itself, or from its declaration. NULL: it has none (thunks). names.c. */
const char *tb_own_name(Dwarf_Die *die) __attribute__((visibility("hidden")));
/* What a function or variable is called, in C++ with its namespaces and classes; the symbolizer's, or libdw's. NULL: it has no name. names.c. Under s->lock. */
const char *tb_full_name(struct tb_symbolizer *s, Dwarf_Die *die) __attribute__((visibility("hidden")));
void tb_names_free(struct tb_symbolizer *s) __attribute__((visibility("hidden")));
extern struct tb_libdw dw __attribute__((visibility("hidden")));

struct tb_symbolizer {
    pthread_mutex_t lock;
    int pid;
    Dwfl *dwfl;         /* NULL: no libdw */
    void *answers;      /* tsearch tree of struct answer */
    struct tb_name *names;
};

#endif
