/* A live process: process_vm_readv for memory, ptrace to stop its threads and to read their registers. See target.h.
 *
 * Threads are stopped with PTRACE_SEIZE and PTRACE_INTERRUPT, which leave no signal behind; a thread may start another before it is
 * stopped, so the list is read again until a pass finds none that is new. One that is stopped with a signal in its hands, which it was about to get, is given
 * it when it goes on. One that the kernel holds (its child of vfork has not come to exec, a device does not answer) stops when it is back: the others do not
 * wait for that. The kernel detaches us when we end, in whatever way. */
#define _GNU_SOURCE
#include "target.h"

#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>

#include <gort/debug.h>

struct thread {
    int tid;
    int signal;         /* to be delivered when it goes on, 0: none */
    bool stopped, gone;
};

struct target {
    int pid;
    struct thread *threads;   /* ours to let go */
    size_t nthreads, cap;
};

static const char no_process[] = "no such process";
static const char no_permission[] =
    "no permission to read that process: run as its user or as root; where /proc/sys/kernel/yama/ptrace_scope is 1 or more, or in a "
    "container, the capability CAP_SYS_PTRACE is needed";

static const char *explain(int err)
{
    return err == ESRCH ? no_process : err == EPERM || err == EACCES ? no_permission : strerror(err);
}

struct target *target_open(int pid, const char **error)
{
    if (kill(pid, 0) != 0 && errno == ESRCH) {
        *error = no_process;
        return NULL;
    }
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *f = fopen(path, "re");
    if (!f) {
        *error = explain(errno == ENOENT ? ESRCH : errno);
        return NULL;
    }
    fclose(f);
    struct target *t = calloc(1, sizeof *t);
    if (t)
        t->pid = pid;
    else
        *error = "out of memory";
    return t;
}

void target_close(struct target *t)
{
    target_resume(t);
    free(t->threads);
    free(t);
}

bool target_read(void *arg, uint64_t addr, void *buf, size_t n)
{
    const struct target *t = arg;
    struct iovec local = {buf, n}, remote = {(void *)(uintptr_t)addr, n};
    return process_vm_readv(t->pid, &local, 1, &remote, 1, 0) == (ssize_t)n;
}

void target_read_many(struct target *t, struct target_piece *p, size_t n)
{
    enum { BATCH = 512 };   /* below the kernel's 1024 */
    struct iovec local[BATCH], remote[BATCH];
    for (size_t at = 0; at < n;) {
        size_t k = n - at < BATCH ? n - at : BATCH;
        ssize_t want = 0;
        for (size_t i = 0; i < k; i++) {
            local[i] = (struct iovec){p[at + i].buf, p[at + i].n};
            remote[i] = (struct iovec){(void *)(uintptr_t)p[at + i].addr, p[at + i].n};
            want += (ssize_t)p[at + i].n;
        }
        ssize_t got = process_vm_readv(t->pid, local, k, remote, k, 0);
        for (size_t i = 0; i < k; i++)   /* one that can't be read ends the batch: then each for itself */
            p[at + i].ok = got == want || target_read(t, p[at + i].addr, p[at + i].buf, p[at + i].n);
        at += k;
    }
}

/* ---- threads ---- */

static bool is_known(const struct target *t, int tid)
{
    for (size_t i = 0; i < t->nthreads; i++)
        if (t->threads[i].tid == tid)
            return true;
    return false;
}

/* Seizes one thread and tells it to stop. One that has just ended is no error. */
static bool seize(struct target *t, int tid, const char **error)
{
    if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) != 0) {
        if (errno == ESRCH)
            return true;
        *error = explain(errno);
        return false;
    }
    if (t->nthreads == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct thread *list = realloc(t->threads, cap * sizeof *list);
        if (!list) {
            *error = "out of memory";
            return false;
        }
        t->threads = list;
        t->cap = cap;
    }
    t->threads[t->nthreads++] = (struct thread){.tid = tid};
    ptrace(PTRACE_INTERRUPT, tid, NULL, NULL);
    return true;
}

/* Whether the kernel holds a thread where nothing reaches it. */
static bool is_held(const struct target *t, int tid)
{
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/%d/task/%d/stat", t->pid, tid);
    FILE *f = fopen(path, "re");
    size_t n = f ? fread(line, 1, sizeof line - 1, f) : 0;
    if (f)
        fclose(f);
    line[n] = 0;
    const char *name_end = strrchr(line, ')');
    return name_end && name_end[1] == ' ' && name_end[2] == 'D';
}

/* Looks whether it has stopped, or ended. */
static void look(struct thread *th)
{
    int status = 0;
    if (th->stopped || th->gone || waitpid(th->tid, &status, __WALL | WNOHANG) == 0)
        return;
    th->stopped = WIFSTOPPED(status);
    th->gone = !th->stopped;
    th->signal = th->stopped && status >> 16 == 0 ? WSTOPSIG(status) : 0;
}

/* Until it stops, or ends; not while the kernel holds it, nor for ever. */
static void wait_for(const struct target *t, struct thread *th)
{
    enum { BRIEF = 200, PATIENCE = 20000 };
    for (int i = 0; i < PATIENCE; i++) {
        look(th);
        if (th->stopped || th->gone || (i >= BRIEF && i % BRIEF == 0 && is_held(t, th->tid)))
            return;
        nanosleep(&(struct timespec){.tv_nsec = i < 10 ? 1 : 50000}, NULL);
    }
}

bool target_stop(struct target *t, const char **error)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/task", t->pid);
    for (bool again = true; again;) {
        again = false;
        size_t before = t->nthreads;
        DIR *dir = opendir(path);
        if (!dir) {
            *error = no_process;
            return false;
        }
        struct dirent *e;
        while ((e = readdir(dir))) {
            int tid = atoi(e->d_name);
            if (tid <= 0 || is_known(t, tid))
                continue;
            if (!seize(t, tid, error)) {
                closedir(dir);
                return false;
            }
            again = true;
        }
        closedir(dir);
        for (size_t i = before; i < t->nthreads; i++)
            wait_for(t, &t->threads[i]);
    }
    return true;
}

void target_resume(struct target *t)
{
    size_t left = 0;
    for (size_t i = 0; i < t->nthreads; i++) {
        struct thread *th = &t->threads[i];
        look(th);
        if (th->stopped)
            ptrace(PTRACE_DETACH, th->tid, NULL, (void *)(intptr_t)th->signal);
        else if (!th->gone)
            t->threads[left++] = *th;   /* when we end, the kernel lets it go */
    }
    t->nthreads = left;
}

bool target_regs(struct target *t, uint32_t tid, struct tb_regs *out)
{
    (void)t;
    struct user_regs_struct r;
    struct iovec iov = {&r, sizeof r};
    if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &iov) != 0)
        return false;
    *out = (struct tb_regs){{r.rax, r.rdx, r.rcx, r.rbx, r.rsi, r.rdi, r.rbp, r.rsp, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rip}};
    return true;
}

/* ---- the note ---- */

static uint64_t find_in_notes(struct target *t, uint64_t addr, uint64_t size)
{
    if (size > 65536)
        return 0;
    unsigned char *notes = malloc(size);
    uint64_t found = 0;
    if (notes && target_read(t, addr, notes, size)) {
        for (uint64_t at = 0; at + sizeof(Elf64_Nhdr) <= size && !found;) {
            Elf64_Nhdr h;
            memcpy(&h, notes + at, sizeof h);
            uint64_t name = at + sizeof h, desc = name + (((uint64_t)h.n_namesz + 3) & ~3ull);
            if (desc + h.n_descsz > size)
                break;
            if (h.n_type == GORT_NOTE_TYPE && h.n_namesz == sizeof GORT_NOTE_NAME && h.n_descsz == 8 &&
                memcmp(notes + name, GORT_NOTE_NAME, sizeof GORT_NOTE_NAME) == 0) {
                int64_t distance;
                memcpy(&distance, notes + desc, 8);
                found = addr + desc + (uint64_t)distance;
            }
            at = desc + (((uint64_t)h.n_descsz + 3) & ~3ull);
        }
    }
    free(notes);
    return found;
}

static uint64_t find_in_image(struct target *t, uint64_t addr)
{
    Elf64_Ehdr eh;
    Elf64_Phdr ph[64];
    if (!target_read(t, addr, &eh, sizeof eh) || memcmp(eh.e_ident, ELFMAG, SELFMAG) != 0 || eh.e_phentsize != sizeof ph[0] ||
        eh.e_phnum > 64 || !target_read(t, addr + eh.e_phoff, ph, eh.e_phnum * sizeof ph[0]))
        return 0;
    uint64_t bias = addr;
    for (int i = 0; i < eh.e_phnum; i++) {
        if (ph[i].p_type == PT_LOAD && ph[i].p_offset == 0) {
            bias = addr - ph[i].p_vaddr;
            break;
        }
    }
    uint64_t found = 0;
    for (int i = 0; i < eh.e_phnum && !found; i++)
        if (ph[i].p_type == PT_NOTE)
            found = find_in_notes(t, bias + ph[i].p_vaddr, ph[i].p_memsz);
    return found;
}

uint64_t target_find_descriptor(struct target *t)
{
    char path[64], *line = NULL;
    snprintf(path, sizeof path, "/proc/%d/maps", t->pid);
    FILE *f = fopen(path, "re");
    size_t cap = 0;
    uint64_t found = 0;
    while (f && !found && getline(&line, &cap, f) > 0) {
        unsigned long long lo, hi, offset;
        char perms[8];
        if (sscanf(line, "%llx-%llx %7s %llx", &lo, &hi, perms, &offset) == 4 && offset == 0 && perms[0] == 'r' && strchr(line, '/'))
            found = find_in_image(t, lo);
    }
    free(line);
    if (f)
        fclose(f);
    return found;
}
