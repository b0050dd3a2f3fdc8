/* Signals as channels, after Go's os/signal.
 *
 * The runtime itself handles SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT and SIGQUIT, unless the program (or a sanitizer) had a handler of its own
 * when the runtime started (or ignored the signal; not if it was started so, as by a script with &), or installs one later: such a signal prints the
 * goroutine's stack, by GOTRACEBACK also the others', and ends the program with status 2, without deferred calls. GOTRACEBACK=crash ends it by the
 * signal itself, which leaves a core. `kill -QUIT` prints every goroutine. */
#ifndef GORT_SIGNAL_H
#define GORT_SIGNAL_H

#include <signal.h>

#include <gort/chan.h>

/* From now on each of these signals is sent to c, an open go_chan(int) or go_send_chan(int), instead of what it would have done. The send
 * doesn't wait: a signal that finds the buffer full is dropped, so give the channel room for as many as may come at once; and one that comes while
 * another of its number is still on its way is one with that, as in Go. Several
 * channels may ask for one signal; each gets it. No signal named: every one that can be had, but SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGCHLD and
 * SIGURG. A signal that can't be caught: panic. SIGPIPE: also that of a go_write to a
 * pipe that nobody reads, which gives -EPIPE besides. While any channel asks for signals, "all goroutines are asleep" is not a deadlock. */
#define go_signal_notify(c, ...)                                                                   \
    __extension__({                                                                                \
        struct gort_chan *gort_c_ = gort_send_end_(c);                                             \
        _Static_assert(__builtin_types_compatible_p(gort_elem_(c), int), "go_signal_notify: a channel of int"); \
        int gort_signals_[] = {0, ##__VA_ARGS__};                                                  \
        gort_signal_notify(gort_c_, gort_signals_ + 1, sizeof gort_signals_ / sizeof(int) - 1);    \
    })

/* c gets no more signals; when it returns none is on its way: one that came before was sent to c. A signal that nobody asks for any more does what
 * it did before. */
#define go_signal_stop(c) gort_signal_stop(gort_send_end_(c))

void gort_signal_notify(struct gort_chan *c, const int *signals, size_t n);
void gort_signal_stop(struct gort_chan *c);

#endif
