#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The HTTP server beside nginx on the same bytes, in one run: rows of name, unit, ours,
# peer, peer's figure, ratio (better > 1) on standard output. Servers on core 0, load on
# core 1; paired rounds; medians.
#   usage: http.sh [SECONDS a measurement] [ROUNDS]      (after: ninja -C build benches)
set -eu
seconds=${1:-4} rounds=${2:-3}
here=$(cd "$(dirname "$0")" && pwd)
build=${WHYDOWN:+$(dirname "$WHYDOWN")}
build=${build:-$here/../build}
server=$build/bench/http_server load=$build/bench/http_load get=$build/bench/http_get
loris_connections=12000 loris_addresses=200 loris_settle=14
streams=10000 stream_events=15
dir=$(mktemp -d)
pids=()
clean() { for p in "${pids[@]}"; do kill "$p" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$dir"; }
trap clean EXIT
for tool in nginx wrk taskset curl; do
  command -v $tool >/dev/null || { printf 'page 10 KB\trequests/s\t-\t%s\tnot installed\t-\n' $tool; exit 0; }
done
ulimit -n "$(ulimit -Hn)"

# A 10 KB page that compresses as pages do.
mkdir "$dir/www"
chmod 755 "$dir" "$dir/www"
for i in $(seq 1 400); do echo "<p class=row>service $((i * 7919 % 1000)): ok</p>"; done |
  head -c 10240 > "$dir/www/index.html"
gzip -k9 "$dir/www/index.html"

start_ours() {
  mkfifo "$dir/in.$1"
  taskset -c 0 "$server" "$dir/www/index.html" < "$dir/in.$1" > "$dir/out.$1" 2> "$dir/counters.$1" &
  ours_pid=$!
  pids+=($ours_pid)
  exec {ours_in}> "$dir/in.$1"
  for _ in $(seq 50); do [ -s "$dir/out.$1" ] && break; sleep 0.1; done
  ours_port=$(cat "$dir/out.$1")
}
stop_ours() { exec {ours_in}>&-; wait "$ours_pid" || true; }

start_nginx() {
  nginx_port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
  cat > "$dir/nginx.conf" <<CONF
worker_processes 1; daemon off; pid $dir/nginx.pid; error_log $dir/nginx.log crit; worker_rlimit_nofile 20000;
events { worker_connections 16384; }
http {
  types { text/html html; }
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; gzip_static on; etag on;
  open_file_cache max=100; open_file_cache_valid 600s; client_header_timeout 10s;
  client_body_temp_path $dir/b; proxy_temp_path $dir/p; fastcgi_temp_path $dir/f; uwsgi_temp_path $dir/u; scgi_temp_path $dir/s;
  server { listen 127.0.0.1:$nginx_port backlog=4096; root $dir/www; location = /r { return 202; } }
}
CONF
  taskset -c 0 nginx -c "$dir/nginx.conf" -p "$dir" 2>/dev/null &
  pids+=($!)
  for _ in $(seq 50); do curl -sf -o /dev/null "http://127.0.0.1:$nginx_port/" && break; sleep 0.1; done
}

etag() { curl -sI "http://127.0.0.1:$1/" | tr -d '\r' | sed -n 's/^[Ee][Tt]ag: //p'; }
# measure FILE PORT CONNECTIONS PATH: appends "requests/s p99 errors"
measure() { taskset -c 1 wrk -t1 -c"$3" -d"${seconds}s" --timeout 10s -s "$here/wrk.lua" "http://127.0.0.1:$2$4" | tail -1 >> "$dir/$1"; }
measure_304() { taskset -c 1 "$get" "$2" 64 "$seconds" / 304 "If-None-Match: $(etag "$2")" >> "$dir/$1"; }
median() { cut -f"$2" "$dir/$1" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }
# Of paired rounds, the median of the ratios, column $3, $4 = higher or lower is better.
ratio() {
  paste "$dir/$1" "$dir/$2" | awk -v c="$3" -v h="$4" '{a = $c; b = $(c + 3); print h == "higher" ? a / b : b / a}' |
    sort -g | sed -n "$(((rounds + 1) / 2))p" | xargs printf '%.2f'
}
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
pair() { # NAME FILES
  row "$1" requests/s "$(median "$2.ours" 1)" nginx "$(median "$2.nginx" 1)" "$(ratio "$2.ours" "$2.nginx" 1 higher)"
  row "$1, p99" ms "$(median "$2.ours" 2)" nginx "$(median "$2.nginx" 2)" "$(ratio "$2.ours" "$2.nginx" 2 lower)"
  errors=$(cat "$dir/$2.ours" | awk '{n += $3} END {print n}')
  [ "$errors" = 0 ] || echo "http.sh: $1: $errors of our answers were errors" >&2
}
# loris FILE PORT: the page rate before, then with slow connections held.
loris() {
  measure "$1.before" "$2" 64 /
  taskset -c 1 "$load" loris "$2" $loris_addresses $loris_connections $((loris_settle + seconds + 2)) > "$dir/held" &
  local pid=$!
  pids+=($pid)
  sleep $loris_settle
  measure "$1" "$2" 64 /
  wait $pid || true
  sort -g "$dir/held" | tail -1 >> "$dir/$1.held"
  sleep 1
}

start_nginx
start_ours 1
for _ in $(seq "$rounds"); do
  measure get64.nginx "$nginx_port" 64 /
  measure get64.ours "$ours_port" 64 /
  measure get510.nginx "$nginx_port" 510 /
  measure get510.ours "$ours_port" 510 /
  measure_304 304.nginx "$nginx_port"
  measure_304 304.ours "$ours_port"
  export WRK_METHOD=POST WRK_BODY
  WRK_BODY=$(head -c 200 /dev/zero | tr '\0' x)
  measure post64.nginx "$nginx_port" 64 /r
  measure post64.ours "$ours_port" 64 /r
  measure post510.nginx "$nginx_port" 510 /r
  measure post510.ours "$ours_port" 510 /r
  unset WRK_METHOD WRK_BODY
done
pair "page 10 KB, 64 connections" get64
pair "page 10 KB, 510 connections" get510
pair "page 304, 64 connections" 304
pair "POST 200 B, answered in batches, 64 connections" post64
pair "POST 200 B, answered in batches, 510 connections" post510

for _ in $(seq "$rounds"); do
  loris loris.nginx "$nginx_port"
  loris loris.ours "$ours_port"
done
pair "page 10 KB under $(median loris.ours.held 1) slow-loris connections" loris
row "share of the page rate left under slow-loris" ratio "$(ratio loris.ours loris.ours.before 1 higher)" \
  nginx "$(ratio loris.nginx loris.nginx.before 1 higher)" -
stop_ours

for i in $(seq "$rounds"); do
  start_ours "streams$i"
  taskset -c 1 "$load" streams "$ours_port" 20 $streams $stream_events "$ours_pid" >> "$dir/streams"
  stop_ours
done
row "event to the last of $streams streams, median" ms "$(median streams 1)" - - -
row "event to the last of $streams streams, worst" ms "$(median streams 2)" - - -
row "memory per event stream" bytes "$(median streams 3)" - - -
