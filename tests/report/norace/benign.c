/* Races that the program says it knows of are not told. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
#include "race_test.h"

void AnnotateBenignRace(const char *file, int line, const volatile void *addr, const char *why);
void AnnotateBenignRaceSized(const char *file, int line, const volatile void *addr, size_t n, const char *why);
static int table[100];
static void *counts(void *p)
{
    x = 1;
    table[40]++;
    step(1);
    await(2);
    return p;
}

int main(void)
{
    AnnotateBenignRace(__FILE__, __LINE__, &x, "a statistic");
    AnnotateBenignRaceSized(__FILE__, __LINE__, table, sizeof table, "statistics");
    pthread_t t;
    pthread_create(&t, NULL, counts, NULL);
    await(1);
    x = 2;
    table[40]++;
    step(2);
    pthread_join(t, NULL);
    return 0;
}
