/* A model of the mutex's unlock without an atomic instruction (runtime/mutex.c, contended.c), in all interleavings: USERS goroutines, each on a thread of its own,
 * lock and unlock ROUNDS times; the monitor calls the bucket quiet whenever it likes. check.sh says with which options it holds, and with which it must not.
 *
 * The plain store of an unlock may stay in its thread's store buffer (pending) for any time, while the thread goes on; atomic instructions and fences, and the
 * membarrier of somebody else, wait until it is out. Everything else is in order. The word is 0, LOCKED (1), or LOCKED with WAITERS (3); 2 while
 * an unlock by an atomic instruction is at work. The starvation mode is left out: to the plain unlock it is one more mark.
 *
 * Claims: one holder at a time; nobody stays parked (the search finds an end that is none). */
#ifndef USERS
#define USERS 3
#endif
#ifndef ROUNDS
#define ROUNDS 1
#endif
#define QUIET 0
#define TURNING 1
#define CONTENDED 2

#if USERS > 2
#define NOBODY_PARKED (!parked[0] && !parked[1] && !parked[2])
#else
#define NOBODY_PARKED (!parked[0] && !parked[1])
#endif
#ifdef NO_CHECK
#define CHECKED true
#else
#define CHECKED (contended == CONTENDED)
#endif
#ifdef NO_TURNS
#define SAME_TURN true
#else
#define SAME_TURN (turns == turned)
#endif

byte word, contended, holders;
bool pending[USERS], parked[USERS], woken[USERS];
bool queue_locked;
byte ended, turns;

inline drain(i) { d_step { if :: pending[i] -> word = 0; pending[i] = false :: else fi } }   /* a full barrier in thread i */

inline lock_queue(me) { atomic { !queue_locked -> queue_locked = true; if :: pending[me] -> word = 0; pending[me] = false :: else fi } }
inline unlock_queue() { queue_locked = false }

/* Wakes one, if there is one: which, is left open. */
inline wake(me) {
    lock_queue(me);
    if
    :: atomic { parked[0] -> parked[0] = false; woken[0] = true }
    :: atomic { parked[1] -> parked[1] = false; woken[1] = true }
#if USERS > 2
    :: atomic { parked[2] -> parked[2] = false; woken[2] = true }
#endif
    :: NOBODY_PARKED
    fi;
    unlock_queue()
}

inline barrier_in_all() {
    skip;
#ifndef NO_MEMBARRIER
    k = 0;
    do
    :: k < USERS -> drain(k); k++
    :: else -> break
    od
#endif
}

inline turn(me) {
    lock_queue(me);
    if
    :: contended == QUIET -> contended = TURNING; turns++
    :: else
    fi;
    turned = turns;
    c = contended;
    unlock_queue();
    if
    :: c == TURNING ->
        barrier_in_all();
        lock_queue(me);
        if
        :: contended == TURNING && SAME_TURN -> contended = CONTENDED
        :: else
        fi;
        unlock_queue()
    :: else
    fi
}

inline lock_it(me) {
    as = 1;
    do
    :: true ->
        s = (pending[me] -> 0 : word);
        if
        :: s == 0 ->
            atomic {
                drain(me);
                if :: word == 0 -> word = as; took = true :: else -> took = false fi
            }
            if :: took -> break :: else fi
        :: else ->
            c = contended;
            took = false;
            if
            :: c != CONTENDED -> turn(me)
            :: else ->
                atomic {
                    drain(me);
                    if :: word == s -> word = s | 2; took = true :: else fi
                }
            fi;
            if
            :: took ->
                lock_queue(me);
                if
                :: (word & 2) != 0 && CHECKED ->
                    parked[me] = true;
                    unlock_queue();
                    woken[me];       /* parked until somebody wakes it */
                    woken[me] = false;
                    as = 3
                :: else -> unlock_queue()
                fi
            :: else
            fi
        fi
    od
}

inline unlock_it(me) {
    s = word;    /* its own: nothing is pending since it locked */
    c = contended;
    if
    :: s != 1 || c != QUIET ->
        atomic { drain(me); word--; s = word }
        if
        :: s == 0
        :: else ->
            do
            :: true ->
                s = word;
                atomic { if :: word == s -> word = 0; took = true :: else -> took = false fi }
                if :: took -> break :: else fi
            od;
            wake(me)
        fi
    :: else ->
        pending[me] = true;   /* word = 0 */
#ifndef NO_SECOND_LOOK
        c = contended;
        if
        :: c != QUIET -> drain(me); wake(me)
        :: else
        fi
#endif
    fi
}

active [USERS] proctype user() {
    byte s, as, c, k, n, turned;
    bool took;
    do
    :: n == ROUNDS -> break
    :: else ->
        lock_it(_pid);
        holders++;
        assert(holders == 1);
        holders--;
        unlock_it(_pid);
        n++
    od;
    ended++
}

/* What store buffers do by themselves, and in the end in any case. */
active proctype buffers() {
end:
    do
    :: atomic { pending[0] -> word = 0; pending[0] = false }
    :: atomic { pending[1] -> word = 0; pending[1] = false }
#if USERS > 2
    :: atomic { pending[2] -> word = 0; pending[2] = false }
#endif
    od
}

#ifndef QUIETS
#define QUIETS 2
#endif
active proctype monitor() {
    byte n;
    do
    :: n == QUIETS || ended == USERS -> break
    :: else ->
#ifdef QUIET_ANYHOW
        contended = QUIET;
#else
        atomic { !queue_locked -> queue_locked = true }
        if
        :: contended == CONTENDED && NOBODY_PARKED -> contended = QUIET
        :: else
        fi;
        unlock_queue();
#endif
        n++
    od
}
