#!/usr/bin/env bash
# Compiles one source that must not compile, and looks for the reason: compile_fail.sh SOURCE INCLUDE_DIR... -- COMPILER [FLAG...]
# // error: REGEX       an error line matches (given more than once: any of them may)
# // compiles           it must compile instead: the correct twin
set -u
source=$1; shift
includes=()
while [ "$1" != -- ]; do includes+=("-I$1"); shift; done
shift
out=$("$@" -std=gnu11 "${includes[@]}" -fsyntax-only "$source" 2>&1)
status=$?
if grep -q '^// compiles' "$source"; then
    [ $status -eq 0 ] || { echo "must compile, but: $out" >&2; exit 1; }
    exit 0
fi
mapfile -t errors < <(sed -nE 's|^// error: (.*)$|\1|p' "$source")
[ ${#errors[@]} -gt 0 ] || { echo "$source says no error to expect" >&2; exit 2; }
[ $status -ne 0 ] || { echo "compiled, but must not: $source" >&2; exit 1; }
for re in "${errors[@]}"; do
    grep -qE "error: .*($re)" <<< "$out" && exit 0
done
echo "failed to compile, but for another reason:" >&2
echo "$out" >&2
exit 1
