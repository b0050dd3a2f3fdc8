/* What bgzip refers to in the rest of htslib (its log, its version, indices that this test does not make), so that the rest need not be built. */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void hts_log(int severity, const char *context, const char *format, ...);
void hts_log(int severity, const char *context, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "[%d:%s] ", severity, context);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
}

const char *hts_version(void);
const char *hts_version(void)
{
    return "1.16";
}

/* An index: never asked for. */
int hts_idx_push(void);
int hts_idx_push(void) { abort(); }
int hts_idx_check_range(void);
int hts_idx_check_range(void) { abort(); }
void hts_idx_amend_last(void);
void hts_idx_amend_last(void) { abort(); }
