/* The text writer: Go's text where Go has it, and what gort adds in lines of its own. Decides nothing but how it looks. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "race_flags.h"
#include "race_record.h"

FILE *race_log(void)
{
    static FILE *log;
    const char *path = race_flags.log_path;
    if (strcmp(path, "stderr") == 0)
        return stderr;
    if (strcmp(path, "stdout") == 0)
        return stdout;
    if (!log) {
        char name[4200];
        snprintf(name, sizeof name, "%s.%d", path, (int)getpid());
        log = fopen(name, "we");
        if (!log) {
            fprintf(stderr, "gort: race detector: GORACE log_path: can't write %s: %s; reports go to stderr\n", name, strerror(errno));
            log = stderr;
        }
    }
    return log;
}

static void print_stack(FILE *out, const struct rec_stack *s)
{
    if (s->nframes == 0)
        fputs("  [failed to restore the stack]\n", out);
    for (int i = 0; i < s->nframes; i++) {
        const struct tb_frame *f = &s->frames[i];
        fprintf(out, "  %s()\n      %s:%d", f->func, f->file, f->line);
        if (f->offset && !f->inlined)   /* the race text has no mark for inlined ones */
            fprintf(out, " +0x%llx", (unsigned long long)f->offset);
        fputc('\n', out);
        if (i == 0 && s->source)
            fprintf(out, "          > %s\n", s->source);
    }
}

static const char *who_text(const struct rec_who *w, bool begins, char *buf, size_t n)
{
    if (!w->known)
        snprintf(buf, n, "a goroutine that ended long ago");
    else if (w->who.is_main)
        snprintf(buf, n, "main goroutine");
    else if (w->who.id)
        snprintf(buf, n, "goroutine %llu", (unsigned long long)w->who.id);
    else
        snprintf(buf, n, "thread T%u", w->who.tid);
    if (begins)
        buf[0] = (char)(buf[0] - 'a' + 'A');
    return buf;
}

static void print_created(FILE *out, const struct rec_who *w)
{
    char buf[80];
    if (!w->known || w->created.nframes == 0)
        return;
    fprintf(out, "\n%s (%s) created at:\n", who_text(w, true, buf, sizeof buf), w->who.finished ? "finished" : "running");
    print_stack(out, &w->created);
}

static const char *lock_noun(unsigned kind)
{
    switch (kind & LOCK_TYPE) {
    case LOCK_GO_RWMUTEX:
        return kind & LOCK_READ ? "rwmutex (for reading)" : "rwmutex";
    case LOCK_RWLOCK:
        return kind & LOCK_READ ? "rwlock (for reading)" : "rwlock";
    case LOCK_SPIN:
        return "spin lock";
    case LOCK_COND:
        return "condition";
    case LOCK_BARRIER:
        return "barrier";
    case LOCK_SEM:
        return "semaphore";
    default:
        return "mutex";
    }
}

static void print_lock(FILE *out, const struct rec_lock *l, bool begins)
{
    const char *noun = lock_noun(l->kind);
    fprintf(out, "%c%s M%d (0x%012llx%s%s)", begins ? noun[0] - 'a' + 'A' : noun[0], noun + 1, l->number,
            (unsigned long long)l->addr, l->name ? ", " : "", l->name ? l->name : "");
}

/* ---- races ---- */

static void print_access(FILE *out, const struct rec_access *a, bool previous)
{
    char text[80], buf[80];
    snprintf(text, sizeof text, "%s%s%s", previous ? "previous " : "", a->atomic ? "atomic " : "", a->done ? a->done : a->write ? "write" : "read");
    text[0] = (char)(text[0] - 'a' + 'A');
    fputs(text, out);
    if (!a->done)
        fprintf(out, " at 0x%012llx", (unsigned long long)a->addr);
    fprintf(out, " by %s:\n", who_text(&a->by, false, buf, sizeof buf));
    print_stack(out, &a->stack);
}

static void print_locks(FILE *out, const struct rec_access *a)
{
    char buf[80];
    for (int i = 0; i < a->nlocks; i++) {
        fprintf(out, "\n%s held ", who_text(&a->by, true, buf, sizeof buf));
        print_lock(out, &a->locks[i], false);
        fputs(", locked at:\n", out);
        print_stack(out, &a->locks[i].at);
    }
    if (a->locks_known && a->nlocks == 0)
        fprintf(out, "\n%s held no lock\n", who_text(&a->by, true, buf, sizeof buf));
}

static void print_part(FILE *out, const struct rec_location *l)
{
    if (!l->part)
        return;
    fprintf(out, "Accessed part: %s", l->part);
    if (l->field && l->holder)
        fprintf(out, " (field %s of %s)", l->field, l->holder);
    fputc('\n', out);
}

static void print_location(FILE *out, const struct rec_location *l)
{
    char buf[80];
    const struct tb_variable *v = &l->variable;
    switch (l->place) {
    case PLACE_UNKNOWN:
        return;
    case PLACE_GLOBAL:
    case PLACE_THREAD_LOCAL:
        fprintf(out, "\n%s %s of size %zu at 0x%012llx", l->place == PLACE_GLOBAL ? "Global var" : "Thread-local var", v->name, v->size,
                (unsigned long long)v->addr);
        if (l->place == PLACE_THREAD_LOCAL)
            fprintf(out, " of %s", l->owner.who.is_main ? "the main thread" : who_text(&l->owner, false, buf, sizeof buf));
        if (v->function)
            fprintf(out, " (static in %s())", v->function);
        if (v->file)
            fprintf(out, " declared at %s:%d", v->file, v->line);
        fputc('\n', out);
        print_part(out, l);
        return;
    case PLACE_HEAP:
        fprintf(out, "\nHeap block of size %zu at 0x%012llx allocated by %s:\n", l->size, (unsigned long long)l->addr,
                who_text(&l->allocator, false, buf, sizeof buf));
        print_stack(out, &l->allocated);
        if (l->freed && l->released.nframes > 0) {
            fprintf(out, "\nFreed by %s at:\n", who_text(&l->freer, false, buf, sizeof buf));
            print_stack(out, &l->released);
        }
        return;
    case PLACE_DESCRIPTOR:
        fprintf(out, "\nLocation is file descriptor %d", l->fd);
        if (l->allocated.nframes > 0)
            fprintf(out, " created by %s at:", who_text(&l->allocator, false, buf, sizeof buf));
        fputc('\n', out);
        if (l->allocated.nframes > 0)
            print_stack(out, &l->allocated);
        return;
    case PLACE_STACK:
        fprintf(out, "\nLocation is stack of %s", who_text(&l->owner, false, buf, sizeof buf));
        if (v->name) {
            fprintf(out, ", local var %s of %s()", v->name, v->function ? v->function : "??");
            if (v->file)
                fprintf(out, " declared at %s:%d", v->file, v->line);
        }
        fputc('\n', out);
        print_part(out, l);
        return;
    }
}

static void print_race(FILE *out, const struct record *r)
{
    const struct rec_access *a = r->access;
    print_access(out, &a[0], false);
    fputc('\n', out);
    print_access(out, &a[1], true);
    print_location(out, &r->location);
    if (a[0].locks_known && a[1].locks_known && a[0].nlocks == 0 && a[1].nlocks == 0) {
        fputs("\nNeither side held a lock\n", out);
    } else {
        print_locks(out, &a[0]);
        print_locks(out, &a[1]);
    }
    print_created(out, &a[0].by);
    print_created(out, &a[1].by);
    if (r->hint)
        fprintf(out, "\nHint: %s\n", r->hint);
}

/* ---- locks ---- */

static void print_cycle(FILE *out, const struct record *r)
{
    char buf[80];
    fputs("Cycle in lock order graph:", out);
    for (int i = 0; i < r->nsteps; i++)
        fprintf(out, "%s M%d (0x%012llx)", i ? " =>" : "", r->steps[i].held.number, (unsigned long long)r->steps[i].held.addr);
    fprintf(out, " => M%d\n", r->steps[0].held.number);
    for (int i = 0; i < r->nsteps; i++) {
        const struct rec_step *s = &r->steps[i];
        fputc('\n', out);
        print_lock(out, &s->taken, true);
        fprintf(out, " acquired here while holding %s M%d by %s:\n", lock_noun(s->held.kind), s->held.number,
                who_text(&s->by, false, buf, sizeof buf));
        print_stack(out, &s->taken.at);
        if (race_flags.second_deadlock_stack) {
            fputc('\n', out);
            print_lock(out, &s->held, true);
            fputs(" previously acquired by the same goroutine here:\n", out);
            print_stack(out, &s->held.at);
        }
    }
    for (int i = 0; i < r->nsteps; i++)
        print_created(out, &r->steps[i].by);
}

static void print_misuse(FILE *out, const struct record *r)
{
    static const char *const verbs[] = {
        [MISUSE_UNLOCK_UNLOCKED] = "Unlocked", [MISUSE_UNLOCK_OTHERS] = "Unlocked", [MISUSE_DOUBLE_LOCK] = "Locked again",
        [MISUSE_LOCK_DESTROYED] = "Locked",
        [MISUSE_DESTROY] = "Destroyed", [MISUSE_FREE] = "Freed", [MISUSE_STACK_ENDED] = "Stack left",
        [MISUSE_DESTROY_WAITED] = "Destroyed", [MISUSE_FREE_WAITED] = "Freed", [MISUSE_STACK_ENDED_WAITED] = "Stack left",
    };
    char buf[80];
    bool nowhere = r->access[0].stack.nframes == 0, is_waited = r->misuse >= MISUSE_DESTROY_WAITED;
    fprintf(out, "%s by %s%s\n", verbs[r->misuse], who_text(&r->access[0].by, false, buf, sizeof buf), nowhere ? "" : ":");
    if (!nowhere)
        print_stack(out, &r->access[0].stack);
    fputs(is_waited ? "\nIt is " : "\nThe lock is ", out);
    print_lock(out, &r->lock, false);
    if (r->lock.at.nframes > 0) {
        fprintf(out, ", %s by %s at:\n", is_waited ? "waited for" : "locked", who_text(&r->holder, false, buf, sizeof buf));
        print_stack(out, &r->lock.at);
    } else {
        fputs(r->misuse == MISUSE_UNLOCK_UNLOCKED ? ", which nobody holds\n" : "\n", out);
    }
    print_created(out, &r->access[0].by);
    print_created(out, &r->holder);
}

/* The lock of the stream may be held by the thread that met with the race, as it is by one that is just logging. */
static void write_out(FILE *to, const char *text, size_t n)
{
    if (ftrylockfile(to) == 0) {
        fwrite_unlocked(text, 1, n, to);
        fflush_unlocked(to);
        funlockfile(to);
        return;
    }
    for (ssize_t k; n > 0 && ((k = write(fileno_unlocked(to), text, n)) > 0 || errno == EINTR);) {
        text += k > 0 ? k : 0;
        n -= k > 0 ? (size_t)k : 0;
    }
}

static void print(FILE *out, const struct record *r)
{
    fprintf(out, "==================\nWARNING: %s\n", r->title);
    if (r->kind == EVENT_RACE)
        print_race(out, r);
    else if (r->kind == EVENT_CYCLE)
        print_cycle(out, r);
    else
        print_misuse(out, r);
    fputs("==================\n", out);
}

void race_print(const struct record *r)
{
    char *text = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&text, &n);
    if (!out) {
        print(race_log(), r);
        fflush(race_log());
        return;
    }
    print(out, r);
    fclose(out);
    if (text)
        write_out(race_log(), text, n);
    free(text);
}
