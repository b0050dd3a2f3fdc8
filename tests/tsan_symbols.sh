#!/usr/bin/env bash
# Every function that a compiler calls under -fsanitize=thread is one that the detector has, and every function of libc that it stands in for is
# one that programs are linked with. The library has the names of those for shared libraries too, and none of its own.
#   tsan_symbols.sh COMPILER CORPUS LIBRARY LINK_OPTIONS
# Compiles the corpus with each version there is of COMPILER, gcc or clang, at each level with each set of options and looks at what stays undefined; and looks
# into gcc itself for names that the corpus may not have provoked.
set -eu
family=$1 corpus=$2 library=$3 link=$4
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
nm "$library" | awk '$2 ~ /^[TW]$/ { print $3 }' | grep '^__tsan_' | sort -u > "$work/has"
missing() { comm -23 "$1" "$work/has"; }
fail() { echo "FAILED: $1" >&2; exit 1; }
: > "$work/seen"
compile() {   # COMPILER LEVEL SOURCE OPTION...
    local compiler=$1 level=$2 source=$3; shift 3
    "$compiler" -w -g "$level" -mcx16 -fsanitize=thread "$@" -c "$source" -o "$work/one.o" 2> "$work/err" || fail "$compiler $level $* $source: $(cat "$work/err")"
    nm -u "$work/one.o" | awk '{ print $NF }' | grep '^__tsan_' | sort -u > "$work/one"
    [ -z "$(missing "$work/one")" ] || fail "$compiler $level $* emits what the detector lacks: $(missing "$work/one" | tr '\n' ' ')"
    cat "$work/one" >> "$work/seen"
}
compiled=0
case $family in
    gcc) compilers="gcc gcc-12 gcc-13 gcc-14 g++";;
    clang) compilers="clang clang-14 clang-15 clang-16 clang-17 clang-18 clang-19 clang-20 clang++";;
esac
for compiler in $compilers; do
    command -v "$compiler" > /dev/null || continue
    [ "$(readlink -f "$(command -v "$compiler")")" != "${last:-}" ] || continue
    last=$(readlink -f "$(command -v "$compiler")")
    sets=("" "-fnon-call-exceptions -fexceptions")
    case $compiler in
        gcc*|g++*) sets+=("--param tsan-distinguish-volatile=1" "--param tsan-instrument-func-entry-exit=1 -fnon-call-exceptions --param tsan-distinguish-volatile=1" "-ftree-vectorize -mavx2");;
        clang*) sets=("" "-fexceptions" "-mllvm -tsan-distinguish-volatile=1" "-mllvm -tsan-compound-read-before-write=1"
                "-mllvm -tsan-compound-read-before-write=1 -mllvm -tsan-distinguish-volatile=1 -mavx2");;
    esac
    source=$corpus/accesses.c
    case $compiler in *++*) source=$corpus/objects.cpp; sets=("" "${sets[1]} ${sets[2]}");; esac   # slow to compile
    for level in -O0 -O1 -O2 -O3; do
        for set in "${sets[@]}"; do
            # shellcheck disable=SC2086
            compile "$compiler" $level "$source" $set
            compiled=$((compiled + 1))
        done
    done
done
[ $compiled -ge 20 ] || fail "only $compiled compilations: no compiler?"
sort -u "$work/seen" > "$work/all"
# What the corpus must have provoked, or it tests nothing.
for s in read{1,2,4,8,16} write{1,2,4,8,16} volatile_read{1,2,4,8} volatile_write{1,2,4,8} func_entry func_exit init vptr_update atomic_thread_fence \
    atomic{8,16,32,64}_{load,store,exchange,fetch_{add,sub,and,or,xor,nand}}; do
    grep -qx "__tsan_$s" "$work/all" || fail "the corpus does not provoke __tsan_$s"
done
# Names in the compilers' own data, but for the beginnings that they build names from.
{ for c in gcc g++; do
      command -v $c > /dev/null && for p in cc1 cc1plus; do f=$($c -print-prog-name=$p); [ -e "$f" ] && cat "$f"; done
  done | strings -a | grep -oE '__tsan_[a-z0-9_]+' || true; } | sort -u > "$work/known"
for s in $(missing "$work/known"); do
    grep -q "^$s" "$work/has" || fail "gcc knows $s, the detector does not"
done
nm "$library" | awk '$2 == "T" && sub(/^__wrap_/, "", $3) { print $3 }' | sort > "$work/wraps"
sed -n 's/^-Wl,--wrap=//p' "$link" | sort > "$work/linked"
diff "$work/wraps" "$work/linked" > "$work/differ" || fail "link-options.txt is not what the detector defines: $(cat "$work/differ")"
# What the library defines in libc's place must have stayed visible when all other names became local (global-names.txt).
names() { nm "$1" | awk -v kinds="$2" '$2 ~ kinds { print $3 }' | sort -u; }
names "$(dirname "$library")/gort_race_all.o" '^[TWVDBR]$' > "$work/before"
names "$library" '^[TWVDBR]$' > "$work/after"
nm -D --defined-only "$(gcc -print-file-name=libc.so.6)" | awk '{ sub(/@.*/, "", $3); print $3 }' | sort -u > "$work/libc"
comm -23 "$work/before" "$work/after" | comm -12 - "$work/libc" > "$work/lost"
[ ! -s "$work/lost" ] || fail "not in global-names.txt: $(tr '\n' ' ' < "$work/lost")"
[ "$(grep -c '^pthread_' "$work/after")" -ge 20 ] || fail "hardly a function of POSIX threads is visible"
other=$(grep -E '^(race|hook|rt|os|list|conn|timer)_' "$work/after" || true)
[ -z "$other" ] || fail "names that programs may have: $other"
echo "$(wc -l < "$work/all") functions in $compiled compilations, $(wc -l < "$work/known") known to gcc"
