/* See race_die.h. */
#include "race_die.h"

#include <sys/syscall.h>
#include <unistd.h>

static void say(const char *s)
{
    unsigned long n = 0;
    while (s[n])
        n++;
    syscall(SYS_write, 2, s, n);
}

void race_warn(const char *message, const char *what_follows)
{
    say("gort: race detector: ");
    say(message);
    say(": ");
    say(what_follows);
    say("\n");
}

static _Noreturn void end(void)
{
    for (;;)
        syscall(SYS_exit_group, 2);   /* _exit itself may belong to another detector that has not started yet */
}

_Noreturn void race_die(const char *message)
{
    say("gort: race detector: ");
    say(message);
    say("\n");
    end();
}

_Noreturn void race_die_of(const char *what, const char *message)
{
    race_warn(what, message);
    end();
}
