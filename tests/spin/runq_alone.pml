/* A model of a run queue whose owner is alone (runtime/runq.h, procs.c: share_queue), in all interleavings, with the owner's store buffer of x86: `next`,
 * which he exchanges with plain loads and stores until others may take it. The ring's head is taken from in the same way.
 *
 * The owner enters the runtime, asks whether he is alone, and puts an item in or takes what is there; to take he picks first (tick). A plain store goes into
 * his buffer, and from there to memory, in order and at any time (drain); a load finds his own newest store, or memory; an exchange waits until the buffer is
 * empty. Who makes another P says that he isn't alone, has a barrier in every thread, which empties the buffer, and waits until he is out of the runtime, or has
 * picked again. Then a thief comes. (The queue may have another owner by then, who entered after a lock of both: as good as after the barrier.)
 *
 * Claim: each item comes out once, or is there in the end. */
#define ITEMS 3
#define TAKES 3

byte next, tick;
bit in_rt, alone = 1, shared, owner_done, thief_done;
byte got[ITEMS + 1];

/* The buffer: up to eight stores of 4 bits, the oldest lowest; 0: none. A store: where, and what (2 bits). */
int buffer;
#define IN_RT 4
#define NEXT 8
#define TICK 12
#define SLOT(k) (buffer >> 4 * (k) & 15)
#define END (buffer == 0 -> 0 : (buffer < 1 << 4 -> 4 : (buffer < 1 << 8 -> 8 : (buffer < 1 << 12 -> 12 : (buffer < 1 << 16 -> 16 : 20)))))
#define HAS_ROOM (buffer < 1 << 8)   /* for what follows until the next step with this condition */
#define STORE(where, what) buffer = buffer | ((where) + (what)) << END
#define IS_NEXT(k) ((SLOT(k) & 12) == NEXT)
#define LOAD_NEXT (IS_NEXT(4) -> SLOT(4) & 3 : (IS_NEXT(3) -> SLOT(3) & 3 : (IS_NEXT(2) -> SLOT(2) & 3 : (IS_NEXT(1) -> SLOT(1) & 3 : \
    (IS_NEXT(0) -> SLOT(0) & 3 : next)))))

inline to_memory()
{
    oldest = buffer & 15;
    buffer = buffer >> 4;
    if
    :: oldest >= TICK -> tick = oldest & 3
    :: oldest >= NEXT && oldest < TICK -> next = oldest & 3
    :: else -> in_rt = oldest & 3
    fi
}

hidden byte oldest;

active proctype drain()
{
end:
    do
    :: d_step { buffer != 0 -> to_memory() }
    od
}

inline comes_out(item)
{
    if
    :: item > 0 -> got[item]++; assert(got[item] == 1)
    :: else
    fi
}

active proctype owner()
{
    byte put, took, was;
    bit is_alone, takes;

    do
    :: put == ITEMS && took == TAKES -> break
    :: else ->
        if
        :: put < ITEMS -> takes = 0; put++
        :: took < TAKES -> takes = 1; took++
        fi;
#ifdef ASKS_FIRST            /* whether he is alone, before he has entered */
        atomic { is_alone = alone; }
#endif
        atomic { HAS_ROOM -> STORE(IN_RT, 1); if :: takes -> STORE(TICK, took & 3) :: else fi }
#ifndef ASKS_FIRST
        is_alone = alone;
#endif
#ifdef LEAVES_EARLY
        atomic { HAS_ROOM -> STORE(IN_RT, 0) }
#endif
        if
        :: is_alone ->
            atomic { was = LOAD_NEXT; comes_out(was) }
#ifdef PICKS_LATE            /* in the midst of it */
            atomic { HAS_ROOM -> STORE(TICK, (took + 2) & 3) }
#endif
            atomic {
                HAS_ROOM ->
                if
                :: takes && was > 0 -> STORE(NEXT, 0)
                :: takes && was == 0
                :: else -> STORE(NEXT, put)
                fi
            }
        :: else ->
            atomic {
                buffer == 0 ->
                was = next;
                if
                :: takes -> next = 0
                :: else -> next = put
                fi;
                comes_out(was)
            }
        fi;
#ifndef LEAVES_EARLY
        atomic { HAS_ROOM -> STORE(IN_RT, 0) }
#endif
    od;
    buffer == 0;
    owner_done = 1
}

active proctype sharer()
{
    byte t;
#ifndef STAYS_ALONE
    alone = 0;
#endif
#ifndef NO_BARRIER
    d_step { do :: buffer != 0 -> to_memory() :: else -> break od };
#endif
    t = tick;
#ifndef NO_WAIT
    in_rt == 0 || tick != t;
#endif
    shared = 1
}

active proctype thief()
{
    byte i, was;
    shared;
    do
    :: i == 2 -> break
    :: else -> i++; atomic { was = next; next = 0; comes_out(was) }
    od;
    thief_done = 1
}

active proctype judge()
{
    byte i = 1;
    atomic {
        owner_done && thief_done ->
        do
        :: i > ITEMS -> break
        :: else -> assert(got[i] + (next == i -> 1 : 0) == 1); i++
        od
    }
}
