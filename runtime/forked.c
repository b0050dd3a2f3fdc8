/* The child of a fork. Only the thread that forked is there: the runtime's others, and whatever they held or were about to do, are not; and the goroutines in
 * the queues are the parent's, which runs them too. So a child may use what it has at hand, as POSIX lets it, until it calls exec or _exit. Where it would
 * have to wait, run another goroutine or wait for a lock of a thread that is gone, it is told so, and ends, rather than hang.
 *
 * It costs those who don't fork nothing but a look where they sleep: the P of the goroutine that forked goes the long way at its next schedule. */
#include <pthread.h>
#include <unistd.h>

#include "internal.h"
#include "os.h"

bool sched_forked;   /* written once, by the only thread there is */

static void in_child(void)
{
    struct m *m = rt_m();
    sched_forked = true;
    if (m && m->p)
        atomic_store_explicit(&m->p->slow, true, memory_order_relaxed);
}

void forked_start(void)
{
    pthread_atfork(NULL, NULL, in_child);
}

rt_cold _Noreturn void forked_end(void)
{
    static const char text[] = "fatal error: goroutines can't run in a child of fork: the parent's other threads are not there. "
                               "Call exec or _exit in the child, or fork before the first call of gort's\n";
    os_write(2, text, sizeof text - 1);
    _exit(2);
}
