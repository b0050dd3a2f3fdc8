/* What input and output order: bytes that went through a pipe or a socket came from somewhere. */
#ifndef RACE_IO_H
#define RACE_IO_H

#include <stdio.h>

/* What the caller did happens before whoever receives through fd ... */
void race_io_sends(int fd);
/* ... and the caller received. */
void race_io_received(int fd);
/* The caller is about to close fd: its number may be used again. */
void race_io_closes(int fd);
/* The caller was given fd; returns it. */
int race_io_opened(int fd);

#endif
