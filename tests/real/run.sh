#!/usr/bin/env bash
# Builds programs that others wrote with race detection and runs them under their own tests or a load (docs/race-real-code.md).
#   run.sh CMAKE BUILD_DIR [NAME...]     NAME: sqlite memcached bgzip pbzip2
# BUILD_DIR is a build of this project; sources are fetched as Debian source packages into BUILD_DIR/real. Fails if a program crashes, if its tests fail,
# or if there is a report that known-NAME.txt does not have (judge.py).
# With GORT_REAL_SECONDS: how long a load runs (20).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cmake=$1 build=$(cd "$2" && pwd); shift 2
work=$build/real seconds=${GORT_REAL_SECONDS:-20}
mkdir -p "$work"
failed=0
say() { printf '[real] %s\n' "$*"; }
fail() { printf '[real] FAILED: %s\n' "$*" >&2; failed=1; }

"$cmake" --install "$build" --prefix "$work/prefix" > /dev/null
PKG_CONFIG_PATH=$(dirname "$(find "$work/prefix" -name gort-race.pc)")
export PKG_CONFIG_PATH GORACE=atexit_sleep_ms=0
read -ra compile <<< "$(pkg-config --cflags gort-race)"
read -ra link <<< "$(pkg-config --libs gort-race)"

# judge NAME FILE STATUS: what became of a run
judge() { python3 "$here/judge.py" "$1" "$here/known-$1.txt" "$2" "$3" || failed=1; }

# logged FILE COMMAND...: its output is shown if it fails
logged() {
    local log=$1; shift
    "$@" > "$log" 2>&1 || { tail -n 20 "$log" >&2; fail "${1##*/} (see $PWD/$log)"; return 1; }
}

build_sqlite() {
    local src=$1
    mkdir -p "$work/sqlite"; cd "$work/sqlite"
    [ -e sqlite3.c ] || { logged configure.log "$src/configure"; logged make.log make sqlite3.c; }
    cc -g -O1 "${compile[@]}" -DSQLITE_THREADSAFE=1 -c sqlite3.c -o sqlite3.o
    cp "$src"/test/threadtest[34].c "$src"/test/tt3_*.c .
    cc -g -O1 "${compile[@]}" -I. -I"$src/src" -I"$src/test" threadtest3.c "$src/src/test_multiplex.c" sqlite3.o "${link[@]}" -lm -o threadtest3
    cc -g -O1 "${compile[@]}" -I. threadtest4.c sqlite3.o "${link[@]}" -lm -o threadtest4
}

# threadtest4 MODE FILE
threadtest4() {
    local status=0
    timeout 900 ./threadtest4 "--$1" 4 > "$2" 2>&1 || status=$?
    grep -q '^Total 0 errors' "$2" || fail "sqlite: threadtest4 --$1 found errors"
    judge sqlite "$2" "$status"
}

run_sqlite() {
    build_sqlite "$("$here/fetch.sh" sqlite3 "$work")"
    threadtest4 multithread out4
    threadtest4 serialized out4s
    local status=0
    timeout 1200 ./threadtest3 > out3 2>&1 || status=$?
    grep -q '^0 errors' out3 || fail "sqlite: threadtest3 found errors"
    judge sqlite out3 $status
}

run_memcached() {
    local src status=0 server port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')   # a free one
    src=$("$here/fetch.sh" memcached "$work")
    cd "$src"
    [ -e Makefile ] || logged configure.log ./configure --disable-docs
    rm -f memcached ./*.o
    logged make.log make memcached CFLAGS="-g -O2 -pthread ${compile[*]}" LIBS="-levent ${link[*]}"
    ./memcached -u root -l 127.0.0.1 -p $port -U 0 -t 4 -m 64 -o lru_crawler,lru_maintainer > out 2>&1 &
    server=$!
    for _ in $(seq 100); do (: < /dev/tcp/127.0.0.1/$port) 2> /dev/null && break; sleep 0.1; done
    python3 "$here/memcached_load.py" $port "$seconds" || fail "memcached gave wrong answers"
    kill "$server" || true   # it may have ended: wait tells how
    wait "$server" || status=$?
    judge memcached out $status
}

text() { [ -e "$work/text" ] || head -c 6000000 /dev/urandom | base64 > "$work/text"; }

run_bgzip() {
    local src zlib status=0
    zlib=$("$here/fetch.sh" zlib "$work")
    src=$("$here/fetch.sh" htslib "$work")
    mkdir -p "$work/bgzip"; cd "$work/bgzip"
    echo > config.h; echo '#define HTS_VERSION_TEXT "unknown"' > version.h
    printf '#define HTS_%s ""\n' CC CPPFLAGS CFLAGS LDFLAGS LIBS > config_vars.h
    local f
    for f in adler32 crc32 deflate infback inffast inflate inftrees trees zutil compress uncompr; do
        cc -g -O2 "${compile[@]}" -DHAVE_UNISTD_H -D_LARGEFILE64_SOURCE=1 -c "$zlib/$f.c" -o z_$f.o
    done
    for f in bgzip bgzf thread_pool hfile kstring textutils hts_os cram/pooled_alloc; do
        cc -g -O2 "${compile[@]}" -D_GNU_SOURCE -I. -I"$src" -I"$zlib" -c "$src/$f.c" -o "h_$(basename $f).o"
    done
    cc -g -O2 "${compile[@]}" -c "$here/bgzip_rest.c" -o rest.o
    cc z_*.o h_*.o rest.o "${link[@]}" -o bgzip
    text
    timeout 600 ./bgzip -@ 4 -c "$work/text" > packed 2> out || status=$?
    judge bgzip out $status
    status=0
    timeout 600 ./bgzip -@ 4 -dc packed > unpacked 2> out || status=$?
    cmp unpacked "$work/text" || fail "bgzip: what was packed and unpacked is another text"
    judge bgzip out $status
}

run_pbzip2() {
    local src status=0
    src=$("$here/fetch.sh" pbzip2 "$work")
    mkdir -p "$work/pbzip2"; cd "$work/pbzip2"
    c++ -g -O2 -w "${compile[@]}" -D_LARGEFILE64_SOURCE -D_FILE_OFFSET_BITS=64 -DUSE_STACKSIZE_CUSTOMIZATION "$src"/*.cpp "${link[@]}" -lbz2 -o pbzip2
    text
    timeout 600 ./pbzip2 -p4 -b1 -kc "$work/text" > packed 2> out || status=$?
    judge pbzip2 out $status
    status=0
    timeout 600 ./pbzip2 -p4 -dkc packed > unpacked 2> out || status=$?
    cmp unpacked "$work/text" || fail "pbzip2: what was packed and unpacked is another text"
    judge pbzip2 out $status
}

# A process for each: a step that fails ends it.
if [ "${1:-}" = --one ]; then
    cd "$work"
    "run_$2"
    exit $failed
fi
[ $# -gt 0 ] || set -- sqlite memcached bgzip pbzip2
for name in "$@"; do
    case $name in
        sqlite|memcached|bgzip|pbzip2) say "$name"; "$here/run.sh" "$cmake" "$build" --one "$name" || fail "$name";;
        *) fail "no program '$name'";;
    esac
done
exit $failed
