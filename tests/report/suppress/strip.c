/* strip_path_prefix. */
// race-expect: ^      suppress/strip\.c:[0-9]+ \+0x
// race-expect: ^Global var x of size 4 at 0x[0-9a-f]+ declared at race_test\.h:[0-9]+$
// race-status: 66
#include "race_test.h"

static void racy(void) { x = 1; step(1); }

int main(int argc, char **argv)
{
    if (argc == 1) {   /* the prefix is where this file was compiled */
        char env[500];
        const char *file = __FILE__;
        snprintf(env, sizeof env, "atexit_sleep_ms=0 strip_path_prefix=%.*s", (int)(strlen(file) - strlen("suppress/strip.c")), file);
        setenv("GORACE", env, 1);
        execl(argv[0], argv[0], "again", NULL);
    }
    go(racy);
    await(1);
    x = 2;
    return 0;
}
