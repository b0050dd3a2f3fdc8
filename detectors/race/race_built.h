/* How the program was built: race_built.c. */
#ifndef RACE_BUILT_H
#define RACE_BUILT_H

#include <stdbool.h>

/* A part of the program was compiled with hooks. Set by its constructor, before there are two threads. */
extern bool race_built_has_hooks;

#endif
