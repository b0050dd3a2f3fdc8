/* The variable by name, and the part of it that was accessed: element, field, the structure's type. */
// race-expect: ^Global var table of size 96 at 0x[0-9a-f]+ declared at .*field\.c:14$
// race-expect: ^Accessed part: table\[2\]\.times\.last\[1\] \(field last of struct times\)$
// race-expect: ^Neither side held a lock$
// race-expect: ^Found 1 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

struct times { int first; int last[2]; };
typedef struct entry { long hits; struct times times; } entry;

/* Far enough from the others. */
entry table[4];

static void racy(void) { table[2].times.last[1] = 1; step(1); }

int main(void)
{
    go(racy);
    await(1);
    table[2].times.last[1] = 2;
    return 0;
}
