/* The options of GORACE. */
#ifndef RACE_FLAGS_H
#define RACE_FLAGS_H

#include <stdbool.h>

struct race_flags {
#define STRING(name, value, help) const char *name;
#define NUMBER(name, value, help) int name;
#include "race_flags.inc"
#undef STRING
#undef NUMBER
};
extern struct race_flags race_flags;

/* Reads GORACE ("name=value name=value"; ':' and ',' separate too). A name or number that makes no sense ends the program with status 2. */
void race_flags_read(void);

#endif
