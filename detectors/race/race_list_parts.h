/* Reads that many goroutines make of one word, side by side: a word's list is then divided among threads. Each has a *part*, into which the plain reads of its
 * goroutines come without the word, its list and their locks, that is without a cache line that another thread writes to. Who holds the word for any other
 * access closes the parts first, and what they have comes into the list (race_list.c does). race_list_parts.c has the rules. */
#ifndef RACE_LIST_PARTS_H
#define RACE_LIST_PARTS_H

#include "race_bias.h"
#include "race_segment.h"

enum { PART_WRITES = 2 };   /* entries that a plain read conflicts with, at most, where there are parts */

struct shadow;

/* g's plain read comes into the calling thread's part of l, if it need be; word, in whose second word l was found, need not be held. False: there is no such
 * part, or there is something to race with, or no memory: the word must be held. */
bool list_part_read(const struct shadow_list *l, const struct shadow *word, struct race_g *g, struct race_side side);

/* The rest is for who holds the word. Opens the calling thread's part; conflicts: the epochs of all that a plain read of the word conflicts with. False: it is
 * in use. */
bool list_part_open(const struct shadow_list *l, const struct shadow *word, const uint64_t conflicts[PART_WRITES]);
/* Closes the part of that number, which is open. *left: what it had; the array is the caller's. */
void list_part_close(const struct shadow_list *l, unsigned number, struct segment *left);

#endif
