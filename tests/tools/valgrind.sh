#!/usr/bin/env bash
# Programs under Valgrind: valgrind.sh PROGRAM... Each does what it does without, and nothing is reported. Without their debug information: Valgrind 3.19
# gives up on the DWARF 5 that clang 14 writes.
set -u
command -v valgrind > /dev/null || { echo "valgrind is missing: install it" >&2; exit 1; }
dir=$(mktemp -d)
out=$dir/out plain=$dir/plain log=$dir/log bare=$dir/program
trap 'rm -rf "$dir"' EXIT
for program; do
    timeout 60 "$program" < /dev/null 2> /dev/null | sort > "$plain"
    objcopy --strip-debug "$program" "$bare" || exit 1
    timeout 200 valgrind --error-exitcode=9 --log-file="$log" "$bare" < /dev/null > "$out" 2>&1
    status=$?
    [ $status -eq 0 ] || { echo "FAILED: $program under valgrind: status $status" >&2; cat "$out" "$log" >&2; exit 1; }
    grep -q 'ERROR SUMMARY: 0 errors' "$log" || { echo "FAILED: $program: errors" >&2; cat "$log" >&2; exit 1; }
    if grep -qE 'unhandled|client switching stacks' "$log"; then echo "FAILED: $program: warnings" >&2; cat "$log" >&2; exit 1; fi
    sort "$out" | cmp - "$plain" || { echo "FAILED: $program prints something else" >&2; exit 1; }
done
