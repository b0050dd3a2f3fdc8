/* What the sanitizers' runtime is told. See asan.h. */
#include "asan.h"

#include <stdlib.h>

#include "internal.h"

/* sanitizer/asan_interface.h, sanitizer/common_interface_defs.h, sanitizer/lsan_interface.h */
extern void __sanitizer_start_switch_fiber(void **save, const void *bottom, size_t size) __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *saved, const void **bottom_old, size_t *size_old) __attribute__((weak));
extern void __asan_unpoison_memory_region(const volatile void *p, size_t n) __attribute__((weak));
extern void __lsan_register_root_region(const void *p, size_t n) __attribute__((weak));

bool asan_is_on;

#define NO_ASAN __attribute__((no_sanitize("address")))

NO_ASAN void asan_leave_slow(void **save, uintptr_t lo, uintptr_t hi)
{
    __sanitizer_start_switch_fiber(save, (const void *)lo, hi - lo);
}

NO_ASAN void asan_arrive_slow(void *saved)
{
    __sanitizer_finish_switch_fiber(saved, NULL, NULL);
}

void asan_fresh_slow(uintptr_t lo, uintptr_t hi)
{
    if (__asan_unpoison_memory_region)
        __asan_unpoison_memory_region((void *)lo, hi - lo);
}

/* ---- leaks: blocks that only a parked goroutine's stack, or the runtime's own memory, points to are not leaked ---- */

static bool register_stack(struct g *g, void *arg)
{
    (void)arg;
    uintptr_t sp = g->ctx.sp;
    bool on_its_thread = (g->flags & GORT_G_THREAD) && g_status(g) == GORT_STATUS_RUNNING;   /* of which LeakSanitizer knows; not if it has parked */
    if (!on_its_thread && sp > g->stack_lo && sp < g->stack_hi)
        __lsan_register_root_region((void *)sp, g->stack_hi - sp);
    return true;
}

static void at_exit(void)
{
    unsigned n = atomic_load_explicit(&g_nslabs, memory_order_acquire);
    for (unsigned i = 0; i < n; i++)
        __lsan_register_root_region((void *)(uintptr_t)g_slabs[i], sizeof(struct slab));
    for (struct m *m = atomic_load_explicit(&sched.ms, memory_order_acquire); m; m = m->next)
        __lsan_register_root_region(m, sizeof *m);
    n = (unsigned)atomic_load_explicit(&sched.nps, memory_order_acquire);
    for (unsigned i = 0; i < n; i++)
        __lsan_register_root_region(sched.ps[i], sizeof *sched.ps[i]);
    g_each(register_stack, NULL);
}

void asan_start(void)
{
    asan_is_on = __sanitizer_start_switch_fiber && __sanitizer_finish_switch_fiber && __asan_unpoison_memory_region;
    if (__lsan_register_root_region)
        atexit(at_exit);   /* the leak check's own was registered long before, and so runs after this */
}
