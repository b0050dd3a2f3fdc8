/* C++ exceptions belong to the goroutine: one that waits in a catch block, or in a destructor that runs while an exception is thrown, finds its
 * exception afterwards, whichever thread it goes on on, and whatever others caught there meanwhile. The C++ ABI keeps two words for that in each
 * thread (__cxa_eh_globals); like errno they go with the goroutine. Where nothing is caught or thrown they are zero, and a switch only looks at
 * them; a process without a C++ library has none. */
#ifndef RT_CXX_H
#define RT_CXX_H

#include "types.h"

struct cxx_eh {
    void *caught;         /* what was caught and is not yet done with, a list */
    unsigned uncaught;    /* thrown, and on the way to whom catches them */
};

struct cxx_eh *__cxa_get_globals(void) __attribute__((weak));

/* The calling thread's. */
static inline struct cxx_eh *cxx_eh_here(void)
{
    return __cxa_get_globals ? __cxa_get_globals() : NULL;
}

/* The goroutine leaves m's thread: it takes along what is its own, and the next one finds nothing. */
static inline struct cxx_eh cxx_leave(struct m *m)
{
    struct cxx_eh own = {NULL, 0};
    struct cxx_eh *here = m->cxx_eh;
    if (rt_unlikely(here != NULL) && rt_unlikely(here->caught != NULL || here->uncaught != 0)) {
        own = *here;
        *here = (struct cxx_eh){NULL, 0};
    }
    return own;
}

/* It goes on on m's. */
static inline void cxx_arrive(struct m *m, struct cxx_eh own)
{
    if (rt_unlikely(own.caught != NULL || own.uncaught != 0))
        *m->cxx_eh = own;
}

#endif
