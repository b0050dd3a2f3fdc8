/* What a format of printf reads, and one of scanf writes, through its arguments. */
#ifndef RACE_FORMAT_H
#define RACE_FORMAT_H

#include <stdarg.h>
#include <stdint.h>

/* To be called before printf: strings are read, and what %n writes to is written. Consumes the arguments (pass a copy). */
void race_format_printed(const char *format, va_list args, uintptr_t pc);
/* To be called after scanf, which assigned `assigned` items. */
void race_format_scanned(const char *format, va_list args, int assigned, uintptr_t pc);

#endif
