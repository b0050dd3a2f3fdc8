/* Programs that run themselves again with a file of suppressions. */
#include "race_test.h"

/* The first time: runs the program again with GORACE=options suppressions=FILE, whose contents are text (NULL: it does not exist). */
static inline void again_with(int argc, char **argv, const char *text, const char *options)
{
    char path[100], env[300];
    if (argc > 1)
        return;
    snprintf(path, sizeof path, "/tmp/gort_suppress_%d", (int)getpid());
    if (text) {
        FILE *f = fopen(path, "w");
        fputs(text, f);
        fclose(f);
    }
    snprintf(env, sizeof env, "%s suppressions=%s", options, path);
    setenv("GORACE", env, 1);
    char command[1000];
    snprintf(command, sizeof command, "%s again; s=$?; rm -f %s; exit $s", argv[0], path);
    execl("/bin/sh", "sh", "-c", command, NULL);
    abort();
}
