#!/usr/bin/env bash
# Style that can be checked: tidy.sh PROJECT. Says where and what to do instead.
set -u
cd "$1" || exit 2
bad=0
complain() { echo "tidy: $1" >&2; [ -n "${2:-}" ] && echo "$2" | head -n 10 >&2; bad=1; }
sources() { find runtime detectors tools tests docs -name '*.[chS]'; }
m=TO; m="${m}DO|FIX""ME|XX""X|HA""CK"
hits=$(grep -nE "\\b($m)\\b" $(sources)); [ -z "$hits" ] || complain "leftover markers: do it, or write an issue" "$hits"
hits=$(grep -lE '\bGO_RACE\b' runtime/*.[chS] runtime/traceback/*.[ch] | grep -v '^runtime/hooks\.h$'); [ -z "$hits" ] || complain "GO_RACE outside hooks.h: add a hook instead" "$hits"
hits=$(grep -nE '#include.*(detectors/|["</]race|leak)' runtime/*.[ch] runtime/traceback/*.[ch]); [ -z "$hits" ] || complain "the runtime includes a detector: turn it into a hook" "$hits"
hits=$(grep -nE '#include' detectors/race/*.[ch] detectors/leak/*.[ch] | grep -E '"(\.\./)*(runtime/)?(internal|types|sched|chan|lock|g|timer|os|note|runq)\.h|<(internal|types|chan|lock|timer|os|note|runq)\.h'); [ -z "$hits" ] || complain "a detector includes the runtime's inside: use hooks.h or inspect.h" "$hits"
hits=$(grep -nE '#include' tools/goroutine-dump/*.[ch] | grep -E '(inspect|internal|hooks|types)\.h'); [ -z "$hits" ] || complain "the tool includes the runtime: it reads gort/debug.h only" "$hits"
hits=$(grep -nE '#include' runtime/traceback/*.[ch] | grep -E '"(\.\./|internal|types|hooks|inspect)'); [ -z "$hits" ] || complain "traceback includes the runtime: it stands alone" "$hits"
for f in $(find runtime detectors tools -name '*.[ch]'); do
    head -c 2 "$f" | grep -q '/\*' || complain "$f does not open with a comment that says what it is for"
    n=$(wc -l < "$f"); [ "$n" -le 900 ] || complain "$f has $n lines: does it have one reason to exist?"
done
hits=$(grep -nE '.{161,}' $(find runtime detectors tools -name '*.[ch]')); [ -z "$hits" ] || complain "lines over 160 columns" "$hits"
for f in *; do
    case $f in runtime|detectors|tools|tests|docs|CMakeLists.txt|CMakePresets.json|README.md|LICENSE|CHANGELOG.md|build*) ;; *) complain "$f does not belong at the top level";; esac
done
[ $bad -eq 0 ] && echo "tidy"
exit $bad
