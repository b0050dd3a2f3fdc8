/* Giving stack memory back to the system. */
#ifndef RT_SCAVENGE_H
#define RT_SCAVENGE_H

#include <stdbool.h>
#include <stdint.h>

/* One step of it. False: there is nothing left to do unless goroutines run again. The monitor's. */
bool scavenge(int64_t now);

#endif
