#!/usr/bin/env bash
# Programs built so that race detection would silently be absent, or miss a part: each fails to link, or says so at the start, with each compiler and linker
# there is. And those that may look like them are checked as any other.
#   race_built.sh COMPILER DETECTOR_SOURCES INCLUDE_DIR... -- LIBRARY LIBRARIES_BEHIND_IT...
# COMPILER, gcc or clang, is the one that built the library: the other one's programs are only seen to work with it, as its own build's test has the rest.
set -eu
built_by=$1 options=$2; shift 2
include=()
while [ "$1" != -- ]; do include+=("-I$(realpath "$1")"); shift; done
shift
library=("$@")
mapfile -t compile < <(grep '^-' "$options/compile-options.txt")
mapfile -t link < <(grep '^-' "$options/link-options.txt")
compile+=("${include[@]}")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
cases=0
fail() { echo "FAILED: $case: $1" >&2; [ ! -e out ] || cat out >&2; exit 1; }
begin() { case=$1; rm -f program out ./*.o; cases=$((cases + 1)); }
refused() { [ "$1" -ne 0 ] || fail "built without a word"; grep -qE -e "$2" out || fail "expected: $2"; }
runs() {   # STATUS TEXT: the program ends so and says that
    local status=0
    ./program > out 2>&1 || status=$?
    [ $status -eq "$1" ] || fail "status $status, expected $1"
    grep -qE -e "$2" out || fail "expected: $2"
}

cat > goroutines.c <<'EOF2'
#include <gort.h>
#include <stdio.h>
#include <unistd.h>
int x;
static int written;
static void writer(void) { x = 1; __atomic_store_n(&written, 1, __ATOMIC_RELAXED); }   /* which orders nothing */
int main(void)
{
    go(writer);
    while (!__atomic_load_n(&written, __ATOMIC_RELAXED)) usleep(1000);
    printf("x is %d\n", x);
    return 0;
}
EOF2
cat > threads.c <<'EOF2'
#include <pthread.h>
#include <stdio.h>
#include <string.h>
int x, y;
static void *writer(void *p) { x = 1; y = 1; return p; }
int main(void)
{
    pthread_t t;
    pthread_create(&t, NULL, writer, NULL);
    x++;
    y++;
    pthread_join(t, NULL);
    char copy[sizeof x];
    memcpy(copy, &x, sizeof x);
    printf("x is %d\n", copy[0]);
    return 0;
}
EOF2

for cc in gcc clang; do
    command -v $cc > /dev/null || continue
    linkers=("")
    if [ $cc = "$built_by" ]; then
        echo 'int main(void) { return 0; }' > empty.c
        for l in bfd gold lld; do $cc -fuse-ld=$l empty.c -o empty 2> /dev/null && linkers+=("-fuse-ld=$l"); done
    fi
    for ld in "${linkers[@]}"; do
        for source in goroutines threads; do
            begin "$cc $ld $source: as it should be"
            $cc -g -O1 "${compile[@]}" -c $source.c -o main.o
            $cc $ld main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
            runs 66 'WARNING: DATA RACE'
            [ $cc = "$built_by" ] || continue

            # -flto before our options: they turn it off
            begin "$cc $ld $source: -flto first"
            $cc -flto -g -O1 "${compile[@]}" -c $source.c -o main.o
            $cc $ld -flto main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
            runs 66 'WARNING: DATA RACE'

            # objects of an intermediate language, but no plugin for the linker
            begin "$cc $ld $source: compiled with -flto"
            $cc -g -O1 "${compile[@]}" -flto -c $source.c -o main.o
            if $cc $ld main.o "${link[@]}" "${library[@]}" -o program > out 2>&1; then
                runs 66 'WARNING: DATA RACE'   # lld needs none; clang has put the hooks in before
                [ $cc = clang ] || fail "gcc's objects linked"
            else
                refused 1 'plugin needed to handle lto object|file not recognized|undefined reference to .main|undefined symbol: main'
            fi

            begin "$cc $ld $source: compiled and linked with -flto"
            if $cc -g -O1 "${compile[@]}" -flto $source.c $ld "${link[@]}" "${library[@]}" -flto -o program > out 2>&1; then
                if [ $cc = clang ]; then
                    runs 66 'WARNING: DATA RACE'
                elif [ $source = goroutines ]; then
                    runs 2 'race detector: .*goroutines.c: was compiled for race detection, but its hooks were left out: .*-flto'
                else
                    runs 2 'race detector: no part of this program was compiled for race detection, .*-flto'
                fi
            else
                refused 1 'lto|undefined symbol: main'
            fi

            # compiled with the options, linked without
            begin "$cc $ld $source: not linked with the options"
            $cc -g -O1 "${compile[@]}" -c $source.c -o main.o
            $cc $ld main.o "${library[@]}" -o program > out 2>&1 && status=0 || status=$?
            text=link_with_all_options_of__pkg_config_libs_gort_race
            [ "$ld" != -fuse-ld=lld ] || text="$text|__real_memcpy"   # lld stops before it gets there
            refused $status "undefined .*($text)"
        done

        [ $cc = "$built_by" ] || continue
        begin "$cc $ld: no part compiled with the options"
        $cc -g -O1 -c threads.c -o main.o
        $cc $ld main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
        runs 2 'race detector: no part of this program was compiled for race detection'

        # GO_RACE alone: warned of by the header, named at the start, not refused
        begin "$cc $ld: GO_RACE without -fsanitize=thread"
        $cc -g -O1 -DGO_RACE "${include[@]}" -c goroutines.c -o main.o > out 2>&1
        grep -q 'GO_RACE without -fsanitize=thread' out || fail "no warning of the header"
        $cc $ld main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
        runs 0 'race detector: .*goroutines.c: was compiled without -fsanitize=thread, its loads and stores are not checked'
        begin "$cc $ld: the same, and meant so"
        $cc -g -O1 -DGO_RACE -DGORT_NO_RACE_WARNING -Werror "${include[@]}" -c goroutines.c -o main.o
        $cc $ld main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
        runs 0 '^x is 1$'
        ! grep -q 'race detector' out || fail "named though it was meant so"

        # one file of several, and sections that nobody refers to are dropped
        begin "$cc $ld: one file without hooks, --gc-sections"
        sed 's/int main/int other/; s/writer/other_writer/; s/int x;/extern int x;/' goroutines.c > other.c
        $cc -g -O1 "${compile[@]}" -ffunction-sections -fdata-sections -c goroutines.c -o main.o
        $cc -g -O1 -DGO_RACE -w "${include[@]}" -ffunction-sections -fdata-sections -c other.c -o other.o
        $cc $ld -Wl,--gc-sections main.o other.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
        runs 66 'race detector: .*other.c: was compiled without -fsanitize=thread'
        ! grep -q 'goroutines.c: was compiled without' out || fail "the other file is named too"
    done

    # another sanitizer beside the detector, where the compiler has its library
    begin "$cc: UndefinedBehaviorSanitizer too"
    $cc -g -O1 -fsanitize=undefined "${compile[@]}" -c threads.c -o main.o
    if echo 'int main(void) { return 0; }' | $cc -fsanitize=undefined -x c - -o empty 2> /dev/null; then
        $cc -fsanitize=undefined main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
        runs 66 'WARNING: DATA RACE'
    fi

    # without debug information: where the code lies
    begin "$cc: stripped"
    $cc -O1 "${compile[@]}" -c threads.c -o main.o
    $cc -s main.o "${link[@]}" "${library[@]}" -o program > out 2>&1 || fail "does not link"
    runs 66 '^ +/.*/program:0 \+0x[0-9a-f]+$'
    grep -q '^Found [2-9] data race' out || fail "two places told as one"

    begin "$cc: the hooks without GO_RACE"
    $cc -fsanitize=thread "${include[@]}" -c goroutines.c -o main.o > out 2>&1 && status=0 || status=$?
    refused $status 'fsanitize=thread without -DGO_RACE'
done
[ $cases -gt 0 ] || { echo "race_built: no compiler" >&2; exit 1; }
echo "$cases ways to build"
