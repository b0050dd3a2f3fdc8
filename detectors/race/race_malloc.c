/* The malloc family: a block's life. Birth forgets what was known of its memory, and is a write to it, or to its beginning: whoever got the pointer without
 * an order races with it. Death is a write to all of it, so that whoever still uses it without having been waited for races with the free, and the
 * end of the synchronization by its addresses. Then the memory is marked: whoever uses it before its next birth is told, ordered or not. But not
 * what goes back to the system: somebody whom we don't see may map it.
 *
 * Blocks that a shared library frees are not written to: what ordered the library may be out of sight, and birth forgets them in any case. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "race_heap.h"
#include "race_libc.h"
#include "race_locks.h"
#include "race_malloc.h"
#include "race_real.h"
#include "race_shadow.h"

_Thread_local uintptr_t race_malloc_for;

enum {
    LARGE = 64 * 1024,      /* of larger blocks only the beginning, and what was ever accessed, is written to by free */
    BEGINNING = 1024,
    BORN_MAX = 4096,        /* of larger blocks only the beginning is written to by their birth */
    ZEROED_MAX = 64 * 1024, /* larger ones are fresh from the system, which zeroes them */
};

/* The heap is that of __libc_malloc. Mostly glibc's; but allocators that are linked or preloaded (-ltcmalloc) may define it too. Others (-ljemalloc) define
 * malloc alone, and then are not used, but their malloc_usable_size must not be asked of glibc's blocks. */
static bool heap_is_glibcs(void)
{
    static atomic_int known;   /* relaxed: whoever finds it out finds out the same */
    int is = atomic_load_explicit(&known, memory_order_relaxed);
    if (race_unlikely(is == 0)) {
        Dl_info heap, libc;
        bool found = dladdr((void *)(uintptr_t)__libc_malloc, &heap) && dladdr((void *)(uintptr_t)gnu_get_libc_version, &libc);
        is = found && heap.dli_fbase == libc.dli_fbase ? 1 : -1;
        atomic_store_explicit(&known, is, memory_order_relaxed);
    }
    return is > 0;
}

/* In glibc: the size of the block with its header, and flags, in the word before it. */
enum { IS_MMAPPED = 2, FLAGS = 7 };
static size_t header_of(const void *p)
{
    return ((const size_t *)p)[-1];
}

/* tcmalloc's makes an object of its own first, whose room is nobody's business. */
static race_noinline size_t foreign_room(void *p)
{
    static _Thread_local bool asking __attribute__((tls_model("initial-exec")));
    if (asking)
        return 0;
    asking = true;
    size_t n = REAL(malloc_usable_size)(p);
    asking = false;
    return n;
}

static size_t room(void *p)
{
    if (race_unlikely(!heap_is_glibcs()))
        return foreign_room(p);
    size_t header = header_of(p);
    return (header & ~(size_t)FLAGS) - (header & IS_MMAPPED ? 2 : 1) * sizeof(size_t);
}

/* Whose first `kept` bytes are about to be written to. What the runtime makes for itself it synchronizes itself, unseen. */
static void *born_but(void *p, size_t n, size_t kept, uintptr_t pc)
{
    race_heap_born(race_cur(), p, n, pc);
    if (!p)
        return NULL;
    size_t all = room(p), from = 0, to = 0;
    if (is_in_program(pc) && !is_ours(pc)) {
        to = all <= BORN_MAX ? all : BEGINNING;
        from = kept < to ? kept & ~(size_t)7 : to;
        race_access_born(race_cur(), (uintptr_t)p + from, to - from, pc);
    }
    shadow_clear((uintptr_t)p, from);   /* even with the detector off: the block may be handed to the program */
    shadow_clear((uintptr_t)p + to, all - to);
    return p;
}

static void *born(void *p, size_t n, uintptr_t pc)
{
    return born_but(p, n, 0, pc);
}

static void frees(const void *p, size_t n, uintptr_t pc)
{
    race_access_freed(race_cur(), (uintptr_t)p, n, pc);
}

static bool goes_to_system(const void *p)
{
    return heap_is_glibcs() && (header_of(p) & IS_MMAPPED);
}

/* touches, writes or frees, [p, p + n), skipping what has no shadow yet: nobody ever accessed it. */
static void where_known(char *p, size_t n, uintptr_t pc, void (*touches)(const void *p, size_t n, uintptr_t pc))
{
    enum { PAGE = 4096, BATCH = 64, BYTES = PAGE / sizeof(struct shadow) * 8 };   /* memory that a page of shadow stands for */
    unsigned char resident[BATCH];
    for (char *end = p + n; p < end;) {
        uintptr_t from = (uintptr_t)p & ~(uintptr_t)(BYTES - 1), to = from + BATCH * BYTES;
        uintptr_t slice_end = ((from >> SLICE_BITS) + 1) << SLICE_BITS;
        to = to < slice_end ? to : slice_end;
        if (!shadow_is_used(shadow_slice(from), from)) {
            p = (char *)slice_end;
            continue;
        }
        if (mincore(shadow_of(from), (to - from) / 8 * sizeof(struct shadow), resident) != 0)
            memset(resident, 1, sizeof resident);
        for (unsigned i = 0; from < to && p < end; i++, from += BYTES) {
            char *stop = (char *)from + BYTES < end ? (char *)from + BYTES : end;
            if (resident[i] & 1)
                touches(p, (size_t)(stop - p), pc);
            p = stop;
        }
    }
}

/* moves: by realloc, whose old block may go on as the new one. */
static void dies(void *p, bool moves, uintptr_t pc)
{
    if (!p)
        return;
    size_t n = room(p);
    race_heap_dies(race_cur(), p, pc);
    if (is_on() && is_in_program(pc)) {
        void (*touches)(const void *, size_t, uintptr_t) = goes_to_system(p) ? writes : frees;
        size_t at_once = n <= LARGE ? n : BEGINNING;
        touches(p, at_once, pc);
        where_known((char *)p + at_once, n - at_once, pc, touches);
    }
    race_lock_gone(moves ? NULL : race_cur(), (uintptr_t)p, n, LOCK_FREED, pc);
    race_sync_forget((uintptr_t)p, n);
}

void *race_block_born(void *p, size_t n, uintptr_t pc)
{
    return born(p, n, pc);
}

void race_block_dies(void *p, uintptr_t pc)
{
    dies(p, false, pc);
}

INTERPOSE void *malloc(size_t n)
{
    return born(__libc_malloc(n), n, race_called_at(PC));
}

INTERPOSE void *calloc(size_t k, size_t n)
{
    uintptr_t pc = race_called_at(PC);
    bool is_written = k * n <= ZEROED_MAX;
    void *p = born_but(__libc_calloc(k, n), k * n, is_written ? k * n : 0, pc);
    if (p && is_written && is_in_program(pc))
        writes(p, k * n, pc);
    return p;
}

/* The contents move: all of the old block is freed, what is kept is written to the new one. */
static void *reborn(void *p, size_t n, uintptr_t pc)
{
    if (!p)
        return born(__libc_malloc(n), n, pc);
    size_t before = room(p);
    dies(p, true, pc);
    void *q = __libc_realloc(p, n);
    if (!q && n > 0) {   /* in vain: the old block lives on, as written to as a whole */
        race_heap_revived(race_cur(), p);
        shadow_clear((uintptr_t)p, before);
        if (is_in_program(pc))
            where_known(p, before, pc, writes);
        return NULL;
    }
    size_t kept = before < n ? before : n;
    born_but(q, n, kept, pc);
    if (q && is_in_program(pc)) {
        if (kept <= LARGE)
            writes(q, kept, pc);
        else
            where_known(q, kept, pc, writes);
    }
    return q;
}

INTERPOSE void *realloc(void *p, size_t n)
{
    return reborn(p, n, race_called_at(PC));
}

INTERPOSE void *reallocarray(void *p, size_t k, size_t n)
{
    size_t bytes;
    if (__builtin_mul_overflow(k, n, &bytes)) {
        errno = ENOMEM;
        return NULL;
    }
    return reborn(p, bytes, race_called_at(PC));
}

INTERPOSE void free(void *p)
{
    dies(p, false, race_called_at(PC));
    __libc_free(p);
}

INTERPOSE void *memalign(size_t align, size_t n)
{
    return born(__libc_memalign(align, n), n, race_called_at(PC));
}

INTERPOSE void *aligned_alloc(size_t align, size_t n)
{
    return born(__libc_memalign(align, n), n, race_called_at(PC));
}

INTERPOSE int posix_memalign(void **where, size_t align, size_t n)
{
    if (align < sizeof(void *) || (align & (align - 1)))
        return EINVAL;
    int saved = errno;
    void *p = born(__libc_memalign(align, n), n, race_called_at(PC));
    errno = saved;
    if (!p)
        return ENOMEM;
    writes(where, sizeof *where, PC);
    *where = p;
    return 0;
}

INTERPOSE void *valloc(size_t n)
{
    return born(__libc_memalign((size_t)sysconf(_SC_PAGESIZE), n), n, race_called_at(PC));
}

INTERPOSE void *pvalloc(size_t n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (n > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return born(__libc_memalign(page, (n + page - 1) / page * page), n, race_called_at(PC));
}

INTERPOSE size_t malloc_usable_size(void *p)
{
    return p ? room(p) : 0;
}
