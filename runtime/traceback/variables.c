/* From data addresses to variables: the symbol table says which one, DWARF where it was declared and which part of it the address is. See
 * symbolize.h. Nothing is guessed: members of a union and bit-fields, which share their bytes, are not told apart. */
#define _GNU_SOURCE
#include "libdw.h"

#include <dwarf.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- declarations ---- */

/* Whether the variable's location is that address (thread_local: that offset in its module's block); gcc writes it down, clang the number of an
 * entry in a table. */
static bool is_at(Dwarf_Die *die, uint64_t addr, bool thread_local)
{
    Dwarf_Attribute attr, entry;
    Dwarf_Op *ops;
    Dwarf_Addr value;
    size_t n;
    if (!dw.dwarf_attr(die, DW_AT_location, &attr) || dw.dwarf_getlocation(&attr, &ops, &n) != 0 || n != (thread_local ? 2 : 1))
        return false;
    if (thread_local)
        return ops[0].number == addr && (ops[1].atom == DW_OP_GNU_push_tls_address || ops[1].atom == DW_OP_form_tls_address);
    if (ops[0].atom == DW_OP_addr)
        return ops[0].number == addr;
    return ops[0].atom == DW_OP_addrx && dw.dwarf_getlocation_attr(&attr, &ops[0], &entry) == 0 &&
           dw.dwarf_formaddr(&entry, &value) == 0 && value == addr;
}

struct wanted {
    struct tb_symbolizer *s;
    uint64_t addr;
    bool thread_local;
    Dwarf_Die die;             /* the answer */
    const char *function;      /* it is a static local of; NULL: of none */
};

/* Looks through the children of parent; deep: through functions and blocks too. */
static bool find_in(Dwarf_Die *parent, struct wanted *w, bool deep, Dwarf_Die *function)
{
    Dwarf_Die die;
    if (dw.dwarf_child(parent, &die) != 0)
        return false;
    do {
        int tag = dw.dwarf_tag(&die);
        if (tag == DW_TAG_variable && is_at(&die, w->addr, w->thread_local)) {
            w->die = die;
            w->function = function ? tb_full_name(w->s, function) : NULL;
            return true;
        }
        if (!deep)
            continue;
        if (tag == DW_TAG_subprogram && find_in(&die, w, true, &die))
            return true;
        if ((tag == DW_TAG_lexical_block || tag == DW_TAG_namespace) && find_in(&die, w, true, function))
            return true;
    } while (dw.dwarf_siblingof(&die, &die) == 0);
    return false;
}

static bool find_declaration(struct tb_symbolizer *s, Dwfl_Module *mod, uint64_t addr, bool thread_local, struct wanted *w)
{
    Dwarf_Addr bias;
    for (int deep = 0; deep < 2; deep++) {
        for (Dwarf_Die *cu = NULL; (cu = dw.dwfl_module_nextcu(mod, cu, &bias));) {
            *w = (struct wanted){.s = s, .addr = thread_local ? addr : addr - bias, .thread_local = thread_local};
            if (find_in(cu, w, deep, NULL))
                return true;
        }
    }
    return false;
}

/* ---- parts ---- */

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attr;
    return dw.dwarf_attr_integrate(die, DW_AT_type, &attr) && dw.dwarf_formref_die(&attr, type) && dw.dwarf_peel_type(type, type) == 0;
}

/* The type as it was named where die was declared: a typedef's name, or "struct tag". */
static void type_name(Dwarf_Die *die, char *out, size_t room)
{
    Dwarf_Attribute attr;
    Dwarf_Die type;
    *out = 0;
    if (!dw.dwarf_attr_integrate(die, DW_AT_type, &attr) || !dw.dwarf_formref_die(&attr, &type))
        return;
    for (int tag; (tag = dw.dwarf_tag(&type)) == DW_TAG_const_type || tag == DW_TAG_volatile_type || tag == DW_TAG_atomic_type ||
                  tag == DW_TAG_array_type;)
        if (!dw.dwarf_attr_integrate(&type, DW_AT_type, &attr) || !dw.dwarf_formref_die(&attr, &type))
            return;
    const char *name = tb_own_name(&type);
    if (name)
        snprintf(out, room, "%s%s", dw.dwarf_tag(&type) == DW_TAG_structure_type ? "struct " : "", name);
}

static bool number(Dwarf_Die *die, unsigned attribute, uint64_t *out)
{
    Dwarf_Attribute attr;
    Dwarf_Word w;
    if (!dw.dwarf_attr(die, attribute, &attr) || dw.dwarf_formudata(&attr, &w) != 0)
        return false;
    *out = w;
    return true;
}

static void append(char *out, size_t room, const char *format, uint64_t n, const char *s)
{
    size_t at = strlen(out);
    if (s)
        snprintf(out + at, room - at, format, s);
    else
        snprintf(out + at, room - at, format, (unsigned long long)n);
}

/* Goes on from an array at `offset` into it: writes the indexes; false: not known. */
static bool into_array(Dwarf_Die *array, uint64_t *offset, struct tb_variable *v)
{
    enum { DIMENSIONS = 8 };
    uint64_t count[DIMENSIONS], size;
    int n = 0;
    Dwarf_Die element, dim;
    Dwarf_Word bytes;
    if (!type_of(array, &element) || dw.dwarf_aggregate_size(&element, &bytes) != 0 || bytes == 0 || dw.dwarf_child(array, &dim) != 0)
        return false;
    do {
        uint64_t upper;
        if (dw.dwarf_tag(&dim) != DW_TAG_subrange_type)
            continue;
        if (n == DIMENSIONS)
            return false;
        if (number(&dim, DW_AT_count, &count[n]))
            n++;
        else if (number(&dim, DW_AT_upper_bound, &upper))
            count[n++] = upper + 1;
        else
            return false;
    } while (dw.dwarf_siblingof(&dim, &dim) == 0);
    for (int i = 0; i < n; i++) {
        size = bytes;
        for (int k = i + 1; k < n; k++)
            size *= count[k];
        if (size == 0 || *offset / size >= count[i])
            return false;
        append(v->part, sizeof v->part, "[%llu]", *offset / size, NULL);
        *offset %= size;
    }
    return n > 0;
}

/* Goes on from a structure at `offset` into it to the member there. */
static bool into_struct(Dwarf_Die *type, uint64_t *offset, Dwarf_Die *member)
{
    Dwarf_Die die;
    if (dw.dwarf_child(type, &die) != 0)
        return false;
    do {
        uint64_t at;
        Dwarf_Die t;
        Dwarf_Word bytes;
        Dwarf_Attribute attr;
        if (dw.dwarf_tag(&die) != DW_TAG_member || !number(&die, DW_AT_data_member_location, &at) || dw.dwarf_attr(&die, DW_AT_bit_size, &attr) ||
            !type_of(&die, &t) || dw.dwarf_aggregate_size(&t, &bytes) != 0)
            continue;
        if (*offset >= at && *offset < at + bytes) {
            *offset -= at;
            *member = die;
            return true;
        }
    } while (dw.dwarf_siblingof(&die, &die) == 0);
    return false;
}

/* Which part of the variable `var` the byte at offset is: v->part, v->field, v->holder. */
static void find_part(Dwarf_Die *var, uint64_t offset, struct tb_variable *v)
{
    Dwarf_Die at = *var, type, member;
    char holder[sizeof v->holder];
    snprintf(v->part, sizeof v->part, "%s", v->name);
    size_t whole = strlen(v->part);
    while (type_of(&at, &type)) {
        int tag = dw.dwarf_tag(&type);
        if (tag == DW_TAG_array_type) {
            type_name(&at, holder, sizeof holder);
            if (!into_array(&type, &offset, v))
                break;
            at = type;   /* its elements' type is the array's own */
            Dwarf_Die element;
            if (!type_of(&at, &element) || dw.dwarf_tag(&element) != DW_TAG_structure_type)
                break;
            type = element;
            tag = DW_TAG_structure_type;
        } else {
            type_name(&at, holder, sizeof holder);
        }
        if (tag != DW_TAG_structure_type || !into_struct(&type, &offset, &member))
            break;
        const char *name = tb_own_name(&member);
        if (name) {
            append(v->part, sizeof v->part, ".%s", 0, name);
            v->field = name;
            memcpy(v->holder, holder, sizeof holder);
        }
        at = member;
    }
    if (strlen(v->part) == whole)
        v->part[0] = 0;   /* all of it */
}

/* (dwarf_decl_file takes file 0 for none, which it is not any more in DWARF 5: clang uses it for the source itself.) */
static const char *declared_in(Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    Dwarf_Word index;
    Dwarf_Files *files;
    Dwarf_Die cu;
    size_t n;
    if (!dw.dwarf_attr_integrate(die, DW_AT_decl_file, &attr) || dw.dwarf_formudata(&attr, &index) != 0 || !dw.dwarf_diecu(die, &cu, NULL, NULL) ||
        dw.dwarf_getsrcfiles(&cu, &files, &n) != 0 || index >= n)
        return NULL;
    return dw.dwarf_filesrc(files, index, NULL, NULL);
}

/* out->name is the symbol's, or the local variable's. */
static void describe(struct wanted *w, uint64_t offset, struct tb_variable *out)
{
    int line = 0;
    const char *file = declared_in(&w->die), *name = w->function ? tb_own_name(&w->die) : tb_full_name(w->s, &w->die);
    if (file && dw.dwarf_decl_line(&w->die, &line) == 0) {
        out->file = file;
        out->line = line;
    }
    if (name)
        out->name = name;
    out->function = w->function;
    find_part(&w->die, offset, out);
}

/* ---- globals ---- */

struct nearest {
    uintptr_t addr;
    Dwarf_Addr start;
    Dwfl_Module *mod;
};

static int is_nearer(Dwfl_Module *mod, void **data, const char *name, Dwarf_Addr start, void *arg)
{
    struct nearest *n = arg;
    (void)data, (void)name;
    if (start <= n->addr && start >= n->start) {
        n->start = start;
        n->mod = mod;
    }
    return DWARF_CB_OK;
}

/* The module that addr belongs to. Its zero-initialized variables may lie behind what is mapped from the file, which is all that libdwfl counts as the
 * module: then it is the one that begins last before addr, and the symbol's size must tell. */
static Dwfl_Module *module_of_data(struct tb_symbolizer *s, uintptr_t addr)
{
    if (!s->dwfl)
        return NULL;
    Dwfl_Module *mod = dw.dwfl_addrmodule(s->dwfl, addr);
    if (mod)
        return mod;
    struct nearest n = {.addr = addr};
    dw.dwfl_getmodules(s->dwfl, is_nearer, &n, 0);
    return n.mod;
}

bool tb_symbolize_global(struct tb_symbolizer *s, uintptr_t addr, struct tb_variable *out)
{
    bool found = false;
    pthread_mutex_lock(&s->lock);
    Dwfl_Module *mod = module_of_data(s, addr);
    if (mod) {
        GElf_Off off;
        GElf_Sym sym;
        struct wanted w;
        const char *name = dw.dwfl_module_addrinfo(mod, addr, &off, &sym, NULL, NULL, NULL);
        if (name && GELF_ST_TYPE(sym.st_info) == STT_OBJECT && off < sym.st_size) {
            *out = (struct tb_variable){.name = name, .addr = addr - off, .size = sym.st_size};
            if (find_declaration(s, mod, out->addr, false, &w))
                describe(&w, off, out);
            found = true;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* ---- thread-local variables ---- */

struct block {
    intptr_t offset;           /* from the thread pointer, asked for */
    uintptr_t base, bias;      /* of the module whose block it lies in */
    uint64_t in_block;
    bool found;
};

/* The blocks of the modules that were loaded at the start lie at the same distance from the thread pointer in every thread. */
static int look_at_module(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct block *b = arg;
    if (size < sizeof *info || !info->dlpi_tls_data)
        return 0;
    intptr_t start = (intptr_t)((uintptr_t)info->dlpi_tls_data - (uintptr_t)__builtin_thread_pointer());
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *p = &info->dlpi_phdr[i];
        if (p->p_type == PT_TLS && b->offset >= start && b->offset < start + (intptr_t)p->p_memsz) {
            b->in_block = (uint64_t)(b->offset - start);
            b->found = true;
        }
    }
    for (int i = 0; b->found && i < info->dlpi_phnum; i++) {
        if (info->dlpi_phdr[i].p_type == PT_LOAD) {
            b->bias = info->dlpi_addr;
            b->base = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
            return 1;
        }
    }
    return b->found;
}

bool tb_symbolize_thread_local(struct tb_symbolizer *s, intptr_t offset, struct tb_variable *out)
{
    struct block b = {.offset = offset};
    bool found = false;
    dl_iterate_phdr(look_at_module, &b);
    if (!b.found)
        return false;
    pthread_mutex_lock(&s->lock);
    Dwfl_Module *mod = s->dwfl ? dw.dwfl_addrmodule(s->dwfl, b.base) : NULL;
    int n = mod ? dw.dwfl_module_getsymtab(mod) : 0;
    for (int i = 1; i < n && !found; i++) {
        GElf_Sym sym;
        GElf_Word section;
        struct wanted w;
        const char *name = dw.dwfl_module_getsym(mod, i, &sym, &section);
        uint64_t at = sym.st_value >= b.bias ? sym.st_value - b.bias : sym.st_value;   /* libdwfl takes it for an address */
        if (!name || GELF_ST_TYPE(sym.st_info) != STT_TLS || b.in_block < at || b.in_block >= at + sym.st_size)
            continue;
        *out = (struct tb_variable){.name = name, .addr = (uintptr_t)(offset - (intptr_t)(b.in_block - at)), .size = sym.st_size};
        if (find_declaration(s, mod, at, true, &w))
            describe(&w, b.in_block - at, out);
        found = true;
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* ---- locals ---- */

/* Where the frame's variables are counted from. gcc says the canonical frame address; clang a register: rbp, which code with frame pointers sets 16
 * bytes below that address. */
static bool frame_base(Dwarf_Die *function, uintptr_t cfa, uintptr_t *base)
{
    Dwarf_Attribute attr;
    Dwarf_Op *ops;
    size_t n;
    if (!dw.dwarf_attr_integrate(function, DW_AT_frame_base, &attr) || dw.dwarf_getlocation(&attr, &ops, &n) != 0 || n != 1)
        return false;
    if (ops[0].atom == DW_OP_call_frame_cfa)
        *base = cfa;
    else if (ops[0].atom == DW_OP_reg6)
        *base = cfa - 16;
    else
        return false;
    return true;
}

/* Whether addr lies in the variable. Optimized code keeps it in memory only here and there; the place is the variable's all the same as long as
 * it is in scope. */
static bool local_holds(Dwarf_Die *die, uintptr_t base, uintptr_t cfa, uintptr_t addr, uint64_t *offset, uint64_t *size)
{
    Dwarf_Attribute attr;
    Dwarf_Op *ops;
    Dwarf_Addr entry_base, start, end;
    size_t n;
    Dwarf_Die type;
    Dwarf_Word bytes;
    if (!dw.dwarf_attr_integrate(die, DW_AT_location, &attr) || !type_of(die, &type) || dw.dwarf_aggregate_size(&type, &bytes) != 0)
        return false;
    *size = bytes;
    for (ptrdiff_t at = 0; (at = dw.dwarf_getlocations(&attr, at, &entry_base, &start, &end, &ops, &n)) > 0;) {
        if (n != 1 || (ops[0].atom != DW_OP_fbreg && ops[0].atom != DW_OP_breg6))
            continue;
        *offset = addr - ((ops[0].atom == DW_OP_fbreg ? base : cfa - 16) + (uintptr_t)(intptr_t)ops[0].number);
        if (*offset < bytes)
            return true;
    }
    return false;
}

bool tb_symbolize_local(struct tb_symbolizer *s, uintptr_t pc, bool is_return_address, uintptr_t cfa, uintptr_t addr, struct tb_variable *out)
{
    uintptr_t at = is_return_address ? pc - 1 : pc, base = 0;
    bool found = false;
    Dwarf_Addr bias;
    Dwarf_Die nest[TB_SCOPES_MAX];
    pthread_mutex_lock(&s->lock);
    Dwfl_Module *mod = s->dwfl ? dw.dwfl_addrmodule(s->dwfl, at) : NULL;
    Dwarf_Die *cu = mod ? tb_unit_of(mod, at, &bias) : NULL;
    int k = cu ? tb_scopes(cu, at - bias, nest) : 0, function = 0;
    while (function < k && dw.dwarf_tag(&nest[function]) != DW_TAG_subprogram)
        function++;
    if (function < k && frame_base(&nest[function], cfa, &base)) {
        for (int i = 0; i <= function && !found; i++) {
            Dwarf_Die die;
            uint64_t offset, size;
            const char *name;
            if (dw.dwarf_child(&nest[i], &die) != 0)
                continue;
            do {
                int tag = dw.dwarf_tag(&die);
                if ((tag != DW_TAG_variable && tag != DW_TAG_formal_parameter) || !local_holds(&die, base, cfa, addr, &offset, &size) ||
                    !(name = tb_own_name(&die)))
                    continue;
                struct wanted w = {.s = s, .die = die, .function = tb_full_name(s, &nest[function])};
                *out = (struct tb_variable){.name = name, .addr = addr - offset, .size = size};
                describe(&w, offset, out);
                found = true;
            } while (!found && dw.dwarf_siblingof(&die, &die) == 0);
        }
    }
    pthread_mutex_unlock(&s->lock);
    return found;
}
