/* Patterns of races, the most certain first. See race_hint.h. */
#include "race_hint.h"

#include <string.h>

#include "race_uses.h"

static const char *locks_hint(const struct rec_access *a, const struct rec_access *b)
{
    if (!a->locks_known || !b->locks_known || (a->nlocks == 0 && b->nlocks == 0))
        return NULL;
    if (a->nlocks == 0 || b->nlocks == 0)
        return "only one side holds a lock: take the same lock around the other access";
    for (int i = 0; i < a->nlocks; i++) {
        for (int k = 0; k < b->nlocks; k++) {
            if (a->locks[i].addr != b->locks[k].addr)
                continue;
            bool shared = a->locks[i].kind & b->locks[k].kind & LOCK_READ;
            return shared ? "a write under a read lock: readers don't exclude one another; lock for writing around the write" : NULL;
        }
    }
    return "the two sides hold different locks, which don't exclude one another: use one for both";
}

/* The line changes the variable in place: x++, x--, x += 1 and the like. */
static bool changes_in_place(const struct rec_access *a)
{
    const char *s = a->stack.source;
    return a->write && s && (strstr(s, "++") || strstr(s, "--") || strstr(s, "+=") || strstr(s, "-=") || strstr(s, "|=") || strstr(s, "&="));
}

static bool same_line(const struct rec_access *a, const struct rec_access *b)
{
    return a->stack.nframes > 0 && b->stack.nframes > 0 && a->stack.frames[0].line == b->stack.frames[0].line &&
           strcmp(a->stack.frames[0].file, b->stack.frames[0].file) == 0;
}

static bool started_by(const struct rec_who *child, const struct rec_who *parent)
{
    return child->known && parent->known && parent->who.id != 0 && child->who.parent_id == parent->who.id;
}

static bool is_same(const struct rec_who *a, const struct rec_who *b)
{
    return a->known && b->known && a->who.id == b->who.id && a->who.tid == b->who.tid && a->who.is_main == b->who.is_main;
}

/* Of two uses. */
static const char *use_hint(int a, int b)
{
    if (a == HOOK_WAITGROUP_LIFT || b == HOOK_WAITGROUP_LIFT)
        return "the wait may come first and not wait for what is added: add before go(), not in the goroutine that is waited for";
    if (a == HOOK_CHAN_CLOSE && b == HOOK_CHAN_CLOSE)
        return "the channel is closed by both, the second one panics: let one goroutine close it";
    if (a == HOOK_CHAN_CLOSE || b == HOOK_CHAN_CLOSE)
        return "a send that comes after the close panics: close the channel when all its senders have ended";
    if (a == USE_STREAM_CLOSE && b == USE_STREAM_CLOSE)
        return "the stream is closed by both, and gone after the first: let one goroutine close it";
    if (a == USE_STREAM_CLOSE || b == USE_STREAM_CLOSE)
        return "the stream is gone after fclose(): wait for its other uses to end first";
    if (a == USE_SYNC_DESTROY || b == USE_SYNC_DESTROY)
        return "it is destroyed while others may still use it: wait for them first";
    return "it is initialized while others may use it already: initialize it before they start, or by pthread_once";
}

/* Of a use and an access. */
static const char *half_use_hint(const struct rec_access *a, const struct rec_access *b, const struct rec_location *l)
{
    const struct rec_access *other = a->use < 0 ? a : b;
    int use = a->use < 0 ? b->use : a->use;
    if (use != USE_SYNC || !other->write)
        return NULL;
    return l->place == PLACE_HEAP && l->freed ? "the block is freed while a lock in it may still be used: wait for that before free()"
                                              : "its memory is written while others may use it: initialize it before they start, and don't copy over it";
}

const char *race_hint(const struct record *r)
{
    const struct rec_access *a = &r->access[0], *b = &r->access[1];
    const struct rec_location *l = &r->location;
    if (l->place == PLACE_DESCRIPTOR && a->write && b->write)
        return "the second close may hit another file that has got the number meanwhile: let one goroutine close it, once";
    if (l->place == PLACE_DESCRIPTOR)
        return "the use fails after the close, or hits another file that has got the number meanwhile: wait for the use to end before close()";
    if (a->use >= 0 && b->use >= 0)
        return use_hint(a->use, b->use);
    if (a->use >= 0 || b->use >= 0)
        return half_use_hint(a, b, l);
    if (r->after_free)
        return "the block was freed before: free it after its last use";
    if (r->at_birth)
        return "the block was handed over without an order: do it by a channel, under a lock, or by an atomic that releases and acquires";
    if (l->place == PLACE_HEAP && l->freed)
        return "the block is freed while another goroutine still uses it: wait for that before free()";
    if (a->atomic != b->atomic)
        return "one side is atomic, the other is not: make both atomic";
    const char *locks = locks_hint(a, b);
    if (locks)
        return locks;
    bool no_locks = a->locks_known && b->locks_known && a->nlocks == 0 && b->nlocks == 0;
    if (no_locks && (changes_in_place(a) || changes_in_place(b)) && same_line(a, b))
        return "the line reads, changes and writes back, on both sides without a lock: use an atomic, or a mutex";
    if (l->place == PLACE_STACK && l->owner.known && (is_same(&a->by, &l->owner) != is_same(&b->by, &l->owner)))
        return "a variable of one goroutine's stack is used by another meanwhile: hand over a copy, or wait for that goroutine";
    if (no_locks && (started_by(&b->by, &a->by)))
        return "nothing makes the goroutine wait for the one that it started: wait (go_waitgroup_wait, pthread_join, a channel) before this access";
    return NULL;
}
