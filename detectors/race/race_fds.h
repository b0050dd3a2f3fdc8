/* Descriptors: the lives of their numbers, and uses that nothing orders with the close. race_fds.c has the theory. */
#ifndef RACE_FDS_H
#define RACE_FDS_H

#include "race.h"

/* What is done with one, as reports say it. */
#define FD_USES(X) \
    X(CLOSE, "close of") X(READ, "read from") X(WRITE, "write to") X(ACCEPT, "accept on") X(CONNECT, "connect of") X(BIND, "bind of") \
    X(LISTEN, "listen on") X(OPTION, "socket option of") X(EPOLL_CTL, "epoll_ctl of") X(EPOLL_WAIT, "epoll_wait on") X(DUP, "dup of") \
    X(DUP_ONTO, "dup2 onto") X(IOCTL, "ioctl on") X(FCNTL, "fcntl on") X(SEEK, "lseek on") X(SIZE, "ftruncate of") X(SYNC, "fsync of") \
    X(STAT, "fstat of") X(MAP, "mmap of") X(TIMER, "timerfd call on")
enum fd_use {
#define X(name, text) FD_##name,
    FD_USES(X)
#undef X
    FD_NUSES
};

/* The caller at pc is about to use fd. Before what the call orders is told. */
void race_fd_use(int fd, enum fd_use use, uintptr_t pc);
/* ... to close it. What precedes that happens before whoever is given the number again. */
void race_fd_closes(int fd, uintptr_t pc);
/* ... to put another file in its place, by dup2. */
void race_fd_replaces(int fd);
/* The caller was given fd; returns it. */
int race_fd_opened(int fd, uintptr_t pc);
/* The same of a library's calls: its numbers order likewise, but are nobody's to be told of. */
void race_fd_closes_unseen(int fd);
void race_fd_opened_unseen(int fd);
/* What fd was seen to be when it was used: never 0, the same for one file. If that is not what it was before, the number went through hands unseen. And where
 * what is sent through it meets what is received; NULL: nowhere. */
void race_fd_is(int fd, uint64_t file, const void *place);
/* Where that is, as it was told last: *place, if it is there. Nowhere, too, if uses of fd are not recorded. */
enum fd_meeting { FD_NOWHERE, FD_THERE, FD_TO_BE_ASKED } race_fd_meeting(int fd, const void **place);
/* In a forked child, whose only thread calls. */
void race_fds_forked(void);

/* What was done at a use that has pc in the place of a program counter; NULL: pc is no such mark. */
const char *race_fd_text(uintptr_t pc);
/* Whether addr stands for a descriptor, and where that was opened (epoch 0: not known). */
bool race_fd_find(uintptr_t addr, int *fd, struct race_side *opened);

#endif
