/* A model of the parts that threads have of the list of a word that many read (detectors/race/race_list_parts.c), in all interleavings: two threads read, a third
 * writes, with nothing that orders any of them; a fourth (FORGETS) ends the word's life and begins another word's, to which the list's memory comes, with
 * a part of the same number. check.sh says with which options it holds, and with which it must not.
 *
 * Locks are locks, and what is read without one is read in order (acquire) of stores in order (release): memory is simple. Each access has a number, a bit in a set.
 *
 * Claims: of a read and a write that are over one has found the other, unless the word was forgotten in between; in another word's part is no read of this
 * one; once the word was forgotten no part is its own; each process ends. */
#ifndef READS
#define READS 2           /* of each reader */
#endif
#define WRITES 2

bool locked, plocked[2], has_list = true;
byte parts;               /* the list's bits */
byte pword[2];            /* 0: closed; 1: the word's; 2: another's, of the same list */
byte pconflicts[2], preads[2];
byte reads, writes;       /* what the list has */
byte lives;               /* how often the word was forgotten */
byte saw[4], found[2];    /* by read: the writes it met; by write: the reads */
byte read_in[4], written_in[2];   /* in which life + 1; 0: not over */

inline lock_it() { atomic { !locked -> locked = true } }
inline lock_part(k) { atomic { !plocked[k] -> plocked[k] = true } }

inline close_one(k, into) {
    if
    :: parts & (1 << k) ->
#ifndef CLOSES_UNLOCKED
        lock_part(k);
#endif
        t = preads[k];
        into = into | t;
        preads[k] = 0;
        pword[k] = 0;
#ifndef CLOSES_UNLOCKED
        plocked[k] = false
#endif
    :: else
    fi
}

inline check_all() {
    d_step {
        byte r, w;
        for (r : 0 .. 3) {
            for (w : 0 .. 1) {
                assert(read_in[r] == 0 || written_in[w] == 0 || read_in[r] != written_in[w] || (saw[r] & (1 << w)) || (found[w] & (1 << r)))
            }
        }
    }
}

proctype reader(byte k) {
    byte n, number, life;
    bool in, list, hint;
    do
    :: n == READS -> break
    :: else ->
        number = k * 2 + n;
        in = false;
        list = has_list;
        hint = (parts >> k) & 1;
        if
        :: list && hint ->
            lock_part(k);
#ifdef NO_RECHECK
            if
            :: pword[k] != 2 ->
#else
#ifdef NO_WORD
            if
            :: pword[k] != 0 ->
#else
            if
            :: pword[k] == 1 ->
#endif
#endif
                assert(pword[k] != 2);
                saw[number] = pconflicts[k];
                preads[k] = preads[k] | (1 << number);
                read_in[number] = lives + 1;
                in = true
            :: else
            fi;
            plocked[k] = false
        :: else
        fi;
        if
        :: !in ->
            lock_it();
            saw[number] = writes;
            reads = reads | (1 << number);
            read_in[number] = lives + 1;
            if
            :: has_list && !((parts >> k) & 1) ->
                lock_part(k);
                if
                :: pword[k] == 0 ->
                    pword[k] = 1;
                    preads[k] = 0;
#ifdef NO_CONFLICTS
                    pconflicts[k] = 0;
#else
                    pconflicts[k] = writes;
#endif
                    parts = parts | (1 << k)
                :: else
                fi;
                plocked[k] = false
            :: true
            fi;
            locked = false
        :: else
        fi;
        check_all();
        n++
    od
}

proctype writer() {
    byte n, t;
    do
    :: n == WRITES -> break
    :: else ->
        lock_it();
#ifndef LEAVES_OPEN
        close_one(0, reads);
        close_one(1, reads);
        parts = 0;
#endif
        found[n] = reads;
        writes = writes | (1 << n);
        written_in[n] = lives + 1;
        locked = false;
        check_all();
        n++
    od
}

proctype forgets() {
    byte t, nowhere;
    lock_it();
    has_list = false;
#ifndef FREES_OPEN
    close_one(0, nowhere);
    close_one(1, nowhere);
    parts = 0;
#endif
    reads = 0;
    writes = 0;
    lives++;
    locked = false;
    /* The list's memory is another word's list now: a thread of number 0 gets a part of it. */
    lock_part(0);
    if
    :: pword[0] == 0 -> pword[0] = 2; preads[0] = 0; pconflicts[0] = 0; parts = parts | 1
    :: else
    fi;
    plocked[0] = false;
    assert(pword[0] != 1 && pword[1] != 1)
}

init {
    atomic {
        run reader(0);
        run reader(1);
        run writer();
#ifdef FORGETS
        run forgets();
#endif
    }
    (_nr_pr == 1);
    assert(pword[0] != 2 || preads[0] == 0)
}
