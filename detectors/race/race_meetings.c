/* Where bytes meet: by what address a write of theirs happens before their reading.
 *
 * What is sent into a pipe, a socket or an eventfd happens before what is received from its other end. Both ends meet at one address: that of
 * the runtime's go_read and go_write for pipes and connected sockets, so that a program may mix them; Unix sockets meet all at one.
 * Descriptors without a node in a file system (eventfd, epoll, timerfd, signalfd) meet at their number: epoll_ctl happens before epoll_wait.
 * A regular file orders what is written to it one after another with what is so read from it, likewise: whoever polls for a file and finds in it what he waits
 * for, is right. What is read and written at places (pread, pwrite, mmap) orders nothing: a database's pages are no messages. Nor do directories, terminals. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <inspect.h>

#include "race_io.h"
#include "race_libc.h"

enum { FDS = 1 << 16 };
static uint64_t meet_at_number[FDS];   /* never read or written */

/* For connected sockets, to be asked about by the program once: inode and meeting place. A stale one has another inode. */
static struct {
    _Atomic(uint64_t) inode;
    _Atomic(const void *) place;
} known[1 << 12];

/* Of a file: no address of the program's. Some files share one. */
static const void *meeting_in_file(const struct stat *st)
{
    enum { PLACES_SHIFT = 44 };   /* a million */
    uint64_t hash = (st->st_ino + (st->st_dev << 40)) * 0x9e3779b97f4a7c15u;
    return (const void *)(uintptr_t)(1ul << 62 | hash >> PLACES_SHIFT << 3);
}

static const void *meeting_of(int fd, const struct stat *st)
{
    mode_t kind = st->st_mode & S_IFMT;
    if (kind == 0)
        return &meet_at_number[fd % FDS];
    if (kind == S_IFIFO)
        return inspect_io_meeting(fd);
    if (kind != S_IFSOCK)
        return NULL;
    unsigned i = (unsigned)(st->st_ino % (sizeof known / sizeof known[0]));
    if (atomic_load_explicit(&known[i].inode, memory_order_acquire) == st->st_ino) {
        const void *place = atomic_load_explicit(&known[i].place, memory_order_relaxed);
        if (atomic_load_explicit(&known[i].inode, memory_order_acquire) == st->st_ino)
            return place;
    }
    const void *place = inspect_io_meeting(fd);
    struct sockaddr_storage peer;
    socklen_t n = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &n) == 0) {   /* connected: it stays so */
        atomic_store_explicit(&known[i].inode, 0, memory_order_release);
        atomic_store_explicit(&known[i].place, place, memory_order_release);
        atomic_store_explicit(&known[i].inode, st->st_ino, memory_order_release);
    }
    return place;
}

/* in_files: also by a regular file's contents. */
static const void *meeting(int fd, bool in_files)
{
    struct stat st;
    if (fd < 0 || !is_on() || fstat(fd, &st) != 0)
        return NULL;
    const void *place = meeting_of(fd, &st);
    race_fd_is(fd, (st.st_ino + (st.st_dev << 40)) | 1ull << 63, place);
    return in_files && S_ISREG(st.st_mode) ? meeting_in_file(&st) : place;
}

static void meet(int fd, bool in_files, void (*how)(struct race_g *, const void *))
{
    int saved = errno;
    const void *place = meeting(fd, in_files);
    if (place)
        how(race_cur(), place);
    errno = saved;
}

void race_io_sends(int fd)
{
    meet(fd, false, race_release_merge);
}

void race_io_received(int fd)
{
    meet(fd, false, race_acquire);
}

void race_io_writes(int fd)
{
    meet(fd, true, race_release_merge);
}

void race_io_reads(int fd)
{
    meet(fd, true, race_acquire);
}

void race_io_ready(int fd)
{
    const void *place;
    enum fd_meeting m = is_on() ? race_fd_meeting(fd, &place) : FD_NOWHERE;
    if (m == FD_THERE)
        race_acquire(race_cur(), place);
    else if (m == FD_TO_BE_ASKED)
        race_io_received(fd);
}

void race_io_closes(int fd, uintptr_t pc)
{
    race_io_sends(fd);
    race_fd_closes(fd, pc);
}

void race_io_replaces(int fd)
{
    race_io_sends(fd);
    race_fd_replaces(fd);
}
