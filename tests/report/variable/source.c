/* The source line beside each side's innermost frame, without the blanks around it. */
// race-expect: ^  main\(\)$
// race-expect: ^ {10}> x = 2; +/\* main's \*/$
// race-expect: ^  racy\(\)$
// race-expect: ^ {10}> x = 1;$
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

static void racy(void)
{
    x = 1;
    step(1);
}

int main(void)
{
    go(racy);
    await(1);
    x = 2;   /* main's */  
    return 0;
}
