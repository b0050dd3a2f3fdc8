/* The images (executable, shared objects, vdso) in a process's memory. See images.h. */
#define _GNU_SOURCE
#include "images.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, NAMES_BYTES = 64 * 1024 };

struct tb_image tb_image_at(uint64_t bias, const ElfW(Phdr) *ph, size_t n)
{
    struct tb_image m = {.lo = UINT64_MAX, .bias = bias};
    for (size_t i = 0; i < n; i++) {
        if (ph[i].p_type == PT_LOAD) {
            uint64_t lo = bias + ph[i].p_vaddr, hi = lo + ph[i].p_memsz;
            m.lo = lo < m.lo ? lo : m.lo;
            m.hi = hi > m.hi ? hi : m.hi;
        } else if (ph[i].p_type == PT_GNU_EH_FRAME) {
            m.eh_hdr = bias + ph[i].p_vaddr;
        }
    }
    return m;
}

size_t tb_read_image(struct tb_memory memory, uint64_t addr, uint64_t *bias, ElfW(Phdr) *ph)
{
    ElfW(Ehdr) eh;
    if (!memory.read(memory.arg, addr, &eh, sizeof eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 ||
        eh.e_phentsize != sizeof *ph || eh.e_phnum > TB_HEADERS_MAX || !memory.read(memory.arg, addr + eh.e_phoff, ph, eh.e_phnum * sizeof *ph))
        return 0;
    *bias = addr;
    for (size_t i = 0; i < eh.e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_offset == 0) {
            *bias = addr - ph[i].p_vaddr;
            break;
        }
    }
    return eh.e_phnum;
}

/* ---- this process's, without libc's help ---- */

/* A line of /proc/self/maps. */
struct mapping {
    uint64_t lo, hi, offset;
    bool readable, executable;
    const char *name;   /* "": none */
};

static bool parse_mapping(char *line, struct mapping *m)
{
    char *at = line;
    m->lo = strtoull(at, &at, 16);
    if (*at++ != '-')
        return false;
    m->hi = strtoull(at, &at, 16);
    if (*at++ != ' ')
        return false;
    m->readable = at[0] == 'r';
    m->executable = at[0] && at[1] && at[2] == 'x';
    at = strchr(at, ' ');
    if (!at)
        return false;
    m->offset = strtoull(at, &at, 16);
    m->name = at + strcspn(at, "/[");
    return true;
}

static char names[NAMES_BYTES];

static const char *keep_name(const char *name)
{
    static size_t used;
    size_t n = strlen(name) + 1;
    if (n > sizeof names - used)
        return "??";
    char *to = memcpy(names + used, name, n);
    used += n;
    return to;
}

/* What has been found by one line for the next. */
struct search {
    struct tb_memory memory;
    struct tb_image image;   /* lo 0: none, or its code was seen */
    struct tb_image *out;
    size_t n, max;
};

/* An image begins with its headers, and it has code. (A file that is only read, by a debugger's library, has none.) */
static void look_at(struct search *s, const struct mapping *m)
{
    ElfW(Phdr) ph[TB_HEADERS_MAX];
    uint64_t bias;
    size_t headers = m->offset == 0 && m->readable && *m->name ? tb_read_image(s->memory, m->lo, &bias, ph) : 0;
    if (headers > 0)
        s->image = tb_image_at(bias, ph, headers);
    if (!m->executable || m->lo < s->image.lo || m->hi > ((s->image.hi + PAGE - 1) & ~(uint64_t)(PAGE - 1)) || s->n == s->max)
        return;
    s->image.name = keep_name(m->name);
    s->out[s->n++] = s->image;
    s->image = (struct tb_image){0};
}

size_t tb_list_images(struct tb_memory memory, struct tb_image *out, size_t max)
{
    static char buf[8192];
    struct search s = {.memory = memory, .out = out, .max = max};
    int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t got;
    for (size_t n = 0; (got = read(fd, buf + n, sizeof buf - 1 - n)) > 0;) {
        n += (size_t)got;
        buf[n] = 0;
        char *line = buf;
        for (char *end; (end = strchr(line, '\n')); line = end + 1) {
            *end = 0;
            struct mapping m;
            if (parse_mapping(line, &m))
                look_at(&s, &m);
        }
        n -= (size_t)(line - buf);
        memmove(buf, line, n);
        if (n == sizeof buf - 1)
            n = 0;   /* longer than a line can be: no path is */
    }
    close(fd);
    return s.n;
}
