#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# docs/nginx.conf as it stands, but for ports and the certificate's place, before the program:
# TLS, HTTP/2, compression, 304, an event stream.
. "$(dirname "$0")/lib.sh"
for tool in nginx openssl curl; do
	command -v $tool >/dev/null || { skip "nginx in front" "$tool is not installed"; exit 0; }
done

pids=
end() {
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	wait 2>/dev/null
	rm -rf "$scratch"
}
trap end EXIT
free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=status.example.org \
	-addext subjectAltName=DNS:status.example.org -keyout "$scratch/privkey.pem" \
	-out "$scratch/fullchain.pem" 2>/dev/null
cat >"$scratch/whydown.yaml" <<CONFIG
trusted_proxies: ["127.0.0.1"]
limits:
  heartbeat_ms: 1000
CONFIG
"$WHYDOWN" serve --config "$scratch/whydown.yaml" --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
pids="$pids $!"
for _ in $(seq 100); do
	behind=$(sed -n 's|.*url=http://127.0.0.1:\([0-9]*\)/.*|\1|p' "$scratch/log")
	[ -n "$behind" ] && break
	sleep 0.1
done
[ -n "$behind" ] || { cat "$scratch/log"; not_ok "the program starts"; exit 1; }

plain=$(free_port) tls=$(free_port)
{
	echo "daemon off; pid $scratch/nginx.pid; error_log $scratch/nginx.log; worker_processes 1;"
	echo "events { worker_connections 512; }"
	echo "http { access_log off; client_body_temp_path $scratch/b; proxy_temp_path $scratch/p;"
	echo "fastcgi_temp_path $scratch/f; uwsgi_temp_path $scratch/u; scgi_temp_path $scratch/s;"
	sed -e "s/127.0.0.1:8080/127.0.0.1:$behind/" -e "s/listen 80;/listen 127.0.0.1:$plain;/" \
		-e "s/listen 443 /listen 127.0.0.1:$tls /" -e '/listen \[::\]/d' \
		-e "s|/etc/ssl/whydown|$scratch|" "$SOURCE/docs/nginx.conf"
	echo "}"
} >"$scratch/nginx.conf"
chmod 755 "$scratch"
nginx -c "$scratch/nginx.conf" -p "$scratch" 2>"$scratch/nginx.out" &
pids="$pids $!"
ask() {
	path=$1
	shift
	curl -sS --cacert "$scratch/fullchain.pem" --resolve "status.example.org:$tls:127.0.0.1" \
		"https://status.example.org:$tls$path" "$@"
}
for _ in $(seq 100); do ask /healthz -o /dev/null 2>/dev/null && break; sleep 0.1; done

holds() { printf '%s' "$2" | grep -qi -- "$1"; }
head=$(ask / -o "$scratch/page" -D -)
passes "a page comes over TLS and HTTP/2" holds '^HTTP/2 200' "$head"
passes "with our policy and nginx's transport security" holds '^strict-transport-security' "$head"
passes "the policy is whydown's" holds "^content-security-policy: default-src 'none'" "$head"
passes "the page is whole" grep -q '</html>' "$scratch/page"
head=$(ask / -o /dev/null -D - -H 'Accept-Encoding: br')
passes "it comes compressed by whydown" holds '^content-encoding: br' "$head"
tag=$(printf '%s' "$head" | tr -d '\r' | sed -n 's/^etag: //p')
passes "and is 304 with its tag" holds '^HTTP/2 304' "$(ask / -o /dev/null -D - -H 'Accept-Encoding: br' -H "If-None-Match: $tag")"
passes "plain HTTP is sent to TLS" holds '^Location: https://' "$(curl -sSI -H 'Host: status.example.org' "http://127.0.0.1:$plain/")"
passes "malformed targets are refused behind it too" holds '^HTTP/2 400' "$(ask '/%ff' -o /dev/null -D -)"
# What whydown cannot see (publish/http.h): nginx must not let it through as a second request.
counter() { curl -sS "http://127.0.0.1:$behind/metrics" | sed -n "s/^whydown_http_$1_total //p"; }
# How many answers whydown gave to what nginx made of these bytes.
answers_to() {
	before=$(($(counter answered_2xx) + $(counter answered_4xx)))
	# shellcheck disable=SC2059 # the bytes are the format
	{ printf "$1"; sleep 1; } | openssl s_client -quiet -connect "127.0.0.1:$tls" \
		-CAfile "$scratch/fullchain.pem" >"$scratch/answers" 2>/dev/null
	echo $(($(counter answered_2xx) + $(counter answered_4xx) - before - 2)) # two asked for counters
}
first='GET /healthz HTTP/1.1\r\nHost: a\r\n'
inner='GET /healthz?:x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
passes "two requests are two answers" test "$(answers_to "$first\r\n$inner")" -eq 2
passes "an empty field name does not end a head" test "$(answers_to "$first:\n$inner")" -le 1
passes "nor does a NUL" test "$(answers_to "$first\\000\n$inner")" -le 1
ask /api/v1/events -N -m 4 -D "$scratch/stream_head" >"$scratch/stream" 2>/dev/null
passes "an event stream opens over HTTP/2" grep -q '^HTTP/2 200' "$scratch/stream_head"
passes "and its heartbeats are not held back" test "$(grep -c '^:' "$scratch/stream")" -ge 3
before=$(counter accepted)
for _ in $(seq 20); do ask /healthz -o /dev/null; done
passes "requests share nginx's connections to whydown" test $(($(counter accepted) - before)) -le 5
finish
