/* What a function or a variable is called: in C by its name, in C++ with the namespaces, classes and functions that it was declared in,
 * "net::pool::take", "main::(lambda)::operator()". No parameters: overloaded functions differ by their lines.
 *
 * DWARF describes a function where its code is, and refers to the declaration (DW_AT_abstract_origin, DW_AT_specification), which lies in its class. From
 * there nothing leads to the parents, so the path to the declaration is searched from the top of its unit: an entry's children lie between it and
 * its sibling, so that only one at each level has to be entered. */
#include "libdw.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

/* The symbolizer's, freed with it. */
struct tb_name {
    struct tb_name *next;
    char text[];
};

enum { NAME_MAX_BYTES = 400, DEEPEST = 8 };

struct text {
    size_t n;
    char s[NAME_MAX_BYTES];
};

void tb_names_free(struct tb_symbolizer *s)
{
    for (struct tb_name *n = s->names, *next; n; n = next) {
        next = n->next;
        free(n);
    }
    s->names = NULL;
}

const char *tb_own_name(Dwarf_Die *die)
{
    Dwarf_Attribute attr;
    return dw.dwarf_attr_integrate(die, DW_AT_name, &attr) ? dw.dwarf_diename(die) : NULL;
}

/* Cut off at the end of the room there is. */
static void append(struct text *t, const char *s)
{
    size_t n = strlen(s), room = sizeof t->s - 1 - t->n;
    n = n < room ? n : room;
    memcpy(t->s + t->n, s, n);
    t->n += n;
    t->s[t->n] = 0;
}

static bool is_cxx(Dwarf_Die *die, Dwarf_Die *cu)
{
    if (!dw.dwarf_diecu(die, cu, NULL, NULL))
        return false;
    switch (dw.dwarf_srclang(cu)) {
    case DW_LANG_C_plus_plus:
    case DW_LANG_C_plus_plus_03:
    case DW_LANG_C_plus_plus_11:
    case DW_LANG_C_plus_plus_14:
        return true;
    default:
        return false;
    }
}

/* Where die was declared: itself, if it says nothing else. */
static Dwarf_Die declaration_of(Dwarf_Die *die)
{
    Dwarf_Die at = *die;
    for (int i = 0; i < DEEPEST; i++) {
        Dwarf_Attribute attr;
        Dwarf_Die to;
        if (!(dw.dwarf_attr(&at, DW_AT_abstract_origin, &attr) || dw.dwarf_attr(&at, DW_AT_specification, &attr)) || !dw.dwarf_formref_die(&attr, &to))
            break;
        at = to;
    }
    return at;
}

static void append_full(struct text *t, Dwarf_Die *die, int depth);

/* What `parent` adds to the names of what is declared in it. */
static void append_scope(struct text *t, Dwarf_Die *parent, int depth)
{
    const char *name;
    switch (dw.dwarf_tag(parent)) {
    case DW_TAG_namespace:
        name = tb_own_name(parent);
        append(t, name ? name : "(anonymous namespace)");
        break;
    case DW_TAG_class_type:
    case DW_TAG_structure_type:
    case DW_TAG_union_type:
        name = tb_own_name(parent);
        append(t, name ? name : "(lambda)");   /* nothing else without a name has functions, but for what can't be called from outside */
        break;
    case DW_TAG_subprogram:   /* a local class: what the function is called says what came before */
        if (!tb_own_name(parent))
            return;   /* clang 14, of a function that is inlined everywhere */
        t->n = 0;
        append_full(t, parent, depth + 1);
        break;
    default:
        return;
    }
    append(t, "::");
}

static void append_full(struct text *t, Dwarf_Die *die, int depth)
{
    const char *name = tb_own_name(die);
    Dwarf_Die declared = declaration_of(die), parent, child;
    Dwarf_Off wanted = dw.dwarf_dieoffset(&declared);
    if (depth < DEEPEST && is_cxx(&declared, &parent)) {
        while (dw.dwarf_child(&parent, &child) == 0) {
            Dwarf_Die in = child;
            while (dw.dwarf_siblingof(&child, &child) == 0 && dw.dwarf_dieoffset(&child) <= wanted)
                in = child;
            if (dw.dwarf_dieoffset(&in) >= wanted)
                break;
            append_scope(t, &in, depth);
            parent = in;
        }
    }
    append(t, name ? name : "??");
}

const char *tb_full_name(struct tb_symbolizer *s, Dwarf_Die *die)
{
    Dwarf_Die cu;
    const char *name = tb_own_name(die);
    Dwarf_Die declared = declaration_of(die);
    if (!name || !is_cxx(&declared, &cu))
        return name;
    struct text t = {0};
    append_full(&t, die, 0);
    if (strcmp(t.s, name) == 0)
        return name;
    struct tb_name *n = malloc(sizeof *n + t.n + 1);
    if (!n)
        return name;
    memcpy(n->text, t.s, t.n + 1);
    n->next = s->names;
    s->names = n;
    return n->text;
}
