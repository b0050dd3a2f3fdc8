#!/usr/bin/env bash
# Installs the build to a fresh prefix and builds programs outside the tree against it, as users do.
#   install.sh CMAKE BUILD_DIR SOURCES COMPILER
set -eu
cmake=$1 build=$2 sources=$3 cc=$4
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
fail() { echo "FAILED: $1" >&2; exit 1; }
"$cmake" --install "$build" --prefix "$work/first" > /dev/null
mv "$work/first" "$work/prefix"   # an installed tree may be moved
export PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name gort-race.pc)")
cp "$sources"/*.c "$work"; cd "$work"

for compiler in "$cc" gcc clang; do
    command -v "$compiler" > /dev/null || continue
    for level in -O0 -O2; do
        "$compiler" -g $level -Wall -Wextra -Werror $(pkg-config --cflags gort) app.c $(pkg-config --libs gort) -o app
        ./app > out || fail "$compiler $level: the plain program ended with $?"
        grep -q '^sum 499500$' out || fail "plain: $(cat out)"
        "$compiler" -g $level -Wall -Wextra -Werror $(pkg-config --cflags gort-race) app.c $(pkg-config --libs gort-race) -o app
        ./app > out 2>&1 || fail "$compiler $level: the clean program ended with $?: $(cat out)"
        grep -q 'DATA RACE' out && fail "a report of a clean program: $(cat out)"
        # compiled and linked in two steps
        "$compiler" -g $level $(pkg-config --cflags gort-race) -c racy.c -o racy.o
        "$compiler" racy.o $(pkg-config --libs gort-race) -o racy
        status=0; ./racy > out 2>&1 || status=$?
        [ $status -eq 66 ] || fail "$compiler $level: the racy program ended with $status: $(cat out)"
        grep -q 'WARNING: DATA RACE' out && grep -qE 'racy\.c:[0-9]+' out || fail "no report with a line: $(cat out)"
        # the options for linking before the objects, as makefiles have LDFLAGS; and put in place by a sed with commas, as those for .pc files are
        link=$(echo '@LIBS@' | sed "s,@LIBS@,$(pkg-config --libs gort-race),")
        "$compiler" $link racy.o -o first 2> err || fail "the options before the objects: $(cat err)"
        status=0; ./first > out 2>&1 || status=$?
        [ $status -eq 66 ] || fail "$compiler $level: the racy program, linked with the options first, ended with $status: $(cat out)"
        # a shared library with detection, of a program with detection
        echo '#include <string.h>
        void copy(char *to) { memcpy(to, "copied", 6); }' > library.c
        echo '#include <pthread.h>
        void copy(char *to);
        char text[8];
        static void *copies(void *p) { copy(text); return p; }
        int main(void) { pthread_t t; pthread_create(&t, NULL, copies, NULL); copy(text); pthread_join(t, NULL); return 0; }' > uses.c
        "$compiler" -g $level -fPIC -shared $(pkg-config --cflags gort-race-shared) library.c $(pkg-config --libs gort-race-shared) -o libcopy.so
        "$compiler" -g $level $(pkg-config --cflags gort-race) uses.c $(pkg-config --libs gort-race) ./libcopy.so -o uses
        status=0; ./uses > out 2>&1 || status=$?
        [ $status -eq 66 ] && grep -q 'library\.c:2' out || fail "$compiler $level: a shared library with detection: $status: $(cat out)"
        # options of GORACE
        status=0; GORACE="exitcode=7 log_path=$work/log" ./racy > out 2>&1 || status=$?
        [ $status -eq 7 ] && ls log.* > /dev/null && grep -q 'DATA RACE' log.* || fail "GORACE exitcode, log_path"
        rm -f log.*
        status=0; GORACE="colour=red" ./racy > out 2>&1 || status=$?
        [ $status -eq 2 ] && grep -q "no option 'colour'" out || fail "GORACE with an unknown option: $(cat out)"
    done
    # a program and a library that disagree about GO_RACE do not link
    if "$compiler" -DGO_RACE -DGORT_NO_RACE_WARNING $(pkg-config --cflags gort) app.c $(pkg-config --libs gort) -o mixed 2> err; then fail "GO_RACE program linked with gort"; fi
    grep -q gort_built_with_race err || fail "the linker does not say why: $(cat err)"
    if "$compiler" $(pkg-config --cflags gort) app.c $(pkg-config --libs gort-race) -o mixed 2> err; then fail "plain program linked with gort-race"; fi
    grep -q gort_built_without_race err || fail "the linker does not say why: $(cat err)"
    # -DGO_RACE without the hooks: the header says so
    "$compiler" -DGO_RACE $(pkg-config --cflags gort) -c app.c -o app.o 2> err || true
    grep -q 'fsanitize=thread' err || fail "no warning about the missing -fsanitize=thread: $(cat err)"
    # each header stands alone, under strict warnings
    for h in "$work"/prefix/include/gort.h "$work"/prefix/include/gort/*.h; do
        echo "#include <${h#"$work"/prefix/include/}>" > header.c
        "$compiler" -std=gnu11 -Wall -Wextra -Wpedantic -Wshadow -Werror -I"$work/prefix/include" -fsyntax-only header.c || fail "$h alone"
    done
done

# linked with the compiler's own ThreadSanitizer as well: refused at link time or at the start
if "$cc" -g -fsanitize=thread $(pkg-config --cflags gort-race) racy.c $(pkg-config --libs gort-race) -o both 2> err; then
    status=0; ./both > out 2>&1 || status=$?
    [ $status -eq 2 ] && grep -q "ThreadSanitizer's runtime too" out || fail "two detectors in one program: status $status: $(cat out)"
fi

# no trace of the detectors in a plain build
"$cc" $(pkg-config --cflags gort) app.c $(pkg-config --libs gort) -o app
for f in app "$(find "$work/prefix" -name libgort.a)"; do
    if nm "$f" 2> /dev/null | grep -E ' (gort_inner_)?(hook_|race_|__tsan|leak|__wrap_)'; then fail "traces of the detectors in $f"; fi
done

# nor names that a program may have
for f in $(find "$work/prefix" -name 'libgort*.a'); do
    if [ "${f%_race.a}" = "$f" ] && nm -g --defined-only "$f" | awk 'NF == 3 { print $3 }' | grep -vE '^(go_|gort_|leakcheck|__)'; then fail "names that programs may have in $f"; fi
done

# gort within a shared library that a program without it loads; what fails there finds its names
echo '#include <gort.h>
static void adds(go_chan(int) c) { go_send(c, 41); }
int one_more(void) { go_chan(int) c = go_make_chan(int, 0); int n; go(adds, c); go_recv(c, &n); return n + 1; }
void panics(void) { go_panic("in the library"); }' > inside.c
echo '#include <dlfcn.h>
#include <stdio.h>
int main(void) { void *l = dlopen("./inside.so", RTLD_NOW); if (!l) { puts(dlerror()); return 1; }
    if (((int (*)(void))dlsym(l, "one_more"))() != 42) return 1;
    ((void (*)(void))dlsym(l, "panics"))(); return 1; }' > loads.c
"$cc" -g -fPIC -shared $(pkg-config --cflags gort) inside.c $(pkg-config --libs gort) -o inside.so 2> err || fail "a shared library with gort inside: $(cat err)"
[ ! -s err ] || fail "warnings: $(cat err)"
"$cc" loads.c -o loads -ldl
status=0; ./loads > out 2>&1 || status=$?
[ $status -eq 2 ] && grep -q '^panic: in the library$' out && grep -q 'inside\.c:4' out || fail "a program that loads it: status $status: $(cat out)"

# find_package
mkdir cm; cat > cm/CMakeLists.txt <<EOF2
cmake_minimum_required(VERSION 3.20)
project(outside C)
find_package(gort 0.1 REQUIRED)
add_executable(app ../app.c)
target_link_libraries(app gort::gort)
add_executable(racy ../racy.c)
target_link_libraries(racy gort::race)
EOF2
"$cmake" -S cm -B cm/build -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$cc" -DCMAKE_BUILD_TYPE=RelWithDebInfo > /dev/null
"$cmake" --build cm/build > out || fail "find_package: $(cat out)"
cm/build/app > /dev/null || fail "find_package: app"
status=0; cm/build/racy > out 2>&1 || status=$?
[ $status -eq 66 ] || fail "find_package: racy ended with $status"
"$work/prefix/bin/goroutine-dump" --version > /dev/null || fail "goroutine-dump is not installed"
echo "installed, built and run with pkg-config and find_package"
