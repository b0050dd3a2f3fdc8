/* Which lock precedes which, as a directed graph that knows at once where there is no cycle.
 *
 * Locks that reach each other are one component, and components have a number each, such that every edge between two goes from the lower to the higher. So
 * - an edge that goes up closes no cycle: that is one look at two numbers;
 * - a new edge that goes down visits what lies between its ends' numbers, forwards from where it goes and backwards from where it comes, and no more;
 *   the numbers of what was visited are dealt out anew among it, what comes before first (Pearce and Kelly's way), and what was visited both
 *   ways is on a cycle now: it becomes one component;
 * - a lock without edges has no place yet: its first edge puts it before or after all others.
 *
 * A lock that ends takes its edges with it, at a cost of as many. Its component stays one, though it may be none any more: that is wrong on the
 * safe side. A component that has lost half of its locks is taken apart when it is next asked about, and its edges entered anew. */
#ifndef RACE_ORDER_GRAPH_H
#define RACE_ORDER_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ORDER_EDGES_MAX = 1 << 20 };

struct order_node;
struct order_component {
    int64_t at;                         /* its number */
    uint32_t size, lost;                /* locks; those that ended since it was made */
    uint32_t after, before;             /* marks of the search that visited it, forwards and backwards */
    struct order_node *first;           /* any of its locks: they form a ring */
};

struct order_edge;
/* Of a lock, for good; zeroed and then order_node_init. Nothing here has a lock of its own: the caller's guards all nodes. */
struct order_node {
    struct order_component *component, alone;   /* itself: a component of one */
    struct order_node *next, *prev;             /* the component's ring */
    struct order_node *todo;                    /* while a component is taken apart */
    struct order_edge *out, *in;
    struct order_info *taken, **taken_end;      /* race_order.c */
};
void order_node_init(struct order_node *n);

/* Makes sure that there is an edge. False: there is no room for more. */
bool order_edge_add(struct order_node *from, struct order_node *to);
/* The lock begins another life: without edges. */
void order_node_clear(struct order_node *n);

/* Whether a cycle may go through both. Never false if there is one. */
bool order_may_cycle(struct order_node *a, struct order_node *b);

/* What the searches looked at so far, and how many edges there are: for tests. */
uint64_t order_visits(void);
uint32_t order_edges(void);

#endif
