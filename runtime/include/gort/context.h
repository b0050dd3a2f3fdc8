/* Contexts: cancellation, deadlines and values that belong to one request, passed down to all that work for it. After Go's
 * package context (src/context/context.go).
 *
 * A context is made from a parent. When it is cancelled, all contexts made from it are, before the cancel returns; the parent
 * is not. Who works for a request selects on go_context_done() beside its own channels, and hands the context on to what it
 * calls.
 *
 * Ownership: each with_ function returns a reference that its caller gives back with go_context_free(), which cancels as well,
 * so
 *
 *     go_context *c = go_context_with_timeout(parent, 5 * GO_SECOND);
 *     ...
 *     go_context_free(c);
 *
 * is Go's defer cancel(). A context keeps its ancestors alive, whose owners may have freed them. A goroutine that may still
 * look at the context after its owner has freed it (one that selects on done, say) needs a reference of its own:
 * go_context_hold(), go_context_release().
 *
 * Any thread may call these functions, for one context at once too. None waits for another goroutine. A cancel costs about 100
 * ns and a lock for each descendant; while it runs, others that cancel, free or derive contexts in the same tree (below one
 * child of the background) wait. What comes before a cancel happens before a receive from done, and before an err that reports
 * it. */
#ifndef GORT_CONTEXT_H
#define GORT_CONTEXT_H

#include <gort/chan.h>
#include <gort/error.h>

typedef struct go_context go_context;

/* The root of all: never cancelled, no deadline, no values. Static: freeing it does nothing. */
go_context *go_context_background(void);

/* A context that is cancelled when its parent is, by go_context_cancel(), or when it is freed. No memory: the program ends
 * with a message. */
go_context *go_context_with_cancel(go_context *parent);
/* The same, and it is cancelled at the instant at_ns (go_now()'s clock) with GO_ERR_DEADLINE, if the parent has no earlier deadline. */
go_context *go_context_with_deadline(go_context *parent, int64_t at_ns);
/* with_deadline, ns nanoseconds from now. */
go_context *go_context_with_timeout(go_context *parent, int64_t ns);
/* The parent with one value more. Keys are compared as pointers: use the address of a static object of your own. The context
 * owns neither. Its cancellation is its parent's: freeing it cancels nothing. */
go_context *go_context_with_value(go_context *parent, const void *key, void *value);

/* Cancels with GO_ERR_CANCELED; the second time nothing happens. A context of with_value or the background: "panic: context:
 * cancel of a context that was not made to be cancelled". */
void go_context_cancel(go_context *c);
/* The same, and says why: go_context_cause() of this context and its descendants will be `cause` (0: GO_ERR_CANCELED). */
void go_context_cancel_cause(go_context *c, int cause);

/* Gives the owner's reference back, after cancelling (a value context: without). NULL is ignored. */
void go_context_free(go_context *c);
/* One more reference; returns c. */
go_context *go_context_hold(go_context *c);
/* Gives such a reference back, without cancelling. */
void go_context_release(go_context *c);

/* A channel that is closed when the context is cancelled; the same each time. NULL, the nil channel, if it never can be. It
 * belongs to the context. */
go_recv_chan(char) go_context_done(const go_context *c);
/* 0: not cancelled; GO_ERR_CANCELED; GO_ERR_DEADLINE. Never goes back. */
int go_context_err(const go_context *c);
/* Why: what go_context_cancel_cause() was given, else as go_context_err(). */
int go_context_cause(const go_context *c);
/* Whether the context has a deadline, its own or an ancestor's, and when, to *at_ns (may be NULL). */
bool go_context_deadline(const go_context *c, int64_t *at_ns);
/* The value for the key in this context or its nearest ancestor that has one; NULL: none. Costs a step for each ancestor. */
void *go_context_value(const go_context *c, const void *key);

#endif
