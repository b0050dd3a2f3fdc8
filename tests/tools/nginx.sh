#!/usr/bin/env bash
# Ten thousand requests, a connection each, against nginx: nginx.sh NGINX_CLIENT
#   bounded to 100 at a time by an error group's limit: all are answered;
#   without the limit and with 1024 descriptors: "too many open files" for each call that got none, the others answered, nothing hangs.
set -u
client=$1 requests=10000
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo "nginx is missing: install nginx-light" >&2; exit 1; }
dir=$(mktemp -d)
pid=
cleanup() { [ -z "$pid" ] || kill "$pid" 2> /dev/null; rm -rf "$dir"; }
trap cleanup EXIT
fail() { echo "FAILED: $1" >&2; cat "$dir/out" "$dir/error.log" 2> /dev/null | tail -n 20 >&2; exit 1; }
chmod 755 "$dir"   # as root, the server works as nobody
mkdir "$dir/html" "$dir/tmp"
head -c 1000 /dev/zero | tr '\0' g > "$dir/html/g"
start() {   # on a free port: the first that it can bind
    local port try
    for try in $(seq 20); do
        port=$((20000 + (RANDOM + $$) % 20000))
        cat > "$dir/nginx.conf" <<CONF
daemon off;
worker_processes 1;
worker_rlimit_nofile 16384;
error_log $dir/error.log;
pid $dir/pid;
events { worker_connections 12000; }
http {
    access_log off;
    client_body_temp_path $dir/tmp; proxy_temp_path $dir/tmp; fastcgi_temp_path $dir/tmp; uwsgi_temp_path $dir/tmp; scgi_temp_path $dir/tmp;
    server { listen 127.0.0.1:$port backlog=4096; root $dir/html; }
}
CONF
        "$nginx" -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf" > "$dir/out" 2>&1 &
        pid=$!
        for _ in $(seq 50); do
            kill -0 "$pid" 2> /dev/null || break
            if (exec 3<> "/dev/tcp/127.0.0.1/$port") 2> /dev/null; then address=127.0.0.1:$port; return 0; fi
            sleep 0.1
        done
        kill "$pid" 2> /dev/null
    done
    fail "nginx does not start"
}
start
ulimit -n 4096 2> /dev/null || true
timeout 120 "$client" "$address" $requests 100 1000 > "$dir/out" 2>&1 || fail "with a limit of 100: status $?"
grep -q "^$requests of $requests answered" "$dir/out" || fail "not all were answered"
cat "$dir/out"
(ulimit -n 1024; timeout 120 "$client" "$address" $requests 0 1000) > "$dir/out" 2>&1
status=$?
[ $status -eq 3 ] || fail "without a limit: status $status, expected 3"
grep -qE '^[1-9][0-9]*: too many open files$' "$dir/out" || fail "no clear error"
[ "$(wc -l < "$dir/out")" -eq 2 ] || fail "other errors"
grep -qE '^[1-9][0-9]* of .* 0 wrong$' "$dir/out" || fail "nothing answered, or wrongly"
cat "$dir/out"
timeout 120 "$client" 2> /dev/null; [ $? -eq 2 ] || fail "no arguments: expected status 2"
