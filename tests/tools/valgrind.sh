#!/usr/bin/env bash
# Programs under Valgrind: valgrind.sh PROGRAM... Each does what it does without, and nothing is reported.
set -u
command -v valgrind > /dev/null || { echo "valgrind is missing: install it" >&2; exit 1; }
out=$(mktemp) plain=$(mktemp) log=$(mktemp)
trap 'rm -f "$out" "$plain" "$log"' EXIT
for program; do
    timeout 60 "$program" < /dev/null 2> /dev/null | sort > "$plain"
    timeout 200 valgrind --error-exitcode=9 --log-file="$log" "$program" < /dev/null > "$out" 2>&1
    status=$?
    [ $status -eq 0 ] || { echo "FAILED: $program under valgrind: status $status" >&2; cat "$out" "$log" >&2; exit 1; }
    grep -q 'ERROR SUMMARY: 0 errors' "$log" || { echo "FAILED: $program: errors" >&2; cat "$log" >&2; exit 1; }
    if grep -qE 'unhandled|client switching stacks' "$log"; then echo "FAILED: $program: warnings" >&2; cat "$log" >&2; exit 1; fi
    sort "$out" | cmp - "$plain" || { echo "FAILED: $program prints something else" >&2; exit 1; }
done
