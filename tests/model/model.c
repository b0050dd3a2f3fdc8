/* Edges, clocks, comparison. Meant to be read beside docs/race.md and C11 (5.1.2.4, 7.17.4), and to be fast nowhere. See model.h. */
#include "model.h"

#include <string.h>

static const char *const kind_names[] = {
#define X(name, text) text,
    EVENT_KINDS(X)
#undef X
};

static const struct trace *t;
static uint16_t clock_of[EVENTS_MAX][GOROUTINES_MAX];   /* [event][goroutine]: how many events of that goroutine happened before or are it */
static uint16_t place_of[EVENTS_MAX];                   /* the event's number in its own goroutine, from 1 */

static bool is_access(const struct event *e)
{
    return e->kind == EV_ACCESS || e->kind == EV_ATOMIC_LOAD || e->kind == EV_ATOMIC_STORE || e->kind == EV_ATOMIC_RMW;
}

static bool acquires(int order)
{
    return order == MO_CONSUME || order == MO_ACQUIRE || order == MO_ACQ_REL || order == MO_SEQ_CST;
}

static bool releases(int order)
{
    return order == MO_RELEASE || order == MO_ACQ_REL || order == MO_SEQ_CST;
}

static bool happens_before(int a, int b)
{
    return a < b && clock_of[b][t->event[a].g] >= place_of[a];
}

/* ---- edges: whom event b hears of ---- */

static bool impossible;   /* an edge from an event that is not there: the trace contradicts itself */

static void edge(int a, int b)
{
    if (a < 0 || a >= b) {
        impossible = true;
        return;
    }
    for (int g = 0; g < t->goroutines; g++)
        if (clock_of[b][g] < clock_of[a][g])
            clock_of[b][g] = clock_of[a][g];
}

static bool forgets(int e, uintptr_t addr)
{
    const struct event *f = &t->event[e];
    return f->kind == EV_FORGET && addr >= f->addr && addr < f->addr + f->size;
}

/* Every event of that kind on b's object before it. */
static void edges_from_all(enum event_kind kind, int b)
{
    for (int a = 0; a < b; a++)
        if (t->event[a].kind == kind && t->event[a].object == t->event[b].object)
            edge(a, b);
}

static void edges_acquire(int b)
{
    for (int a = b - 1; a >= 0 && !forgets(a, t->event[b].addr); a--) {
        if (t->event[a].addr != t->event[b].addr)
            continue;
        if (t->event[a].kind == EV_RELEASE || t->event[a].kind == EV_RELEASE_MERGE)
            edge(a, b);
        if (t->event[a].kind == EV_RELEASE)
            return;
    }
}

static bool modifies(int e, uintptr_t addr)
{
    return (t->event[e].kind == EV_ATOMIC_STORE || t->event[e].kind == EV_ATOMIC_RMW) && t->event[e].addr == addr;
}

/* b has what load (b itself, or a relaxed load before fence b in b's goroutine) read. The writer of that value is the last modification before the
 * load. Each modification `head` in whose release sequence the writer is (all after it, up to the writer, are by head's goroutine or
 * read-modify-writes) gives what it released: itself if it is a release, and what release fences before it in its goroutine saw. */
static void edges_read(int load, int b)
{
    uintptr_t addr = t->event[load].addr;
    for (int head = load - 1; head >= 0 && !forgets(head, addr); head--) {
        if (!modifies(head, addr))
            continue;
        bool in_sequence = true;
        for (int m = head + 1; m < load; m++)
            if (modifies(m, addr) && t->event[m].g != t->event[head].g && t->event[m].kind != EV_ATOMIC_RMW)
                in_sequence = false;
        if (!in_sequence)
            continue;
        if (releases(t->event[head].order))
            edge(head, b);
        for (int f = 0; f < head; f++)
            if (t->event[f].kind == EV_FENCE && t->event[f].g == t->event[head].g && releases(t->event[f].order))
                edge(f, b);
    }
}

static bool reads_atomic(int e)
{
    return t->event[e].kind == EV_ATOMIC_LOAD || t->event[e].kind == EV_ATOMIC_RMW;
}

/* ---- channels: which element was the how-manieth ---- */

struct passage {
    int send_begin, send_end, recv_begin, recv_end;   /* -1: not there */
};
static struct passage passage_of[EVENTS_MAX];   /* by element id; ids are the index of the element's SEND_BEGIN */
static int sequence[GOROUTINES_MAX][EVENTS_MAX], sequence_n[GOROUTINES_MAX];   /* by channel: element ids in their order */

/* Whether a surely was sent before b: one of the two ends of the channel saw them one after the other. */
static bool surely_before(const struct passage *a, const struct passage *b)
{
    if (t->event[a->send_begin].g == t->event[b->send_begin].g || (a->send_end >= 0 && a->send_end < b->send_begin))
        return a->send_begin < b->send_begin;
    if (a->recv_begin < 0 || b->recv_begin < 0)
        return false;
    if (t->event[a->recv_begin].g == t->event[b->recv_begin].g || (a->recv_end >= 0 && a->recv_end < b->recv_begin))
        return a->recv_begin < b->recv_begin;
    return false;
}

/* Elements that were sent, in an order that both ends agree on; false: the trace does not tell. */
static bool find_sequences(void)
{
    memset(sequence_n, 0, sizeof sequence_n);
    for (int e = 0; e < t->n; e++)
        passage_of[e] = (struct passage){-1, -1, -1, -1};
    for (int e = 0; e < t->n; e++) {
        const struct event *ev = &t->event[e];
        if (ev->kind == EV_SEND_END) {
            passage_of[ev->id].send_begin = ev->id;
            passage_of[ev->id].send_end = e;
        } else if (ev->kind == EV_RECV_END) {
            passage_of[ev->id].send_begin = ev->id;
            passage_of[ev->id].recv_begin = ev->begin;
            passage_of[ev->id].recv_end = e;
        }
    }
    for (int id = 0; id < t->n; id++) {
        struct passage *p = &passage_of[id];
        if (p->send_begin < 0)
            continue;
        int c = t->event[id].object, n = sequence_n[c]++;
        for (; n > 0 && surely_before(p, &passage_of[sequence[c][n - 1]]); n--)
            sequence[c][n] = sequence[c][n - 1];
        sequence[c][n] = id;
    }
    for (int c = 0; c < GOROUTINES_MAX; c++)
        for (int k = 1; t->capacity[c] > 0 && k < sequence_n[c]; k++)
            if (!surely_before(&passage_of[sequence[c][k - 1]], &passage_of[sequence[c][k]]))
                return false;
    return true;
}

/* The passage of element id ends for b (a send or a receive). A receive hears of its send's beginning; a send of the beginning of the receive that made
 * room for it: unbuffered its own, with room for C the (k-C)-th. */
static void edges_passage(int id, int b)
{
    const struct passage *p = &passage_of[id];
    int c = t->event[b].object, cap = t->capacity[c], k = 0;
    if (t->event[b].kind == EV_RECV_END)
        edge(p->send_begin, b);
    else if (cap == 0)
        edge(p->recv_begin, b);
    if (cap == 0)
        return;
    while (sequence[c][k] != id)
        k++;
    if (t->event[b].kind == EV_SEND_END && k >= cap)
        edge(passage_of[sequence[c][k - cap]].recv_begin, b);
}

static void edges_of(int b)
{
    const struct event *e = &t->event[b];
    switch (e->kind) {
    case EV_START:
        for (int a = 0; a < b; a++)
            if (t->event[a].kind == EV_GO && t->event[a].object == e->g)
                edge(a, b);
        break;
    case EV_ATOMIC_LOAD:
    case EV_ATOMIC_RMW:
        if (acquires(e->order))
            edges_read(b, b);
        break;
    case EV_FENCE:
        for (int load = 0; acquires(e->order) && load < b; load++)
            if (reads_atomic(load) && t->event[load].g == e->g)
                edges_read(load, b);
        break;
    case EV_ACQUIRE:
        edges_acquire(b);
        break;
    case EV_SEND_END:
    case EV_RECV_END:
        edges_passage(e->id, b);
        break;
    case EV_RECV_CLOSED:
        edges_from_all(EV_CLOSE, b);
        break;
    case EV_LOCK:
        edges_from_all(EV_UNLOCK, b);
        break;
    case EV_RLOCK:
        edges_from_all(EV_WUNLOCK, b);
        break;
    case EV_WLOCK:
        edges_from_all(EV_WUNLOCK, b);
        edges_from_all(EV_RUNLOCK, b);
        break;
    case EV_WAIT:
        edges_from_all(EV_DONE, b);
        break;
    case EV_ONCE:
        edges_from_all(EV_ONCE_RAN, b);
        break;
    default:
        break;
    }
}

static bool find_clocks(void)
{
    uint16_t count[GOROUTINES_MAX] = {0};
    int last[GOROUTINES_MAX];
    if (!find_sequences())
        return false;
    memset(last, -1, sizeof last);
    impossible = false;
    for (int e = 0; e < t->n; e++) {
        int g = t->event[e].g;
        memset(clock_of[e], 0, sizeof clock_of[e]);
        if (last[g] >= 0)
            edge(last[g], e);
        last[g] = e;
        clock_of[e][g] = place_of[e] = ++count[g];
        edges_of(e);
    }
    return true;
}

/* ---- accesses ---- */

static bool contains(int e, uintptr_t byte)
{
    return is_access(&t->event[e]) && byte >= t->event[e].addr && byte - t->event[e].addr < t->event[e].size;
}

static bool conflict(int a, int b)
{
    const struct event *x = &t->event[a], *y = &t->event[b];
    return (x->write || y->write) && !(x->atomic && y->atomic);
}

static bool same_life(int a, int b, uintptr_t byte)
{
    for (int e = a + 1; e < b; e++)
        if (t->event[e].kind == EV_LIFE && byte >= t->event[e].addr && byte - t->event[e].addr < t->event[e].size)
            return false;
    return true;
}

static bool race_in(int i, int j, uintptr_t byte)
{
    if (t->free && i > j)
        return race_in(j, i, byte);
    return i < j && contains(i, byte) && contains(j, byte) && conflict(i, j) && (t->event[i].frees || !happens_before(i, j)) && same_life(i, j, byte);
}

/* The second way to stand for: r came first, is as strong, and until event `end` nobody has seen it without i. */
static bool same_epoch(int r, int i, int end)
{
    if (t->event[r].g != t->event[i].g || r >= i)
        return false;
    for (int e = r + 1; e <= end; e++)
        if (t->event[e].g != t->event[r].g && happens_before(r, e) && !happens_before(i, e))
            return false;
    return true;
}

static bool as_strong(int r, int i, uintptr_t byte)
{
    const struct event *x = &t->event[r], *y = &t->event[i];
    return contains(r, byte) && (x->write || !y->write) && (!x->atomic || y->atomic);
}

static bool stands_for(int r, int i, uintptr_t byte, int j)
{
    return r == i || (as_strong(r, i, byte) && race_in(r, j, byte) && (happens_before(i, r) || same_epoch(r, i, j) || (t->event[r].frees && r > i)));
}

/* Whether j comes after a free that k was in order with: that race is j's alone. */
static bool freed_since(int k, int j, uintptr_t byte)
{
    for (int e = k; e < j; e++)
        if (t->event[e].frees && contains(e, byte) && (e == k || happens_before(k, e)))
            return true;
    return false;
}

/* Whether nothing needs to remember birth i at access j. */
static bool outlived(int i, int j, uintptr_t byte)
{
    for (int k = i + 1; t->event[i].birth && k < j; k++)
        for (uintptr_t b = byte & ~7ul; b <= (byte | 7); b++)
            if (contains(k, b) && happens_before(i, k))
                return true;
    return false;
}

/* Whether birth k has raced before event j. */
static bool has_raced(int k, int j, uintptr_t byte)
{
    for (int e = k + 1; e < j; e++)
        if (race_in(k, e, byte))
            return true;
    return false;
}

static bool is_repeated(int j, uintptr_t byte)
{
    for (int k = 0; k < j; k++)
        if (as_strong(k, j, byte) && (!t->event[k].birth || has_raced(k, j, byte)) && same_life(k, j, byte) && same_epoch(k, j, j) && !freed_since(k, j, byte))
            return true;
    return false;
}

static int event_of_id[IDS_MAX];

static bool said(const struct reported *r, int n, int i, int j, uintptr_t byte)
{
    for (int k = 0; k < n; k++)
        if (event_of_id[r[k].now] == j && stands_for(event_of_id[r[k].old], i, byte, j))
            return true;
    return false;
}

/* Accesses that ran free: whether some race was reported of two accesses that contain the byte. */
static bool said_of(const struct reported *r, int n, uintptr_t byte)
{
    for (int k = 0; k < n; k++)
        if (race_in(event_of_id[r[k].old], event_of_id[r[k].now], byte))
            return true;
    return false;
}

static bool is_race_in_word(int i, int j, uintptr_t word)
{
    for (uintptr_t b = word; b < word + 8; b++)
        if (race_in(i, j, b))
            return true;
    return false;
}

static void print_event(int e, FILE *to)
{
    const struct event *v = &t->event[e];
    static const char *const orders[] = {"relaxed", "consume", "acquire", "release", "acq_rel", "seq_cst"};
    fprintf(to, "%4d  g%-2d  %s", e, v->g, kind_names[v->kind]);
    if (v->kind == EV_ACCESS)
        fprintf(to, " %s", v->write ? "write" : "read");
    if (v->addr)
        fprintf(to, " %#lx", (unsigned long)v->addr);
    if (v->size)
        fprintf(to, " +%u", v->size);
    if (v->atomic || v->kind == EV_FENCE)
        fprintf(to, " %s", orders[v->order]);
    if (!v->addr && v->kind != EV_FENCE && v->kind != EV_START)
        fprintf(to, " #%d", v->object);
    if (v->kind == EV_SEND_BEGIN || v->kind == EV_SEND_END || v->kind == EV_RECV_END)
        fprintf(to, " element %d", v->id);
    fprintf(to, "\n");
}

void model_print(const struct trace *trace, FILE *to)
{
    t = trace;
    for (int e = 0; e < t->n; e++)
        print_event(e, to);
}

static struct verdict disagreed(const char *what, int i, int j, uintptr_t at)
{
    struct verdict v = {false, false, 0, ""};
    snprintf(v.why, sizeof v.why, "%s: event %d and event %d at %#lx", what, i, j, (unsigned long)at);
    return v;
}

struct verdict model_judge(const struct trace *trace, const struct reported *r, int n)
{
    t = trace;
    struct verdict v = {true, false, 0, ""};
    if (!find_clocks()) {
        v.undetermined = true;
        return v;
    }
    if (impossible)
        return disagreed("elements overtook each other in a channel", -1, -1, 0);
    for (int id = 0; id < IDS_MAX; id++)
        event_of_id[id] = -1;
    for (int e = 0; e < t->n; e++)
        if (is_access(&t->event[e]))
            event_of_id[t->event[e].id] = e;
    for (int k = 0; k < n; k++) {
        int i = event_of_id[r[k].old], j = event_of_id[r[k].now];
        if (i < 0 || j < 0 || !is_race_in_word(i, j, r[k].word))
            return disagreed("reported, and is no race", i, j, r[k].word);
    }
    for (int j = 0; j < t->n; j++) {
        for (int i = 0; is_access(&t->event[j]) && i < j; i++) {
            bool race = false;
            for (uintptr_t b = t->event[j].addr; b < t->event[j].addr + t->event[j].size; b++) {
                if (!race_in(i, j, b))
                    continue;
                race = true;
                if (t->free ? !said_of(r, n, b) : !said(r, n, i, j, b) && !is_repeated(j, b) && !outlived(i, j, b))
                    return disagreed("a race, and not reported", i, j, b);
            }
            v.races += race;
        }
    }
    return v;
}
