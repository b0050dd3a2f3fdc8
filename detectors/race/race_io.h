/* What input and output order: bytes that went through a pipe or a socket came from somewhere. */
#ifndef RACE_IO_H
#define RACE_IO_H

#include <stdio.h>

/* What the caller did happens before whoever receives through fd ... */
void race_io_sends(int fd);
/* ... and the caller received. */
void race_io_received(int fd);

#endif
