/* A model of the look without the lock at what is left at an atomic's address (detectors/race/race_sync_look.c), in all interleavings: thread
 * ALONE releases there, as the sync's owner without the bucket's lock where it can; thread OTHER releases with it; a third loads with it, which takes
 * the owner off; a fourth polls the atomic by looks; a fifth has noted, with the lock, in what version it knows what is there, and polls by that. check.sh says with which options it holds, and with which it must not.
 *
 * Loads of the looker come in order, and so do the stores of a change (the acquire and release fences; x86 by itself); that an owner is either seen to be busy
 * or sees that it is none any more is race_bias.pml's, so here memory is simple. Each release stores a new number into the atomic, and leaves
 * (slot, value): a new value, or, if it may belong to the epoch before (nobody has seen that, and nothing was recorded since, which may always be so), the same.
 *
 * Claims: when a look says that nothing was changed, (slot, value) is what the store left whose number was read, and where it was noted, what is known; and whoever's epoch was seen by a look does not
 * go on in it. Each process ends. */
#define ALONE 1
#define OTHER 2
#define RELEASES 2        /* of each */
#define NUMBERS 5
#define LOADS 1
#define LOOKS 1

bool locked, seen, busy;
byte version, owner, slot, value;
byte flag;                /* the atomic: a number of a store; 0: none yet */
byte clock[3], next = 1;
byte left_slot[NUMBERS], left_value[NUMBERS];
byte looked_slot, looked_value;

#ifdef NO_VERSION
#define CHANGED skip
#else
#define CHANGED version++
#endif

/* Store, then what it leaves. Each line is one step that others see. */
inline release(me) {
    bool goes_on;
    byte number;
    d_step {
        number = next;
        next++;
        goes_on = slot == me && value == clock[me] && !seen;
    }
    if
    :: goes_on
    :: goes_on = false; clock[me]++
    fi;
    d_step {
        assert(!(goes_on && looked_slot == me && looked_value == clock[me]));
        left_slot[number] = me;
        left_value[number] = clock[me];
        flag = number;
    }
    if
    :: goes_on
    :: else ->
        slot = me;
        value = clock[me];
        seen = false
    fi
}

inline lock_it() { atomic { !locked -> locked = true } }

inline disown() {
    if
    :: owner != 0 ->
        owner = 0;
#ifdef DISOWN_FIRST
        CHANGED;
#endif
        !busy;
#if !defined(DISOWN_SILENT) && !defined(DISOWN_FIRST)
        CHANGED
#endif
    :: else
    fi
}

active proctype alone() {
    byte n;
    do
    :: n == RELEASES -> break
    :: else ->
        busy = true;
        if
        :: owner == ALONE && slot == ALONE -> release(ALONE); busy = false
        :: else ->
            busy = false;
            lock_it();
            release(ALONE);
            owner = ALONE;
            CHANGED;
            locked = false
        fi;
        n++
    od
}

active proctype other() {
    byte n;
    do
    :: n == RELEASES -> break
    :: else ->
        lock_it();
        disown();
        release(OTHER);
        CHANGED;
        locked = false;
        n++
    od
}

active proctype loads() {
    byte n;
    do
    :: n == LOADS -> break
    :: else ->
        lock_it();
        disown();
        seen = true;
        locked = false;
        n++
    od
}

active proctype polls() {
    byte n, v, is_slot, is_value, was;
    bool is_seen, well;
    do
    :: n == LOOKS -> break
    :: else ->
#ifdef NO_LOCK
        well = true;
#else
        well = !locked;
#endif
        was = version;
        well = well && owner == 0;
        v = flag;
        is_slot = slot;
        is_value = value;
        is_seen = seen;
#ifndef NO_LOCK
        well = well && !locked;
#endif
        d_step {
            well = well && version == was && v != 0;
#ifndef NO_SEEN
            well = well && is_seen;
#endif
            if
            :: well ->
                assert(is_slot == left_slot[v] && is_value == left_value[v]);
                looked_slot = is_slot;
                looked_value = is_value
            :: else
            fi
        }
        n++
    od
}

active proctype notes() {
    byte noted, knows_slot, knows_value, v;
    bool well;
    lock_it();
    disown();
    seen = true;
    noted = version;
    knows_slot = slot;
    knows_value = value;
    locked = false;
    well = !locked;
    well = well && version == noted;
    v = flag;
    well = well && owner == 0;
    well = well && !locked;
    d_step {
        well = well && version == noted;
        if
        :: well && v != 0 -> assert(knows_slot == left_slot[v] && knows_value == left_value[v])
        :: else
        fi
    }
}
