#!/usr/bin/env bash
# gdb shows a parked goroutine's stack: gdb.sh GORT_GDB_PY SERVER_LIKE
set -u
script=$1 server=$2
command -v gdb > /dev/null || { echo "gdb is missing: install it" >&2; exit 1; }
dir=$(mktemp -d)
pid=
cleanup() { [ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$dir"; }
trap cleanup EXIT
fail() { echo "FAILED: $1" >&2; head -n 40 "$dir/out" "$dir/err" >&2; exit 1; }
mkfifo "$dir/in"
"$server" < "$dir/in" > "$dir/ready" &
pid=$!
exec 9> "$dir/in"
for _ in $(seq 100); do grep -q ready "$dir/ready" && break; sleep 0.1; done
debug() { timeout 120 gdb -q -nx -batch -p "$pid" -ex "source $script" "$@" > "$dir/out" 2> "$dir/err"; }
debug -ex 'info goroutines' || fail "gdb: status $?"
[ "$(grep -cE '^ *[0-9]+  \[[a-z ().A-Z]+\]  ' "$dir/out")" -eq 1001 ] || fail "expected 1001 goroutines"
grep -qE '\[chan receive\]  [a-z_]+ \([a-z_]+\.c:[0-9]+\)$' "$dir/out" || fail "no goroutine in chan receive with function and line"
grep -qE '\]  (gort_|ctx_|rt_|\?\?)' "$dir/out" && fail "a goroutine is described by a function of the runtime"
# One whose function keeps its frame while it waits; a call at a function's very end may have become a jump.
number=$(sed -nE 's/^ *([0-9]+)  \[chan send\].*/\1/p' "$dir/out" | tail -n 1)
function=$(sed -nE "s/^ *$number  \[chan send\]  ([a-z_]+) .*/\1/p" "$dir/out")
[ -n "$function" ] || fail "no goroutine in chan send"
debug -ex "goroutine $number bt" -ex 'bt 1' || fail "gdb: status $?"
grep -qE "^#[0-9]+ .* $function \(" "$dir/out" || fail "goroutine $number bt does not show $function"
grep -q 'Backtrace stopped' "$dir/out" && fail "the backtrace does not end at the goroutine's start"
debug -ex 'goroutine 999999 bt'; grep -q 'there is no goroutine 999999' "$dir/err" || fail "a number that is none"
debug -ex 'goroutine'; grep -q 'usage: goroutine N COMMAND' "$dir/err" || fail "no arguments"
kill -0 "$pid" || fail "the process did not live on"
echo >&9
exec 9>&-
wait "$pid" || fail "the server ended with status $? afterwards"
pid=
echo 'int main(void) { return 0; }' | cc -g -x c -o "$dir/none" -
timeout 60 gdb -q -nx -batch -ex "source $script" -ex 'break main' -ex run -ex 'info goroutines' "$dir/none" > "$dir/out" 2> "$dir/err"
grep -q 'holds no gort runtime' "$dir/err" || fail "a program without gort"
