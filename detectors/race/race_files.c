/* Files and directories by name: paths that are read, what is told of them. (Descriptors: race_io.c; streams: race_stdio.c.) */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <wordexp.h>

#include "race_calls.h"
#include "race_io.h"

/* ---- what a file is ---- */

#define STAT(suffix) \
    CALL(int, stat##suffix, (const char *path, struct stat##suffix *s), (path, s), TEXT_IN(path), if (r == 0) OUT(s)) \
    CALL(int, lstat##suffix, (const char *path, struct stat##suffix *s), (path, s), TEXT_IN(path), if (r == 0) OUT(s)) \
    CALL(int, fstat##suffix, (int fd, struct stat##suffix *s), (fd, s), race_fd_use(fd, FD_STAT, pc), if (r == 0) OUT(s)) \
    CALL(int, fstatat##suffix, (int dir, const char *path, struct stat##suffix *s, int flags), (dir, path, s, flags), TEXT_IN(path), if (r == 0) OUT(s)) \
    CALL(int, statfs##suffix, (const char *path, struct statfs##suffix *s), (path, s), TEXT_IN(path), if (r == 0) OUT(s)) \
    CALL(int, fstatfs##suffix, (int fd, struct statfs##suffix *s), (fd, s), , if (r == 0) OUT(s)) \
    CALL(int, statvfs##suffix, (const char *path, struct statvfs##suffix *s), (path, s), TEXT_IN(path), if (r == 0) OUT(s)) \
    CALL(int, fstatvfs##suffix, (int fd, struct statvfs##suffix *s), (fd, s), , if (r == 0) OUT(s))
STAT()
STAT(64)
CALL(int, statx, (int dir, const char *path, int flags, unsigned mask, struct statx *s), (dir, path, flags, mask, s), TEXT_IN(path), if (r == 0) OUT(s))

/* ---- one path, two paths ---- */

#define PATH(T, name, parameters, arguments) CALL(T, name, parameters, arguments, TEXT_IN(path), )
PATH(int, access, (const char *path, int mode), (path, mode))
PATH(int, faccessat, (int dir, const char *path, int mode, int flags), (dir, path, mode, flags))
PATH(int, chdir, (const char *path), (path))
PATH(int, chmod, (const char *path, mode_t mode), (path, mode))
PATH(int, fchmodat, (int dir, const char *path, mode_t mode, int flags), (dir, path, mode, flags))
PATH(int, chown, (const char *path, uid_t u, gid_t g), (path, u, g))
PATH(int, lchown, (const char *path, uid_t u, gid_t g), (path, u, g))
PATH(int, mkdir, (const char *path, mode_t mode), (path, mode))
PATH(int, mkdirat, (int dir, const char *path, mode_t mode), (dir, path, mode))
PATH(int, mkfifo, (const char *path, mode_t mode), (path, mode))
PATH(int, remove, (const char *path), (path))
PATH(int, rmdir, (const char *path), (path))
PATH(int, truncate, (const char *path, off_t n), (path, n))
PATH(int, truncate64, (const char *path, off_t n), (path, n))
PATH(int, unlink, (const char *path), (path))
PATH(int, unlinkat, (int dir, const char *path, int flags), (dir, path, flags))
PATH(int, inotify_add_watch, (int fd, const char *path, uint32_t mask), (fd, path, mask))
PATH(long, pathconf, (const char *path, int name), (path, name))

CALL(int, utimensat, (int dir, const char *path, const struct timespec times[2], int flags), (dir, path, times, flags),
     ALL(TEXT_IN(path), reads_given(times, 2 * sizeof times[0], pc)), )
CALL(int, futimens, (int fd, const struct timespec times[2]), (fd, times), reads_given(times, 2 * sizeof times[0], pc), )

#define PATHS(name, parameters, arguments) CALL(int, name, parameters, arguments, ALL(TEXT_IN(from), TEXT_IN(to)), )
PATHS(link, (const char *from, const char *to), (from, to))
PATHS(linkat, (int a, const char *from, int b, const char *to, int flags), (a, from, b, to, flags))
PATHS(rename, (const char *from, const char *to), (from, to))
PATHS(renameat, (int a, const char *from, int b, const char *to), (a, from, b, to))
PATHS(renameat2, (int a, const char *from, int b, const char *to, unsigned flags), (a, from, b, to, flags))
PATHS(symlink, (const char *from, const char *to), (from, to))
PATHS(symlinkat, (const char *from, int b, const char *to), (from, b, to))

/* ---- paths that are told ---- */

#define TOLD if (r > 0) writes(to, (size_t)r, pc)
CALL(ssize_t, readlink, (const char *path, char *to, size_t n), (path, to, n), TEXT_IN(path), TOLD)
CALL(ssize_t, readlinkat, (int dir, const char *path, char *to, size_t n), (dir, path, to, n), TEXT_IN(path), TOLD)
CALL(ssize_t, __readlink_chk, (const char *path, char *to, size_t n, size_t room), (path, to, n, room), TEXT_IN(path), TOLD)
CALL(ssize_t, __readlinkat_chk, (int dir, const char *path, char *to, size_t n, size_t room), (dir, path, to, n, room), TEXT_IN(path), TOLD)
#define VALUE if (r > 0 && n > 0) writes(to, (size_t)r, pc)
CALL(ssize_t, getxattr, (const char *path, const char *name, void *to, size_t n), (path, name, to, n), ALL(TEXT_IN(path), TEXT_IN(name)), VALUE)
CALL(ssize_t, lgetxattr, (const char *path, const char *name, void *to, size_t n), (path, name, to, n), ALL(TEXT_IN(path), TEXT_IN(name)), VALUE)
CALL(ssize_t, fgetxattr, (int fd, const char *name, void *to, size_t n), (fd, name, to, n), TEXT_IN(name), VALUE)
CALL(ssize_t, listxattr, (const char *path, char *to, size_t n), (path, to, n), TEXT_IN(path), VALUE)
CALL(ssize_t, llistxattr, (const char *path, char *to, size_t n), (path, to, n), TEXT_IN(path), VALUE)
CALL(ssize_t, flistxattr, (int fd, char *to, size_t n), (fd, to, n), , VALUE)
CALL(int, setxattr, (const char *path, const char *name, const void *v, size_t n, int flags), (path, name, v, n, flags),
     ALL(TEXT_IN(path), ALL(TEXT_IN(name), reads(v, n, pc))), )
CALL(int, fsetxattr, (int fd, const char *name, const void *v, size_t n, int flags), (fd, name, v, n, flags), ALL(TEXT_IN(name), reads(v, n, pc)), )

/* In a place of the caller's, or in a new block. */
#define MADE(name, parameters, arguments, before) \
    CALL(char *, name, parameters, arguments, ALL(before, race_malloc_for = pc), ALL(race_malloc_for = 0, TEXT_OUT(r)))
MADE(realpath, (const char *path, char *to), (path, to), TEXT_IN(path))
MADE(__realpath_chk, (const char *path, char *to, size_t room), (path, to, room), TEXT_IN(path))
MADE(canonicalize_file_name, (const char *path), (path), TEXT_IN(path))
MADE(getcwd, (char *to, size_t n), (to, n), )
MADE(__getcwd_chk, (char *to, size_t n, size_t room), (to, n, room), )
MADE(get_current_dir_name, (void), (), )

CALL(int, mkstemp, (char *path), (path), , if (race_fd_opened(r, pc) >= 0) TEXT_OUT(path))
CALL(int, mkstemp64, (char *path), (path), , if (race_fd_opened(r, pc) >= 0) TEXT_OUT(path))
CALL(int, mkostemp, (char *path, int flags), (path, flags), , if (race_fd_opened(r, pc) >= 0) TEXT_OUT(path))
CALL(char *, mkdtemp, (char *path), (path), , TEXT_OUT(r))
CALL(int, ttyname_r, (int fd, char *to, size_t n), (fd, to, n), , if (r == 0) TEXT_OUT(to))
CALL(int, __ttyname_r_chk, (int fd, char *to, size_t n, size_t room), (fd, to, n, room), , if (r == 0) TEXT_OUT(to))
CALL(int, ptsname_r, (int fd, char *to, size_t n), (fd, to, n), , if (r == 0) TEXT_OUT(to))
CALL(int, __ptsname_r_chk, (int fd, char *to, size_t n, size_t room), (fd, to, n, room), , if (r == 0) TEXT_OUT(to))

/* ---- directories. An entry lies in the stream's own buffer: it is written when it is told, and is the reader's until the next ---- */

CALL(DIR *, opendir, (const char *path), (path), TEXT_IN(path), if (r) race_fd_opened(dirfd(r), pc))
CALL(int, closedir, (DIR *d), (d), race_io_closes(d ? dirfd(d) : -1, pc), )
CALL(struct dirent *, readdir, (DIR *d), (d), , if (r) writes(r, r->d_reclen, pc))
CALL(struct dirent64 *, readdir64, (DIR *d), (d), , if (r) writes(r, r->d_reclen, pc))
CALL(int, readdir_r, (DIR *d, struct dirent *to, struct dirent **result), (d, to, result), ,
     if (r == 0) ALL(OUT(result), if (*result) writes(to, to->d_reclen, pc)))
CALL(int, readdir64_r, (DIR *d, struct dirent64 *to, struct dirent64 **result), (d, to, result), ,
     if (r == 0) ALL(OUT(result), if (*result) writes(to, to->d_reclen, pc)))

#define SCANDIR(name, T) \
    int __real_##name(const char *path, T ***list, int (*filter)(const T *), int (*compare)(const T **, const T **)); \
    int __wrap_##name(const char *path, T ***list, int (*filter)(const T *), int (*compare)(const T **, const T **)) \
    { \
        const uintptr_t pc = PC; \
        TEXT_IN(path); \
        int n = __real_##name(path, list, filter, compare); \
        if (n < 0) \
            return n; \
        OUT(list); \
        writes(*list, (size_t)n * sizeof **list, pc); \
        for (int i = 0; i < n; i++) \
            writes((*list)[i], (*list)[i]->d_reclen, pc); \
        return n; \
    }
SCANDIR(scandir, struct dirent)
SCANDIR(scandir64, struct dirent64)

/* A list of n texts, after `from` places that were left free. */
static void listed(char *const *list, size_t from, size_t n, uintptr_t pc)
{
    writes_given(list, (from + n + 1) * sizeof *list, pc);
    for (size_t i = 0; list && i < n; i++)
        TEXT_OUT(list[from + i]);
}

static void globbed(const glob_t *g, int flags, uintptr_t pc)
{
    OUT(g);
    listed(g->gl_pathv, flags & GLOB_DOOFFS ? g->gl_offs : 0, g->gl_pathc, pc);
}
CALL(int, glob, (const char *path, int flags, int (*failed)(const char *, int), glob_t *g), (path, flags, failed, g), TEXT_IN(path),
     if (r == 0 || r == GLOB_NOMATCH) globbed(g, flags, pc))
CALL(int, glob64, (const char *path, int flags, int (*failed)(const char *, int), glob_t *g), (path, flags, failed, g), TEXT_IN(path),
     if (r == 0 || r == GLOB_NOMATCH) globbed(g, flags, pc))
WAITS(int, wordexp, (const char *words, wordexp_t *w, int flags), (words, w, flags), TEXT_IN(words),
      if (r == 0) ALL(OUT(w), listed(w->we_wordv, flags & WRDE_DOOFFS ? w->we_offs : 0, w->we_wordc, pc)))
CALL(int, ftw, (const char *path, __ftw_func_t fn, int n), (path, fn, n), TEXT_IN(path), )
CALL(int, nftw, (const char *path, __nftw_func_t fn, int n, int flags), (path, fn, n, flags), TEXT_IN(path), )

/* ---- descriptors without a path ---- */

#define ON(T, name, parameters, arguments, use) WAITS(T, name, parameters, arguments, race_fd_use(fd, use, pc), )
ON(off_t, lseek, (int fd, off_t at, int whence), (fd, at, whence), FD_SEEK)
ON(off64_t, lseek64, (int fd, off64_t at, int whence), (fd, at, whence), FD_SEEK)
ON(int, ftruncate, (int fd, off_t n), (fd, n), FD_SIZE)
ON(int, ftruncate64, (int fd, off64_t n), (fd, n), FD_SIZE)
ON(int, fsync, (int fd), (fd), FD_SYNC)
ON(int, fdatasync, (int fd), (fd), FD_SYNC)

CALL(int, memfd_create, (const char *name, unsigned flags), (name, flags), TEXT_IN(name), race_fd_opened(r, pc))
CALL(int, inotify_init, (void), (), , race_fd_opened(r, pc))
CALL(int, inotify_init1, (int flags), (flags), , race_fd_opened(r, pc))
