#!/usr/bin/env bash
# C++ programs with race detection, by each C++ compiler and library there is and at two levels, run as run_report.sh runs programs in C.
#   race_cxx.sh COMPILER DETECTOR_SOURCES LIBRARY LIBRARIES_BEHIND_IT... -- SOURCE...
# COMPILER, gcc or clang, is the one that built the library: the other one's programs are run at one level, as its own build's test has the rest.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
built_by=$1 options=$2 library=$3; shift 3
behind=()
while [ "$1" != -- ]; do behind+=("$1"); shift; done
shift
mapfile -t compile < <(grep '^-' "$options/compile-options.txt")
mapfile -t link < <(grep '^-' "$options/link-options.txt")
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
ran=0
declare -A cc=([g++]=gcc [clang++]=clang)
for compiler in g++ clang++; do
    command -v "$compiler" > /dev/null || continue
    case $built_by/$compiler in gcc/g++|clang/clang++) levels="-O0 -O2";; *) levels=-O2;; esac
    for standard in -std=c++20 -stdlib=libc++; do
        if [ $standard = -stdlib=libc++ ]; then
            standard+=" -std=c++20"
            # shellcheck disable=SC2086  # options
            echo 'int main() {}' | "$compiler" $standard -include vector -x c++ - -o "$work/program" 2> /dev/null || continue
        fi
        for source in "$@"; do
            # // library: FILE   a shared library, of that file in C, that the program is linked with first
            first=()
            used=$(sed -nE 's|^// library: (.*)$|\1|p' "$source")
            if [ -n "$used" ]; then
                "${cc[$compiler]}" -g -O1 -fPIC -shared -Wall -Wextra -Werror "$here/report/$used" -o "$work/libused.so"
                first=(-Wl,--no-as-needed "$work/libused.so" -Wl,-rpath,"$work")
            fi
            for level in $levels; do
                # shellcheck disable=SC2086
                "$compiler" $standard -g $level -Wall -Wextra -Werror "${compile[@]}" "$source" -o "$work/program" ${first[@]+"${first[@]}"} "${link[@]}" "$library" "${behind[@]}"
                "$here/run_report.sh" race "$source" "$work/program" || { echo "race_cxx: $compiler $standard $level $source" >&2; exit 1; }
                ran=$((ran + 1))
            done
        done
    done
done
[ $ran -gt 0 ] || { echo "race_cxx: no C++ compiler" >&2; exit 1; }
echo "$ran programs"
