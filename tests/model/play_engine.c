/* Random programs on the detector's engine alone: many virtual goroutines on one thread, driven through the runtime's hooks (hooks.h) and the
 * compilers' (__tsan_*), no runtime and no luck: a seed plays the same program each time, some ten thousand a second.
 *
 * A program is a list of steps: which goroutine does what. A step that can't be done (its goroutine does not run, the block is not allocated) is
 * left out, so any part of a program is a program. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <hooks.h>

#include "play.h"

const char *const play_name = "model-engine";

typedef __int128 int128 __attribute__((aligned(16)));

/* ---- the compilers' hooks ---- */

#define SIZED(X) X(1) X(2) X(4) X(8) X(16)
#define DECLARE(n) \
    void __tsan_read##n(void *addr); \
    void __tsan_write##n(void *addr); \
    void __tsan_volatile_read##n(void *addr); \
    void __tsan_volatile_write##n(void *addr);
SIZED(DECLARE)
#define DECLARE_UNALIGNED(n) \
    void __tsan_unaligned_read##n(void *addr); \
    void __tsan_unaligned_write##n(void *addr);
DECLARE_UNALIGNED(2) DECLARE_UNALIGNED(4) DECLARE_UNALIGNED(8) DECLARE_UNALIGNED(16)
void __tsan_read_range(void *addr, unsigned long n);
void __tsan_write_range(void *addr, unsigned long n);
void __tsan_atomic_thread_fence(int mo);
#define DECLARE_ATOMIC(bits, T) \
    T __tsan_atomic##bits##_load(const volatile T *a, int mo); \
    void __tsan_atomic##bits##_store(volatile T *a, T x, int mo); \
    T __tsan_atomic##bits##_exchange(volatile T *a, T x, int mo); \
    T __tsan_atomic##bits##_fetch_add(volatile T *a, T x, int mo); \
    T __tsan_atomic##bits##_compare_exchange_val(volatile T *a, T c, T x, int mo, int fmo); \
    int __tsan_atomic##bits##_compare_exchange_strong(volatile T *a, T *c, T x, int mo, int fmo);
#define ATOMICS(X) X(8, uint8_t) X(16, uint16_t) X(32, uint32_t) X(64, uint64_t) X(128, int128)
ATOMICS(DECLARE_ATOMIC)

/* ---- programs ---- */

enum op {
    OP_READ, OP_WRITE, OP_READ_RANGE, OP_WRITE_RANGE, OP_HOOK_READ, OP_HOOK_WRITE, OP_STACK,
    OP_LOAD, OP_STORE, OP_RMW, OP_CAS, OP_CAS_FAILS, OP_FENCE,
    OP_ACQUIRE, OP_RELEASE, OP_MERGE, OP_PASS, OP_SLOT, OP_SLOT_LEAVE, OP_MEET, OP_GONE,
    OP_GO, OP_END, OP_JOINED_END, OP_MALLOC, OP_FREE,
    OPS
};

struct step {
    enum op op;
    int g;
    int where, size, order, other;
};

enum { PLACES = 12, STACKS = 64, BLOCKS = 2, SYNCS = 5, CELLS = 5, MAIN = 0 };

static struct {
    char words[48] __attribute__((aligned(64)));            /* plain accesses of all sizes, all over */
    char cells[CELLS * 16] __attribute__((aligned(16)));    /* cell i: atomic, of 1 << i bytes; plain accesses, too */
    char stacks[PLACES][STACKS];
    uint64_t syncs[SYNCS], joins, meet;
    struct hook_pass slots[SYNCS];
} *arena;

static struct step program[STEPS_MAX];
static int program_n;
static struct trace trace;

static struct {
    struct race_g *race;   /* NULL: does not run */
    int g;                 /* its number in the trace */
} place[PLACES];
static struct {
    char *at;      /* NULL: never allocated */
    size_t size;
    bool live;
} block[BLOCKS];
static struct race_g *main_race;

static void generate(uint64_t seed)
{
    struct random r = {seed};
    int weight[OPS], total = 0, goroutines = 2 + random_below(&r, PLACES - 1), syncs = 1 + random_below(&r, SYNCS), words = 1 + random_below(&r, 6);
    int cells = 1 + random_below(&r, CELLS), few_sizes = random_below(&r, 2), most = 1 + random_below(&r, 12);
    if (goroutines > PLACES)
        goroutines = PLACES;
    for (int i = 0; i < OPS; i++)
        total += weight[i] = random_below(&r, 4) ? 1 + random_below(&r, most) : 0;
    if (!weight[OP_GO])
        total += weight[OP_GO] = 1 + random_below(&r, most);
    program_n = 8 + random_below(&r, random_below(&r, 4) ? 60 : STEPS_MAX - 8);
    for (int i = 0; i < program_n; i++) {
        struct step *s = &program[i];
        int pick = random_below(&r, total), op = 0;
        while (pick >= weight[op])
            pick -= weight[op++];
        s->op = (enum op)op;
        s->g = random_below(&r, goroutines);
        s->where = random_below(&r, op >= OP_LOAD && op <= OP_CAS_FAILS ? cells : op >= OP_ACQUIRE && op <= OP_GONE ? syncs : words * 8);
        s->size = few_sizes ? 8 : random_below(&r, 40);
        s->order = random_below(&r, 6);
        s->other = random_below(&r, goroutines);
        if (few_sizes && op < OP_LOAD)
            s->where &= ~7;
        if (random_below(&r, 3) == 0 && i >= 2 && op <= OP_FENCE)   /* the same place again: conflicts are what is looked for */
            s->where = program[i - 1 - random_below(&r, 2)].where % (op >= OP_LOAD ? cells : words * 8);
    }
    for (int i = 0; i < goroutines - 1 && i < program_n && random_below(&r, 4); i++)   /* most begin with goroutines */
        program[i] = (struct step){.op = OP_GO, .g = 0, .other = i + 1};
}

/* ---- the trace ---- */

static struct event *record(enum event_kind kind, int g)
{
    struct event *e = &trace.event[trace.n];
    *e = (struct event){.kind = kind, .g = g, .id = trace.n};
    trace.n++;
    return e;
}

static void record_access(enum event_kind kind, int g, const void *addr, size_t size, bool write, int order)
{
    struct event *e = record(kind, g);
    e->addr = (uintptr_t)addr;
    e->size = (uint32_t)size;
    e->write = write;
    e->atomic = kind != EV_ACCESS;
    e->order = order;
}

static void record_at(enum event_kind kind, int g, const void *addr, size_t size)
{
    struct event *e = record(kind, g);
    e->addr = (uintptr_t)addr;
    e->size = (uint32_t)size;
}

/* ---- playing ---- */

static int new_place(int p, struct race_g *race)
{
    place[p].race = race;
    place[p].g = trace.goroutines++;
    return place[p].g;
}

/* What is done for p's goroutine happens between these. */
static void turn(int p)
{
    hook_switch(place[p].race);
    access_begin(trace.n);
}

static void turn_ends(void)
{
    access_end();
    hook_switch(NULL);
}

static void play_plain(const struct step *s, int p)
{
    bool write = s->op == OP_WRITE || s->op == OP_WRITE_RANGE || s->op == OP_HOOK_WRITE || (s->op == OP_STACK && s->size % 2);
    char *at = arena->words + s->where;
    static const int sizes[] = {1, 2, 4, 8, 16};
    int size = sizes[s->size % 5];
    if (s->op == OP_STACK) {
        at = arena->stacks[s->other] + s->where % (STACKS - 16);
    } else if (s->size >= 30 && block[s->where % BLOCKS].at) {   /* allocated, or freed */
        at = block[s->where % BLOCKS].at + s->where % (int)(block[s->where % BLOCKS].size - 15);
    } else if (s->size >= 20 && s->size < 30) {
        at = arena->cells + s->where % (CELLS * 16 - 15);
    } else if (s->op == OP_READ_RANGE || s->op == OP_WRITE_RANGE || s->op == OP_HOOK_READ || s->op == OP_HOOK_WRITE) {
        size = 1 + s->size;
        if (at + size > arena->words + sizeof arena->words)
            size = (int)(arena->words + sizeof arena->words - at);
    }
    bool aligned = (uintptr_t)at % (uintptr_t)size == 0, odd = s->order % 2;
    turn(p);
    record_access(EV_ACCESS, place[p].g, at, (size_t)size, write, 0);
    if (s->op == OP_HOOK_READ) {
        hook_read(place[p].race, at, (size_t)size, (const void *)(uintptr_t)play_plain);
    } else if (s->op == OP_HOOK_WRITE) {
        hook_write(place[p].race, at, (size_t)size, (const void *)(uintptr_t)play_plain);
    } else if (size > 1 && s->order % 3 == 2) {   /* byte by byte, as a loop does: it is one access all the same */
        for (int i = 0; i < size; i++) {
            char *byte = at + (s->order % 2 ? size - 1 - i : i);
            if (write) __tsan_write1(byte); else __tsan_read1(byte);
        }
    } else if (s->op == OP_READ_RANGE) {
        __tsan_read_range(at, (unsigned long)size);
    } else if (s->op == OP_WRITE_RANGE) {
        __tsan_write_range(at, (unsigned long)size);
    } else {
        switch (size) {
#define PLAIN(n) \
        case n: \
            if (aligned && odd) { \
                if (write) __tsan_volatile_write##n(at); else __tsan_volatile_read##n(at); \
            } else if (aligned || n == 1) { \
                if (write) __tsan_write##n(at); else __tsan_read##n(at); \
            } else { \
                if (write) UNALIGNED_WRITE##n(at); else UNALIGNED_READ##n(at); \
            } \
            break;
#define UNALIGNED_READ1 __tsan_read1
#define UNALIGNED_WRITE1 __tsan_write1
#define UNALIGNED_READ2 __tsan_unaligned_read2
#define UNALIGNED_WRITE2 __tsan_unaligned_write2
#define UNALIGNED_READ4 __tsan_unaligned_read4
#define UNALIGNED_WRITE4 __tsan_unaligned_write4
#define UNALIGNED_READ8 __tsan_unaligned_read8
#define UNALIGNED_WRITE8 __tsan_unaligned_write8
#define UNALIGNED_READ16 __tsan_unaligned_read16
#define UNALIGNED_WRITE16 __tsan_unaligned_write16
        SIZED(PLAIN)
        }
    }
    turn_ends();
}

/* For each operation the orders that C11 permits. */
static int order_for(enum op op, int order)
{
    if (op == OP_LOAD || op == OP_CAS_FAILS)
        return order == MO_RELEASE || order == MO_ACQ_REL ? MO_ACQUIRE : order;
    if (op == OP_STORE)
        return order == MO_ACQUIRE || order == MO_CONSUME || order == MO_ACQ_REL ? MO_RELEASE : order;
    return order;
}

static void play_atomic(const struct step *s, int p)
{
    char *at = arena->cells + 16 * s->where;
    int mo = order_for(s->op, s->order);
    if (s->op == OP_STORE && mo == MO_RELAXED && play_is_mixed(&trace, at, place[p].g))
        mo = MO_RELEASE;
    turn(p);
    bool write = s->op != OP_LOAD && s->op != OP_CAS_FAILS;
    record_access(s->op == OP_STORE ? EV_ATOMIC_STORE : write ? EV_ATOMIC_RMW : EV_ATOMIC_LOAD, place[p].g, at, 1ul << s->where, write, mo);
    switch (s->where) {
#define ATOMIC(bits, T) { \
        volatile T *a = (volatile T *)(void *)at; \
        T is = *a, is_not = (T)(is + 1); \
        if (s->op == OP_LOAD) { \
            __tsan_atomic##bits##_load(a, mo); \
        } else if (s->op == OP_STORE) { \
            __tsan_atomic##bits##_store(a, (T)s->size, mo); \
        } else if (s->op == OP_RMW && s->size % 2) { \
            __tsan_atomic##bits##_exchange(a, s->other % 2 ? is : (T)s->size, mo);   /* half of them change nothing */ \
        } else if (s->op == OP_RMW) { \
            __tsan_atomic##bits##_fetch_add(a, s->other % 2, mo); \
        } else if (s->op == OP_CAS && s->size % 2) { \
            if (__tsan_atomic##bits##_compare_exchange_val(a, is, (T)s->size, mo, MO_RELAXED) != is) abort(); \
        } else if (s->op == OP_CAS) { \
            if (!__tsan_atomic##bits##_compare_exchange_strong(a, &is, (T)s->size, mo, MO_RELAXED)) abort(); \
        } else if (s->size % 2) { \
            if (__tsan_atomic##bits##_compare_exchange_val(a, is_not, 0, MO_SEQ_CST, mo) != is) abort(); \
        } else { \
            if (__tsan_atomic##bits##_compare_exchange_strong(a, &is_not, 0, MO_SEQ_CST, mo) || is_not != is) abort(); \
        } \
        } break;
    case 0: ATOMIC(8, uint8_t)
    case 1: ATOMIC(16, uint16_t)
    case 2: ATOMIC(32, uint32_t)
    case 3: ATOMIC(64, uint64_t)
    case 4: ATOMIC(128, int128)
    }
    turn_ends();
}

static void acquire(int p, void *sync)
{
    record_at(EV_ACQUIRE, place[p].g, sync, 8);
    hook_acquire(place[p].race, sync);
}

static void release(int p, void *sync, bool merge)
{
    record_at(merge ? EV_RELEASE_MERGE : EV_RELEASE, place[p].g, sync, 8);
    if (merge)
        hook_release_merge(place[p].race, sync);
    else
        hook_release(place[p].race, sync);
}

static void play_sync(const struct step *s, int p)
{
    uint64_t *sync = &arena->syncs[s->where];
    turn(p);   /* or the hook acts for a parked goroutine */
    if (s->size % 3 == 0)
        hook_switch(place[MAIN].race);
    if (s->op == OP_ACQUIRE || s->op == OP_PASS)
        acquire(p, sync);
    if (s->op == OP_RELEASE || s->op == OP_MERGE || s->op == OP_PASS)
        release(p, sync, s->op == OP_MERGE);
    if (s->op == OP_GONE) {
        record_at(EV_FORGET, place[p].g, sync, 8);
        hook_sync_gone(sync, 8);
    }
    hook_switch(place[p].race);
    turn_ends();
}

static int slot_turn[SYNCS];   /* which of a slot's words stands for what is there; the other one for what will be */

/* What channels do: passing a slot one after another; meeting. */
static void play_channel(const struct step *s, int p)
{
    struct hook_pass *slot = &arena->slots[s->where];
    turn(p);
    if (s->size % 3 == 0)
        hook_switch(place[MAIN].race);
    if (s->op == OP_SLOT) {
        uint64_t *now = &slot->word[slot_turn[s->where]], *next = &slot->word[slot_turn[s->where] ^= 1];
        record_at(EV_RELEASE, place[p].g, next, 8);   /* what it knew before */
        record_at(EV_ACQUIRE, place[p].g, now, 8);
        hook_pass(place[p].race, slot);
    } else if (s->op == OP_SLOT_LEAVE) {
        record_at(EV_RELEASE_MERGE, place[p].g, &slot->word[slot_turn[s->where]], 8);
        hook_pass_leave(place[p].race, slot);
    } else if (s->other != p && place[s->other].race) {
        int a = place[p].g, b = place[s->other].g;
        record_at(EV_RELEASE, a, &arena->meet, 8);
        record_at(EV_ACQUIRE, b, &arena->meet, 8);
        record_at(EV_RELEASE, b, &arena->meet, 8);
        record_at(EV_ACQUIRE, a, &arena->meet, 8);
        hook_meet(place[p].race, place[s->other].race);
    }
    hook_switch(place[p].race);
    turn_ends();
}

static void play_go(const struct step *s, int p)
{
    if (place[s->other].race || s->other == MAIN)
        return;
    turn(p);
    char *stack = arena->stacks[s->other];
    record(EV_GO, place[p].g)->object = trace.goroutines;
    record_at(EV_LIFE, place[p].g, stack, STACKS);
    struct race_g *child = hook_go(place[p].race, (uint64_t)trace.goroutines + 1, (uint64_t)place[p].g + 1, (const void *)(uintptr_t)play_go,
                                   (const void *)(uintptr_t)play_go, stack, stack + STACKS, NULL);
    turn_ends();
    record(EV_START, new_place(s->other, child));
}

static void end(int p, bool joined)
{
    hook_switch(place[p].race);
    if (joined)
        release(p, &arena->joins, true);
    hook_end(place[p].race);
    hook_switch(NULL);
    place[p].race = NULL;
}

static void play_end(const struct step *s, int p)
{
    if (p == MAIN)
        return;
    end(p, s->op == OP_JOINED_END);
    if (s->op == OP_JOINED_END && s->size % 2 && place[s->other].race)
        acquire(s->other, &arena->joins);
}

static void play_malloc(const struct step *s, int p)
{
    int b = s->where % BLOCKS;
    size_t size = 24 + 16 * (size_t)(s->size % 3);   /* just what the allocator gives: there are no bytes behind it */
    if (block[b].live != (s->op == OP_FREE))
        return;
    turn(p);
    if (s->op == OP_MALLOC) {
        block[b].at = malloc(size);
        block[b].size = size;
        record_at(EV_LIFE, place[p].g, block[b].at, size);
        record_access(EV_ACCESS, place[p].g, block[b].at, size, true, 0);
        trace.event[trace.n - 1].birth = true;
        trace.event[trace.n - 1].id = trace.event[trace.n - 2].id;   /* the turn's */
    } else {
        record_access(EV_ACCESS, place[p].g, block[b].at, block[b].size, true, 0);
        trace.event[trace.n - 1].frees = true;
        free(block[b].at);
    }
    block[b].live = s->op == OP_MALLOC;
    turn_ends();
}

static void play(const struct step *s)
{
    int p = s->g;
    if (!place[p].race || trace.n > EVENTS_MAX - 64 || trace.goroutines == GOROUTINES_MAX)
        return;
    if (s->op <= OP_STACK)
        play_plain(s, p);
    else if (s->op <= OP_CAS_FAILS)
        play_atomic(s, p);
    else if (s->op == OP_FENCE) {
        turn(p);
        record(EV_FENCE, place[p].g)->order = s->order;
        __tsan_atomic_thread_fence(s->order);
        turn_ends();
    } else if (s->op == OP_SLOT || s->op == OP_SLOT_LEAVE || s->op == OP_MEET)
        play_channel(s, p);
    else if (s->op <= OP_GONE)
        play_sync(s, p);
    else if (s->op == OP_GO)
        play_go(s, p);
    else if (s->op <= OP_JOINED_END)
        play_end(s, p);
    else
        play_malloc(s, p);
}

/* ---- a player ---- */

/* So that the programs' goroutines have numbers far apart, and their clocks are trees: n more, and then some of them end. */
static void start_crowd(int n)
{
    enum { STAYS = 6 };
    struct race_g **crowd = calloc((size_t)n, sizeof *crowd);
    for (int i = 0; i < n; i++) {
        hook_switch(main_race);
        crowd[i] = hook_go(main_race, (uint64_t)i + 2, 1, NULL, NULL, NULL, NULL, NULL);
    }
    for (int i = STAYS; i < n; i += STAYS + 1) {
        hook_switch(crowd[i]);
        hook_release_merge(crowd[i], &arena->joins);
        hook_end(crowd[i]);
    }
    hook_switch(main_race);
    hook_acquire(main_race, &arena->joins);
    hook_switch(NULL);
    free(crowd);
}

void play_start(int argc, char **argv)
{
    hook_init();
    main_race = hook_attach_thread(1);
    hook_switch(NULL);
    arena = mmap(NULL, sizeof *arena, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (arena == MAP_FAILED)
        abort();
    for (int i = 1; i + 1 < argc; i++)
        if (!strcmp(argv[i], "--crowd"))
            start_crowd(atoi(argv[i + 1]));
}

/* The arena begins a new life: as the stack of a goroutine that has come and gone. */
static void clear_arena(void)
{
    hook_switch(main_race);
    struct race_g *g = hook_go(main_race, 2, 1, NULL, NULL, arena, arena + 1, NULL);
    hook_switch(g);
    hook_release_merge(g, &arena->joins);
    hook_end(g);
    hook_switch(main_race);
    hook_acquire(main_race, &arena->joins);
    hook_sync_gone(arena, sizeof *arena);
    hook_passes_gone(arena->slots, SYNCS);
    memset(slot_turn, 0, sizeof slot_turn);
    hook_switch(NULL);
}

int play_once(uint64_t seed, const bool skip[STEPS_MAX], struct verdict *v)
{
    generate(seed);
    clear_arena();
    memset(place, 0, sizeof place);
    memset(block, 0, sizeof block);
    trace.n = trace.goroutines = 0;
    play_reports_clear();
    new_place(MAIN, main_race);
    for (int i = 0; i < program_n; i++)
        if (!skip[i])
            play(&program[i]);
    int n;
    const struct reported *r = play_reports(&n);
    *v = model_judge(&trace, r, n);
    for (int p = 0; p < PLACES; p++)
        if (p != MAIN && place[p].race)
            end(p, true);
    hook_switch(main_race);
    hook_acquire(main_race, &arena->joins);
    for (int b = 0; b < BLOCKS; b++)
        if (block[b].live)
            free(block[b].at);
    hook_switch(NULL);
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
