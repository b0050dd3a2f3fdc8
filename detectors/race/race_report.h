/* What the detector has found, handed to the reports. Three ways in, one way on: an event of plain numbers is taken to a big stack, where it becomes
 * a record (race_collect.c), is compared with those told before (race_seen.h) and with the suppressions (race_suppress.h), and is printed (race_print.c).
 * One at a time; the goroutine that found it waits. Decides nothing about races. */
#ifndef RACE_REPORT_H
#define RACE_REPORT_H

#include "race.h"
#include "race_locks.h"

struct order_step;

/* race_report: declared in race.h, for race_access.c. race_annotate.c: whether the program has said that a race there is known. */
bool race_is_benign(uintptr_t addr);
/* The lock at addr was misused at `now`; before: where its holder locked it (epoch 0: nobody holds it). */
void race_report_misuse(struct race_g *g, enum lock_misuse what, uintptr_t addr, unsigned kind, struct race_side before, struct race_side now);
/* A cycle of lock orders, closed by g at its first step. */
void race_report_cycle(struct race_g *g, const struct order_step *steps, int n);

/* Reports of any kind so far, suppressed ones not counted. */
int race_reported(void);
/* At the end of the program: prints the counts; the status to end with, -1: as it would. */
int race_finish(int status);

#endif
