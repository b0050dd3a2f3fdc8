#!/usr/bin/env bash
# Runs the benchmark programs side by side, several rounds in turn, and prints medians and ratios (gort / Go; below 1: gort is faster).
#   run.sh BENCH_GORT BENCH_GO [--rounds N] [--json FILE] [ROW ...]
# Each row runs in a process of its own, gort and Go in turn, with one P and with all.
set -euo pipefail
usage() { sed -n '2,4s/^# //p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
gort=$1; go=$2; shift 2
rounds=5; json=; rows=()
while [ $# -gt 0 ]; do
    case $1 in
        --rounds) [ $# -ge 2 ] || usage; rounds=$2; shift 2;;
        --json) [ $# -ge 2 ] || usage; json=$2; shift 2;;
        -*) usage;;
        *) rows+=("$1"); shift;;
    esac
done
[[ $rounds =~ ^[1-9][0-9]*$ ]] || usage
[ ${#rows[@]} -gt 0 ] || rows=(spawn yield pingpong pipe1x1 pipe4x4 select4 mutex1 mutex8 sleep10k park100k sieve)
all=$(nproc)
procs=(1); [ "$all" -gt 1 ] && procs+=("$all")
data=$(mktemp); trap 'rm -f "$data"' EXIT
for p in "${procs[@]}"; do
    for row in "${rows[@]}"; do
        for ((r = 0; r < rounds; r++)); do
            for who in gort go; do
                [ -t 2 ] && printf '\r%-60s' "bench: $row, GOMAXPROCS=$p, round $((r + 1)) of $rounds, $who" >&2
                prog=$gort; [ $who = go ] && prog=$go
                GOMAXPROCS=$p "$prog" "$row" | sed "s/^/$p $who /" >> "$data"
            done
        done
    done
done
if [ -t 2 ]; then printf '\r%-60s\r' '' >&2; fi
# Columns of $data: P who row value unit
awk -v json="$json" '
function median(list,   a, n, i, j, t) {
    n = split(list, a, " ")
    for (i = 2; i <= n; i++) { t = a[i] + 0; for (j = i - 1; j > 0 && a[j] + 0 > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
    return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2
}
{
    key = $1 " " $3
    if (!(key in seen)) { seen[key] = 1; order[++count] = key; unit[key] = $5 }
    values[key " " $2] = values[key " " $2] " " $4
}
END {
    printf "%-16s %3s %12s %12s %-4s %8s\n", "row", "P", "gort", "Go", "", "gort/Go"
    if (json) printf "[" > json
    for (i = 1; i <= count; i++) {
        key = order[i]; split(key, k, " ")
        a = median(values[key " gort"]); b = median(values[key " go"])
        printf "%-16s %3s %12.2f %12.2f %-4s %8.2f\n", k[2], k[1], a, b, unit[key], b ? a / b : 0
        if (json) printf "%s\n  {\"row\": \"%s\", \"procs\": %s, \"unit\": \"%s\", \"gort\": %s, \"go\": %s}", (i > 1 ? "," : ""), k[2], k[1], unit[key], a, b > json
    }
    if (json) printf "\n]\n" > json
}' "$data"
