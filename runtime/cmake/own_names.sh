#!/bin/sh
# What a library defines for its own use begins with gort_inner_ from here on: a program may have a function lookup or conn_close, too, which would not link, and
# a shared library's would be replaced (an executable exports what its libraries define as well). Reports leave the prefix out (traceback/symbolize.c).
#   own_names.sh NM OBJCOPY LIBRARY NAMES [OTHER...]
# NAMES: where the list of these names is to go, for objcopy. OTHER: such lists of other libraries, whose names this one uses.
set -eu
nm=$1 objcopy=$2 library=$3 names=$4
shift 4
"$nm" -g --defined-only "$library" > "$names.defined"   # not in a pipe, where its failure would be lost
awk 'NF == 3 && $3 !~ /^(go_|gort_|leakcheck|__|DW\.ref\.)/ { print $3, "gort_inner_" $3 }' "$names.defined" | sort -u > "$names"
cat "$names" "$@" > "$names.all"
"$objcopy" --redefine-syms="$names.all" "$library"
