#!/usr/bin/env bash
# Builds the programs of the race bench as a user would build them: build.sh CMAKE OUT GCC_BUILD CLANG_BUILD
# GCC_BUILD, CLANG_BUILD: gort, built by each compiler. -O2 without vectorizing, so that all compile the same kernels and miss no access.
set -eu
cmake=$1 out=$2
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$out"
flags="-g -O2 -Wall -Wextra -fno-tree-vectorize -fno-tree-slp-vectorize"
clang_flags="-g -O2 -Wall -Wextra -fno-vectorize -fno-slp-vectorize"
for who in gcc clang; do
    if [ $who = gcc ]; then build=$3; else build=$4; fi
    prefix=$out/prefix-$who
    rm -rf "$prefix"
    "$cmake" --install "$build" --prefix "$prefix" > /dev/null
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name gort-race.pc)")
    export PKG_CONFIG_PATH
    if [ $who = gcc ]; then options=$flags; else options=$clang_flags; fi
    for kind in gort:plain gort-race:race; do
        $who $options -DUSE_GORT $(pkg-config --cflags "${kind%:*}") "$here/bench_race.c" $(pkg-config --libs "${kind%:*}") -o "$out/gort-$who-${kind#*:}"
    done
done
gcc $flags "$here/bench_race.c" -o "$out/tsan-gcc-plain" -pthread
gcc $flags -fsanitize=thread "$here/bench_race.c" -o "$out/tsan-gcc-race" -pthread
clang=clang
for newer in clang-19 clang-18 clang-17 clang-16; do
    if command -v $newer > /dev/null; then clang=$newer; break; fi
done
$clang $clang_flags "$here/bench_race.c" -o "$out/tsan-clang-plain" -pthread
$clang $clang_flags -fsanitize=thread "$here/bench_race.c" -o "$out/tsan-clang-race" -pthread
export GO111MODULE=off GOCACHE="$out/go-cache"
go build -o "$out/go-plain" "$here/bench_race.go"
CGO_ENABLED=1 go build -race -o "$out/go-race" "$here/bench_race.go"
