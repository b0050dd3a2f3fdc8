/* Random programs on the whole of it: real goroutines, the runtime's channels, locks and wait groups, accesses with the compiler's hooks
 * (accesses.c). This file is compiled without hooks: what it writes down, and the spin lock that orders that, are hidden from the detector.
 *
 * The trace is true because nothing can come between an operation and its record. What does not block is done and recorded under the hidden lock. What
 * may block is recorded when it begins and after it has ended, and carries what tells its partner: an element is the number of its send's record;
 * whoever holds a mutex records before the next one can; and so on. Where the order of a channel's elements can't be told, the model says so.
 *
 * With --free, plain accesses are made outside the hidden lock, at once on several threads; less can then be said (model.h).
 *
 * Programs can't hang: no goroutine blocks on a channel while it holds a lock; goroutine 0, the driver, does no more than look, and when all others
 * are blocked it gives one of them what it waits for, which is part of the program as well. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <gort.h>

#include "accesses.h"
#include "play.h"

const char *const play_name = "model-runtime";

enum op {
    OP_READ, OP_WRITE, OP_READ_RANGE, OP_WRITE_RANGE, OP_LOAD, OP_STORE, OP_EXCHANGE, OP_ADD, OP_CAS, OP_CAS_FAILS, OP_FENCE, OP_YIELD,
    OP_SEND, OP_RECV, OP_TRY_SEND, OP_TRY_RECV, OP_SELECT, OP_CLOSE, OP_LOCK, OP_TRY_LOCK, OP_RLOCK, OP_TRY_RLOCK, OP_WLOCK, OP_TRY_WLOCK, OP_UNLOCK,
    OP_GO, OP_JOIN, OP_DONE, OP_WAIT, OP_ONCE,
    OPS
};

struct step {
    enum op op;
    int g, where, size, order, other;
};

enum { GS = 8, CHANS = 3, LOCKS = 2, CELLS = 4, WORDS = 48, DRIVER = 0 };

/* No step begins when less is left. Then each goroutine may still be in one (of at most 5 records), start once and end (3), and the driver gives each
 * what it is blocked for, in as many rounds as there are goroutines left (4 a gift): 64 + 4 * (7 + 6 + ... + 1) + the latch's. */
enum { ROOM_LEFT = 256 };

static struct step program[STEPS_MAX];
static int program_n;
static const bool *skipped;
static struct trace trace;
static int procs = 1;

/* What the program works on: new for each, from malloc. */
static struct world {
    char words[WORDS] __attribute__((aligned(16)));
    char cells[CELLS][8] __attribute__((aligned(8)));   /* cell i: atomic, of 1 << i bytes */
    int got[GS];                                        /* where goroutine g's receives go; others only read it */
    go_chan(int) chan[CHANS];
    go_mutex mutex[LOCKS];
    go_rwmutex rwmutex[LOCKS];
    go_once once;
    go_waitgroup latch, ended[GS], all;
} *world;

/* Hidden: under the hidden lock. */
static struct {
    bool closed[CHANS];
    int senders[CHANS];      /* that have begun */
    int dones;               /* which the latch still waits for */
    int live;
    int moves, gifts;        /* records of all but the driver; of the driver */
    int parent[GS];          /* -1: not started */
    enum { RUNS, BLOCKED, ENDED } state[GS];
    const struct step *at[GS];
} hidden;

static void generate(uint64_t seed)
{
    struct random r = {seed ^ 0x5bd1e995};
    int weight[OPS], total = 0, goroutines = 2 + random_below(&r, GS - 2), chans = 1 + random_below(&r, CHANS), locks = 1 + random_below(&r, LOCKS);
    int words = 1 + random_below(&r, 4), cells = 1 + random_below(&r, CELLS), most = 1 + random_below(&r, 10);
    for (int i = 0; i < OPS; i++)
        total += weight[i] = random_below(&r, 3) ? 1 + random_below(&r, most) : 0;
    total += !weight[OP_GO];
    weight[OP_GO] += !weight[OP_GO];
    program_n = 8 + random_below(&r, random_below(&r, 4) ? 60 : STEPS_MAX - 8);
    for (int i = 0; i < program_n; i++) {
        struct step *s = &program[i];
        int pick = random_below(&r, total), op = 0;
        while (pick >= weight[op])
            pick -= weight[op++];
        s->op = (enum op)op;
        s->g = random_below(&r, goroutines - 1) + 1;
        s->size = random_below(&r, 40);
        s->order = random_below(&r, 6);
        s->other = random_below(&r, goroutines);
        s->where = op < OP_LOAD ? random_below(&r, words * 8) : op < OP_FENCE ? random_below(&r, cells) : op < OP_LOCK ? random_below(&r, chans) :
                   random_below(&r, locks);
    }
    for (int i = 1; i < goroutines && i < program_n && random_below(&r, 4); i++)
        program[i - 1] = (struct step){.op = OP_GO, .g = 0, .other = i};
    program[0] = (struct step){.op = OP_GO, .g = 0, .other = 1};
    for (int c = 0; c < CHANS; c++)
        trace.capacity[c] = random_below(&r, 2) ? 0 : 1 + random_below(&r, 3);
}

/* ---- the trace ---- */

static char hidden_lock;

static void hide(void)
{
    for (int spins = 0; __atomic_test_and_set(&hidden_lock, __ATOMIC_ACQUIRE); spins++)
        if (spins > 100)
            sched_yield();
}

static void show(void)
{
    __atomic_clear(&hidden_lock, __ATOMIC_RELEASE);
}

static _Noreturn void die(const char *why)
{
    fprintf(stderr, "model-runtime: %s: %d events, %d moves, %d gifts\n", why, trace.n, hidden.moves, hidden.gifts);
    for (int i = 0; i < trace.n; i++)
        fprintf(stderr, " %d:%d:%d", trace.event[i].kind, trace.event[i].g, trace.event[i].object);
    fputc('\n', stderr);
    abort();
}

/* Hidden lock held. There is room (ROOM_LEFT). */
static struct event *record(enum event_kind kind, int g, int object)
{
    if (trace.n == EVENTS_MAX)
        die("the trace is full");
    struct event *e = &trace.event[trace.n];
    *e = (struct event){.kind = kind, .g = g, .object = object, .id = trace.n};
    trace.n++;
    *(g == DRIVER ? &hidden.gifts : &hidden.moves) += 1;
    return e;
}

/* Hidden lock held: what was recorded last never was. */
static void forget(int g)
{
    trace.n--;
    *(g == DRIVER ? &hidden.gifts : &hidden.moves) -= 1;
}

static int record_now(enum event_kind kind, int g, int object)
{
    hide();
    int n = trace.n;
    record(kind, g, object);
    show();
    return n;
}

static struct event *record_access(enum event_kind kind, int g, const void *addr, int size, bool write)
{
    struct event *e = record(kind, g, 0);
    e->addr = (uintptr_t)addr;
    e->size = (uint32_t)size;
    e->write = write;
    e->atomic = kind != EV_ACCESS;
    return e;
}

static void blocks(int g, const struct step *s)
{
    hidden.at[g] = s;
    hidden.state[g] = BLOCKED;
}

/* ---- steps that don't block: all under the hidden lock ---- */

static void plain(const struct step *s, int g)
{
    static const int sizes[] = {1, 2, 4, 8, 16};
    bool write = s->op == OP_WRITE || s->op == OP_WRITE_RANGE, range = s->op == OP_READ_RANGE || s->op == OP_WRITE_RANGE;
    char *at = s->size >= 32 ? world->cells[0] + s->where % 16 : world->words + s->where;
    int size = range ? 1 + s->size % 16 : sizes[s->size % 5];
    if (s->size >= 20 && s->size < 28 && !write)
        at = (char *)&world->got[s->other] + (range ? 0 : s->where % 3), size = range ? 4 : 1;
    bool shown = trace.free && s->size < 32;   /* a cell must not change while a compare-and-swap reckons with what it holds */
    hide();
    access_begin(trace.n);
    record_access(EV_ACCESS, g, at, size, write);
    if (shown)
        show();
    if (range && write)
        access_write_range(at, (size_t)size);
    else if (range)
        access_read_range(at, (size_t)size);
    else if (write)
        access_write(at, size, (uint64_t)s->order);
    else
        access_read(at, size);
    access_end();
    if (!shown)
        show();
}

static void atomic(const struct step *s, int g)
{
    char *at = world->cells[s->where];
    int size = 1 << s->where, mo = s->order;
    hide();
    if ((s->op == OP_LOAD || s->op == OP_CAS_FAILS) && (mo == MO_RELEASE || mo == MO_ACQ_REL))
        mo = MO_ACQUIRE;
    if (s->op == OP_STORE && (mo == MO_CONSUME || mo == MO_ACQUIRE || mo == MO_ACQ_REL || play_is_mixed(&trace, at, g)))
        mo = MO_RELEASE;
    bool writes = s->op != OP_LOAD && s->op != OP_CAS_FAILS;
    uint64_t is = 0;
    for (int i = 0; i < size; i++)   /* no call of memcpy, which the detector sees */
        is |= (uint64_t)(uint8_t)at[i] << (8 * i);
    access_begin(trace.n);
    record_access(s->op == OP_STORE ? EV_ATOMIC_STORE : writes ? EV_ATOMIC_RMW : EV_ATOMIC_LOAD, g, at, size, writes)->order = mo;
    switch (s->op) {
    case OP_LOAD: access_atomic_load(at, size, mo); break;
    case OP_STORE: access_atomic_store(at, size, (uint64_t)s->size, mo); break;
    case OP_EXCHANGE: access_atomic_exchange(at, size, (uint64_t)s->size, mo); break;
    case OP_ADD: access_atomic_add(at, size, s->other % 2, mo); break;   /* half of them change nothing */
    case OP_CAS: if (!access_atomic_cas(at, size, is, is + 1, mo)) die("a compare-and-swap failed"); break;
    default: if (access_atomic_cas_fails(at, size, is + 1, mo)) die("a compare-and-swap succeeded");
    }
    access_end();
    show();
}

/* ---- channels ---- */

/* Where a receive puts its element: on one P, where others look. (On several, one could look between the write and its record.) */
static int *target(const struct step *s, int g, int *own)
{
    return procs == 1 && s->size % 2 ? &world->got[g] : own;
}

/* Hidden lock held. */
static void received(int g, int c, int begin, int element, bool ok, const int *to, const int *own)
{
    struct event *e = record(ok ? EV_RECV_END : EV_RECV_CLOSED, g, c);
    e->begin = begin;
    e->id = element;
    if (to != own)
        record_access(EV_ACCESS, g, to, sizeof *to, true)->id = begin;
}

static void send_on(const struct step *s, int g, bool try)
{
    int c = s->where;
    hide();
    if (hidden.closed[c]) {
        show();
        return;
    }
    int element = trace.n;
    record(EV_SEND_BEGIN, g, c);
    if (try) {
        if (go_try_send(world->chan[c], element))
            record(EV_SEND_END, g, c)->id = element;
        else
            forget(g);
        show();
        return;
    }
    hidden.senders[c]++;
    blocks(g, s);
    show();
    go_send(world->chan[c], element);
    hide();
    hidden.state[g] = RUNS;
    hidden.senders[c]--;
    record(EV_SEND_END, g, c)->id = element;
    show();
}

static void recv_from(const struct step *s, int g, bool try)
{
    int c = s->where, own = 0, *to = target(s, g, &own);
    hide();
    int begin = trace.n;
    record(EV_RECV_BEGIN, g, c);
    access_begin(begin);
    if (try) {
        enum go_recv_result r = go_try_recv(world->chan[c], to);
        access_end();
        if (r == GO_RECV_EMPTY)
            forget(g);
        else
            received(g, c, begin, *to, r == GO_RECV_VALUE, to, &own);
        show();
        return;
    }
    blocks(g, s);
    show();
    bool ok = go_recv(world->chan[c], to);
    int element = *to;
    hide();
    access_end();
    hidden.state[g] = RUNS;
    received(g, c, begin, element, ok, to, &own);
    show();
}

/* A receive and a send, or two receives, perhaps of the same channel. */
static void wait_for_two(const struct step *s, int g)
{
    int c = s->where, d = s->other % CHANS, own = 0, *to = target(s, g, &own), element = -1, begin[2];
    bool sends = s->order % 2, ok[2] = {false, false}, has_default = s->order >= 4;
    hide();
    begin[0] = trace.n;
    record(EV_RECV_BEGIN, g, c);
    begin[1] = trace.n;
    if (sends && hidden.closed[d])
        sends = false;
    if (sends) {
        element = trace.n;
        record(EV_SEND_BEGIN, g, d);
        hidden.senders[d]++;
    } else {
        record(EV_RECV_BEGIN, g, d);
    }
    blocks(g, s);
    show();
    struct gort_case cases[3] = {
        {.kind = GORT_CASE_RECV, .chan = (struct gort_chan *)world->chan[c], .value = to, .ok = &ok[0]},
        {.kind = GORT_CASE_RECV, .chan = (struct gort_chan *)world->chan[d], .value = to, .ok = &ok[1]},
        {.kind = GORT_CASE_DEFAULT},
    };
    if (sends)
        cases[1] = (struct gort_case){.kind = GORT_CASE_SEND, .chan = (struct gort_chan *)world->chan[d], .value = &element};
    access_begin(begin[0]);
    int chosen = gort_select(cases, has_default ? 3 : 2);
    int got = *to;
    hide();
    access_end();
    hidden.state[g] = RUNS;
    if (sends)
        hidden.senders[d]--;
    if (chosen == 1 && sends) {
        record(EV_SEND_END, g, d)->id = element;
    } else if (chosen < 2) {
        received(g, chosen ? d : c, begin[chosen], got, ok[chosen], to, &own);
        if (to != &own)
            trace.event[trace.n - 1].id = begin[0];
    }
    show();
}

static void close_if_nobody_sends(int c, int g)
{
    hide();
    if (!hidden.closed[c] && hidden.senders[c] == 0) {
        hidden.closed[c] = true;
        record(EV_CLOSE, g, c);
        go_close(world->chan[c]);
    }
    show();
}

/* ---- locks: one at a time ---- */

struct held {
    enum { NOTHING, MUTEX, READS, WRITES } what;
    int lock;
};

static void let_go(struct held *h, int g)
{
    if (h->what == MUTEX) {
        record_now(EV_UNLOCK, g, h->lock);
        go_mutex_unlock(&world->mutex[h->lock]);
    } else if (h->what == READS) {
        record_now(EV_RUNLOCK, g, h->lock);
        go_rwmutex_runlock(&world->rwmutex[h->lock]);
    } else if (h->what == WRITES) {
        record_now(EV_WUNLOCK, g, h->lock);
        go_rwmutex_unlock(&world->rwmutex[h->lock]);
    }
    h->what = NOTHING;
}

static void take(const struct step *s, int g, struct held *h)
{
    int l = s->where;
    let_go(h, g);
    switch (s->op) {
    case OP_LOCK: go_mutex_lock(&world->mutex[l]); break;
    case OP_RLOCK: go_rwmutex_rlock(&world->rwmutex[l]); break;
    case OP_WLOCK: go_rwmutex_lock(&world->rwmutex[l]); break;
    case OP_TRY_LOCK: if (!go_mutex_try_lock(&world->mutex[l])) return; break;
    case OP_TRY_RLOCK: if (!go_rwmutex_try_rlock(&world->rwmutex[l])) return; break;
    default: if (!go_rwmutex_try_lock(&world->rwmutex[l])) return; break;
    }
    h->lock = l;
    h->what = s->op == OP_LOCK || s->op == OP_TRY_LOCK ? MUTEX : s->op == OP_RLOCK || s->op == OP_TRY_RLOCK ? READS : WRITES;
    record_now(h->what == MUTEX ? EV_LOCK : h->what == READS ? EV_RLOCK : EV_WLOCK, g, l);
}

/* ---- goroutines, wait groups, once ---- */

enum { LATCH = GS };   /* as a wait group's number; the others are goroutines' */

static void run(int g);

static void start(int parent, int g)
{
    hide();
    bool is_new = g != DRIVER && hidden.parent[g] < 0;
    if (is_new) {
        hidden.parent[g] = parent;
        hidden.state[g] = RUNS;
        hidden.live++;
        record(EV_GO, parent, g);
    }
    show();
    if (!is_new)
        return;
    go_waitgroup_add(&world->ended[g], 1);
    go_waitgroup_add(&world->all, 1);
    go(run, g);
}

static void join(const struct step *s, int g)
{
    hide();
    bool is_child = s->other != DRIVER && hidden.parent[s->other] == g;
    if (is_child)
        blocks(g, s);
    show();
    if (!is_child)
        return;
    go_waitgroup_wait(&world->ended[s->other]);
    hide();
    hidden.state[g] = RUNS;
    record(EV_WAIT, g, s->other);
    show();
}

/* Returns whether the latch still waited for one. */
static bool done(int g)
{
    hide();
    bool waits = hidden.dones > 0;
    if (waits) {
        hidden.dones--;
        record(EV_DONE, g, LATCH);
        go_waitgroup_done(&world->latch);
    }
    show();
    return waits;
}

static void wait_for_latch(const struct step *s, int g)
{
    hide();
    blocks(g, s);
    show();
    go_waitgroup_wait(&world->latch);
    hide();
    hidden.state[g] = RUNS;
    record(EV_WAIT, g, LATCH);
    show();
}

static void once(void *arg)
{
    const struct step *s = arg;
    plain(&(struct step){.op = s->size % 2 ? OP_WRITE : OP_READ, .where = s->order * 4, .size = s->size % 32}, s->g);
    record_now(EV_ONCE_RAN, s->g, 0);
}

static void play(const struct step *s, int g, struct held *h)
{
    switch (s->op) {
    case OP_READ: case OP_WRITE: case OP_READ_RANGE: case OP_WRITE_RANGE: plain(s, g); return;
    case OP_LOAD: case OP_STORE: case OP_EXCHANGE: case OP_ADD: case OP_CAS: case OP_CAS_FAILS: atomic(s, g); return;
    case OP_FENCE:
        hide();
        record(EV_FENCE, g, 0)->order = s->order;
        access_fence(s->order);
        show();
        return;
    case OP_YIELD: go_yield(); return;
    case OP_CLOSE: if (s->size < 8) close_if_nobody_sends(s->where, g); return;
    case OP_GO: start(g, s->other); return;
    case OP_DONE: done(g); return;
    default: let_go(h, g);   /* what follows may block */
    }
    switch (s->op) {
    case OP_SEND: case OP_TRY_SEND: send_on(s, g, s->op == OP_TRY_SEND); break;
    case OP_RECV: case OP_TRY_RECV: recv_from(s, g, s->op == OP_TRY_RECV); break;
    case OP_SELECT: wait_for_two(s, g); break;
    case OP_JOIN: join(s, g); break;
    case OP_WAIT: wait_for_latch(s, g); break;
    case OP_ONCE:
        go_once_do(&world->once, once, (void *)(uintptr_t)s);
        record_now(EV_ONCE, g, 0);
        break;
    case OP_UNLOCK: break;
    default: take(s, g, h);
    }
}

static void play_steps_of(int g)
{
    struct held held = {NOTHING, 0};
    for (int i = 0; i < program_n; i++)
        if (program[i].g == g && !skipped[i] && trace.n < EVENTS_MAX - ROOM_LEFT)
            play(&program[i], g, &held);
    let_go(&held, g);
}

static void run(int g)
{
    record_now(EV_START, g, 0);
    play_steps_of(g);
    record_now(EV_DONE, g, g);
    go_waitgroup_done(&world->ended[g]);
    hide();
    hidden.state[g] = ENDED;
    hidden.live--;
    show();
    go_waitgroup_done(&world->all);
}

/* ---- the driver ---- */

struct look {
    bool blocked;   /* all goroutines are */
    bool live;      /* any has not ended */
    int moves;
};

static struct look look(void)
{
    hide();
    struct look l = {.blocked = true, .live = hidden.live > 0, .moves = hidden.moves};
    for (int g = 1; g < GS; g++)
        l.blocked &= hidden.parent[g] < 0 || hidden.state[g] != RUNS;
    show();
    return l;
}

/* (Who waits for a closed channel is on its way already.) */
static void give(const struct step *s)
{
    struct step take = {.op = OP_TRY_RECV, .where = s->where}, put = {.op = OP_TRY_SEND, .where = s->where};
    switch (s->op) {
    case OP_RECV: send_on(&put, DRIVER, true); break;
    case OP_SEND:
        if (!hidden.closed[take.where])
            recv_from(&take, DRIVER, true);
        break;
    case OP_SELECT:
        if (s->size % 2) {
            take.where = put.where = s->other % CHANS;
            if (!hidden.closed[take.where])
                recv_from(&take, DRIVER, true);
        }
        send_on(&put, DRIVER, true);
        break;
    case OP_WAIT:
        while (done(DRIVER))
            ;
        break;
    default: break;   /* a join: whom it waits for is blocked, too */
    }
}

static void drive(void *nothing)
{
    (void)nothing;
    struct look last = {.moves = -1};
    int given = -1;     /* moves when it last gave something */
    int in_vain = 0;    /* so many times since somebody moved */
    int64_t again = 0;  /* gives the next time then */
    int quiet = 0;      /* looks since anything happened */
    int64_t begin = go_now();
    record_now(EV_START, DRIVER, 0);
    play_steps_of(DRIVER);
    for (;;) {
        go_yield();
        struct look now = look();
        int64_t t = go_now();
        if (!now.live)
            break;
        if (t - begin > 100 * GO_SECOND)
            die("it hangs");
        quiet = now.blocked && now.moves == last.moves ? quiet + 1 : 0;
        last = now;
        in_vain = now.moves == given ? in_vain : 0;
        if (quiet < 3 || (in_vain > 0 && t < again))
            continue;
        quiet = 0;
        int gifts = hidden.gifts;
        for (int g = 1; g < GS; g++)
            if (hidden.state[g] == BLOCKED)
                give(hidden.at[g]);
        if (hidden.gifts == gifts)
            continue;
        /* That makes somebody move, though on a loaded machine it may take a while: but for two gifts that cancel each other, before those whom they
         * are for have come to wait. So it gives again, ever later, and the trace doesn't fill. */
        given = now.moves;
        again = go_now() + (GO_MILLISECOND << in_vain++);
    }
    go_waitgroup_wait(&world->all);
    for (int c = 0; c < CHANS; c++)
        go_chan_free(world->chan[c]);
}

/* ---- a player ---- */

void play_start(int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--procs"))
            procs = atoi(argv[i + 1]);
    for (int i = 1; i < argc; i++)
        trace.free |= !strcmp(argv[i], "--free");
    go_maxprocs(procs);
}

int play_once(uint64_t seed, const bool skip[STEPS_MAX], struct verdict *v)
{
    go_waitgroup ended = {0};
    trace.n = 0;
    trace.goroutines = GS;
    generate(seed);
    skipped = skip;
    memset(&hidden, 0, sizeof hidden);
    memset(hidden.parent, -1, sizeof hidden.parent);
    world = calloc(1, sizeof *world);
    for (int c = 0; c < CHANS; c++)
        world->chan[c] = go_make_chan(int, trace.capacity[c]);
    hidden.dones = (int)(seed % 5);
    go_waitgroup_add(&world->latch, hidden.dones);
    play_reports_clear();
    go_waitgroup_go(&ended, drive, NULL);
    go_waitgroup_wait(&ended);
    int n;
    const struct reported *r = play_reports(&n);
    *v = model_judge(&trace, r, n);
    free(world);
    return program_n;
}

const struct trace *play_trace(void)
{
    return &trace;
}

int main(int argc, char **argv)
{
    return play_main(argc, argv);
}
