/* A descriptor that is closed while another still uses it: the use fails, or meets whatever file got the number meanwhile. So a close, and a use or another
 * close that nothing orders with it, are reported as a race on the descriptor, whichever came first: as if the number were a variable that uses read and
 * closes write.
 *
 * Only the program's own calls are recorded here. Libraries, and the runtime, open and close descriptors unseen, and a number passes from one file to
 * another. A report must not mix up two of its lives, therefore:
 *
 * - Uses are recorded only in lives that were seen to begin (and of 0, 1 and 2). Opening forgets what was before.
 * - What precedes a close happens before whoever opens the same number next, as with memory; so do not the uses of that opener race with it.
 * - A use after a close that it is not ordered with is told only if the number is still closed when looked at. If it is open, it was opened unseen, and
 *   nothing more is recorded until the next opening that is seen. (A close by the runtime or while detection is off: likewise.)
 * - Where a call asks the system what file it is (race_meetings.c), another one than before ends the life. A close always asks.
 *
 * Opening itself is no access. A stale number that is used when it has been opened again is found by what the new owner does: its own uses race with a stale
 * close, its close with a stale use. And who got the number in a way that the detector does not see is not told anything. dup2 onto a number is
 * a use of it, not a close, and a new life: programs put /dev/null, or a closed pipe, in the place of what others still use, to be safe from just this.
 *
 * A number's record is under a lock of its own, which is never held over a system call. A close is recorded before the system is asked to do it, when
 * nobody can have been given the number. */
#define _GNU_SOURCE
#include "race_fds.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "race_libc.h"
#include "race_spin.h"
#include "race_uses.h"

enum { FDS = 1 << 16, PATIENCE = 20 };
enum state { NEVER, UNSEEN, OPEN, CLOSED };   /* NEVER: not closed or opened so far. UNSEEN: it may be anything */

/* Its address stands for the descriptor: in reports, and where closing it orders with opening. A number from FDS on shares that, and is not recorded. */
static struct life {
    _Atomic(uint8_t) state;      /* changed under the lock, or by who may not wait for it: to UNSEEN */
    atomic_flag lock;            /* of all that follows */
    uint32_t count;              /* of lives */
    _Atomic(uint64_t) file;      /* OPEN: race_fd_is; 0: not known. CLOSED: the epoch of the close */
    _Atomic(const void *) place; /* OPEN: race_fd_is. Both are read without the lock, too */
    struct race_side opened;     /* epoch 0: not known */
    struct race_uses uses;
} lives[FDS] __attribute__((aligned(64)));   /* each in a line of its own */
_Static_assert(sizeof(struct life) == 64, "neighbours are used by different threads");
static _Atomic(int) highest;     /* of those with a record */

static const char marks[FD_NUSES];

const char *race_fd_text(uintptr_t pc)
{
    static const char *const texts[FD_NUSES] = {
#define X(name, text) [FD_##name] = text,
        FD_USES(X)
#undef X
    };
    uintptr_t mark = pc - (uintptr_t)marks;
    return mark < FD_NUSES ? texts[mark] : NULL;
}

static bool is_in_table(int fd)
{
    return fd >= 0 && fd < FDS;
}

static enum state state_of(int fd)
{
    uint8_t s = atomic_load_explicit(&lives[fd].state, memory_order_relaxed);
    return s == NEVER && fd <= STDERR_FILENO ? OPEN : s;
}

/* Without the lock: where a handler may have interrupted who holds it. What lies there is forgotten by the next opening. */
static void lose(struct life *l)
{
    atomic_store_explicit(&l->state, UNSEEN, memory_order_relaxed);
}

static void forget(struct life *l)
{
    race_uses_forget(&l->uses);
    l->uses = (struct race_uses){0};
    atomic_store_explicit(&l->file, 0, memory_order_relaxed);
    atomic_store_explicit(&l->place, NULL, memory_order_relaxed);
    l->count++;
}

/* `count`: if it is closed, of the life that the caller found closed. */
static void record(struct race_g *g, int fd, enum fd_use use, uintptr_t pc, uint32_t count)
{
    struct life *l = &lives[fd];
    bool closes = use == FD_CLOSE, raced = false;
    uint64_t now = g->epoch | 1 << MASK_SHIFT | (closes ? EPOCH_WRITE : 0);
    struct race_side me = race_use_side(now, g->node, g->cut ? 0 : pc, &marks[use]);
    race_spin_lock(&l->lock);
    enum state s = state_of(fd);
    if (s == OPEN || (s == CLOSED && l->count == count))
        raced = race_use_as(g, &l->uses, me);
    if (closes && s == OPEN) {
        atomic_store_explicit(&l->file, me.epoch, memory_order_relaxed);
        atomic_store_explicit(&l->state, CLOSED, memory_order_relaxed);
    }
    race_spin_unlock(&l->lock);
    if (raced)
        race_use_tell(g, (uintptr_t)l);
}

/* A closed number is used: whether that is another's mistake, that is, the number is closed, and that is not ordered with the close. It may be that the
 * close is still on its way to the system: a little patience. */
static bool is_stale(struct race_g *g, int fd, uint32_t *count)
{
    struct life *l = &lives[fd];
    race_spin_lock(&l->lock);
    bool before = state_of(fd) != CLOSED || race_before(g, atomic_load_explicit(&l->file, memory_order_relaxed));
    *count = l->count;
    race_spin_unlock(&l->lock);
    if (before)
        return false;
    int saved = errno;
    bool is_open = true;
    for (int i = 0; is_open && i < PATIENCE && state_of(fd) == CLOSED; i++) {
        if (i > 0)
            sched_yield();
        is_open = fcntl(fd, F_GETFD) >= 0;
    }
    errno = saved;
    if (is_open) {
        race_spin_lock(&l->lock);
        if (l->count == *count && state_of(fd) == CLOSED)
            lose(l);
        race_spin_unlock(&l->lock);
    }
    return !is_open;
}

void race_fd_use(int fd, enum fd_use use, uintptr_t pc)
{
    if (!is_in_table(fd))
        return;
    enum state s = state_of(fd);
    struct race_g *g = race_cur();
    uint32_t count = 0;
    if ((s == OPEN || s == CLOSED) && !race_is_off(g) && (s == OPEN || is_stale(g, fd, &count)))
        record(g, fd, use, pc, count);
}

void race_fd_closes(int fd, uintptr_t pc)
{
    if (fd < 0)
        return;
    struct race_g *g = race_cur();
    race_fd_use(fd, FD_CLOSE, pc);
    if (is_in_table(fd) && race_is_off(g))
        lose(&lives[fd]);
    race_release_merge(g, &lives[fd % FDS]);
}

void race_fd_replaces(int fd)
{
    if (fd >= 0)
        race_release_merge(race_cur(), &lives[fd % FDS]);
}

int race_fd_opened(int fd, uintptr_t pc)
{
    if (fd < 0)
        return fd;
    struct race_g *g = race_cur();
    race_acquire(g, &lives[fd % FDS]);
    if (!is_in_table(fd))
        return fd;
    struct life *l = &lives[fd];
    if (g == &race_ignored) {
        lose(l);
        return fd;
    }
    for (int h = atomic_load_explicit(&highest, memory_order_relaxed); h < fd;)
        if (atomic_compare_exchange_weak_explicit(&highest, &h, fd, memory_order_relaxed, memory_order_relaxed))
            break;
    race_spin_lock(&l->lock);
    forget(l);
    l->opened = (struct race_side){g->epoch, g->node->id, g->cut ? 0 : race_pc_pack(pc)};
    atomic_store_explicit(&l->state, OPEN, memory_order_relaxed);
    race_spin_unlock(&l->lock);
    return fd;
}

void race_fd_closes_unseen(int fd)
{
    if (fd < 0)
        return;
    if (is_in_table(fd) && state_of(fd) != NEVER)
        lose(&lives[fd]);
    race_release_merge(race_cur(), &lives[fd % FDS]);
}

void race_fd_opened_unseen(int fd)
{
    if (fd < 0)
        return;
    race_acquire(race_cur(), &lives[fd % FDS]);
    if (is_in_table(fd) && state_of(fd) != NEVER)
        lose(&lives[fd]);
}

void race_fd_is(int fd, uint64_t file, const void *place)
{
    if (!is_in_table(fd) || state_of(fd) != OPEN || !is_on())
        return;
    struct life *l = &lives[fd];
    if (atomic_load_explicit(&l->file, memory_order_relaxed) == file && atomic_load_explicit(&l->place, memory_order_relaxed) == place)
        return;
    race_spin_lock(&l->lock);
    uint64_t was = atomic_load_explicit(&l->file, memory_order_relaxed);
    bool is_open = state_of(fd) == OPEN;
    if (is_open && (was == 0 || was == file)) {
        atomic_store_explicit(&l->place, place, memory_order_relaxed);
        atomic_store_explicit(&l->file, file, memory_order_release);
    } else if (is_open) {
        lose(l);
    }
    race_spin_unlock(&l->lock);
}

enum fd_meeting race_fd_meeting(int fd, const void **place)
{
    if (!is_in_table(fd) || state_of(fd) != OPEN)
        return FD_NOWHERE;
    if (atomic_load_explicit(&lives[fd].file, memory_order_acquire) == 0)
        return FD_TO_BE_ASKED;
    *place = atomic_load_explicit(&lives[fd].place, memory_order_relaxed);
    return *place ? FD_THERE : FD_NOWHERE;
}

void race_fds_forked(void)
{
    int n = atomic_load_explicit(&highest, memory_order_relaxed);
    for (int fd = 0; fd <= n || fd <= STDERR_FILENO; fd++)
        forget(&lives[fd]);
}

bool race_fd_find(uintptr_t addr, int *fd, struct race_side *opened)
{
    uintptr_t at = addr - (uintptr_t)lives;
    if (at >= sizeof lives)
        return false;
    struct life *l = &lives[at / sizeof *l];
    *fd = (int)(at / sizeof *l);
    race_spin_lock(&l->lock);
    *opened = l->opened;
    race_spin_unlock(&l->lock);
    return true;
}
