#!/usr/bin/env bash
# goroutine-dump as a user runs it: goroutine_dump.sh TOOL TARGETS SERVER...
# TARGETS is dump_targets.c.
# Each SERVER is a build of docs/examples/server_like.c: 1,000 goroutines parked in several places, every one of them must be symbolized.
set -u
tool=$1 targets=$2; shift 2
work=$(mktemp -d)
pid=
trap 'exec 9>&- ; [ -n "$pid" ] && kill "$pid" 2> /dev/null; rm -rf "$work"' EXIT
fail() { echo "FAILED: $1" >&2; [ -f "$work/dump" ] && head -n 40 "$work/dump" >&2; exit 1; }
expect() { grep -qE -e "$1" "${2:-$work/dump}" || fail "expected: $1"; }
count() { [ "$(grep -cE -e "$1" "$work/dump")" -eq "$2" ] || fail "expected $2 times, found $(grep -cE -e "$1" "$work/dump") times: $1"; }

start() {   # PROGRAM: runs it until descriptor 9 is closed
    rm -f "$work/in"; mkfifo "$work/in"
    "$1" < "$work/in" > "$work/ready" &
    pid=$!
    exec 9> "$work/in"
    for _ in $(seq 200); do grep -q ready "$work/ready" && return; sleep 0.05; done
    fail "$1 is not ready"
}
stop() { exec 9>&-; wait "$pid" || fail "the server ended with status $? after it was dumped"; pid=; }

for server in "$@"; do
    for strip in no yes; do
        program=$server
        if [ $strip = yes ]; then
            program=$work/stripped; cp "$server" "$program"; strip -s "$program"
        fi
        start "$program"
        "$tool" --stats "$pid" > "$work/dump" 2> "$work/stats" || fail "status $?: $(cat "$work/stats")"
        count '^goroutine [0-9]+ \[' 1001
        expect 'goroutines, stopped for [0-9.]+ ms' "$work/stats"
        if [ $strip = no ]; then
            count '^goroutine [0-9]+ \[chan receive' 200
            count '^goroutine [0-9]+ \[chan send' 200
            count '^goroutine [0-9]+ \[sync\.Mutex\.Lock' 200
            count '^goroutine [0-9]+ \[sleep' 200
            count '^goroutine [0-9]+ \[select' 200
            for f in worker publisher session janitor dispatcher; do count "^$f\\((\\.\\.\\.)?\\)\$" 200; done
            count '^created by main in goroutine 1$' 1000
            grep -q '??' "$work/dump" && fail "something is not symbolized: $(grep -n -m 3 '??' "$work/dump")"
            grep -vE '^$|^goroutine [0-9]+ \[[^]]*\]:$|^.+\((\.\.\.)?\)$|^	.+:[0-9]+( \+0x[0-9a-f]+)?$|^created by .+ in goroutine [0-9]+$' "$work/dump" > "$work/odd" && fail "not in Go's form: $(head -n 3 "$work/odd")"
            "$tool" --state=sleep "$pid" > "$work/dump" || fail "--state"
            count '^goroutine' 200
            "$tool" --all "$pid" > "$work/dump" || fail "--all"
            expect '^rt_park\(\)$'
            for _ in $(seq 10); do "$tool" "$pid" > "$work/dump" || fail "dumped again and again"; count '^goroutine' 1001; done
        fi
        stop
    done
done

# No signal that comes meanwhile is lost.
"$targets" signals > "$work/ready" & pid=$!
for _ in $(seq 200); do grep -q ready "$work/ready" && break; sleep 0.05; done
while kill -0 "$pid" 2> /dev/null && ! grep -q got "$work/ready"; do "$tool" "$pid" > "$work/dump" 2>&1; done
wait "$pid" || fail "signals were lost: $(cat "$work/ready")"
pid=

# A thread that the kernel holds does not hold the others: they go on, and so does it.
mkfifo "$work/vfork"
"$targets" vfork "$work/vfork" > "$work/ready" & pid=$!
for _ in $(seq 200); do grep -q ready "$work/ready" && break; sleep 0.05; done
timeout 20 "$tool" "$pid" > "$work/dump" || fail "status $? with a thread in vfork"
expect '^spawns\(\)$'
expect '^goroutine [0-9]+ \[running\] labels:\{"name": "spawner", "says": "a \\"word\\""\}:$'
ticks=$(grep -c tick "$work/ready"); sleep 0.3
[ "$(grep -c tick "$work/ready")" -gt "$ticks" ] || fail "the program stands still after it was dumped"
timeout 20 bash -c ': > "$1"' - "$work/vfork" || fail "the child of vfork is gone"
wait "$pid" || fail "status $? after a dump within vfork"
pid=

bad() {   # STATUS REGEX ARGUMENT...: says why and ends with the status
    local status=$1 re=$2; shift 2
    "$tool" "$@" > "$work/dump" 2> "$work/err"
    [ $? -eq "$status" ] || fail "goroutine-dump $*: status is not $status"
    expect "$re" "$work/err"
}
bad 2 'PID is missing'
bad 2 "not a process number: '12x'" 12x
bad 2 "not a process number: '-0'" -- -0
bad 2 'one PID only' 1 2
bad 2 'goroutine-dump --help' --no-such-option
bad 1 'no such process' 99999999
bad 1 'holds no gort runtime' $$
"$tool" --help | grep -q '^usage: goroutine-dump' || fail "--help"
"$tool" --version | grep -qE '^goroutine-dump [0-9]+\.[0-9]+' || fail "--version"
echo "goroutine-dump: all as expected"
