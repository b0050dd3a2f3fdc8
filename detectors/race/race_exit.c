/* What is to be called at the program's end: atexit, on_exit, the destructors of C++ objects with static lifetime. libc keeps the list under a lock of its
 * own, so all that was done before an entry was made happens before it is called, whoever made it and whoever calls exit. (atexit is code of the program's own,
 * from libc_nonshared.a, that calls __cxa_atexit.) */
#include <stdlib.h>

#include "race_alloc.h"
#include "race_libc.h"

struct last_act {
    union {
        void (*plain)(void *);
        void (*with_status)(int, void *);
    };
    void *arg;
};

int __real___cxa_atexit(void (*fn)(void *), void *arg, void *dso);
int __real_on_exit(void (*fn)(int, void *), void *arg);

/* NULL: nothing is to be ordered. */
static struct last_act *last_act_new(void *arg)
{
    if (!is_on())
        return NULL;
    struct last_act *a = race_alloc(sizeof *a);
    a->arg = arg;
    race_release(race_cur(), a);
    return a;
}

static struct last_act last_act_take(struct last_act *a)
{
    struct last_act copy = *a;
    race_acquire(race_cur(), a);
    race_sync_forget((uintptr_t)a, sizeof *a);
    race_free(a, sizeof *a);
    return copy;
}

static void call(void *p)
{
    struct last_act a = last_act_take(p);
    a.plain(a.arg);
}

static void call_with_status(int status, void *p)
{
    struct last_act a = last_act_take(p);
    a.with_status(status, a.arg);
}

int __wrap___cxa_atexit(void (*fn)(void *), void *arg, void *dso)
{
    struct last_act *a = last_act_new(arg);
    if (!a)
        return __real___cxa_atexit(fn, arg, dso);
    a->plain = fn;
    int err = __real___cxa_atexit(call, a, dso);
    if (err)
        last_act_take(a);
    return err;
}

int __wrap_on_exit(void (*fn)(int, void *), void *arg)
{
    struct last_act *a = last_act_new(arg);
    if (!a)
        return __real_on_exit(fn, arg);
    a->with_status = fn;
    int err = __real_on_exit(call_with_status, a);
    if (err)
        last_act_take(a);
    return err;
}
