/* Memory and string functions of libc: what they read and write. Bytes beyond the one that decides (the first difference, the end of a string)
 * count as untouched, whatever libc loads at once. */
#define _GNU_SOURCE
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "race_libc.h"

/* The real functions, and their checked kin (_FORTIFY_SOURCE), which know the room of the destination. */
void *__real_memcpy(void *to, const void *from, size_t n);
void *__real_memmove(void *to, const void *from, size_t n);
void *__real_mempcpy(void *to, const void *from, size_t n);
void *__real_memset(void *to, int c, size_t n);
void *__real___memcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memmove_chk(void *to, const void *from, size_t n, size_t room);
void *__real___mempcpy_chk(void *to, const void *from, size_t n, size_t room);
void *__real___memset_chk(void *to, int c, size_t n, size_t room);
void __real___explicit_bzero_chk(void *to, size_t n, size_t room);
void *__real_memccpy(void *to, const void *from, int c, size_t n);
int __real_memcmp(const void *a, const void *b, size_t n);
int __real_bcmp(const void *a, const void *b, size_t n);
void *__real_memchr(const void *p, int c, size_t n);
void *__real_memrchr(const void *p, int c, size_t n);
void *__real_rawmemchr(const void *p, int c);
void *__real_memmem(const void *p, size_t n, const void *what, size_t m);
void __real_bcopy(const void *from, void *to, size_t n);
void __real_bzero(void *to, size_t n);
void __real_explicit_bzero(void *to, size_t n);
void __real_swab(const void *from, void *to, ssize_t n);

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* What a call is about to write beyond `room` ends the program first. */
static void copies(void *to, const void *from, size_t n, size_t room, uintptr_t pc)
{
    reads(from, n, pc);
    writes(to, least(n, room), pc);
}

#define COPY(name, parameters, arguments, room) \
    void *__wrap_##name parameters \
    { \
        copies(to, from, n, room, PC); \
        return __real_##name arguments; \
    }
COPY(memcpy, (void *to, const void *from, size_t n), (to, from, n), n)
COPY(memmove, (void *to, const void *from, size_t n), (to, from, n), n)
COPY(mempcpy, (void *to, const void *from, size_t n), (to, from, n), n)
COPY(__memcpy_chk, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), room)
COPY(__memmove_chk, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), room)
COPY(__mempcpy_chk, (void *to, const void *from, size_t n, size_t room), (to, from, n, room), room)

void *__wrap_memset(void *to, int c, size_t n)
{
    writes(to, n, PC);
    return __real_memset(to, c, n);
}

void *__wrap___memset_chk(void *to, int c, size_t n, size_t room)
{
    writes(to, least(n, room), PC);
    return __real___memset_chk(to, c, n, room);
}

void __wrap_bzero(void *to, size_t n)
{
    writes(to, n, PC);
    __real_bzero(to, n);
}

void __wrap_explicit_bzero(void *to, size_t n)
{
    writes(to, n, PC);
    __real_explicit_bzero(to, n);
}

void __wrap___explicit_bzero_chk(void *to, size_t n, size_t room)
{
    writes(to, least(n, room), PC);
    __real___explicit_bzero_chk(to, n, room);
}

void __wrap_bcopy(const void *from, void *to, size_t n)
{
    copies(to, from, n, n, PC);
    __real_bcopy(from, to, n);
}

void __wrap_swab(const void *from, void *to, ssize_t n)
{
    size_t even = n > 0 ? (size_t)n & ~(size_t)1 : 0;
    copies(to, from, even, even, PC);
    __real_swab(from, to, n);
}

void *__wrap_memccpy(void *to, const void *from, int c, size_t n)
{
    const char *stop = __real_memchr(from, c, n);
    size_t copied = stop ? (size_t)(stop - (const char *)from) + 1 : n;
    copies(to, from, copied, copied, PC);
    return __real_memccpy(to, from, c, n);
}

/* How many bytes a comparison looks at. */
static size_t compared_bytes(const void *a, const void *b, size_t n)
{
    const unsigned char *x = a, *y = b;
    size_t looked = 0;
    while (looked < n && x[looked] == y[looked])
        looked++;
    return looked + (looked < n);
}

int __wrap_memcmp(const void *a, const void *b, size_t n)
{
    size_t looked = compared_bytes(a, b, n);
    reads(a, looked, PC);
    reads(b, looked, PC);
    return __real_memcmp(a, b, n);
}

int __wrap_bcmp(const void *a, const void *b, size_t n)
{
    size_t looked = compared_bytes(a, b, n);
    reads(a, looked, PC);
    reads(b, looked, PC);
    return __real_bcmp(a, b, n);
}

void *__wrap_memchr(const void *p, int c, size_t n)
{
    const char *found = __real_memchr(p, c, n);
    reads(p, found ? (size_t)(found - (const char *)p) + 1 : n, PC);
    return (void *)(uintptr_t)found;
}

void *__wrap_memrchr(const void *p, int c, size_t n)
{
    const char *found = __real_memrchr(p, c, n), *from = found ? found : p;
    reads(from, n - (size_t)(from - (const char *)p), PC);
    return (void *)(uintptr_t)found;
}

void *__wrap_rawmemchr(const void *p, int c)
{
    const char *found = __real_rawmemchr(p, c);
    reads(p, (size_t)(found - (const char *)p) + 1, PC);
    return (void *)(uintptr_t)found;
}

void *__wrap_memmem(const void *p, size_t n, const void *what, size_t m)
{
    const char *found = __real_memmem(p, n, what, m);
    reads(p, found ? (size_t)(found - (const char *)p) + m : n, PC);
    reads(what, m, PC);
    return (void *)(uintptr_t)found;
}
