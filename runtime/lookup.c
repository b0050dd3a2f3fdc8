/* Name lookup. libc's resolver blocks, and wants more stack than a goroutine has: it runs on a thread of its own while the goroutine is
 * parked. A lock-free count keeps those threads few; who finds it at its maximum waits in line. */
#define _GNU_SOURCE
#include "addr.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>

#include "internal.h"
#include "netpoll.h"
#include "os.h"

static atomic_int at_work;

struct job {
    const char *host, *service;
    struct addrinfo hints;
    struct go_addr *out;
    int max, result;
    struct g *g;
    bool started;
};

static int error_of(int eai)
{
    switch (eai) {
    case EAI_NONAME:
    case EAI_NODATA:
    case EAI_ADDRFAMILY:
        return GO_ERR_NO_HOST;
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

static void work(void *arg)
{
    struct job *j = arg;
    struct addrinfo *list = NULL;
    int eai = getaddrinfo(j->host, j->service, &j->hints, &list), n = 0;
    for (struct addrinfo *a = list; a && n < j->max; a = a->ai_next) {
        if (a->ai_addrlen > sizeof j->out[n].sa)
            continue;
        j->out[n] = (struct go_addr){.len = a->ai_addrlen};
        memcpy(&j->out[n++].sa, a->ai_addr, a->ai_addrlen);
    }
    j->result = eai ? error_of(eai) : n ? n : GO_ERR_NO_HOST;
    if (list)
        freeaddrinfo(list);
    rt_ready(NULL, j->g);   /* j is gone from here on */
}

/* Called when the goroutine is visibly parked. */
static bool start(void *arg)
{
    struct job *j = arg;
    int err = os_thread_start(work, j, RT_LOOKUP_STACK_BYTES);
    if (err < 0)
        j->result = err;   /* else j is the thread's, which may be done already */
    return err >= 0;
}

static bool still_full(const void *addr)
{
    (void)addr;
    return atomic_load_explicit(&at_work, memory_order_seq_cst) >= RT_LOOKUPS_MAX;
}

int lookup(const char *host, const char *service, int family, int type, struct go_addr *out, int max)
{
    struct job j = {.host = host, .service = service, .out = out, .max = max};
    j.hints.ai_family = family;
    j.hints.ai_socktype = type;
    j.g = rt_enter()->g;
    int n = atomic_load_explicit(&at_work, memory_order_relaxed);
    for (;;) {
        if (n >= RT_LOOKUPS_MAX) {
            sema_wait(&at_work, still_full, false, GORT_WAIT_IO);
            n = atomic_load_explicit(&at_work, memory_order_relaxed);
        } else if (atomic_compare_exchange_weak_explicit(&at_work, &n, n + 1, memory_order_seq_cst, memory_order_relaxed)) {
            break;
        }
    }
    atomic_fetch_add_explicit(&netpoll_waiters, 1, memory_order_seq_cst);   /* no deadlock: somebody is at work */
    rt_park_if(start, &j, GORT_WAIT_IO, NULL);
    atomic_fetch_sub_explicit(&netpoll_waiters, 1, memory_order_seq_cst);
    atomic_fetch_sub_explicit(&at_work, 1, memory_order_seq_cst);
    sema_wake(&at_work, 1, NULL);
    rt_leave();
    return j.result;
}
