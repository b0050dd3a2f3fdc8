/* What input and output order: bytes that went through a pipe or a socket came from somewhere. */
#ifndef RACE_IO_H
#define RACE_IO_H

#include <stdint.h>
#include <stdio.h>

#include "race_fds.h"

/* What the caller did happens before whoever receives through fd ... */
void race_io_sends(int fd);
/* ... and the caller received. */
void race_io_received(int fd);
/* The same of what is written and read one after another, in a regular file, too. */
void race_io_writes(int fd);
void race_io_reads(int fd);
/* The caller was told that something can be received. What descriptors with a record get (race_fds.h): others as before. */
void race_io_ready(int fd);
/* The caller at pc is about to close fd: its number may be used again. */
void race_io_closes(int fd, uintptr_t pc);
/* ... to put another file in its place. */
void race_io_replaces(int fd);
/* mmap and mremap returned p: its memory begins a new life, or what was added to it. MAP_FAILED: nothing does. */
void race_io_mapped(void *p, size_t n);
void race_io_remapped(void *p, const void *old, size_t was, size_t n);
/* What precedes a connect happens before what follows an accept: of a library here, which has got fd. */
void race_io_accepted_unseen(int fd);

#endif
