/* Functions of libc on the process and its surroundings: signals, children, users, limits, the environment, messages; and a few that fit nowhere else. */
#define _GNU_SOURCE
#include <aio.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <grp.h>
#include <iconv.h>
#include <math.h>
#include <mqueue.h>
#include <pthread.h>
#include <pwd.h>
#include <regex.h>
#include <sched.h>
#include <search.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/signalfd.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "race_calls.h"
#include "race_io.h"
#include "race_signal.h"

/* ---- signals (sigaction, signal: race_signal.c) ---- */

/* What was deferred came before the call: it is not for another mask to hold it up, or for sigwait to find. */
#define BY_SIGNALS(T, name, parameters, arguments, before, after) \
    CALL_BY(T, name, parameters, before, BLOCKING((race_signals_first(), __real_##name arguments)), after)
CALL(int, sigemptyset, (sigset_t *set), (set), , OUT(set))
CALL(int, sigfillset, (sigset_t *set), (set), , OUT(set))
CALL(int, sigaddset, (sigset_t *set, int s), (set, s), , if (r == 0) OUT(set))
CALL(int, sigdelset, (sigset_t *set, int s), (set, s), , if (r == 0) OUT(set))
CALL(int, sigandset, (sigset_t *to, const sigset_t *a, const sigset_t *b), (to, a, b), ALL(IN(a), IN(b)), OUT(to))
CALL(int, sigorset, (sigset_t *to, const sigset_t *a, const sigset_t *b), (to, a, b), ALL(IN(a), IN(b)), OUT(to))
CALL(int, sigismember, (const sigset_t *set, int s), (set, s), IN(set), )
BY_SIGNALS(int, sigprocmask, (int how, const sigset_t *new, sigset_t *old), (how, new, old), IN(new), if (r == 0) OUT(old))
BY_SIGNALS(int, pthread_sigmask, (int how, const sigset_t *new, sigset_t *old), (how, new, old), IN(new), if (r == 0) OUT(old))
CALL(int, sigpending, (sigset_t *set), (set), , if (r == 0) OUT(set))
CALL(int, sigaltstack, (const stack_t *new, stack_t *old), (new, old), IN(new), if (r == 0) OUT(old))
BY_SIGNALS(int, sigsuspend, (const sigset_t *set), (set), IN(set), )

int __real_clock_gettime(clockid_t c, struct timespec *t);
int __real_sigwaitinfo(const sigset_t *set, siginfo_t *info);
int __real_sigtimedwait(const sigset_t *set, siginfo_t *info, const struct timespec *t);

/* What is left now of t that began then. */
static struct timespec rest_of(const struct timespec *t, const struct timespec *begin)
{
    struct timespec now;
    __real_clock_gettime(CLOCK_MONOTONIC, &now);
    struct timespec left = {t->tv_sec - (now.tv_sec - begin->tv_sec), t->tv_nsec - (now.tv_nsec - begin->tv_nsec)};
    for (; left.tv_nsec < 0; left.tv_sec--)
        left.tv_nsec += 1000000000;
    for (; left.tv_nsec >= 1000000000; left.tv_sec++)
        left.tv_nsec -= 1000000000;
    return left.tv_sec < 0 ? (struct timespec){0, 0} : left;
}

/* What came while the signal was not blocked yet, and was deferred, is waited for like any other; what its timer sends is no signal of the program's.
 * t: NULL: without end. */
static int wait_for_signal(const sigset_t *set, siginfo_t *info, const struct timespec *t)
{
    siginfo_t got;
    struct timespec begin, left = t ? *t : (struct timespec){0, 0};
    if (t)
        __real_clock_gettime(CLOCK_MONOTONIC, &begin);
    for (;;) {
        race_signals_first();
        int s = set ? signal_take_deferred(set, &got) : 0;
        if (s == 0) {
            s = t ? __real_sigtimedwait(set, &got, &left) : __real_sigwaitinfo(set, &got);
            if (s > 0 && !signal_is_for_waiter(&got)) {
                left = t ? rest_of(t, &begin) : left;
                continue;
            }
        }
        if (s > 0 && info)
            *info = got;
        return s;
    }
}

static int wait_for_one(const sigset_t *set, int *s)
{
    int r;
    while ((r = wait_for_signal(set, NULL, NULL)) < 0 && errno == EINTR)
        continue;
    if (r > 0)
        *s = r;
    return r > 0 ? 0 : errno;
}

CALL_BY(int, sigwait, (const sigset_t *set, int *s), IN(set), BLOCKING(wait_for_one(set, s)), if (r == 0) OUT(s))
CALL_BY(int, sigwaitinfo, (const sigset_t *set, siginfo_t *info), IN(set), BLOCKING(wait_for_signal(set, info, NULL)), if (r > 0) OUT(info))
CALL_BY(int, sigtimedwait, (const sigset_t *set, siginfo_t *info, const struct timespec *t), ALL(IN(set), IN(t)), BLOCKING(wait_for_signal(set, info, t)),
        if (r > 0) OUT(info))
CALL(int, signalfd, (int fd, const sigset_t *set, int flags), (fd, set, flags), IN(set), if (fd < 0) race_fd_opened(r, pc))

/* ---- children ---- */

WAITS(pid_t, wait, (int *status), (status), , if (r > 0) OUT(status))
WAITS(pid_t, waitpid, (pid_t pid, int *status, int flags), (pid, status, flags), , if (r > 0) OUT(status))
WAITS(pid_t, wait3, (int *status, int flags, struct rusage *u), (status, flags, u), , if (r > 0) ALL(OUT(status), OUT(u)))
WAITS(pid_t, wait4, (pid_t pid, int *status, int flags, struct rusage *u), (pid, status, flags, u), , if (r > 0) ALL(OUT(status), OUT(u)))
WAITS(int, waitid, (idtype_t type, id_t id, siginfo_t *info, int flags), (type, id, info, flags), , if (r == 0) OUT(info))
WAITS(int, system, (const char *command), (command), TEXT_IN(command), )

static void reads_texts(char *const *list, uintptr_t pc)
{
    for (; list && *list; list++) {
        IN(list);
        TEXT_IN(*list);
    }
    IN(list);
}
#define SPAWN(name) \
    CALL(int, name, \
         (pid_t *pid, const char *path, const posix_spawn_file_actions_t *fa, const posix_spawnattr_t *attr, char *const *argv, char *const *envp), \
         (pid, path, fa, attr, argv, envp), ALL(TEXT_IN(path), ALL(reads_texts(argv, pc), reads_texts(envp, pc))), if (r == 0) OUT(pid))
SPAWN(posix_spawn)
SPAWN(posix_spawnp)
CALL(int, execve, (const char *path, char *const *argv, char *const *envp), (path, argv, envp),
     ALL(TEXT_IN(path), ALL(reads_texts(argv, pc), reads_texts(envp, pc))), )
CALL(int, execv, (const char *path, char *const *argv), (path, argv), ALL(TEXT_IN(path), reads_texts(argv, pc)), )
CALL(int, execvp, (const char *path, char *const *argv), (path, argv), ALL(TEXT_IN(path), reads_texts(argv, pc)), )

/* ---- users, groups, limits, the machine ---- */

CALL(int, getresuid, (uid_t *a, uid_t *b, uid_t *c), (a, b, c), , if (r == 0) ALL(OUT(a), ALL(OUT(b), OUT(c))))
CALL(int, getresgid, (gid_t *a, gid_t *b, gid_t *c), (a, b, c), , if (r == 0) ALL(OUT(a), ALL(OUT(b), OUT(c))))
CALL(int, getgroups, (int n, gid_t *to), (n, to), , if (r > 0 && n > 0) writes(to, (size_t)r * sizeof *to, pc))
CALL(int, __getgroups_chk, (int n, gid_t *to, size_t room), (n, to, room), , if (r > 0 && n > 0) writes(to, (size_t)r * sizeof *to, pc))
CALL(int, getgrouplist, (const char *user, gid_t g, gid_t *to, int *n), (user, g, to, n), ALL(TEXT_IN(user), IN(n)), \
     ALL(OUT(n), if (r > 0) writes(to, (size_t)r * sizeof *to, pc)))

static void told_user(const struct passwd *p, uintptr_t pc)
{
    if (!p)
        return;
    OUT(p);
    const char *const texts[] = {p->pw_name, p->pw_passwd, p->pw_gecos, p->pw_dir, p->pw_shell};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        TEXT_OUT(texts[i]);
}
static void told_group(const struct group *g, uintptr_t pc)
{
    if (!g)
        return;
    OUT(g);
    TEXT_OUT(g->gr_name);
    TEXT_OUT(g->gr_passwd);
    for (char **m = g->gr_mem; m && *m; m++)
        TEXT_OUT(*m);
}
#define WHO(kind, T, name, parameters, arguments, before) \
    WAITS(int, name, parameters, arguments, before, ALL(OUT(result), if (r == 0) told_##kind(*result, pc)))
WHO(user, struct passwd, getpwnam_r, (const char *name, struct passwd *p, char *b, size_t n, struct passwd **result), (name, p, b, n, result), TEXT_IN(name))
WHO(user, struct passwd, getpwuid_r, (uid_t id, struct passwd *p, char *b, size_t n, struct passwd **result), (id, p, b, n, result), )
WHO(group, struct group, getgrnam_r, (const char *name, struct group *g, char *b, size_t n, struct group **result), (name, g, b, n, result), TEXT_IN(name))
WHO(group, struct group, getgrgid_r, (gid_t id, struct group *g, char *b, size_t n, struct group **result), (id, g, b, n, result), )
WAITS(struct passwd *, getpwnam, (const char *name), (name), TEXT_IN(name), told_user(r, pc))   /* in one place of libc's, for all */
WAITS(struct passwd *, getpwuid, (uid_t id), (id), , told_user(r, pc))
WAITS(struct group *, getgrnam, (const char *name), (name), TEXT_IN(name), told_group(r, pc))
WAITS(struct group *, getgrgid, (gid_t id), (id), , told_group(r, pc))
WAITS(struct passwd *, getpwent, (void), (), , told_user(r, pc))
WAITS(struct group *, getgrent, (void), (), , told_group(r, pc))
WHO(user, struct passwd, getpwent_r, (struct passwd *p, char *b, size_t n, struct passwd **result), (p, b, n, result), )
WHO(group, struct group, getgrent_r, (struct group *g, char *b, size_t n, struct group **result), (g, b, n, result), )
WHO(user, struct passwd, fgetpwent_r, (FILE *f, struct passwd *p, char *b, size_t n, struct passwd **result), (f, p, b, n, result), )
WHO(group, struct group, fgetgrent_r, (FILE *f, struct group *g, char *b, size_t n, struct group **result), (f, g, b, n, result), )
WAITS(struct passwd *, fgetpwent, (FILE *f), (f), , told_user(r, pc))
WAITS(struct group *, fgetgrent, (FILE *f), (f), , told_group(r, pc))

CALL(int, getrlimit, (__rlimit_resource_t what, struct rlimit *l), (what, l), , if (r == 0) OUT(l))
CALL(int, getrlimit64, (__rlimit_resource_t what, struct rlimit64 *l), (what, l), , if (r == 0) OUT(l))
CALL(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *l), (what, l), IN(l), )
CALL(int, setrlimit64, (__rlimit_resource_t what, const struct rlimit64 *l), (what, l), IN(l), )
CALL(int, sysinfo, (struct sysinfo *to), (to), , if (r == 0) OUT(to))
CALL(int, uname, (struct utsname *to), (to), , if (r >= 0) OUT(to))
CALL(int, getloadavg, (double *to, int n), (to, n), , if (r > 0) writes(to, (size_t)r * sizeof *to, pc))
CALL(int, gethostname, (char *to, size_t n), (to, n), , if (r == 0) writes(to, __real_strnlen(to, n), pc))
CALL(int, __gethostname_chk, (char *to, size_t n, size_t room), (to, n, room), , if (r == 0) writes(to, __real_strnlen(to, n), pc))
CALL(int, getlogin_r, (char *to, size_t n), (to, n), , if (r == 0) TEXT_OUT(to))
CALL(int, __getlogin_r_chk, (char *to, size_t n, size_t room), (to, n, room), , if (r == 0) TEXT_OUT(to))
CALL(size_t, confstr, (int name, char *to, size_t n), (name, to, n), , if (r && to) writes(to, r < n ? r : n, pc))
CALL(size_t, __confstr_chk, (int name, char *to, size_t n, size_t room), (name, to, n, room), , if (r && to) writes(to, r < n ? r : n, pc))
CALL(int, sched_getaffinity, (pid_t pid, size_t n, cpu_set_t *to), (pid, n, to), , if (r == 0) writes(to, n, pc))
CALL(int, sched_setaffinity, (pid_t pid, size_t n, const cpu_set_t *from), (pid, n, from), reads(from, n, pc), )
CALL(int, pthread_getaffinity_np, (pthread_t t, size_t n, cpu_set_t *to), (t, n, to), , if (r == 0) writes(to, n, pc))
CALL(int, pthread_setaffinity_np, (pthread_t t, size_t n, const cpu_set_t *from), (t, n, from), reads(from, n, pc), )
CALL(int, pthread_getname_np, (pthread_t t, char *to, size_t n), (t, to, n), , if (r == 0) TEXT_OUT(to))
CALL(int, pthread_setname_np, (pthread_t t, const char *name), (t, name), TEXT_IN(name), )
CALL(int, pthread_getschedparam, (pthread_t t, int *policy, struct sched_param *p), (t, policy, p), , if (r == 0) ALL(OUT(policy), OUT(p)))
CALL(int, sem_getvalue, (sem_t *s, int *v), (s, v), , if (r == 0) OUT(v))
CALL(ssize_t, getrandom, (void *to, size_t n, unsigned flags), (to, n, flags), , if (r > 0) writes(to, (size_t)r, pc))
CALL(int, getentropy, (void *to, size_t n), (to, n), , if (r == 0) writes(to, n, pc))

/* ---- the environment: one variable, which who changes writes and who asks reads ---- */

#define ENV &environ
CALL(char *, getenv, (const char *name), (name), ALL(TEXT_IN(name), IN(ENV)), )
CALL(char *, secure_getenv, (const char *name), (name), ALL(TEXT_IN(name), IN(ENV)), )
CALL(int, setenv, (const char *name, const char *value, int over), (name, value, over), ALL(TEXT_IN(name), ALL(TEXT_IN(value), OUT(ENV))), )
CALL(int, putenv, (char *text), (text), ALL(TEXT_IN(text), OUT(ENV)), )
CALL(int, unsetenv, (const char *name), (name), ALL(TEXT_IN(name), OUT(ENV)), )
CALL(int, clearenv, (void), (), OUT(ENV), )

/* ---- control of descriptors: the requests with memory of a size that is known ---- */

int __real_ioctl(int fd, unsigned long request, void *p);
int __wrap_ioctl(int fd, unsigned long request, void *p)   /* variadic to the caller: the same registers */
{
    const uintptr_t pc = PC;
    if (request == FIONBIO || request == FIOASYNC)
        reads(p, sizeof(int), pc);
    else if (request == TIOCSWINSZ)
        reads(p, sizeof(struct winsize), pc);
    race_fd_use(fd, FD_IOCTL, pc);
    int r = BLOCKING(__real_ioctl(fd, request, p));
    if (r >= 0 && (request == FIONREAD || request == TIOCOUTQ))
        writes(p, sizeof(int), pc);
    else if (r >= 0 && request == TIOCGWINSZ)
        writes(p, sizeof(struct winsize), pc);
    return r;
}

#define FCNTL(name) \
    int __real_##name(int fd, int command, void *p); \
    int __wrap_##name(int fd, int command, void *p) \
    { \
        const uintptr_t pc = PC; \
        bool locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK || command == F_OFD_SETLKW; \
        if (locks) \
            reads(p, sizeof(struct flock), pc); \
        if (command != F_GETFD && command != F_SETFD && command != F_GETFL)   /* by which programs ask whether it is open, or go through all numbers */ \
            race_fd_use(fd, command == F_DUPFD || command == F_DUPFD_CLOEXEC ? FD_DUP : FD_FCNTL, pc); \
        int r = BLOCKING(__real_##name(fd, command, p)); \
        if (r >= 0 && (command == F_GETLK || command == F_OFD_GETLK)) \
            writes(p, sizeof(struct flock), pc); \
        else if (command == F_DUPFD || command == F_DUPFD_CLOEXEC) \
            race_fd_opened(r, pc); \
        return r; \
    }
FCNTL(fcntl)
FCNTL(fcntl64)
CALL(int, tcgetattr, (int fd, struct termios *t), (fd, t), , if (r == 0) OUT(t))
CALL(int, tcsetattr, (int fd, int how, const struct termios *t), (fd, how, t), IN(t), )

/* ---- queues and semaphores of System V, queues of POSIX: what is sent or given back happens before what is received or taken ---- */

enum { QUEUES = 1 << 10 };
static uint64_t queues[QUEUES], sets[QUEUES], mail;   /* only their addresses; POSIX queues are all alike */

static void gives(uint64_t *place) { race_release_merge(race_cur(), place); }
static void gets(uint64_t *place) { race_acquire(race_cur(), place); }

WAITS(int, msgsnd, (int id, const void *m, size_t n, int flags), (id, m, n, flags),
      ALL(reads(m, sizeof(long) + n, pc), gives(&queues[(unsigned)id % QUEUES])), )
WAITS(ssize_t, msgrcv, (int id, void *m, size_t n, long type, int flags), (id, m, n, type, flags), ,
      if (r >= 0) ALL(gets(&queues[(unsigned)id % QUEUES]), writes(m, sizeof(long) + (size_t)r, pc)))
WAITS(int, semop, (int id, struct sembuf *ops, size_t n), (id, ops, n), ALL(reads(ops, n * sizeof *ops, pc), gives(&sets[(unsigned)id % QUEUES])),
      if (r == 0) gets(&sets[(unsigned)id % QUEUES]))
WAITS(int, semtimedop, (int id, struct sembuf *ops, size_t n, const struct timespec *t), (id, ops, n, t),
      ALL(reads(ops, n * sizeof *ops, pc), gives(&sets[(unsigned)id % QUEUES])), if (r == 0) gets(&sets[(unsigned)id % QUEUES]))
WAITS(int, mq_send, (mqd_t q, const char *m, size_t n, unsigned priority), (q, m, n, priority), ALL(reads(m, n, pc), gives(&mail)), )
WAITS(int, mq_timedsend, (mqd_t q, const char *m, size_t n, unsigned priority, const struct timespec *t), (q, m, n, priority, t),
      ALL(reads(m, n, pc), gives(&mail)), )
WAITS(ssize_t, mq_receive, (mqd_t q, char *m, size_t n, unsigned *priority), (q, m, n, priority), ,
      if (r >= 0) ALL(gets(&mail), ALL(writes(m, (size_t)r, pc), OUT(priority))))
WAITS(ssize_t, mq_timedreceive, (mqd_t q, char *m, size_t n, unsigned *priority, const struct timespec *t), (q, m, n, priority, t), ,
      if (r >= 0) ALL(gets(&mail), ALL(writes(m, (size_t)r, pc), OUT(priority))))

CALL(int, mq_notify, (mqd_t q, const struct sigevent *event), (q, event), threads_may_follow(), )

/* ---- what goes on in a thread of libc's own: its accesses are not seen, what it calls at the end is ---- */

CALL(int, aio_read, (struct aiocb *a), (a), threads_may_follow(), )
CALL(int, aio_read64, (struct aiocb64 *a), (a), threads_may_follow(), )
CALL(int, aio_write, (struct aiocb *a), (a), threads_may_follow(), )
CALL(int, aio_write64, (struct aiocb64 *a), (a), threads_may_follow(), )
CALL(int, aio_fsync, (int how, struct aiocb *a), (how, a), threads_may_follow(), )
CALL(int, aio_fsync64, (int how, struct aiocb64 *a), (how, a), threads_may_follow(), )
WAITS(int, lio_listio, (int mode, struct aiocb *const list[], int n, struct sigevent *event), (mode, list, n, event), threads_may_follow(), )
WAITS(int, lio_listio64, (int mode, struct aiocb64 *const list[], int n, struct sigevent *event), (mode, list, n, event), threads_may_follow(), )

/* ---- attributes of threads, locks and conditions ---- */

#define ATTRIBUTE(name, A, T) CALL(int, name, (const A *from, T *to), (from, to), IN(from), if (r == 0) OUT(to))
ATTRIBUTE(pthread_attr_getdetachstate, pthread_attr_t, int)
ATTRIBUTE(pthread_attr_getguardsize, pthread_attr_t, size_t)
ATTRIBUTE(pthread_attr_getinheritsched, pthread_attr_t, int)
ATTRIBUTE(pthread_attr_getschedparam, pthread_attr_t, struct sched_param)
ATTRIBUTE(pthread_attr_getschedpolicy, pthread_attr_t, int)
ATTRIBUTE(pthread_attr_getscope, pthread_attr_t, int)
ATTRIBUTE(pthread_attr_getstacksize, pthread_attr_t, size_t)
ATTRIBUTE(pthread_mutexattr_getprioceiling, pthread_mutexattr_t, int)
ATTRIBUTE(pthread_mutexattr_getprotocol, pthread_mutexattr_t, int)
ATTRIBUTE(pthread_mutexattr_getpshared, pthread_mutexattr_t, int)
ATTRIBUTE(pthread_mutexattr_getrobust, pthread_mutexattr_t, int)
ATTRIBUTE(pthread_mutexattr_gettype, pthread_mutexattr_t, int)
ATTRIBUTE(pthread_rwlockattr_getkind_np, pthread_rwlockattr_t, int)
ATTRIBUTE(pthread_rwlockattr_getpshared, pthread_rwlockattr_t, int)
ATTRIBUTE(pthread_condattr_getclock, pthread_condattr_t, clockid_t)
ATTRIBUTE(pthread_condattr_getpshared, pthread_condattr_t, int)
ATTRIBUTE(pthread_barrierattr_getpshared, pthread_barrierattr_t, int)
CALL(int, pthread_attr_getstack, (const pthread_attr_t *from, void **lo, size_t *n), (from, lo, n), IN(from), if (r == 0) ALL(OUT(lo), OUT(n)))
CALL(int, pthread_attr_getaffinity_np, (const pthread_attr_t *from, size_t n, cpu_set_t *to), (from, n, to), IN(from), if (r == 0) writes(to, n, pc))
CALL(int, pthread_getcpuclockid, (pthread_t t, clockid_t *to), (t, to), , if (r == 0) OUT(to))
CALL(int, clock_getcpuclockid, (pid_t pid, clockid_t *to), (pid, to), , if (r == 0) OUT(to))
/* Before the call: the thread may end in it. */
CALL(int, pthread_setcancelstate, (int state, int *old), (state, old), OUT(old), )
CALL(int, pthread_setcanceltype, (int type, int *old), (type, old), ALL(OUT(old), if (type == PTHREAD_CANCEL_ASYNCHRONOUS) race_signal_cancels()), )
CALL(int, sched_getparam, (pid_t pid, struct sched_param *to), (pid, to), , if (r == 0) OUT(to))

/* ---- patterns, character sets, numbers, trees ---- */

CALL(int, fnmatch, (const char *pattern, const char *s, int flags), (pattern, s, flags), ALL(TEXT_IN(pattern), TEXT_IN(s)), )
CALL(int, regcomp, (regex_t *re, const char *pattern, int flags), (re, pattern, flags), TEXT_IN(pattern), OUT(re))
CALL(int, regexec, (const regex_t *re, const char *s, size_t n, regmatch_t *match, int flags), (re, s, n, match, flags),
     ALL(IN(re), if (!(flags & REG_STARTEND)) TEXT_IN(s)), if (r == 0 && !re->no_sub) writes_given(match, n * sizeof *match, pc))
CALL(size_t, regerror, (int e, const regex_t *re, char *to, size_t n), (e, re, to, n), , if (n) writes(to, r < n ? r : n, pc))
CALL(size_t, iconv, (iconv_t cd, char **in, size_t *nin, char **out, size_t *nout), (cd, in, nin, out, nout),
     char *const from = in ? *in : NULL; char *const to = out ? *out : NULL,
     ALL(if (from) ALL(reads(from, (size_t)(*in - from), pc), ALL(OUT(in), OUT(nin))),
         if (to) ALL(writes(to, (size_t)(*out - to), pc), ALL(OUT(out), OUT(nout)))))
CALL(char *, __xpg_basename, (char *path), (path), TEXT_IN(path), )
CALL(char *, dirname, (char *path), (path), TEXT_IN(path), if (path && r == path) writes(path + __real_strlen(path), 1, pc))   /* cut there */
CALL(double, frexp, (double v, int *e), (v, e), , OUT(e))
CALL(float, frexpf, (float v, int *e), (v, e), , OUT(e))
CALL(long double, frexpl, (long double v, int *e), (v, e), , OUT(e))
CALL(double, modf, (double v, double *whole), (v, whole), , OUT(whole))
CALL(float, modff, (float v, float *whole), (v, whole), , OUT(whole))
CALL(long double, modfl, (long double v, long double *whole), (v, whole), , OUT(whole))
CALL(int, rand_r, (unsigned *seed), (seed), , OUT(seed))
CALL(int, random_r, (struct random_data *d, int32_t *to), (d, to), OUT(d), OUT(to))
CALL(int, drand48_r, (struct drand48_data *d, double *to), (d, to), OUT(d), OUT(to))
CALL(int, lrand48_r, (struct drand48_data *d, long *to), (d, to), OUT(d), OUT(to))
CALL(double, erand48, (unsigned short *seed), (seed), writes(seed, 3 * sizeof *seed, pc), )
CALL(long, nrand48, (unsigned short *seed), (seed), writes(seed, 3 * sizeof *seed, pc), )
CALL(long, jrand48, (unsigned short *seed), (seed), writes(seed, 3 * sizeof *seed, pc), )
/* A tree of search.h is one thing with its root: who inserts or deletes writes it. */
CALL(void *, tsearch, (const void *key, void **root, int (*compare)(const void *, const void *)), (key, root, compare), OUT(root), )
CALL(void *, tdelete, (const void *key, void **root, int (*compare)(const void *, const void *)), (key, root, compare), OUT(root), )
CALL(void *, tfind, (const void *key, void *const *root, int (*compare)(const void *, const void *)), (key, root, compare), IN(root), )
