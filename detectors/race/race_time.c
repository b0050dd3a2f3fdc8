/* Functions of libc on time: what they read and write. Those that answer in a place of libc's own (localtime) write there: who reads the answer while another
 * goroutine asks, races. */
#define _GNU_SOURCE
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <time.h>

#include "race_calls.h"
#include "race_io.h"

/* ---- clocks ---- */

CALL(time_t, time, (time_t *t), (t), , OUT(t))
CALL(int, gettimeofday, (struct timeval *t, void *zone), (t, zone), , ALL(OUT(t), writes_given(zone, sizeof(struct timezone), pc)))
CALL(int, clock_gettime, (clockid_t c, struct timespec *t), (c, t), , if (r == 0) OUT(t))
CALL(int, clock_getres, (clockid_t c, struct timespec *t), (c, t), , if (r == 0) OUT(t))
CALL(int, clock_settime, (clockid_t c, const struct timespec *t), (c, t), IN(t), )
CALL(int, timespec_get, (struct timespec *t, int base), (t, base), , if (r) OUT(t))
CALL(clock_t, times, (struct tms *t), (t), , OUT(t))
CALL(int, getrusage, (__rusage_who_t who, struct rusage *u), (who, u), , if (r == 0) OUT(u))

/* ---- calendar ---- */

CALL(struct tm *, gmtime_r, (const time_t *t, struct tm *to), (t, to), IN(t), OUT(r))
CALL(struct tm *, localtime_r, (const time_t *t, struct tm *to), (t, to), IN(t), OUT(r))
CALL(struct tm *, gmtime, (const time_t *t), (t), IN(t), OUT(r))
CALL(struct tm *, localtime, (const time_t *t), (t), IN(t), OUT(r))
CALL(time_t, mktime, (struct tm *tm), (tm), , OUT(tm))
CALL(time_t, timelocal, (struct tm *tm), (tm), , OUT(tm))
CALL(time_t, timegm, (struct tm *tm), (tm), , OUT(tm))
CALL(char *, asctime_r, (const struct tm *tm, char *to), (tm, to), IN(tm), TEXT_OUT(r))
CALL(char *, ctime_r, (const time_t *t, char *to), (t, to), IN(t), TEXT_OUT(r))
CALL(char *, asctime, (const struct tm *tm), (tm), IN(tm), TEXT_OUT(r))
CALL(char *, ctime, (const time_t *t), (t), IN(t), TEXT_OUT(r))
CALL(size_t, strftime, (char *to, size_t room, const char *format, const struct tm *tm), (to, room, format, tm), ALL(TEXT_IN(format), IN(tm)),
     if (r) writes(to, r + 1, pc))
CALL(char *, strptime, (const char *s, const char *format, struct tm *tm), (s, format, tm), TEXT_IN(format),
     ALL(reads(s, r ? (size_t)(r - s) + 1 : 1, pc), if (r) OUT(tm)))

/* ---- sleeping, timers: nothing but time passes ---- */

WAITS(int, nanosleep, (const struct timespec *t, struct timespec *rest), (t, rest), IN(t), if (r != 0) OUT(rest))
WAITS(int, clock_nanosleep, (clockid_t c, int flags, const struct timespec *t, struct timespec *rest), (c, flags, t, rest), IN(t),
      if (r != 0 && !(flags & TIMER_ABSTIME)) OUT(rest))
CALL(int, getitimer, (__itimer_which_t which, struct itimerval *now), (which, now), , if (r == 0) OUT(now))
CALL(int, setitimer, (__itimer_which_t which, const struct itimerval *new, struct itimerval *old), (which, new, old), IN(new), if (r == 0) OUT(old))
CALL(int, timer_create, (clockid_t c, struct sigevent *event, timer_t *id), (c, event, id), threads_may_follow(), if (r == 0) OUT(id))
CALL(int, timer_settime, (timer_t id, int flags, const struct itimerspec *new, struct itimerspec *old), (id, flags, new, old),
     ALL(IN(new), threads_may_follow()), if (r == 0) OUT(old))
CALL(int, timer_gettime, (timer_t id, struct itimerspec *now), (id, now), , if (r == 0) OUT(now))
CALL(int, timerfd_create, (clockid_t c, int flags), (c, flags), , race_fd_opened(r, pc))
CALL(int, timerfd_settime, (int fd, int flags, const struct itimerspec *new, struct itimerspec *old), (fd, flags, new, old),
     ALL(IN(new), ALL(race_fd_use(fd, FD_TIMER, pc), race_io_sends(fd))), if (r == 0) OUT(old))
CALL(int, timerfd_gettime, (int fd, struct itimerspec *now), (fd, now), race_fd_use(fd, FD_TIMER, pc), if (r == 0) OUT(now))
