/* What is written and read at places of a file, as a database's pages are, orders nothing; nor does another file; nor what is still in a stream's buffer. */
// race-expect: WARNING: DATA RACE
// race-expect: values\[way\] = way;
// race-expect: Found 3 data race
// race-status: 66
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"
#include <fcntl.h>

static char name[] = "/tmp/gort-io-file-XXXXXX", other[] = "/tmp/gort-io-file-XXXXXX";
static FILE *log_file;
static int values[4];

static void at_places(int way)
{
    int fd = open(name, O_WRONLY);
    values[way] = way;
    if (pwrite(fd, "done", 4, 0) != 4)
        abort();
    close(fd);
    step(1);
}
static void elsewhere(int way)
{
    int fd = open(other, O_WRONLY);
    values[way] = way;
    if (write(fd, "done", 4) != 4)
        abort();
    close(fd);
    step(2);
}
static void buffered(int way)
{
    values[way] = way;
    fputs("done", log_file);
    step(3);
}

int main(void)
{
    char text[4];
    close(mkstemp(name));
    close(mkstemp(other));
    int fd = open(name, O_RDONLY);
    go(at_places, 1);
    await(1);
    if (pread(fd, text, 4, 0) != 4)
        return 1;
    sink = values[1];
    go(elsewhere, 2);
    await(2);
    if (read(fd, text, 4) != 4)
        return 1;
    sink += values[2];
    close(fd);
    log_file = fopen(other, "a");
    fputs("first\n", log_file);
    fflush(log_file);
    go(buffered, 3);
    await(3);
    fd = open(other, O_RDONLY);
    if (read(fd, text, 4) != 4)
        return 1;
    sink += values[3];
    close(fd);
    unlink(name);
    unlink(other);
    return 0;
}
