#!/usr/bin/env bash
# Runs one program as a user would and compares what it does with what its source's comments say.
#   run_report.sh plain|race SOURCE PROGRAM
# // expect: REGEX      a line of stdout or stderr matches, after the line that matched the one before
# // expect: +REGEX    the line directly after it does
# // absent: REGEX      no line matches
# // status: N          exit status (0)
# // race-expect: R, race-status: N   the same, in race builds only (where race-expect stands, it is looked for from the top)
# // plain-expect: R, plain-status: N
# // args: WORDS        arguments;  // env: NAME=VALUE   environment;  // runs: N   so many times, each as expected
set -u
kind=$1 source=$2 program=$3
[ -x "$program" ] || { echo "run_report: no program $program" >&2; exit 2; }
tags() { sed -nE "s|^// $1: ?(.*)\$|\1|p" "$source"; }
mapfile -t expect < <(tags expect)
mapfile -t kind_expect < <(tags "$kind-expect")
mapfile -t absent < <(tags absent)
status=$(tags "$kind-status" | head -n 1)
[ -n "$status" ] || status=$(tags status | head -n 1)
status=${status:-0}
read -ra args <<< "$(tags args | head -n 1)"
mapfile -t environment < <(tags env)
runs=$(tags runs | head -n 1)
if [ ${#expect[@]} -eq 0 ] && [ ${#kind_expect[@]} -eq 0 ] && [ ${#absent[@]} -eq 0 ]; then
    echo "run_report: $source expects nothing: a test that can't fail" >&2
    exit 2
fi
out=$(mktemp)
trap 'rm -f "$out"' EXIT
fail() {
    echo "FAILED: $1" >&2
    echo "---- what $program printed (status $got):" >&2
    cat "$out" >&2
    exit 1
}
in_order() {   # REGEX...
    local line=1 found
    for re in "$@"; do
        if [ "${re:0:1}" = + ]; then
            sed -n "${line}p" "$out" | grep -qE -e "${re:1}" || fail "expected, in line $line: ${re:1}"
            line=$((line + 1))
            continue
        fi
        found=$(tail -n "+$line" "$out" | grep -nE -m 1 -e "$re" | cut -d: -f1)
        [ -n "$found" ] || fail "expected, from line $line on: $re"
        line=$((line + found))
    done
}
for ((run = 0; run < ${runs:-1}; run++)); do
    env ${environment[@]+"${environment[@]}"} timeout 60 "$program" ${args[@]+"${args[@]}"} > "$out" 2>&1 < /dev/null
    got=$?
    [ "$got" -eq "$status" ] || fail "exit status $got, expected $status"
    in_order ${expect[@]+"${expect[@]}"}
    in_order ${kind_expect[@]+"${kind_expect[@]}"}
    for re in ${absent[@]+"${absent[@]}"}; do
        if grep -qE -e "$re" "$out"; then fail "not expected: $re"; fi
    done
done
