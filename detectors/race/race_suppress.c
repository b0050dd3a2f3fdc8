/* Reading and matching suppressions. See race_suppress.h. */
#define _GNU_SOURCE
#include "race_suppress.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <gort/race.h>

#include "race_alloc.h"
#include "race_die.h"
#include "race_flags.h"

#define TYPES(X) X(RACE, "race") X(RACE_TOP, "race_top") X(MUTEX, "mutex") X(DEADLOCK, "deadlock") X(FROM_LIB, "called_from_lib") \
    X(THREAD, "thread") X(SIGNAL, "signal")   /* the last two: ThreadSanitizer's reports that this detector doesn't make */
enum type {
#define X(name, text) SUPPRESS_##name,
    TYPES(X)
#undef X
    NTYPES
};
static const char *const type_names[NTYPES] = {
#define X(name, text) text,
    TYPES(X)
#undef X
};

struct suppression {
    enum type type;
    const char *pattern;
    int hits;
    struct suppression *next;
};
static struct suppression *first, **last = &first;

/* ---- matching ---- */

/* Whether the text from s on begins with the pattern p, which ends at `end`; whole: and ends with it. */
static bool match_at(const char *p, const char *end, const char *s, bool whole)
{
    for (; p < end; p++, s++) {
        if (*p == '*') {
            while (p < end && *p == '*')
                p++;
            for (;; s++) {
                if (match_at(p, end, s, whole))
                    return true;
                if (!*s)
                    return false;
            }
        }
        if (*s != *p)
            return false;
    }
    return !whole || !*s;
}

static bool matches(const char *pattern, const char *s)
{
    if (!s || strcmp(s, "??") == 0)
        return false;
    bool anchored = *pattern == '^';
    const char *p = pattern + anchored, *end = p + strlen(p);
    bool whole = end > p && end[-1] == '$';
    end -= whole;
    if (anchored)
        return match_at(p, end, s, whole);
    for (;; s++) {
        if (match_at(p, end, s, whole))
            return true;
        if (!*s)
            return false;
    }
}

static bool frame_matches(const char *pattern, const struct tb_frame *f)
{
    return matches(pattern, f->func) || matches(pattern, f->file);
}

static bool stack_matches(const char *pattern, const struct rec_stack *s, bool top)
{
    for (int i = 0; i < s->nframes && (!top || i == 0); i++)
        if (frame_matches(pattern, &s->frames[i]))
            return true;
    return false;
}

static bool lib_matches(const char *pattern, const struct rec_stack *s)
{
    Dl_info info;
    return s->nframes > 0 && dladdr((void *)s->frames[0].pc, &info) && matches(pattern, info.dli_fname);
}

static bool suppresses(const struct suppression *s, const struct record *r)
{
    const char *p = s->pattern;
    switch (r->kind) {
    case EVENT_RACE:
        for (int i = 0; i < 2; i++) {
            const struct rec_stack *stack = &r->access[i].stack;
            if ((s->type == SUPPRESS_RACE || s->type == SUPPRESS_RACE_TOP) && stack_matches(p, stack, s->type == SUPPRESS_RACE_TOP))
                return true;
            if (s->type == SUPPRESS_FROM_LIB && lib_matches(p, stack))
                return true;
        }
        return s->type == SUPPRESS_RACE && r->location.variable.name && matches(p, r->location.variable.name);
    case EVENT_MISUSE:
        return s->type == SUPPRESS_MUTEX &&
               (stack_matches(p, &r->access[0].stack, false) || stack_matches(p, &r->lock.at, false) || matches(p, r->lock.name));
    case EVENT_CYCLE:
        for (int i = 0; s->type == SUPPRESS_DEADLOCK && i < r->nsteps; i++) {
            const struct rec_step *step = &r->steps[i];
            if (stack_matches(p, &step->held.at, false) || stack_matches(p, &step->taken.at, false) || matches(p, step->held.name))
                return true;
        }
        return false;
    }
    return false;
}

bool race_suppressed(const struct record *r)
{
    for (struct suppression *s = first; s; s = s->next) {
        if (suppresses(s, r)) {
            s->hits++;
            return true;
        }
    }
    return false;
}

int race_suppressed_count(void)
{
    int hits = 0;
    for (const struct suppression *s = first; s; s = s->next)
        hits += s->hits;
    return hits;
}

void race_suppress_print(FILE *out)
{
    int hits = race_suppressed_count();
    if (hits == 0)
        return;
    fprintf(out, "Suppressed %d report(s):\n", hits);
    for (const struct suppression *s = first; s; s = s->next)
        if (s->hits > 0)
            fprintf(out, "%7d %s:%s\n", s->hits, type_names[s->type], s->pattern);
}

/* ---- reading ---- */

static _Noreturn void complain(const char *from, int line, const char *what, const char *text)
{
    char message[700];
    snprintf(message, sizeof message, "suppressions: %s:%d: %s: '%.100s'", from, line, what, text);
    race_die(message);
}

static void add(const char *from, int number, char *line)
{
    static const char need[] = "type:pattern is needed, of type race, race_top, mutex, deadlock or called_from_lib";
    while (*line == ' ' || *line == '\t')
        line++;
    size_t n = strlen(line);
    while (n > 0 && (line[n - 1] == ' ' || line[n - 1] == '\t' || line[n - 1] == '\r'))
        line[--n] = 0;
    if (n == 0 || *line == '#')
        return;
    char *colon = strchr(line, ':');
    if (!colon)
        complain(from, number, need, line);
    *colon = 0;
    int type = 0;
    while (type < NTYPES && strcmp(line, type_names[type]) != 0)
        type++;
    if (type == NTYPES)
        complain(from, number, need, line);
    if (!colon[1])
        complain(from, number, "the pattern is empty", line);
    struct suppression *s = race_alloc(sizeof *s);
    *s = (struct suppression){.type = type, .pattern = colon + 1};
    *last = s;
    last = &s->next;
}

/* text is changed and kept. */
static void add_lines(const char *from, char *text)
{
    for (int number = 1; *text; number++) {
        size_t n = strcspn(text, "\n");
        char *next = text + n + (text[n] != 0);
        text[n] = 0;
        add(from, number, text);
        text = next;
    }
}

static char *read_file(const char *path)
{
    size_t n = 0, room = 4096;
    char *text = race_alloc(room + 1), message[700];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : 0;
    while (fd >= 0 && (got = read(fd, text + n, room - n)) > 0) {
        n += (size_t)got;
        if (n == room) {
            char *bigger = race_alloc(2 * room + 1);
            memcpy(bigger, text, n);
            text = bigger;
            room *= 2;
        }
    }
    if (got < 0) {
        snprintf(message, sizeof message, "suppressions: can't read %.500s: %s", path, strerror(errno));
        race_die(message);
    }
    close(fd);
    text[n] = 0;
    return text;
}

void race_suppress_read(void)
{
    const char *defaults = go_race_default_suppressions ? go_race_default_suppressions() : NULL;
    if (defaults) {
        char *copy = race_alloc(strlen(defaults) + 1);
        strcpy(copy, defaults);
        add_lines("go_race_default_suppressions()", copy);
    }
    if (*race_flags.suppressions)
        add_lines(race_flags.suppressions, read_file(race_flags.suppressions));
}
