/* What was written to a file one after another happens before what is read of it so: who polls for it, and finds it there, is right. */
// expect: ^done$
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <fcntl.h>
#include <sys/uio.h>

enum { WAYS = 5 };
static int values[WAYS];
static char name[] = "/tmp/gort-io-file-XXXXXX";

static void writes(int way)
{
    struct iovec v[2] = {{"do", 2}, {"ne", 2}};
    values[way] = 42;
    if (way < 2) {
        int fd = open(name, O_WRONLY | O_TRUNC);
        ssize_t n = way ? writev(fd, v, 2) : write(fd, "done", 4);
        if (n != 4)
            abort();
        close(fd);
        return;
    }
    FILE *f = fopen(name, "w");
    if (way == 4)
        setvbuf(f, NULL, _IONBF, 0);
    fputs("done", f);
    if (way == 2) {
        fclose(f);
        return;
    }
    if (way == 3)
        fflush(f);
    await(1);
    fclose(f);
}

static bool reads(int way)
{
    char text[8] = "";
    if (way % 2) {
        FILE *f = fopen(name, "r");
        bool done = fgets(text, sizeof text, f) && strcmp(text, "done") == 0;
        fclose(f);
        return done;
    }
    int fd = open(name, O_RDONLY);
    struct iovec v = {text, sizeof text};
    ssize_t n = way ? readv(fd, &v, 1) : read(fd, text, sizeof text);
    close(fd);
    return n == 4;
}

int main(void)
{
    close(mkstemp(name));
    for (int way = 0; way < WAYS; way++) {
        if (truncate(name, 0) != 0)
            return 1;
        step(0);
        go(writes, way);
        while (!reads(way))
            go_sleep(GO_MILLISECOND);
        if (values[way] != 42)
            return 1;
        step(1);
        go_sleep(GO_MILLISECOND);
    }
    unlink(name);
    puts("done");
    return 0;
}
