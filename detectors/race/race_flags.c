/* Parsing GORACE. See race_flags.h and race_flags.inc. */
#include "race_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "race_die.h"

struct race_flags race_flags = {
#define STRING(name, value, help) .name = value,
#define NUMBER(name, value, help) .name = value,
#include "race_flags.inc"
#undef STRING
#undef NUMBER
};

static char values[4096];   /* strings live here; malloc may not be ready */

static void set(const char *name, size_t n, const char *value)
{
    char message[300];
    char *end;
    long number = strtol(value, &end, 10);
    bool is_number = *value && !*end && number >= 0 && number <= 1000000000;
#define STRING(flag, dflt, help) if (n == strlen(#flag) && strncmp(name, #flag, n) == 0) { race_flags.flag = value; return; }
#define NUMBER(flag, dflt, help) \
    if (n == strlen(#flag) && strncmp(name, #flag, n) == 0) { \
        if (is_number) { \
            race_flags.flag = (int)number; \
            return; \
        } \
        snprintf(message, sizeof message, "GORACE: %s=%.100s: a number is needed (%s)", #flag, value, help); \
        race_die(message); \
    }
#include "race_flags.inc"
#undef STRING
#undef NUMBER
    static const char names[] =
#define STRING(flag, dflt, help) " " #flag
#define NUMBER(flag, dflt, help) " " #flag
#include "race_flags.inc"
#undef STRING
#undef NUMBER
        ;
    snprintf(message, sizeof message, "GORACE: there is no option '%.*s'; there are:%s", n < 50 ? (int)n : 50, name, names);
    race_die(message);
}

void race_flags_read(void)
{
    const char *env = getenv("GORACE");
    if (!env)
        return;
    if (strlen(env) >= sizeof values)
        race_die("GORACE is too long");
    strcpy(values, env);
    for (char *p = values; *p;) {
        size_t n = strcspn(p, " \t\n,:");
        char *next = p + n + (p[n] != 0);
        p[n] = 0;
        char *eq = strchr(p, '=');
        if (eq) {
            set(p, (size_t)(eq - p), eq + 1);
        } else if (n > 0) {
            char message[300];
            snprintf(message, sizeof message, "GORACE: '%.100s': name=value is needed", p);
            race_die(message);
        }
        p = next;
    }
}
