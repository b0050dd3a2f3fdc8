/* Labels: one immutable, reference-counted block for each set, shared by the goroutines that inherited it. Tools read it from outside (gort/debug.h):
 * a count of bytes, then key, NUL, value, NUL ... */
#include <gort/goroutine.h>

#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "label.h"

struct labels {
    uint32_t bytes;           /* first: tools read it */
    atomic_uint refs;
    char text[];
};

static_assert(offsetof(struct labels, text) == GORT_LABELS_TEXT, "gort/debug.h says where the text is");

struct labels *labels_share(struct labels *l)
{
    if (l)
        atomic_fetch_add_explicit(&l->refs, 1, memory_order_relaxed);   /* the caller has one */
    return l;
}

void labels_drop(struct labels *l)
{
    if (l && atomic_fetch_sub_explicit(&l->refs, 1, memory_order_acq_rel) == 1) {
        hook_ignore_begin();
        free(l);
        hook_ignore_end();
    }
}

/* The value of key in l; NULL: none. */
static const char *find(const struct labels *l, const char *key)
{
    for (const char *s = l ? l->text : NULL; l && s < l->text + l->bytes;) {
        const char *value = s + strlen(s) + 1;
        if (strcmp(s, key) == 0)
            return value;
        s = value + strlen(value) + 1;
    }
    return NULL;
}

static char *append(char *to, const char *s)
{
    size_t n = strlen(s) + 1;
    rt_copy(to, s, n);
    return to + n;
}

void go_set_label(const char *key, const char *value)
{
    struct g *g = rt_g();
    struct labels *old = g->labels;
    if (!key || !*key)
        return;
    hook_ignore_begin();
    size_t room = (old ? old->bytes : 0) + strlen(key) + (value ? strlen(value) : 0) + 2;
    struct labels *l = room < UINT32_MAX ? malloc(sizeof *l + room) : NULL;
    if (l) {
        char *to = l->text;
        for (const char *s = old ? old->text : NULL; old && s < old->text + old->bytes;) {
            const char *v = s + strlen(s) + 1;
            if (strcmp(s, key) != 0)
                to = append(append(to, s), v);
            s = v + strlen(v) + 1;
        }
        if (value)
            to = append(append(to, key), value);
        l->bytes = (uint32_t)(to - l->text);
        atomic_init(&l->refs, 1);
    }
    hook_ignore_end();
    if (!l)
        rt_fatal("go_set_label: no memory");
    __atomic_store_n(&g->labels, l, __ATOMIC_RELEASE);
    labels_drop(old);
}

const char *go_get_label(const char *key)
{
    hook_ignore_begin();
    const char *value = key ? find(rt_g()->labels, key) : NULL;
    hook_ignore_end();
    return value;
}
