/* Streams: the buffers and strings that the program passes, and what a stream on a pipe or socket orders. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race_calls.h"
#include "race_format.h"
#include "race_io.h"
#include "race_streams.h"

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* ---- formatting into memory ---- */

int __real_vsnprintf(char *to, size_t room, const char *format, va_list args);
int __real_vsprintf(char *to, const char *format, va_list args);
int __real___vsnprintf_chk(char *to, size_t room, int flag, size_t space, const char *format, va_list args);
int __real___vsprintf_chk(char *to, int flag, size_t space, const char *format, va_list args);

static void format_read(const char *format, va_list args, uintptr_t pc)
{
    va_list copy;
    va_copy(copy, args);
    race_format_printed(format, copy, pc);
    va_end(copy);
}

/* `call` formats n characters into `to`, which has that much room. */
#define INTO(to, room, format, args, call) \
    format_read(format, args, pc); \
    int n = (call); \
    if (n >= 0 && (room) > 0) \
        writes(to, least((size_t)n + 1, room), pc); \
    return n;

static int into_n(char *to, size_t room, const char *format, va_list args, uintptr_t pc)
{
    INTO(to, room, format, args, __real_vsnprintf(to, room, format, args))
}

static int into(char *to, const char *format, va_list args, uintptr_t pc)
{
    INTO(to, SIZE_MAX, format, args, __real_vsprintf(to, format, args))
}

static int into_n_checked(char *to, size_t room, int flag, size_t space, const char *format, va_list args, uintptr_t pc)
{
    INTO(to, room, format, args, __real___vsnprintf_chk(to, room, flag, space, format, args))
}

static int into_checked(char *to, int flag, size_t space, const char *format, va_list args, uintptr_t pc)
{
    INTO(to, SIZE_MAX, format, args, __real___vsprintf_chk(to, flag, space, format, args))
}

WITH_ARGS(snprintf, format, VARIADIC(char *to, size_t room, const char *format), into_n(to, room, format, args, PC))
WITH_ARGS(sprintf, format, VARIADIC(char *to, const char *format), into(to, format, args, PC))
WITH_ARGS(__snprintf_chk, format, VARIADIC(char *to, size_t room, int flag, size_t space, const char *format),
          into_n_checked(to, room, flag, space, format, args, PC))
WITH_ARGS(__sprintf_chk, format, VARIADIC(char *to, int flag, size_t space, const char *format), into_checked(to, flag, space, format, args, PC))

int __wrap_vsnprintf WITH_LIST(char *to, size_t room, const char *format) { return into_n(to, room, format, args, PC); }
int __wrap_vsprintf WITH_LIST(char *to, const char *format) { return into(to, format, args, PC); }
int __wrap___vsnprintf_chk WITH_LIST(char *to, size_t room, int flag, size_t space, const char *format)
{
    return into_n_checked(to, room, flag, space, format, args, PC);
}
int __wrap___vsprintf_chk WITH_LIST(char *to, int flag, size_t space, const char *format) { return into_checked(to, flag, space, format, args, PC); }

/* The result is a block of malloc's. */
int __real_vasprintf(char **to, const char *format, va_list args);
int __real___vasprintf_chk(char **to, int flag, const char *format, va_list args);

static int made(char **to, int n, uintptr_t pc)
{
    race_malloc_for = 0;
    if (n >= 0) {
        writes(to, sizeof *to, pc);
        writes(*to, (size_t)n + 1, pc);
    }
    return n;
}

static int make(char **to, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    race_malloc_for = pc;
    return made(to, __real_vasprintf(to, format, args), pc);
}

static int make_checked(char **to, int flag, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    race_malloc_for = pc;
    return made(to, __real___vasprintf_chk(to, flag, format, args), pc);
}

WITH_ARGS(asprintf, format, VARIADIC(char **to, const char *format), make(to, format, args, PC))
WITH_ARGS(__asprintf_chk, format, VARIADIC(char **to, int flag, const char *format), make_checked(to, flag, format, args, PC))
int __wrap_vasprintf WITH_LIST(char **to, const char *format) { return make(to, format, args, PC); }
int __wrap___vasprintf_chk WITH_LIST(char **to, int flag, const char *format) { return make_checked(to, flag, format, args, PC); }

/* ---- formatting into a stream ---- */

int __real_vfprintf(FILE *f, const char *format, va_list args);
int __real_vdprintf(int fd, const char *format, va_list args);
int __real___vfprintf_chk(FILE *f, int flag, const char *format, va_list args);
int __real___vdprintf_chk(int fd, int flag, const char *format, va_list args);

static int print(FILE *f, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    sends(f, pc);
    return BLOCKING(__real_vfprintf(f, format, args));
}

static int print_checked(FILE *f, int flag, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    sends(f, pc);
    return BLOCKING(__real___vfprintf_chk(f, flag, format, args));
}

static int print_fd(int fd, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    race_fd_use(fd, FD_WRITE, pc);
    race_io_sends(fd);
    return BLOCKING(__real_vdprintf(fd, format, args));
}

static int print_fd_checked(int fd, int flag, const char *format, va_list args, uintptr_t pc)
{
    format_read(format, args, pc);
    race_fd_use(fd, FD_WRITE, pc);
    race_io_sends(fd);
    return BLOCKING(__real___vdprintf_chk(fd, flag, format, args));
}

WITH_ARGS(printf, format, VARIADIC(const char *format), print(stdout, format, args, PC))
WITH_ARGS(fprintf, format, VARIADIC(FILE *f, const char *format), print(f, format, args, PC))
WITH_ARGS(dprintf, format, VARIADIC(int fd, const char *format), print_fd(fd, format, args, PC))
WITH_ARGS(__printf_chk, format, VARIADIC(int flag, const char *format), print_checked(stdout, flag, format, args, PC))
WITH_ARGS(__fprintf_chk, format, VARIADIC(FILE *f, int flag, const char *format), print_checked(f, flag, format, args, PC))
WITH_ARGS(__dprintf_chk, format, VARIADIC(int fd, int flag, const char *format), print_fd_checked(fd, flag, format, args, PC))
int __wrap_vprintf WITH_LIST(const char *format) { return print(stdout, format, args, PC); }
int __wrap_vfprintf WITH_LIST(FILE *f, const char *format) { return print(f, format, args, PC); }
int __wrap_vdprintf WITH_LIST(int fd, const char *format) { return print_fd(fd, format, args, PC); }
int __wrap___vprintf_chk WITH_LIST(int flag, const char *format) { return print_checked(stdout, flag, format, args, PC); }
int __wrap___vfprintf_chk WITH_LIST(FILE *f, int flag, const char *format) { return print_checked(f, flag, format, args, PC); }
int __wrap___vdprintf_chk WITH_LIST(int fd, int flag, const char *format) { return print_fd_checked(fd, flag, format, args, PC); }

/* ---- scanning. C99's and later compilers call the __isoc99_ functions ---- */

static size_t bytes_of(const char *s)
{
    return __real_strlen(s) + 1;
}

static int scanned(const char *format, va_list args, int assigned, uintptr_t pc)
{
    race_format_scanned(format, args, assigned, pc);
    return assigned;
}

SCAN_FAMILY(, , char, bytes_of)
SCAN_FAMILY(__isoc99_, , char, bytes_of)

/* ---- blocks, lines ---- */

static size_t has_read(void *p, size_t n, FILE *f, uintptr_t pc)
{
    received(f);
    writes(p, n, pc);
    return n;
}

size_t __real_fread(void *p, size_t size, size_t k, FILE *f);
size_t __wrap_fread(void *p, size_t size, size_t k, FILE *f)
{
    uses(f, PC);
    size_t got = BLOCKING(__real_fread(p, size, k, f));
    has_read(p, got * size, f, PC);
    return got;
}

size_t __real_fread_unlocked(void *p, size_t size, size_t k, FILE *f);
size_t __wrap_fread_unlocked(void *p, size_t size, size_t k, FILE *f)
{
    uses(f, PC);
    size_t got = BLOCKING(__real_fread_unlocked(p, size, k, f));
    has_read(p, got * size, f, PC);
    return got;
}

size_t __real___fread_chk(void *p, size_t room, size_t size, size_t k, FILE *f);
size_t __wrap___fread_chk(void *p, size_t room, size_t size, size_t k, FILE *f)
{
    uses(f, PC);
    size_t got = BLOCKING(__real___fread_chk(p, room, size, k, f));
    has_read(p, got * size, f, PC);
    return got;
}

size_t __real___fread_unlocked_chk(void *p, size_t room, size_t size, size_t k, FILE *f);
size_t __wrap___fread_unlocked_chk(void *p, size_t room, size_t size, size_t k, FILE *f)
{
    uses(f, PC);
    size_t got = BLOCKING(__real___fread_unlocked_chk(p, room, size, k, f));
    has_read(p, got * size, f, PC);
    return got;
}

#define WRITE_BLOCKS(name) \
    size_t __real_##name(const void *p, size_t size, size_t k, FILE *f); \
    size_t __wrap_##name(const void *p, size_t size, size_t k, FILE *f) \
    { \
        reads(p, size * k, PC); \
        sends(f, PC); \
        return BLOCKING(__real_##name(p, size, k, f)); \
    }
WRITE_BLOCKS(fwrite)
WRITE_BLOCKS(fwrite_unlocked)

char *__real_fgets(char *s, int room, FILE *f);
char *__wrap_fgets(char *s, int room, FILE *f)
{
    uses(f, PC);
    char *line = BLOCKING(__real_fgets(s, room, f));
    if (line)
        has_read(s, __real_strlen(s) + 1, f, PC);
    return line;
}

char *__real___fgets_chk(char *s, size_t space, int room, FILE *f);
char *__wrap___fgets_chk(char *s, size_t space, int room, FILE *f)
{
    uses(f, PC);
    char *line = BLOCKING(__real___fgets_chk(s, space, room, f));
    if (line)
        has_read(s, __real_strlen(s) + 1, f, PC);
    return line;
}

WAITS(char *, fgets_unlocked, (char *s, int room, FILE *f), (s, room, f), uses(f, pc), if (r) has_read(s, __real_strlen(s) + 1, f, pc))
WAITS(char *, __fgets_unlocked_chk, (char *s, size_t space, int room, FILE *f), (s, space, room, f), uses(f, pc),
      if (r) has_read(s, __real_strlen(s) + 1, f, pc))

#define PUT_STRING(name) \
    int __real_##name(const char *s, FILE *f); \
    int __wrap_##name(const char *s, FILE *f) \
    { \
        reads(s, __real_strlen(s) + 1, PC); \
        sends(f, PC); \
        return BLOCKING(__real_##name(s, f)); \
    }
PUT_STRING(fputs)
PUT_STRING(fputs_unlocked)

int __real_puts(const char *s);
int __wrap_puts(const char *s)
{
    reads(s, __real_strlen(s) + 1, PC);
    sends(stdout, PC);
    return BLOCKING(__real_puts(s));
}

static ssize_t got_line(char **line, size_t *room, ssize_t n, FILE *f, uintptr_t pc)
{
    race_malloc_for = 0;
    writes(line, sizeof *line, pc);
    writes(room, sizeof *room, pc);
    if (n >= 0)
        has_read(*line, (size_t)n + 1, f, pc);
    return n;
}

ssize_t __real_getdelim(char **line, size_t *room, int end, FILE *f);
ssize_t __wrap_getdelim(char **line, size_t *room, int end, FILE *f)
{
    uses(f, PC);
    race_malloc_for = PC;
    return got_line(line, room, BLOCKING(__real_getdelim(line, room, end, f)), f, PC);
}

ssize_t __wrap___getdelim(char **line, size_t *room, int end, FILE *f)   /* what getline is, inlined */
{
    uses(f, PC);
    race_malloc_for = PC;
    return got_line(line, room, BLOCKING(__real_getdelim(line, room, end, f)), f, PC);
}

ssize_t __wrap_getline(char **line, size_t *room, FILE *f)
{
    uses(f, PC);
    race_malloc_for = PC;
    return got_line(line, room, BLOCKING(__real_getdelim(line, room, '\n', f)), f, PC);
}

/* ---- characters, and the way out of the buffer ---- */

#define GET(name, parameters, arguments, f) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        uses(f, PC); \
        int c = BLOCKING(__real_##name arguments); \
        received(f); \
        return c; \
    }
GET(fgetc, (FILE *f), (f), f)
GET(getc, (FILE *f), (f), f)
GET(getchar, (void), (), stdin)
GET(fgetc_unlocked, (FILE *f), (f), f)
GET(getc_unlocked, (FILE *f), (f), f)
GET(getchar_unlocked, (void), (), stdin)
GET(__uflow, (FILE *f), (f), f)   /* what getc_unlocked calls, inlined, at the end of the buffer; __overflow: putc_unlocked */

#define PUT(name, parameters, arguments, f) \
    int __real_##name parameters; \
    int __wrap_##name parameters \
    { \
        sends(f, PC); \
        return BLOCKING(__real_##name arguments); \
    }
PUT(fputc, (int c, FILE *f), (c, f), f)
PUT(putc, (int c, FILE *f), (c, f), f)
PUT(putchar, (int c), (c), stdout)
PUT(fputc_unlocked, (int c, FILE *f), (c, f), f)
PUT(putc_unlocked, (int c, FILE *f), (c, f), f)
PUT(putchar_unlocked, (int c), (c), stdout)
PUT(__overflow, (FILE *f, int c), (f, c), f)

/* A file gets it then. (Or when the buffer is full: that is nothing to rely on.) */
#define FLUSH(name) WAITS(int, name, (FILE *f), (f), if (f) ALL(uses(f, pc), race_io_writes(fileno(f))), )
FLUSH(fflush)
FLUSH(fflush_unlocked)

#define CLOSE(name) \
    int __real_##name(FILE *f); \
    int __wrap_##name(FILE *f) \
    { \
        race_use_object(race_cur(), (uintptr_t)f, USE_STREAM_CLOSE, PC); \
        race_io_writes(fileno(f)); \
        race_io_closes(fileno(f), PC); \
        return BLOCKING(__real_##name(f)); \
    }
CLOSE(fclose)
CLOSE(pclose)

/* The stream lies in a block that is the caller's, as reports see it. */
static void opened(FILE *f, uintptr_t pc)
{
    race_malloc_for = 0;
    if (f)
        race_fd_opened(fileno(f), pc);
}
#define FOPEN(name) \
    WAITS(FILE *, name, (const char *path, const char *mode), (path, mode), \
          ALL(ALL(TEXT_IN(path), TEXT_IN(mode)), race_malloc_for = pc), opened(r, pc))
FOPEN(fopen)
FOPEN(fopen64)
FOPEN(popen)
#define FREOPEN(name) \
    WAITS(FILE *, name, (const char *path, const char *mode, FILE *f), (path, mode, f), \
          ALL(ALL(uses(f, pc), race_io_replaces(fileno(f))), ALL(TEXT_IN(path), TEXT_IN(mode))), opened(r, pc))
FREOPEN(freopen)
FREOPEN(freopen64)
CALL(FILE *, fdopen, (int fd, const char *mode), (fd, mode), ALL(TEXT_IN(mode), race_malloc_for = pc), race_malloc_for = 0)
CALL(FILE *, tmpfile, (void), (), race_malloc_for = pc, opened(r, pc))
CALL(FILE *, tmpfile64, (void), (), race_malloc_for = pc, opened(r, pc))
CALL(int, fgetpos, (FILE *f, fpos_t *at), (f, at), , if (r == 0) OUT(at))
CALL(int, fgetpos64, (FILE *f, fpos64_t *at), (f, at), , if (r == 0) OUT(at))
CALL(int, fsetpos, (FILE *f, const fpos_t *at), (f, at), IN(at), )
CALL(int, fsetpos64, (FILE *f, const fpos64_t *at), (f, at), IN(at), )

/* ---- messages ---- */

void __real_perror(const char *s);
void __wrap_perror(const char *s)
{
    reads_text(s, PC);
    sends(stderr, PC);
    __real_perror(s);
}

void __real_vsyslog(int priority, const char *format, va_list args);
void __wrap_vsyslog(int priority, const char *format, va_list args)
{
    format_read(format, args, PC);
    BLOCKING((__real_vsyslog(priority, format, args), 0));
}

void __wrap_syslog(int priority, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_read(format, args, PC);
    BLOCKING((__real_vsyslog(priority, format, args), 0));
    va_end(args);
}

void __real___vsyslog_chk(int priority, int flag, const char *format, va_list args);
void __wrap___vsyslog_chk(int priority, int flag, const char *format, va_list args)
{
    format_read(format, args, PC);
    BLOCKING((__real___vsyslog_chk(priority, flag, format, args), 0));
}

void __wrap___syslog_chk(int priority, int flag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    format_read(format, args, PC);
    BLOCKING((__real___vsyslog_chk(priority, flag, format, args), 0));
    va_end(args);
}

/* A stream's lock orders what is done under it, if the program takes it itself. */
void __real_flockfile(FILE *f);
void __wrap_flockfile(FILE *f)
{
    __real_flockfile(f);
    race_acquire(race_cur(), f);
}

int __real_ftrylockfile(FILE *f);
int __wrap_ftrylockfile(FILE *f)
{
    int err = __real_ftrylockfile(f);
    if (err == 0)
        race_acquire(race_cur(), f);
    return err;
}

void __real_funlockfile(FILE *f);
void __wrap_funlockfile(FILE *f)
{
    race_release_merge(race_cur(), f);
    __real_funlockfile(f);
}
