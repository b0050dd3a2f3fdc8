/* Vector clocks. The model is an array: slot -> clock, 0 where nothing is known; get reads one, set raises one, join takes the maximum
 * of two in each place. tests/unit/test_race_clock.c keeps that array beside this and compares.
 *
 * What it is instead: a persistent tree of nodes with 16 places, immutable once shared and counted by reference. Copying a clock is one
 * reference; a join walks only where the two differ by pointer and gives back one of the two if the other adds nothing; so 100,000
 * goroutines that meet at one mutex share nearly all of their clocks. A node that only its owner refers to is changed in place.
 *
 * A clock (struct clock *) belongs to one thread at a time or is guarded by a lock; the nodes below it may be shared by any number. */
#ifndef RACE_CLOCK_H
#define RACE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct clock_node;
struct clock {
    struct clock_node *root;   /* NULL: nothing is known */
};

uint32_t clock_get(const struct clock *c, uint32_t slot);
/* c[slot] = max(c[slot], value). */
void clock_raise(struct clock *c, uint32_t slot, uint32_t value);
/* c = max(c, other), place by place. True if that changed c. */
bool clock_join(struct clock *c, const struct clock *other);
/* c = other. */
void clock_copy(struct clock *c, const struct clock *other);
/* c = nothing. */
void clock_clear(struct clock *c);
bool clock_same(const struct clock *a, const struct clock *b);   /* shared: surely equal; false: perhaps not */

#endif
