/* What the detector says in its own name, and the end of a program whose detector can't go on. On stderr; takes no lock, allocates nothing. */
#ifndef RACE_DIE_H
#define RACE_DIE_H

/* "gort: race detector: message: what follows", one line. */
void race_warn(const char *message, const char *what_follows);
/* Status 2. */
_Noreturn void race_die(const char *message);
/* "gort: race detector: what: message" */
_Noreturn void race_die_of(const char *what, const char *message);

#endif
