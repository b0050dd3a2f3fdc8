/* What was told already. Two sets, of pairs of stacks (numbers: a quick look that spares the symbolizing) and of places (function, file, line of
 * each side: one report per bug). Unordered: a pair is the same from either side. Both are bounded: when that of stacks is full it begins anew; what comes
 * when that of places is full is counted only. */
#ifndef RACE_SEEN_H
#define RACE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "race_record.h"

/* The same stacks met before. Any thread, no lock: at most a few threads get false for one pair. */
bool race_seen_stacks(const struct race_event *e);
/* The same places were told before. Under the report lock. */
bool race_seen_places(const struct record *r);
/* How many were not told because too many different ones were. */
int race_seen_overflow(void);

#endif
