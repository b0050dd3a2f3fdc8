/* Variables that one line touches are told apart; members of one, as of a structure that is copied, are not. */
// race-expect: ^Found 3 data race\(s\)$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

int one, two;
struct pair { int left, right; } both;
static __attribute__((noinline)) void racy(void) { one++; two++; both.left++; both.right++; }
static void racy_first(void) { racy(); step(1); }

int main(void)
{
    go(racy_first);
    await(1);
    racy();
    return 0;
}
