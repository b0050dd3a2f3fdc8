/* One line on how a race is most likely mended, where the record leaves no doubt about what is wrong. */
#ifndef RACE_HINT_H
#define RACE_HINT_H

#include "race_record.h"

/* NULL: there is doubt. Static text, or the record's. */
const char *race_hint(const struct record *r);

#endif
