/* A model of releases that threads leave in parts of their own (detectors/race/race_sync_parts.c), in all interleavings: two threads, each with a part,
 * release at one address, a third acquires there with the bucket locked, and a fourth by looks without it, of what it has noted with it; a fifth (FORGETS)
 * forgets the address and what is left there. check.sh says with which options it holds, and with which it must not.
 *
 * Locks are locks, and what is read without one is read in order (acquire) of stores in order (release): memory is simple. Each release has a number, a bit
 * in a set; `done` are those that are over, `forgotten` those that were there when the address was.
 *
 * Claims: who acquires finds all releases that were done when it began, but for the forgotten; when a look says that nothing has changed, what it read has
 * all that were done when it began, and so has what was noted in that version; once all is over nothing is left in a part that nobody would gather. Each process ends. */
#ifndef RELEASES
#define RELEASES 1        /* of the second thread */
#endif
#ifdef FORGETS
#define PROCESSES 5
#else
#define PROCESSES 4
#endif

bool locked, plocked[2], is_its[2];
byte version, parts, content, pcontent[2];
byte done, forgotten, over;

inline lock_it() { atomic { !locked -> locked = true } }
inline lock_part(k) { atomic { !plocked[k] -> plocked[k] = true } }

inline gather_one(k) {
    if
    :: parts & (1 << k) ->
        lock_part(k);
        content = content | pcontent[k];
        pcontent[k] = 0;
        is_its[k] = false;
        plocked[k] = false
    :: else
    fi
}

inline gather() {
#ifdef BITS_GO_FIRST
    byte bits;
    bits = parts;
    parts = 0;
    if
    :: bits & 1 -> lock_part(0); content = content | pcontent[0]; pcontent[0] = 0; is_its[0] = false; plocked[0] = false
    :: else
    fi;
    if
    :: bits & 2 -> lock_part(1); content = content | pcontent[1]; pcontent[1] = 0; is_its[1] = false; plocked[1] = false
    :: else
    fi
#else
    gather_one(0);
    gather_one(1);
    parts = 0
#endif
}

proctype releases(byte k, most) {
    byte n, number;
    bool left;
    do
    :: n == most -> break
    :: else ->
        number = 1 << (k * 2 + n);
        left = false;
        if
        :: parts & (1 << k) ->
            lock_part(k);
#ifdef NO_RECHECK
            pcontent[k] = pcontent[k] | number;
            left = true;
#else
            if
            :: is_its[k] -> pcontent[k] = pcontent[k] | number; left = true
            :: else
            fi;
#endif
            plocked[k] = false
        :: else
        fi;
        if
        :: left
        :: else ->
            lock_it();
            content = content | number;
            if
            :: true ->        /* it has met another */
                lock_part(k);
                if
                :: !is_its[k] ->
                    parts = parts | (1 << k);
                    is_its[k] = true;
                    plocked[k] = false
                :: else -> plocked[k] = false
                fi
            :: true
            fi;
#ifndef CLAIM_SILENT
            version++;
#endif
            locked = false
        fi;
        done = done | number;
        n++
    od;
    over++
}

active proctype acquires() {
    byte meant, got;
    meant = done;
    lock_it();
#ifndef ACQUIRES_BLINDLY
    gather();
#endif
    got = content;
    locked = false;
    assert((meant & ~got & ~forgotten) == 0);
    over++
}

active proctype looks() {
    byte meant, noted, was, knows, is_there;
    bool well;
    lock_it();
    gather();
    noted = version;
    knows = content;
    locked = false;
    meant = done;
    well = !locked;
    was = version;
#ifndef LOOKS_BLINDLY
    well = well && parts == 0;
#endif
    is_there = content;
    well = well && !locked;
    d_step {
        well = well && version == was;
        assert(!well || (meant & ~is_there & ~forgotten) == 0);
        assert(!(well && version == noted) || (meant & ~knows & ~forgotten) == 0)
    }
    over++
}

#ifdef FORGETS
active proctype forgets() {
    lock_it();
#ifndef FORGETS_PARTS
    gather();
#endif
    d_step {
        forgotten = forgotten | content;
        content = 0;
        parts = 0;
        version = version + 16    /* a new one's begin elsewhere */
    }
    locked = false;
    over++
}
#endif

init {
    run releases(0, 2);
    run releases(1, RELEASES);
    (over == PROCESSES);
    assert(!(is_its[0] && !(parts & 1)) && !(is_its[1] && !(parts & 2)));
    assert((pcontent[0] == 0 || is_its[0]) && (pcontent[1] == 0 || is_its[1]))
}
