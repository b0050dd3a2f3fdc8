#!/usr/bin/env bash
# Runs each racy program and its clean twin many times: run_pairs.sh N DIR... (DIRs hold the programs as different compilers built them)
# In debug builds each run has its own perturbed schedule. Prints a row a pair: how often the racy one was reported and the clean one not, at -O0 and -O2 in each DIR. Status 1 if that is not always.
set -u
n=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
reports=$(cd "$(dirname "$0")" && pwd)/report/race
export work n reports

# One program N times: how often it did as it should, into a file of its name.
run_one() {
    local program=$1 kind=$2 out ok=0 status name heading
    out=$work/out.$$
    name=${program##*/race-}
    heading=$(sed -nE 's,^// (race-)?expect: WARNING: (DATA RACE|USE OF FREED MEMORY)$,\2,p' "$reports/${name%-race-O?}.c" 2> /dev/null | head -n 1)
    heading=${heading:-DATA RACE}   # what its source expects first
    for ((i = 0; i < n; i++)); do
        GORACE=atexit_sleep_ms=0 GORT_PERTURB=$i timeout 60 "$program" > "$out" 2>&1 < /dev/null
        status=$?
        if [ "$kind" = race ]; then
            [ "$status" -eq 66 ] && grep -q "^WARNING: $heading" "$out" && ok=$((ok + 1))
        else
            [ "$status" -eq 0 ] && ! grep -qE 'DATA RACE|USE OF FREED MEMORY' "$out" && ok=$((ok + 1))
        fi
        if [ "$ok" -le "$i" ] && [ ! -e "$work/failed" ]; then
            { echo "$program: status $status"; cat "$out"; } > "$work/failed"
        fi
    done
    rm -f "$out"
    echo "$ok" > "$work/$(echo "$program" | tr / _)"
}
export -f run_one

for dir in "$@"; do
    for program in "$dir"/race-*-race-O? "$dir"/norace-*-race-O?; do
        name=${program##*/}
        printf '%s\0%s\0' "$program" "${name%%-*}"
    done
done | xargs -0 -n 2 -P "$(nproc)" bash -c 'run_one "$0" "$1"'

result() {
    local file
    file=$work/$(echo "$1" | tr / _)
    if [ -e "$file" ]; then cat "$file"; else echo -; fi
}
bad=0 pairs=0
printf '%-24s' "of $n runs"
for dir in "$@"; do
    for level in O0 O2; do printf ' | %-16s' "$(basename "$(dirname "$dir")") -$level"; done
done
printf '\n%-24s' ""
for dir in "$@"; do
    for level in O0 O2; do printf ' | %-7s %-8s' reported silent; done
done
printf '\n'
for program in "$1"/race-*-race-O0; do
    name=${program##*/race-}
    name=${name%-race-O0}
    pairs=$((pairs + 1))
    printf '%-24s' "$name"
    for dir in "$@"; do
        for level in O0 O2; do
            racy=$(result "$dir/race-$name-race-$level") clean=$(result "$dir/norace-$name-race-$level")
            [ "$racy" = "$n" ] && [ "$clean" = "$n" ] || bad=$((bad + 1))
            printf ' | %-8s %-7s' "$racy" "$clean"
        done
    done
    printf '\n'
done
if [ "$bad" -gt 0 ]; then
    echo "$bad times not always as it should be; the first:"
    cat "$work/failed"
    exit 1
fi
echo "$pairs pairs, each program $n times in each build: the racy always reported, the clean never"
