#!/usr/bin/env bash
# Runs a stress program N times with different seeds and numbers of Ps; stops at the first failure and says how to repeat it.
#   repeat.sh N PROGRAM [FIRST_SEED]
# In debug builds the runtime itself perturbs the schedule too (GORT_PERTURB), from the same seed.
set -u
n=$1 program=$2 first=${3:-$((RANDOM * 32768 + RANDOM))}
procs=(1 2 4 3)
for ((i = 0; i < n; i++)); do
    seed=$((first + i)) p=${procs[i % 4]}
    out=$(GOMAXPROCS=$p GORT_PERTURB=$seed GORACE=atexit_sleep_ms=0 timeout 60 "$program" "$seed" 2>&1)
    status=$?
    if [ $status -ne 0 ]; then
        echo "$out" | tail -n 60
        echo "FAILED with status $status; repeat: GOMAXPROCS=$p GORT_PERTURB=$seed $program $seed" >&2
        exit 1
    fi
done
echo "$n runs of $(basename "$program"), seeds from $first"
