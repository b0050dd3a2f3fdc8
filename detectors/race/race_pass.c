/* What releases left in an object of the runtime, which guards it. See race_pass.h. */
#include "race_pass.h"

static bool pass_is_known(const struct race_g *g, const struct race_pass *p)
{
    return p->value ? p->slot == g->slot || clock_get(&g->known, p->slot) >= p->value : p->clock.root == NULL;
}

static void pass_set(struct race_g *g, struct race_pass *p)
{
    if (p->value == 0 || !race_g_has_left_all(g, p->slot, p->value))
        clock_assign(&p->clock, &g->known);
    p->slot = g->slot;
    p->value = race_g_value(g);
    race_g_publish(g);
}

/* Whether there was nothing to learn for g: then it has left what it knows. */
static inline bool pass_easily(struct race_g *g, struct race_pass *p)
{
    if (race_is_nobody(g))
        return true;
    if (!pass_is_known(g, p))
        return false;
    pass_set(g, p);
    return true;
}

void race_pass(struct race_g *g, struct race_pass *p)
{
    if (pass_easily(g, p))
        return;
    uint32_t slot = p->slot, value = p->value;
    p->slot = g->slot;
    p->value = race_g_value(g);
    if (race_likely(clock_pass(&g->known, &p->clock, slot, value))) {
        race_g_publish(g);
        race_g_learned(g);   /* not part of what it left */
        return;
    }
    struct clock before = {NULL};
    clock_move(&before, &p->clock);
    clock_assign(&p->clock, &g->known);
    race_g_publish(g);
    race_g_learn_published(g, &before, slot, value);
    clock_clear(&before);
}

void race_pass_see(struct race_g *g, const struct race_pass *p)
{
    if (!race_is_nobody(g) && !pass_is_known(g, p))
        race_g_learn_published(g, &p->clock, p->slot, p->value);
}

void race_pass_leave(struct race_g *g, struct race_pass *p)
{
    if (pass_easily(g, p))
        return;
    clock_raise(&p->clock, p->slot, p->value);
    clock_join(&p->clock, &g->known, true);
    clock_raise(&p->clock, g->slot, race_g_value(g));
    p->slot = p->value = 0;
    race_g_publish(g);
}

void race_passes_forget(struct race_pass *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        clock_clear(&p[i].clock);
        p[i].slot = p[i].value = 0;
    }
}

void race_meet(struct race_g *a, struct race_g *b)
{
    if (race_is_nobody(a) || race_is_nobody(b))
        return;
    clock_meet(&a->known, a->slot, race_g_value(a), &b->known, b->slot, race_g_value(b));
    race_g_publish(a);
    race_g_publish(b);
    race_g_learned(a);
    race_g_learned(b);
}
