/* See plain_names.h. What an executable exports under a library's name takes the place of the library's own. */
#include "plain_names.h"

int list_add(int n);
int race_report(int n);
int hook_acquire(int n);
int lookup(int n);

int list_add(int n)     { return n + 1; }
int race_report(int n)  { return n + 2; }
int hook_acquire(int n) { return n + 4; }
int lookup(int n)       { return n + 8; }

int names_sum(void) { return lookup(hook_acquire(race_report(list_add(0)))); }
