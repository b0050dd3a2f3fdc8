/* Name lookup. libc's resolver blocks, and wants more stack than a goroutine has: it runs on a thread of its own while the goroutine is
 * parked. Those threads are few: who finds them at their maximum waits in line, and whoever ends hands its place to the first there.
 *
 * Nothing ends a resolver's call. A goroutine whose time is up leaves the job behind, which belongs to the thread from then on, and so does the place. */
#define _GNU_SOURCE
#include "addr.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "netpoll.h"
#include "os.h"

static struct {
    int at_work;            /* under sema_lock(&places) */
    struct waitq line;      /* the same */
} places;

struct job {
    struct addrinfo hints;
    int max;
    struct go_addr *found;  /* malloc'ed */
    int result;
    struct waitq waiter;    /* under sema_lock(job), as `done` and `left`: the goroutine */
    bool done;              /* the job is the goroutine's */
    bool left;              /* the job is the thread's */
    const char *host, *service;
    char text[];            /* both */
};

static int error_of(int eai)
{
    switch (eai) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        /* glibc says so too if it could open neither the file of hosts nor a socket. */
        return errno == EMFILE || errno == ENFILE ? -errno : GO_ERR_NO_HOST;
    case EAI_SERVICE:
        return GO_ERR_ADDRESS;
    case EAI_MEMORY:
        return -ENOMEM;
    case EAI_SYSTEM:
        return errno ? -errno : GO_ERR_LOOKUP;
    default:
        return GO_ERR_LOOKUP;
    }
}

/* ---- places ---- */

/* False: none until the instant `until`. */
static bool take_place(int64_t until)
{
    struct lock *l = sema_lock(&places);
    if (places.at_work < RT_LOOKUPS_MAX) {
        places.at_work++;
        unlock(l);
        return true;
    }
    waitq_push(&places.line, sema_waiter(&places, NULL));
    return sema_park(l, &places, &places.line, until, GORT_WAIT_IO);
}

/* On any thread. */
static void leave_place(void)
{
    struct lock *l = sema_lock(&places);
    struct waiter *w = waitq_pop(&places.line);
    struct g *g = w ? w->g : NULL;
    if (w)
        w->success = true;
    else
        places.at_work--;
    unlock(l);
    if (g)
        rt_ready(NULL, g);
}

/* ---- jobs ---- */

static struct job *job_new(const char *host, const char *service, int max)
{
    size_t nh = host ? strlen(host) + 1 : 0, ns = service ? strlen(service) + 1 : 0;
    hook_ignore_begin();
    struct job *j = calloc(1, sizeof *j + nh + ns);
    hook_ignore_end();
    if (!j)
        return NULL;
    j->max = max;
    if (host)
        j->host = memcpy(j->text, host, nh);
    if (service)
        j->service = memcpy(j->text + nh, service, ns);
    return j;
}

static void job_free(struct job *j)
{
    hook_ignore_begin();
    free(j->found);
    free(j);
    hook_ignore_end();
}

static int copy(struct job *j, const struct addrinfo *list)
{
    int n = 0, room = 0;
    for (const struct addrinfo *a = list; a && room < j->max; a = a->ai_next)
        room++;
    j->found = calloc((size_t)room + 1, sizeof *j->found);
    if (!j->found)
        return -ENOMEM;
    for (const struct addrinfo *a = list; a && n < room; a = a->ai_next) {
        if (a->ai_addrlen > sizeof j->found[n].sa)
            continue;
        j->found[n].len = a->ai_addrlen;
        memcpy(&j->found[n++].sa, a->ai_addr, a->ai_addrlen);
    }
    return n ? n : GO_ERR_NO_HOST;
}

static void work(void *arg)
{
    struct job *j = arg;
    struct addrinfo *list = NULL;
    errno = 0;
    int eai = getaddrinfo(j->host, j->service, &j->hints, &list);
    hook_ignore_begin();
    j->result = eai ? error_of(eai) : copy(j, list);
    hook_ignore_end();
    if (list)
        freeaddrinfo(list);
    struct lock *l = sema_lock(j);
    bool mine = j->left;
    struct waiter *w = mine ? NULL : waitq_pop(&j->waiter);
    struct g *g = w ? w->g : NULL;
    if (w)
        w->success = true;
    j->done = true;
    unlock(l);
    if (mine)
        job_free(j);
    if (g)
        rt_ready(NULL, g);   /* if it isn't parked yet, it finds `done` */
    leave_place();
}

/* Waits for the end of the job, or leaves it to its thread. Whether the former. */
static bool wait_for(struct job *j, int64_t until)
{
    struct lock *l = sema_lock(j);
    if (!j->done) {
        waitq_push(&j->waiter, sema_waiter(j, NULL));
        sema_park(l, j, &j->waiter, until, GORT_WAIT_IO);
        lock(l);
    }
    bool done = j->done;
    j->left = !done;
    unlock(l);
    return done;
}

static int look_up(const char *host, const char *service, int family, int type, int64_t until, struct go_addr *out, int max)
{
    struct job *j = job_new(host, service, max);
    if (!j)
        return -ENOMEM;
    j->hints.ai_family = family;
    j->hints.ai_socktype = type;
    if (!take_place(until)) {
        job_free(j);
        return GO_ERR_TIMEOUT;
    }
    int result = os_thread_start(work, j, RT_LOOKUP_STACK_BYTES);
    if (result < 0) {
        leave_place();
    } else {
        if (!wait_for(j, until))
            return GO_ERR_TIMEOUT;
        result = j->result;
        if (result > 0)
            rt_copy(out, j->found, (size_t)result * sizeof *out);
    }
    job_free(j);
    return result;
}

int lookup(const char *host, const char *service, int family, int type, int64_t until, struct go_addr *out, int max)
{
    rt_enter();
    atomic_fetch_add_explicit(&netpoll_waiters, 1, memory_order_seq_cst);   /* no deadlock: somebody is at work */
    int n = look_up(host, service, family, type, until, out, max);
    atomic_fetch_sub_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    rt_leave();
    return n;
}
