#!/usr/bin/env bash
# Searches the models exhaustively: as gort does it nothing may be found, and each step that is left out must be. check.sh [all]; all: race_bias.pml also
# with as many moves as the detector needs to share a region, and then some, and progress of three threads (2 GiB, some minutes).
set -u
models=$(cd "$(dirname "$0")" && pwd)
model=$models/race_bias.pml
command -v spin > /dev/null || { echo "spin is missing: install Debian's package spin" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
bad=0
three=-DTHREADS=3 two=-DTHREADS=2 short=(-DMOVES_MAX=0 -DSETTLED=2) full=(-DMOVES_MAX=2 -DSETTLED=5)

# search OPTIMIZATION SAFETY|NP OPTION...: pan's output is in ./out
search() {
    local level=$1 what=$2; shift 2
    spin "$@" -a "$model" > log 2>&1 && gcc -w "$level" "-D$what" -DNFAIR=4 -DVECTORSZ=256 -DMEMLIM=2000 -o pan pan.c > log 2>&1 || { cat log >&2; exit 2; }
    if [ "$what" = NP ]; then ./pan -m1000000 -w24 -l -f > out 2>&1; else ./pan -m1000000 -w24 > out 2>&1; fi
}

judge() { printf '%-4s %9s states  %-7s %s\n' "$1" "$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)" "$2" "$3"; }

# Everything was searched, three threads took each step, and nothing is wrong.
holds() {
    case ${2:-} in $three|-DUSERS=3) search -O2 "$@";; *) search -O1 "$@";; esac
    if grep -q 'errors: 0$' out && ! grep -qE 'search not completed|depth too small|limit reached|out of memory' out &&
        { [ "${2:-}" != $three ] || ! grep -E ', state [0-9]+, ' out | grep -qv '"-end-"'; }; then
        judge ok "$1" "${*:2}"
    else
        judge BAD "$1" "${*:2}: must hold"
        cat out
        bad=1
    fi
}

fails() {
    search -O0 "$@"
    if grep -qE 'assertion violated|invalid end state|non-progress cycle' out; then
        judge ok "$1" "${*:2}: found, $(sed -n 's/^pan:1: \([a-z-]* [a-z]*\).*/\1/p' out)"
    else
        judge BAD "$1" "${*:2}: must be found"
        cat out
        bad=1
    fi
}

holds SAFETY $three
holds SAFETY $three -DNUMBERLESS "${short[@]}"
holds SAFETY $two "${full[@]}"
holds NP $two "${full[@]}"
holds NP $two -DWILD
for step in PLAIN_FIRST PLAIN_SAMPLE NO_MEMBARRIER NO_WAIT LEAVES_EARLY ENTERS_BLINDLY OWNER_IGNORES_LOCK PLAIN_LOCK NO_RECHECK PLAIN_BACK; do
    fails SAFETY $two -D$step
done
for step in NO_MOVING OWNER_ONLY LOCK_OF_EPOCH; do   # which two threads do not notice
    fails SAFETY $three -D$step
done
fails NP $two -DNO_BACK
model=$models/sync_look.pml
holds SAFETY
for step in NO_VERSION NO_LOCK NO_SEEN DISOWN_SILENT DISOWN_FIRST; do
    fails SAFETY -D$step
done
model=$models/sync_parts.pml
holds SAFETY
holds SAFETY -DRELEASES=0 -DFORGETS
for step in NO_RECHECK BITS_GO_FIRST CLAIM_SILENT ACQUIRES_BLINDLY LOOKS_BLINDLY; do
    fails SAFETY -D$step
done
fails SAFETY -DRELEASES=0 -DFORGETS -DFORGETS_PARTS
model=$models/list_parts.pml
holds SAFETY
holds SAFETY -DFORGETS
for step in NO_RECHECK NO_CONFLICTS LEAVES_OPEN CLOSES_UNLOCKED; do
    fails SAFETY -D$step
done
for step in NO_WORD FREES_OPEN; do
    fails SAFETY -DFORGETS -D$step
done
model=$models/mutex_unlock.pml
holds SAFETY -DUSERS=3 -DQUIETS=1
holds SAFETY -DUSERS=2 -DROUNDS=2
for step in NO_MEMBARRIER NO_SECOND_LOOK NO_CHECK NO_TURNS QUIET_ANYHOW; do
    fails SAFETY -DQUIETS=1 -D$step
done
model=$models/runq_alone.pml
holds SAFETY
for step in ASKS_FIRST LEAVES_EARLY PICKS_LATE STAYS_ALONE NO_BARRIER NO_WAIT; do
    fails SAFETY -D$step
done
model=$models/race_bias.pml
if [ "${1:-}" = all ]; then
    holds SAFETY $three "${full[@]}"
    holds SAFETY $three -DNUMBERLESS
    holds NP $three "${short[@]}"
fi
exit $bad
