/* The end of a program whose detector can't go on: a message on stderr, status 2. Takes no lock, allocates nothing. */
#ifndef RACE_DIE_H
#define RACE_DIE_H

_Noreturn void race_die(const char *message);

#endif
