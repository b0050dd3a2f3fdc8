/* Contexts: trees in which a cancel goes down from wherever it was called. (context.h beside this file is the machine's
 * context.)
 *
 * Only contexts that can be cancelled are in the tree, each in the list of children of its nearest ancestor of that kind; a
 * value context borrows that ancestor's cancellation. Each child of the background is the root of a tree, and one lock in the
 * root guards the whole tree. A cancel holds it from the first descendant to the last, so whoever sees the cancel return sees
 * all descendants cancelled, whoever else was cancelling some of them; Go has the same effect from nested locks of parents and
 * children, with recursion, which a hundred thousand levels would not survive. The walk moves the children of each context
 * onto one list, front first, and needs neither a stack nor memory. It is the one thing that may hold an internal lock for
 * long (1 ms for 10,000 descendants); others that come for it back off to sleep (lock.c).
 *
 * A context's channel is closed and its err set under the channel's lock, so that a receiver finds err set, and an err that is
 * seen comes after the release to the race detector at the channel's address, where both look for it.
 *
 * A deadline's timer fires in the scheduler and takes the tree's lock, so nobody may wait for it under that lock: the walk
 * stops timers with timer_try_stop, and one that fires all the same finds err set. The last reference waits for it properly
 * (timer_stop, no lock held).
 *
 * References: one for each with_ (its caller's), one for each child or value context (its parent field), and those of
 * go_context_hold. Chains of last references are given back in a loop, too. */
#include <gort/context.h>

#include <stdlib.h>

#include "chan.h"
#include "os.h"

struct go_context {
    atomic_int refs;                        /* relaxed up; down with acq_rel: the last one sees all that the others did */
    atomic_int err, cause;                  /* written under the tree's lock and the channel's, once; cause before err (release) */
    struct go_context *parent;              /* (i) a reference */
    struct go_context *cancels;             /* (i) what cancels this one: itself, an ancestor (value contexts), NULL */
    struct go_context *root;                /* (i) whose lock guards (t) */
    struct gort_chan *done;                 /* (i) of what cancels */
    int64_t deadline;                       /* (i) TIMER_NEVER: none */
    const void *key;                        /* (i) */
    void *value;                            /* (i) */
    struct timer timer;
    struct go_context *children;            /* (t) */
    struct go_context *next, **link;        /* (t) in the parent's children, or on a walk's list; link NULL: in none */
    struct go_context *todo;                /* (t) of a root: what a walk has still to cancel; empty between walks */
    struct lock lock;                       /* of a root: (t), rank CONTEXT */
};

static struct go_context background = {.deadline = TIMER_NEVER};

go_context *go_context_background(void)
{
    return &background;
}

/* ---- lists, with the tree's lock ---- */

static void list_push(struct go_context **list, struct go_context *c)
{
    c->next = *list;
    c->link = list;
    if (c->next)
        c->next->link = &c->next;
    *list = c;
}

static void list_remove(struct go_context *c)
{
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->link = NULL;
}

/* ---- cancelling ---- */

/* Cancels c and all below it, for g (NULL: a timer). The goroutines to wake are appended at *last. */
static void cancel_locked(struct go_context *c, struct g *g, int err, int cause, struct g **last)
{
    RT_ASSERT(lock_is_held(&c->root->lock));
    struct go_context **todo = &c->root->todo;
    list_remove(c);
    list_push(todo, c);
    while ((c = *todo)) {
        list_remove(c);
        while (c->children) {
            struct go_context *child = c->children;
            list_remove(child);
            list_push(todo, child);
        }
        if (atomic_load_explicit(&c->err, memory_order_relaxed))
            continue;
        lock(&c->done->lock);
        last = chan_close_locked(c->done, g, last);
        atomic_store_explicit(&c->cause, cause, memory_order_relaxed);
        atomic_store_explicit(&c->err, err, memory_order_release);
        unlock(&c->done->lock);
        timer_try_stop(&c->timer);
    }
}

/* m: the calling thread's, inside the runtime. */
static void cancel(struct m *m, struct go_context *c, struct g *g, int err, int cause)
{
    struct g *first = NULL;
    lock(&c->root->lock);   /* if it is cancelled already: whoever did that may still be on the way down */
    cancel_locked(c, g, err, cause, &first);
    unlock(&c->root->lock);
    rt_ready_all(m, first);
}

static void deadline_fire(struct m *m, struct timer *t)
{
    cancel(m, rt_container_of(t, struct go_context, timer), NULL, GO_ERR_DEADLINE, GO_ERR_DEADLINE);
}

void go_context_cancel_cause(go_context *c, int cause)
{
    struct m *m = rt_enter();
    if (c->cancels != c)
        rt_panic("context: cancel of a context that was not made to be cancelled");
    cancel(m, c, m->g, GO_ERR_CANCELED, cause ? cause : GO_ERR_CANCELED);
    rt_leave();
}

void go_context_cancel(go_context *c)
{
    go_context_cancel_cause(c, 0);
}

/* ---- making ---- */

static struct go_context *make(go_context *parent)
{
    if (!parent) {
        rt_enter();
        rt_panic("cannot create context from nil parent");
    }
    hook_ignore_begin();
    struct go_context *c = calloc(1, sizeof *c);
    hook_ignore_end();
    if (!c)
        rt_fatal("out of memory for a context");
    atomic_init(&c->refs, 1);
    c->parent = go_context_hold(parent);
    c->deadline = parent->deadline;
    return c;
}

go_context *go_context_with_value(go_context *parent, const void *key, void *value)
{
    struct go_context *c = make(parent);
    c->cancels = parent->cancels;
    c->done = parent->done;
    c->key = key;
    c->value = value;
    return c;
}

/* Puts c under what cancels its parent; at once cancelled if that is. */
static void attach(struct m *m, struct go_context *c, struct go_context *above)
{
    c->root = above->root;
    lock(&c->root->lock);
    int err = atomic_load_explicit(&above->err, memory_order_acquire);
    if (err) {
        struct g *none = NULL;   /* nobody can wait yet */
        hook_acquire(HOOK_RACE_G(m->g), above->done);
        cancel_locked(c, m->g, err, atomic_load_explicit(&above->cause, memory_order_relaxed), &none);
    } else {
        list_push(&above->children, c);
    }
    unlock(&c->root->lock);
}

static go_context *with_cancel(go_context *parent, int64_t at_ns)
{
    struct go_context *c = make(parent);
    c->done = gort_chan_make(sizeof(char), 0);
    c->cancels = c;
    c->timer.fn = deadline_fire;
    struct m *m = rt_enter();
    bool own_deadline = at_ns < c->deadline;
    if (own_deadline)
        c->deadline = at_ns;   /* (for the race detector its timer has no past: who has the context comes after its maker anyway) */
    if (parent->cancels) {
        attach(m, c, parent->cancels);
    } else {
        c->root = c;
        lock_init(&c->lock, CONTEXT);
    }
    if (own_deadline && at_ns <= os_now())
        cancel(m, c, m->g, GO_ERR_DEADLINE, GO_ERR_DEADLINE);
    else if (own_deadline && !atomic_load_explicit(&c->err, memory_order_relaxed))
        sched_timer_start(m, &c->timer, at_ns);   /* cancelled just now, it fires for nothing */
    rt_leave();
    return c;
}

go_context *go_context_with_cancel(go_context *parent)
{
    return with_cancel(parent, TIMER_NEVER);
}

go_context *go_context_with_deadline(go_context *parent, int64_t at_ns)
{
    return with_cancel(parent, at_ns);
}

go_context *go_context_with_timeout(go_context *parent, int64_t ns)
{
    return with_cancel(parent, time_after(ns));
}

/* ---- references ---- */

go_context *go_context_hold(go_context *c)
{
    if (c != &background)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

static void destroy(struct m *m, struct go_context *c)
{
    if (c->cancels == c) {
        cancel(m, c, m->g, GO_ERR_CANCELED, GO_ERR_CANCELED);   /* no news as a rule; but a walk that had c in hand is over now */
        RT_CHECK(c->link == NULL && c->children == NULL);
        timer_stop(&c->timer);
        gort_chan_free(c->done);
    }
    hook_ignore_begin();
    free(c);
    hook_ignore_end();
}

void go_context_release(go_context *c)
{
    struct m *m = rt_enter();
    while (c && c != &background && atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) == 1) {
        struct go_context *parent = c->parent;
        destroy(m, c);
        c = parent;
    }
    rt_leave();
}

void go_context_free(go_context *c)
{
    if (c && c->cancels == c)
        go_context_cancel(c);
    go_context_release(c);
}

/* ---- asking ---- */

go_recv_chan(char) go_context_done(const go_context *c)
{
    return (go_recv_chan(char))c->done;
}

int go_context_err(const go_context *c)
{
    int err = c->cancels ? atomic_load_explicit(&c->cancels->err, memory_order_acquire) : 0;
    if (err)
        hook_acquire(rt_race(), c->done);
    return err;
}

int go_context_cause(const go_context *c)
{
    return go_context_err(c) ? atomic_load_explicit(&c->cancels->cause, memory_order_relaxed) : 0;
}

bool go_context_deadline(const go_context *c, int64_t *at_ns)
{
    if (c->deadline == TIMER_NEVER)
        return false;
    if (at_ns)
        *at_ns = c->deadline;
    return true;
}

void *go_context_value(const go_context *c, const void *key)
{
    for (; c != &background; c = c->parent)
        if (c->cancels != c && c->key == key)
            return c->value;
    return NULL;
}
