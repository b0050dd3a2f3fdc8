/* Streams that many use at once, closed by who has waited for all of them; new ones in the same memory, by others. */
// absent: DATA RACE
// env: GORACE=atexit_sleep_ms=0
// runs: 3
#include "race_test.h"

static void prints(FILE *f, go_waitgroup *wg)
{
    for (int i = 0; i < 20; i++) {
        fprintf(f, "line %d\n", i);
        fputs("text\n", f);
        fputc('c', f);
        fwrite("block", 5, 1, f);
        fflush(f);
    }
    go_waitgroup_done(wg);
}

static void *own(void *arg)
{
    for (int i = 0; i < 50; i++) {
        char line[100];
        FILE *f = fopen("/proc/self/stat", "r");
        if (!fgets(line, sizeof line, f) || fgetc(f) == 0)
            abort();
        fclose(f);
        f = popen("true", "r");
        while (fgetc(f) != EOF) {}
        pclose(f);
    }
    return arg;
}

int main(void)
{
    for (int round = 0; round < 5; round++) {
        go_waitgroup wg = {0};
        FILE *f = round % 2 ? tmpfile() : fopen("/dev/null", "w");
        go_waitgroup_add(&wg, 8);
        for (int i = 0; i < 8; i++)
            go(prints, f, &wg);
        go_waitgroup_wait(&wg);
        fclose(f);
    }
    pthread_t t[3];
    for (int i = 0; i < 3; i++)
        pthread_create(&t[i], NULL, own, NULL);
    for (int i = 0; i < 3; i++)
        pthread_join(t[i], NULL);
    printf("done\n");
    return 0;
}
