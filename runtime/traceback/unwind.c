/* Unwinding with libunwind's remote interface over own accessors. See unwind.h.
 *
 * A frame's unwind information is found by the module that holds the pc: its .eh_frame_hdr (program header PT_GNU_EH_FRAME) is a sorted
 * table, which libunwind searches. Reads inside a module are answered from the module (this process: its memory; another: the reader the space was made
 * with, a page at a time, kept), all others by the caller's reader. */
#define _GNU_SOURCE
#include "unwind.h"

#include <elf.h>
#include <errno.h>
#include <libunwind.h>
#include <link.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "images.h"

int UNW_OBJ(dwarf_search_unwind_table)(unw_addr_space_t as, unw_word_t ip, unw_dyn_info_t *di, unw_proc_info_t *pi,
                                       int need_unwind_info, void *arg);
#define search_unwind_table UNW_OBJ(dwarf_search_unwind_table)

enum { PAGE = 4096, PAGES = 512, FROZEN_MODULES = 1024 };
struct page {
    uint64_t addr;
    bool valid;
    unsigned char bytes[PAGE];
};

struct tb_space {
    bool self;
    struct tb_memory memory;         /* of another process */
    struct tb_image *modules;
    size_t nmodules;
    unsigned long long dl_adds;      /* self: dl_iterate_phdr's count when the list was made */
    struct page *pages;              /* other: direct-mapped cache */
    unw_addr_space_t as;
};

struct walk {
    struct tb_space *space;
    const struct tb_regs *regs;
    struct tb_memory stack;
};

static pthread_mutex_t unwind_lock = PTHREAD_MUTEX_INITIALIZER;
static struct tb_space self_space;
static struct tb_space frozen_space;   /* self, by tb_freeze: its list is static */
static atomic_bool frozen;

static bool is_frozen(void)
{
    return atomic_load_explicit(&frozen, memory_order_acquire);
}

/* ---- memory ---- */

static const struct tb_image *module_of(const struct tb_space *s, uint64_t addr)
{
    for (size_t i = 0; i < s->nmodules; i++)
        if (addr >= s->modules[i].lo && addr < s->modules[i].hi)
            return &s->modules[i];
    return NULL;
}

static bool read_page(struct tb_space *s, uint64_t addr, struct page **out)
{
    struct page *p = &s->pages[addr / PAGE % PAGES];
    if (!p->valid || p->addr != addr) {
        p->valid = s->memory.read(s->memory.arg, addr, p->bytes, PAGE);
        p->addr = addr;
    }
    *out = p;
    return p->valid;
}

static bool read_module(struct tb_space *s, uint64_t addr, void *buf, size_t n)
{
    if (s->self) {
        memcpy(buf, (const void *)(uintptr_t)addr, n);
        return true;
    }
    for (unsigned char *to = buf; n > 0;) {
        struct page *p;
        size_t at = addr % PAGE, part = PAGE - at < n ? PAGE - at : n;
        if (!read_page(s, addr - at, &p))
            return false;
        memcpy(to, p->bytes + at, part);
        to += part;
        addr += part;
        n -= part;
    }
    return true;
}

/* ---- modules ---- */

static bool add_module(struct tb_space *s, uint64_t bias, const ElfW(Phdr) *ph, size_t n)
{
    struct tb_image m = tb_image_at(bias, ph, n);
    if (m.lo >= m.hi)
        return true;
    struct tb_image *list = realloc(s->modules, (s->nmodules + 1) * sizeof *list);
    if (!list)
        return false;
    s->modules = list;
    s->modules[s->nmodules++] = m;
    return true;
}

static int add_self(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    struct tb_space *s = arg;
    s->dl_adds = info->dlpi_adds;
    return !add_module(s, info->dlpi_addr, info->dlpi_phdr, info->dlpi_phnum);
}

static int count_adds(struct dl_phdr_info *info, size_t size, void *arg)
{
    (void)size;
    *(unsigned long long *)arg = info->dlpi_adds;
    return 1;
}

static bool add_image(struct tb_space *s, uint64_t addr)
{
    ElfW(Phdr) ph[TB_HEADERS_MAX];
    uint64_t bias;
    size_t n = tb_read_image(s->memory, addr, &bias, ph);
    return n == 0 || add_module(s, bias, ph, n);
}

static bool add_images(struct tb_space *s, int pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return false;
    char *line = NULL;
    size_t cap = 0;
    bool ok = true;
    while (ok && getline(&line, &cap, f) > 0) {
        unsigned long long lo, hi, offset;
        char perms[8];
        if (sscanf(line, "%llx-%llx %7s %llx", &lo, &hi, perms, &offset) == 4 && offset == 0 && perms[0] == 'r' &&
            (strchr(line, '/') || strstr(line, "[vdso]")))
            ok = add_image(s, lo);
    }
    free(line);
    fclose(f);
    return ok;
}

/* ---- libunwind's accessors ---- */

static int find_proc_info(unw_addr_space_t as, unw_word_t ip, unw_proc_info_t *pi, int need, void *arg)
{
    struct walk *w = arg;
    const struct tb_image *m = module_of(w->space, ip);
    unsigned char hdr[12];
    if (!m || !m->eh_hdr || !read_module(w->space, m->eh_hdr, hdr, sizeof hdr))
        return -UNW_ENOINFO;
    /* version 1; .eh_frame pointer sdata4 pc-relative; count udata4; table sdata4 relative to the header: what every linker writes */
    if (hdr[0] != 1 || hdr[1] != 0x1b || hdr[2] != 0x03 || hdr[3] != 0x3b)
        return -UNW_ENOINFO;
    uint32_t count;
    memcpy(&count, hdr + 8, 4);
    unw_dyn_info_t di = {.start_ip = m->lo, .end_ip = m->hi, .format = UNW_INFO_FORMAT_REMOTE_TABLE};
    di.u.rti.segbase = m->eh_hdr;
    di.u.rti.table_data = m->eh_hdr + sizeof hdr;
    di.u.rti.table_len = (unw_word_t)count * 8 / sizeof(unw_word_t);
    return search_unwind_table(as, ip, &di, pi, need, arg);
}

static void put_unwind_info(unw_addr_space_t as, unw_proc_info_t *pi, void *arg)
{
    (void)as;   /* libunwind's DWARF reader gives back what it took itself */
    (void)pi;
    (void)arg;
}

static int no_dyn_info(unw_addr_space_t as, unw_word_t *list, void *arg)
{
    (void)as;
    (void)list;
    (void)arg;
    return -UNW_ENOINFO;
}

static int access_mem(unw_addr_space_t as, unw_word_t addr, unw_word_t *value, int write, void *arg)
{
    (void)as;
    struct walk *w = arg;
    if (write)
        return -UNW_EINVAL;
    const struct tb_image *m = module_of(w->space, addr);
    bool ok = m && addr + sizeof *value <= m->hi ? read_module(w->space, addr, value, sizeof *value)
                                                 : w->stack.read(w->stack.arg, addr, value, sizeof *value);
    return ok ? 0 : -UNW_EINVAL;
}

static int access_reg(unw_addr_space_t as, unw_regnum_t reg, unw_word_t *value, int write, void *arg)
{
    (void)as;
    const struct walk *w = arg;
    if (write || reg < 0 || reg >= TB_NREGS)
        return -UNW_EBADREG;
    *value = w->regs->r[reg];
    return 0;
}

static int access_fpreg(unw_addr_space_t as, unw_regnum_t reg, unw_fpreg_t *value, int write, void *arg)
{
    (void)as;
    (void)reg;
    (void)value;
    (void)write;
    (void)arg;
    return -UNW_EBADREG;
}

static int resume(unw_addr_space_t as, unw_cursor_t *cursor, void *arg)
{
    (void)as;
    (void)cursor;
    (void)arg;
    return -UNW_EINVAL;
}

static int proc_name(unw_addr_space_t as, unw_word_t addr, char *buf, size_t len, unw_word_t *offset, void *arg)
{
    (void)as;
    (void)addr;
    (void)buf;
    (void)len;
    (void)offset;
    (void)arg;
    return -UNW_ENOINFO;
}

static bool make_address_space(struct tb_space *s)
{
    static unw_accessors_t accessors = {
        .find_proc_info = find_proc_info,
        .put_unwind_info = put_unwind_info,
        .get_dyn_info_list_addr = no_dyn_info,
        .access_mem = access_mem,
        .access_reg = access_reg,
        .access_fpreg = access_fpreg,
        .resume = resume,
        .get_proc_name = proc_name,
    };
    s->as = unw_create_addr_space(&accessors, 0);
    if (s->as)
        unw_set_caching_policy(s->as, UNW_CACHE_GLOBAL);
    return s->as != NULL;
}

/* ---- spaces ---- */

void tb_freeze_prepare(void)
{
    if (!frozen_space.as)
        make_address_space(&frozen_space);
}

bool tb_is_frozen(void)
{
    return is_frozen();
}

bool tb_freeze(struct tb_memory memory)
{
    static struct tb_image images[FROZEN_MODULES];
    struct tb_space *s = &frozen_space;
    s->self = true;
    s->modules = images;
    s->nmodules = tb_list_images(memory, images, FROZEN_MODULES);
    bool ok = s->nmodules > 0 && s->as;
    atomic_store_explicit(&frozen, ok, memory_order_release);
    return ok;
}

const char *tb_frozen_object(uintptr_t pc, uintptr_t *in_object)
{
    const struct tb_image *m = is_frozen() ? module_of(&frozen_space, pc) : NULL;
    if (!m)
        return NULL;
    *in_object = pc - m->bias;
    return m->name;
}

struct tb_space *tb_space_self(void)
{
    if (is_frozen())
        return &frozen_space;
    unsigned long long adds = 0;
    dl_iterate_phdr(count_adds, &adds);
    pthread_mutex_lock(&unwind_lock);
    struct tb_space *s = &self_space;
    if (s->nmodules == 0 || s->dl_adds != adds) {
        s->self = true;
        s->nmodules = 0;
        dl_iterate_phdr(add_self, s);
        if (!s->as)
            make_address_space(s);
        else
            unw_flush_cache(s->as, 0, 0);
    }
    pthread_mutex_unlock(&unwind_lock);
    return s;
}

struct tb_space *tb_space_pid(int pid, struct tb_memory memory)
{
    struct tb_space *s = calloc(1, sizeof *s);
    if (s) {
        s->memory = memory;
        s->pages = calloc(PAGES, sizeof *s->pages);
        if (s->pages && add_images(s, pid) && make_address_space(s))
            return s;
        int err = errno;
        tb_space_free(s);
        errno = err;
    }
    return NULL;
}

void tb_space_free(struct tb_space *s)
{
    if (!s || s->self)
        return;
    if (s->as)
        unw_destroy_addr_space(s->as);
    free(s->pages);
    free(s->modules);
    free(s);
}

int tb_unwind(struct tb_space *space, const struct tb_regs *regs, struct tb_memory stack, uintptr_t *pcs, int max)
{
    return tb_unwind_frames(space, regs, stack, pcs, NULL, max);
}

/* The lock, or, if whoever has it stands still, nothing: he unwinds in another space, and only one makes reports of what is frozen. */
static bool lock_unwinding(void)
{
    static atomic_bool held_for_ever;
    if (!is_frozen())
        return pthread_mutex_lock(&unwind_lock) == 0;
    if (atomic_load_explicit(&held_for_ever, memory_order_relaxed))
        return false;
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 200000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    if (pthread_mutex_timedlock(&unwind_lock, &until) == 0)
        return true;
    atomic_store_explicit(&held_for_ever, true, memory_order_relaxed);
    return false;
}

int tb_unwind_frames(struct tb_space *space, const struct tb_regs *regs, struct tb_memory stack, uintptr_t *pcs, uintptr_t *sps, int max)
{
    struct walk w = {space, regs, stack};
    unw_cursor_t cursor;
    int n = 0;
    if (max > 0) {
        if (sps)
            sps[n] = regs->r[TB_RSP];
        pcs[n++] = regs->r[TB_RIP];
    }
    bool locked = lock_unwinding();
    if (space->as && unw_init_remote(&cursor, space->as, &w) == 0) {
        unw_word_t pc, sp, last_sp = 0;
        while (n < max && unw_step(&cursor) > 0 && unw_get_reg(&cursor, UNW_REG_IP, &pc) == 0 && pc != 0) {
            /* The stack grows down, so callers lie higher: a walk that doesn't climb has lost its way. */
            if (unw_get_reg(&cursor, UNW_REG_SP, &sp) != 0 || sp <= last_sp)
                break;
            last_sp = sp;
            if (sps)
                sps[n] = sp;
            pcs[n++] = pc;
        }
    }
    if (locked)
        pthread_mutex_unlock(&unwind_lock);
    return n;
}
