/* Symbolizing with libdw. See symbolize.h.
 *
 * libdw is reached through a table of function pointers, filled by dlsym from one list. Its own search for separate debug information
 * is replaced: that would load libdebuginfod, an HTTP client, into the program. Ours looks in /usr/lib/debug by build id.
 * Each (pc, kind) is looked up once: 60 to 300 us the first time, then a tree search. */
#define _GNU_SOURCE
#include "libdw.h"

#include <dlfcn.h>
#include <dwarf.h>
#include <fcntl.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tb_libdw dw;

enum { FRAMES_MAX = 32 };

struct answer {
    uintptr_t pc;
    bool is_return_address;
    int n;
    struct tb_frame frames[];
};

/* ---- libdw ---- */

static bool load_libdw(void)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static int state;   /* 0 not tried, 1 loaded, -1 not to be had */
    pthread_mutex_lock(&lock);
    if (state == 0) {
        void *lib = dlopen("libdw.so.1", RTLD_NOW | RTLD_LOCAL);
        state = lib ? 1 : -1;
#define X(name) if (lib && !(dw.name = (__typeof__(dw.name))dlsym(lib, #name))) state = -1;
        LIBDW_FUNCTIONS(X)
#undef X
        if (state < 0)
            fprintf(stderr, "gort: libdw.so.1 (Debian package libdw1) can't be loaded: stacks are printed without lines\n");
    }
    bool ok = state > 0;
    pthread_mutex_unlock(&lock);
    return ok;
}

/* Separate debug information by build id. */
static int find_debuginfo(Dwfl_Module *mod, void **userdata, const char *modname, GElf_Addr base, const char *file_name,
                          const char *debuglink_file, GElf_Word debuglink_crc, char **debuginfo_file_name)
{
    (void)userdata;
    (void)modname;
    (void)base;
    (void)file_name;
    (void)debuglink_file;
    (void)debuglink_crc;
    const unsigned char *id;
    GElf_Addr vaddr;
    int n = dw.dwfl_module_build_id(mod, &id, &vaddr);
    if (n < 2)
        return -1;
    char path[256];
    int len = snprintf(path, sizeof path, "/usr/lib/debug/.build-id/%02x/", id[0]);
    for (int i = 1; i < n && len + 10 < (int)sizeof path; i++)
        len += snprintf(path + len, sizeof path - (size_t)len, "%02x", id[i]);
    snprintf(path + len, sizeof path - (size_t)len, ".debug");
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd >= 0)
        *debuginfo_file_name = strdup(path);
    return fd;
}

static void report_modules(struct tb_symbolizer *s)
{
    static char *no_path;
    static Dwfl_Callbacks callbacks = {.find_debuginfo = find_debuginfo, .debuginfo_path = &no_path};
    callbacks.find_elf = dw.dwfl_linux_proc_find_elf;
    s->dwfl = dw.dwfl_begin(&callbacks);
    if (s->dwfl && (dw.dwfl_linux_proc_report(s->dwfl, s->pid) != 0 || dw.dwfl_report_end(s->dwfl, NULL, NULL) != 0)) {
        dw.dwfl_end(s->dwfl);
        s->dwfl = NULL;
    }
}

static bool init(struct tb_symbolizer *s, int pid)
{
    pthread_mutex_init(&s->lock, NULL);
    s->pid = pid;
    if (load_libdw())
        report_modules(s);
    return true;
}

struct tb_symbolizer *tb_symbolizer_self(void)
{
    static struct tb_symbolizer self;
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&lock);
    if (self.pid == 0)
        init(&self, getpid());
    pthread_mutex_unlock(&lock);
    return &self;
}

struct tb_symbolizer *tb_symbolizer_pid(int pid)
{
    struct tb_symbolizer *s = calloc(1, sizeof *s);
    if (s)
        init(s, pid);
    return s;
}

void tb_symbolizer_free(struct tb_symbolizer *s)
{
    if (!s || s == tb_symbolizer_self())
        return;
    if (s->dwfl)
        dw.dwfl_end(s->dwfl);
    tdestroy(s->answers, free);
    tb_names_free(s);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* ---- lookups ---- */

static const char *call_file(Dwarf_Die *cu, Dwarf_Die *inlined)
{
    Dwarf_Attribute attr;
    Dwarf_Word index;
    Dwarf_Files *files;
    size_t n;
    if (!dw.dwarf_attr(inlined, DW_AT_call_file, &attr) || dw.dwarf_formudata(&attr, &index) != 0 ||
        dw.dwarf_getsrcfiles(cu, &files, &n) != 0 || index >= n)
        return NULL;
    return dw.dwarf_filesrc(files, index, NULL, NULL);
}

static int call_line(Dwarf_Die *inlined)
{
    Dwarf_Attribute attr;
    Dwarf_Word line;
    return dw.dwarf_attr(inlined, DW_AT_call_line, &attr) && dw.dwarf_formudata(&attr, &line) == 0 ? (int)line : 0;
}

/* The compilation unit that holds address at. gcc writes an index for this question (.debug_aranges), clang doesn't, and where both were at work the
 * index answers with a neighbour: then all units are asked. */
Dwarf_Die *tb_unit_of(Dwfl_Module *mod, uintptr_t at, Dwarf_Addr *bias)
{
    Dwarf_Die *cu = dw.dwfl_module_addrdie(mod, at, bias);
    if (cu && dw.dwarf_haspc(cu, at - *bias) > 0)
        return cu;
    cu = NULL;
    while ((cu = dw.dwfl_module_nextcu(mod, cu, bias)))
        if (dw.dwarf_haspc(cu, at - *bias) > 0)
            return cu;
    return NULL;
}

static bool is_function(Dwarf_Die *die)
{
    int tag = dw.dwarf_tag(die);
    return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine;
}

static bool is_scope(int tag) { return tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine || tag == DW_TAG_lexical_block; }

/* What has no addresses of its own, or others, and may have functions inside all the same. */
static bool may_hold_functions(int tag, bool anywhere)
{
    return tag == DW_TAG_namespace || tag == DW_TAG_module ||
           (anywhere && (is_scope(tag) || tag == DW_TAG_class_type || tag == DW_TAG_structure_type || tag == DW_TAG_union_type));
}

static int scopes_in(Dwarf_Die *parent, Dwarf_Addr at, bool anywhere, Dwarf_Die *out)
{
    Dwarf_Die die;
    if (dw.dwarf_child(parent, &die) != 0)
        return 0;
    do {
        int tag = dw.dwarf_tag(&die), n = 0;
        bool around = is_scope(tag) && dw.dwarf_haspc(&die, at) > 0;
        if (around || may_hold_functions(tag, anywhere))
            n = scopes_in(&die, at, anywhere, out);
        if (around && n < TB_SCOPES_MAX)
            out[n++] = die;
        if (n > 0)
            return n;
    } while (dw.dwarf_siblingof(&die, &die) == 0);
    return 0;
}

/* libdw's own search (dwarf_getscopes) enters only what has the address: it finds no function in a namespace, where clang describes C++'s free functions,
 * and none inside another. The latter are looked for, everywhere, when there was no other. */
int tb_scopes(Dwarf_Die *cu, Dwarf_Addr at, Dwarf_Die *out)
{
    int n = scopes_in(cu, at, false, out);
    return n > 0 ? n : scopes_in(cu, at, true, out);
}

/* The functions around address at, innermost first: inlined ones, then the real one. The place in the innermost comes from the line table;
 * each inlined one tells where it was called, which is the place in the next. Returns how many; 0: DWARF doesn't say, but for the place perhaps, which
 * out[0] has. */
static int dwarf_frames(struct tb_symbolizer *s, Dwfl_Module *mod, uintptr_t at, struct tb_frame *out)
{
    Dwarf_Addr bias;
    Dwarf_Die *cu = tb_unit_of(mod, at, &bias);
    if (!cu)
        return 0;
    Dwarf_Die scopes[TB_SCOPES_MAX];
    int n = tb_scopes(cu, at - bias, scopes), found = 0;
    Dwarf_Line *row = dw.dwarf_getsrc_die(cu, at - bias);
    int line = 0;
    const char *file = row ? dw.dwarf_linesrc(row, NULL, NULL) : NULL;
    if (file)
        dw.dwarf_lineno(row, &line);
    /* Line 0: clang has moved the code, or made it of several lines'. The line of what comes before in the same function is near. */
    for (Dwarf_Addr begin; file && line == 0 && n > 0 && dw.dwarf_lineaddr(row, &begin) == 0 && dw.dwarf_haspc(&scopes[0], begin - 1) > 0;) {
        row = dw.dwarf_getsrc_die(cu, begin - 1);
        if (!row || dw.dwarf_lineno(row, &line) != 0)
            break;
        file = dw.dwarf_linesrc(row, NULL, NULL);
    }
    out[0] = (struct tb_frame){.file = file ? file : "??", .line = file ? line : 0};
    for (int i = 0; i < n && found < FRAMES_MAX; i++) {
        if (!is_function(&scopes[i]))
            continue;
        bool inlined = dw.dwarf_tag(&scopes[i]) == DW_TAG_inlined_subroutine;
        out[found++] =
            (struct tb_frame){.func = tb_full_name(s, &scopes[i]), .file = file ? file : "??", .line = file ? line : 0, .inlined = inlined};
        if (!inlined)
            break;
        file = call_file(cu, &scopes[i]);
        line = call_line(&scopes[i]);
    }
    return found;
}

/* As the source calls it (runtime/cmake/own_names.sh). */
static const char *own_name(const char *symbol)
{
    static const char inner[] = "gort_inner_";
    return strncmp(symbol, inner, sizeof inner - 1) == 0 ? symbol + sizeof inner - 1 : symbol;
}

/* Code of which nothing is known, of a stripped program: the object that it lies in, and the address there, as addr2line takes it. */
static void name_object(Dwfl_Module *mod, uintptr_t pc, struct tb_frame *out)
{
    Dwarf_Addr in_object = pc;
    const char *object = dw.dwfl_module_info(mod, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
    if (!object || !*object)
        return;
    if (dw.dwfl_module_relocations(mod) > 0)
        dw.dwfl_module_relocate_address(mod, &in_object);
    out->file = object;
    out->offset = in_object;
}

static int lookup(struct tb_symbolizer *s, uintptr_t pc, bool is_return_address, struct tb_frame *out)
{
    uintptr_t at = is_return_address ? pc - 1 : pc;
    int n = 0;
    out[0] = (struct tb_frame){.file = "??"};
    Dwfl_Module *mod = s->dwfl ? dw.dwfl_addrmodule(s->dwfl, at) : NULL;
    const char *symbol = NULL;
    uint64_t offset = 0;
    if (mod) {
        GElf_Off off;
        GElf_Sym sym;
        n = dwarf_frames(s, mod, at, out);
        symbol = dw.dwfl_module_addrinfo(mod, at, &off, &sym, NULL, NULL, NULL);
        offset = symbol ? off + (pc - at) : 0;
    } else if (s->pid == getpid()) {
        Dl_info info;
        if (dladdr((void *)at, &info) && info.dli_sname) {
            symbol = info.dli_sname;
            offset = pc - (uintptr_t)info.dli_saddr;
        }
    }
    if (n == 0)
        n = 1;   /* code without a description of its function: its symbol, and the place if it has one */
    if (!out[n - 1].func && symbol)
        out[n - 1].func = own_name(symbol);
    out[n - 1].offset = offset;
    if (mod && !out[0].func && strcmp(out[0].file, "??") == 0)
        name_object(mod, at, &out[0]);
    for (int i = 0; i < n; i++) {
        out[i].pc = pc;
        if (!out[i].func)
            out[i].func = "??";
    }
    return n;
}

static int compare(const void *a, const void *b)
{
    const struct answer *x = a, *y = b;
    if (x->pc != y->pc)
        return x->pc < y->pc ? -1 : 1;
    return x->is_return_address - y->is_return_address;
}

int tb_symbolize(struct tb_symbolizer *s, uintptr_t pc, bool is_return_address, struct tb_frame *out, int max)
{
    struct answer key = {.pc = pc, .is_return_address = is_return_address};
    pthread_mutex_lock(&s->lock);
    struct answer **found = tfind(&key, &s->answers, compare);
    struct answer *a = found ? *found : NULL;
    if (!a) {
        struct tb_frame frames[FRAMES_MAX];
        int n = lookup(s, pc, is_return_address, frames);
        a = malloc(sizeof *a + (size_t)n * sizeof frames[0]);
        if (a) {
            *a = (struct answer){.pc = pc, .is_return_address = is_return_address, .n = n};
            memcpy(a->frames, frames, (size_t)n * sizeof frames[0]);
            tsearch(a, &s->answers, compare);
        }
    }
    int n = 0;
    if (a)
        for (; n < a->n && n < max; n++)
            out[n] = a->frames[n];
    else if (max > 0)
        out[n++] = (struct tb_frame){.func = "??", .file = "??", .pc = pc};
    pthread_mutex_unlock(&s->lock);
    return n;
}
