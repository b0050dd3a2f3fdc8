/* gort: Go's concurrency model for C. This header is the umbrella; each concept has a header of its own in gort/.
 *
 * The public API may be called from any thread. The first call starts the runtime; a thread that the runtime did not
 * create (main included) is itself a goroutine, bound to that thread, from its first call on.
 *
 *     go(fn, args...)                              gort/goroutine.h
 *     go_chan(T), go_send, go_recv, go_close ...   gort/chan.h
 *     go_select(...)                               gort/select.h
 *     go_mutex, go_rwmutex, go_waitgroup,
 *     go_once, go_cond, go_sem                     gort/sync.h
 *     go_pool                                      gort/pool.h
 *     go_sleep, go_after, go_timer, go_ticker      gort/time.h
 *     go_context                                   gort/context.h
 *     go_errgroup                                  gort/errgroup.h
 *     go_map                                       gort/map.h
 *     go_sync_map                                  gort/sync_map.h
 *     go_listen, go_dial, go_read, go_write ...    gort/net.h
 *     go_signal_notify, go_signal_stop             gort/signal.h
 *     GO_ERR_..., go_strerror                      gort/error.h
 *     leakcheck()                                  gort/leak.h
 *     go_race_acquire, ...                         gort/race.h
 */
#ifndef GORT_H
#define GORT_H

#include <gort/goroutine.h>
#include <gort/chan.h>
#include <gort/select.h>
#include <gort/sync.h>
#include <gort/pool.h>
#include <gort/time.h>
#include <gort/error.h>
#include <gort/net.h>
#include <gort/signal.h>
#include <gort/context.h>
#include <gort/errgroup.h>
#include <gort/map.h>
#include <gort/sync_map.h>
#include <gort/leak.h>
#include <gort/race.h>

#endif
