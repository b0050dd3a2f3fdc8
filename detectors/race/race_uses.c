/* See race_uses.h.
 *
 * A send after the close panics, so a send that nothing orders with the close is a mistake in every schedule. Each send counts as a read of the channel, the
 * close as a write, by the rules of race_shadow.h. But they come under the channel's lock, and most by the goroutine that sent last: so the record is the
 * channel's own, and costs a comparison and a few stores in a line that is at hand, where a shadow word would have to be locked. */
#include "race_uses.h"

#include "race_alloc.h"
#include "race_shadow.h"

const char race_use_marks[USES];

struct race_side race_use_side(uint64_t epoch, struct stack_node *node, uintptr_t pc, const char *mark)
{
    struct stack_node *call = pc ? race_stack_call(node, pc) : NULL;
    return (struct race_side){epoch, (call ? call : node)->id, race_pc_pack((uintptr_t)mark)};
}

void race_use_object(struct race_g *g, uintptr_t object, int use, uintptr_t pc)
{
    static const unsigned kinds[USES] = {
        [HOOK_WAITGROUP_LIFT] = 0,                           /* as a read: it may come with others */
        [HOOK_WAITGROUP_WAIT] = EPOCH_WRITE | EPOCH_ATOMIC,  /* likewise, but not with a read */
        [USE_SYNC] = EPOCH_ATOMIC,                           /* with all but a write */
        [USE_SYNC_INIT] = EPOCH_WRITE,
        [USE_SYNC_DESTROY] = EPOCH_WRITE,
        [USE_STREAM] = 0,
        [USE_STREAM_CLOSE] = EPOCH_WRITE,
    };
    if (race_is_nobody(g))
        return;
    struct stack_node *node = g->node, *call = g->cut ? NULL : race_stack_call(node, pc);
    if (call)
        g->node = call;
    race_access_range(g, object, 1, kinds[use], (uintptr_t)&race_use_marks[use]);
    g->node = node;
}

/* ---- of a channel ---- */

_Static_assert(sizeof(struct hook_uses) == sizeof(struct race_uses), "the runtime makes room for it");

static _Thread_local struct {
    struct raced raced;
    struct race_side me;
} found __attribute__((tls_model("initial-exec")));   /* between race_use and race_use_report */

static race_noinline bool use_slow(struct race_g *g, struct race_uses *u, struct race_side me)
{
    struct race_side old = u->last;
    bool before;
    found.raced.n = found.raced.cap = 0;
    found.me = me;
    if (u->more) {
        list_judge(u->more, g, me.epoch, &found.raced);
        if (list_count(u->more) == 0)
            race_uses_forget(u);
    }
    enum verdict v = shadow_judge(g, old.epoch, me.epoch, &before);
    if (v == RACE)
        raced_add(&found.raced, old);
    if (v != DROP) {
        if (!u->more)
            u->more = list_new();
        list_add(u->more, old);
    }
    u->last = me;
    return found.raced.n > 0;
}

static inline bool use(struct race_g *g, struct race_uses *u, struct race_side me)
{
    uint64_t e = u->last.epoch;
    g->recorded = true;
    if (race_unlikely(u->more || (e && !(epoch_slot(e) == g->slot && shadow_subsumes(me.epoch, e)))))
        return use_slow(g, u, me);
    u->last = me;
    return false;
}

bool race_use(struct race_g *g, struct race_uses *u, bool closes, uintptr_t pc)
{
    if (!g || race_is_off(g))
        return false;
    uint64_t now = g->epoch | 1 << MASK_SHIFT | (closes ? EPOCH_WRITE : 0);
    return use(g, u, (struct race_side){now, g->node->id, g->cut ? 0 : race_pc_pack(pc)});
}

bool race_use_as(struct race_g *g, struct race_uses *u, struct race_side me)
{
    return use(g, u, me);
}

/* As race_report has it. */
static struct race_side told(struct race_side side)
{
    const char *mark = &race_use_marks[side.epoch & EPOCH_WRITE ? HOOK_CHAN_CLOSE : HOOK_CHAN_SEND];
    return race_use_side(side.epoch, race_stack_by_id(side.node), race_pc_unpack(side.pc), mark);
}

static void tell(struct race_g *g, uintptr_t object, struct race_side (*as)(struct race_side))
{
    struct raced *r = &found.raced;
    for (uint32_t i = 0; i < r->n; i++)
        race_report(g, object, as(r->cap ? r->more[i] : r->few[i]), as(found.me));
    if (r->cap)
        race_free(r->more, r->cap * sizeof *r->more);
    r->n = r->cap = 0;
}

void race_use_report(struct race_g *g, uintptr_t channel)
{
    tell(g, channel, told);
}

static struct race_side as_it_is(struct race_side side)
{
    return side;
}

void race_use_tell(struct race_g *g, uintptr_t object)
{
    tell(g, object, as_it_is);
}

void race_uses_forget(struct race_uses *u)
{
    if (u->more)
        list_free(u->more);
    u->more = NULL;
}
