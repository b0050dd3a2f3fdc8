/* What waiting for descriptors orders, for the program's calls (race_events.c) and those of shared libraries (race_shared.c). The caller has made the call, or
 * is about to. */
#ifndef RACE_EVENTS_H
#define RACE_EVENTS_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>

void race_events_watched(int epfd, int op, int fd, const struct epoll_event *event);
void race_events_told(int epfd, const struct epoll_event *events, int got);
void race_events_polled(const struct pollfd *fds, nfds_t k, int got);
/* in, special: what can be read, or has something special; NULL: not asked. */
void race_events_selected(const fd_set *in, const fd_set *special, int n, int got);

#endif
