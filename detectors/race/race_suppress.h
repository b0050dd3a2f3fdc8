/* Suppressions: what is not to be told. Lines `type:pattern`, as ThreadSanitizer has them: types race, race_top, mutex, deadlock, called_from_lib; in the
 * pattern `*` stands for anything and is implied at both ends, unless `^` begins or `$` ends it; `#` begins a comment. A pattern is compared with the functions
 * and files of all frames of both stacks (race_top: of the top frames; called_from_lib: with the object that holds the top frame's code) and with
 * global variables' names. */
#ifndef RACE_SUPPRESS_H
#define RACE_SUPPRESS_H

#include <stdbool.h>
#include <stdio.h>

#include "race_record.h"

/* The program's defaults and then the file of GORACE's suppressions. A line that makes no sense, or no file, ends the program with status 2. */
void race_suppress_read(void);
/* Whether r is not to be told; counts it. */
bool race_suppressed(const struct record *r);
int race_suppressed_count(void);
/* How many each suppressed; nothing if none did. */
void race_suppress_print(FILE *out);

#endif
