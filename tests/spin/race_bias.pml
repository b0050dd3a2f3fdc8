/* A model of the biased shadow words (detectors/race/race_bias.h): THREADS threads access one word of one region again and again, in all interleavings, with
 * the store buffers of x86. check.sh says with which options it holds, and with which it must not.
 *
 * Memory. A plain store goes into its thread's buffer, and from there to memory, in order and at any time (drain); a load finds the thread's own newest store,
 * or memory. A locked instruction waits until the buffer is empty. A region's word is changed by locked instructions only, so no buffer has it. Of membarrier
 * it is used only that the former owner's buffer is emptied: less than it does.
 *
 * Each step is one load or one locked instruction, with the thread's own decisions and the stores into its own buffer that follow: nobody sees these
 * before they are drained.
 *
 * The word is a pair: its epoch, with the lock, and node, for all that is changed together with it. Each thread enters an epoch of its own, always the
 * same: so epochs come back, as they may where an access is not found in a long list. The region's word is owner and moves. Left out are marks, other
 * regions, and when a thread is sampled, which here may be at any time.
 *
 * Claims. By assertions: whoever holds the word holds it alone until its epoch has reached memory, finds the epoch and the node of the one before, and nobody
 * else's stores reach the word. By a search for cycles without progress, where each thread goes on at last (-DNP, weak fairness): some access ends again and
 * again; so no lock and no moving region is left behind, and no two give way to each other for ever.
 *
 * WILD: the word's memory begins a new life at any time, against the rules, as shadow_clear does it. Then two may hold the word; claimed is only that it goes
 * on. */
#ifndef THREADS
#define THREADS 3
#endif
#ifndef MOVES_MAX       /* 2 and 2^28 - 1 in race_bias.c */
#define MOVES_MAX 1
#define SETTLED 3
#endif

/* Owners; the threads are 1 to THREADS. */
#define NONE 0
#define MOVING 6
#define SHARED 7

#ifdef NUMBERLESS         /* thread 1 owns nothing (BIAS_NOBODY) */
#define CAN_OWN (me > 1)
#else
#define CAN_OWN true
#endif

/* Epochs: 0 at first, then the threads'. */
#define LOCK 4
#define IS_LOCKED(e) ((e) & LOCK)
#ifdef LOCK_OF_EPOCH     /* the lock does not say whose it is */
#define LOCKED(e) (LOCK | (e))
#else
#define LOCKED(e) (LOCK | me)
#endif

byte epoch, node, owner = NONE, moves;
bit busy[THREADS + 1];

/* Buffers: up to seven stores of 4 bits, the oldest lowest; 0: none. A store: where, and what (2 bits). */
#define BUSY 4
#define NODE 8
#define EPOCH 12
int buffers[THREADS + 1];
#define SLOT(b, k) ((b) >> 4 * (k) & 15)
#define HAS_ROOM (buffers[me] < 1 << 16)   /* for three */
#define END(b) ((b) == 0 -> 0 : ((b) < 1 << 4 -> 4 : ((b) < 1 << 8 -> 8 : ((b) < 1 << 12 -> 12 : ((b) < 1 << 16 -> 16 : ((b) < 1 << 20 -> 20 : 24))))))
#define STORE(where, what) buffers[me] = buffers[me] | ((where) + (what)) << END(buffers[me])
#define IS_TO(k, where) ((SLOT(buffers[me], k) & 12) == where)
#define STORED(k) (SLOT(buffers[me], k) & 3)
/* Before a load there are four at most. */
#define LOAD(where, memory) (IS_TO(3, where) -> STORED(3) : (IS_TO(2, where) -> STORED(2) : (IS_TO(1, where) -> STORED(1) : \
    (IS_TO(0, where) -> STORED(0) : (memory)))))
#define LOCKED_INSTRUCTION (buffers[me] == 0)

#ifdef WILD
#define EXCLUSIVE(claim) skip
#else
#define EXCLUSIVE(claim) assert(claim)
#endif
/* Ghosts. The owner may hold the word anew before its epoch has reached memory. last: what the last one to hold it, or the one who does, leaves there. */
byte holder, held, last, accessing;
hidden byte oldest;

inline to_memory(i)       /* in a d_step */
{
    oldest = SLOT(buffers[i], 0);
    buffers[i] = buffers[i] >> 4;
    if
    :: oldest >= EPOCH ->
        EXCLUSIVE(holder == i);
        epoch = oldest & 3;
        held--;
        holder = (held > 0 -> holder : 0)
    :: oldest >= NODE && oldest < EPOCH ->
        EXCLUSIVE(holder == i);
        node = oldest & 3
    :: else -> busy[i] = oldest & 3
    fi
}

proctype drain(byte i)
{
end:
    do
    :: d_step { buffers[i] != 0 -> to_memory(i) }
    od
}

inline load_region() { r_owner = owner; r_moves = moves }
#define REGION_IS_AS_READ (owner == r_owner && moves == r_moves)

#if defined NO_RECHECK    /* who has locked does not look again */
#define ALLOWED true
#elif defined OWNER_ONLY  /* looks whether the region is shared, not whether it has moved meanwhile */
#define ALLOWED (owner == SHARED || owner == me)
#else
#define ALLOWED REGION_IS_AS_READ
#endif

/* The word is the caller's, who found epoch e there; and is changed, and let go. */
inline change()
{
    EXCLUSIVE(holder == 0 || holder == me);
    EXCLUSIVE(e == last && LOAD(NODE, node) == e);
    holder = me;
    held++;
    last = me;
    e = 0;
#ifdef LEAVES_EARLY
    STORE(BUSY, 0);
#endif
    STORE(NODE, me);
    STORE(EPOCH, me);
#ifndef LEAVES_EARLY
    STORE(BUSY, 0)
#endif
}

proctype thread(byte me)
{
    byte e, r_owner, r_moves;

progress:                 /* access_word */
    atomic { HAS_ROOM -> accessing++; STORE(BUSY, 1) }
    atomic {
        load_region();
        if
        :: r_owner == me -> goto mine
        :: else
        fi;
        STORE(BUSY, 0);
        if
        :: r_owner == SHARED -> goto try_lock
        :: else
        fi
    }

hold:                     /* shadow_hold, bias_settle */
    atomic {
        load_region();
        if
        :: r_owner == SHARED -> goto try_lock
        :: r_owner == me -> HAS_ROOM -> STORE(BUSY, 1); goto enter
        :: r_owner == MOVING -> r_moves = 0; goto moves_now
        :: r_owner == NONE
        :: else -> goto take
        fi
    }
#ifdef PLAIN_FIRST         /* no compare-and-swap */
    atomic { owner = me; r_owner = 0; goto hold }
#else
    atomic {
        LOCKED_INSTRUCTION ->
        if
        :: REGION_IS_AS_READ -> owner = (CAN_OWN -> me : SHARED)
        :: else
        fi;
        r_owner = 0; r_moves = 0;
        goto hold
    }
#endif

moves_now:
    atomic { owner != MOVING -> r_owner = 0; goto hold }

take:                     /* take_away */
    atomic {
        LOCKED_INSTRUCTION ->
        if
        :: REGION_IS_AS_READ ->
#ifdef NO_MOVING           /* the region is the taker's at once */
            owner = me;
            moves = (moves < SETTLED -> moves + 1 : moves);
#else
            owner = MOVING;
#endif
            r_moves = 0
        :: else -> r_owner = 0; r_moves = 0; goto hold
        fi
    }
#ifndef NO_MEMBARRIER
    d_step {
        do
        :: buffers[r_owner] != 0 -> to_memory(r_owner)
        :: else -> break
        od
    }
#endif
#ifndef NO_WAIT            /* for the former owner's change to end */
    atomic { busy[r_owner] == 0 -> r_owner = 0 }
#endif
#ifndef NO_MOVING
    atomic {
        LOCKED_INSTRUCTION ->
        assert(owner == MOVING);
        moves = (moves < SETTLED -> moves + 1 : SETTLED);
        owner = (moves <= MOVES_MAX && CAN_OWN -> me : SHARED);
        r_owner = 0
    }
#endif
    goto hold;

enter:                    /* bias_enter, in shadow_hold */
    atomic {
        load_region();
        if
#ifdef ENTERS_BLINDLY      /* busy, but without a look at the owner after that */
        :: true -> r_owner = me; goto mine
#else
        :: r_owner == me -> goto mine
        :: else -> STORE(BUSY, 0); r_owner = 0; r_moves = 0; goto hold
#endif
        fi
    }

mine:                     /* busy, and the owner */
    atomic {
        HAS_ROOM ->
        e = LOAD(EPOCH, epoch);
#ifdef OWNER_IGNORES_LOCK
        e = e & ~LOCK;
#endif
        if
        :: IS_LOCKED(e) -> e = 0; STORE(BUSY, 0)
        :: else -> change(); goto done
        fi
    }

try_lock:                 /* shadow_try_lock. The region's word was read before */
    atomic {
        e = LOAD(EPOCH, epoch);
        if
        :: IS_LOCKED(e) -> e = 0; r_owner = 0; r_moves = 0; goto hold
        :: else
        fi
    }
#ifdef PLAIN_LOCK          /* no compare-and-swap */
    atomic { LOCKED_INSTRUCTION -> epoch = LOCKED(e) }
#else
    atomic {
        LOCKED_INSTRUCTION ->
        if
        :: epoch == e -> epoch = LOCKED(e)
        :: else -> e = 0; r_owner = 0; r_moves = 0; goto hold
        fi
    }
#endif
    atomic {               /* bias_allows */
        if
        :: ALLOWED -> EXCLUSIVE(epoch == LOCKED(e)); change(); goto done
        :: else -> r_owner = 0; r_moves = 0
        fi
    }
#if defined NO_BACK        /* shadow_lock_back: the lock stays */
    atomic { e = 0; goto hold }
#elif defined PLAIN_BACK    /* no compare-and-swap */
    atomic { STORE(EPOCH, e); e = 0; goto hold }
#else
    atomic {
        LOCKED_INSTRUCTION ->
        epoch = (epoch == LOCKED(e) -> e : epoch);
        e = 0;
        goto hold
    }
#endif

done:
    if                    /* bias_sample */
#ifdef PLAIN_SAMPLE        /* no compare-and-swap */
    :: r_owner == SHARED && owner == SHARED && moves < SETTLED && CAN_OWN -> owner = me
#else
    :: atomic { LOCKED_INSTRUCTION && r_owner == SHARED && owner == SHARED && moves < SETTLED && CAN_OWN -> owner = me }
#endif
    :: true
    fi;
    atomic { accessing--; r_owner = 0; r_moves = 0; goto progress }
}

#if THREADS > 2
#define ALL_STORED (buffers[1] == 0 && buffers[2] == 0 && buffers[3] == 0)
#else
#define ALL_STORED (buffers[1] == 0 && buffers[2] == 0)
#endif

/* The memory of the word begins a new life. By the rules nobody uses it then, and who does later knows of it. */
proctype clear()
{
end:
    do
#ifdef WILD
    :: node = 0; epoch = 0
#else
    :: d_step { accessing == 0 && epoch != 0 && ALL_STORED -> node = 0; epoch = 0; last = 0 }
#endif
    od
}

init {
    byte i;
    atomic {
        for (i : 1 .. THREADS) {
            run drain(i);
            run thread(i)
        }
        run clear()
    }
}
