#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every curl command of docs/api.md does what it says: it is run as it stands there against a server of its own.
. "$(dirname "$0")/lib.sh"

if ! command -v curl >/dev/null; then
	skip "the commands of docs/api.md work" "there is no curl"
	finish
	exit
fi

# What the commands for feeders need: a token, and a batch as docs/formats.md has it.
token=0123456789abcdef0123456789abcdef
printf 'feeders: [{name: probe, token: %s}]\n' $token >"$scratch/config.yaml"
echo $token >"$scratch/probe.token"
grep '^{"v":1,' "$SOURCE/docs/formats.md" >"$scratch/batch.ndjson"
cd "$scratch" || exit 1

"$WHYDOWN" serve --config config.yaml --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; rm -rf "$scratch"' EXIT
site=
for _ in $(seq 200); do
	site=$(sed -n 's/.* url=\(http:[^ ]*\)\/$/\1/p; s/.* url=\(http:[^ ]*[^ /]\)$/\1/p' "$scratch/log" | head -1)
	[ -z "$site" ] || break
	sleep 0.1
done
[ -n "$site" ] || { cat "$scratch/log"; not_ok "the server tells its address"; finish; exit; }
curl -s --retry 20 --retry-delay 1 --retry-all-errors -o /dev/null "$site/healthz"

# -f: fail on 4xx and 5xx. A stream has no end: what it said within a second must be events.
grep '^curl ' "$SOURCE/docs/api.md" | sed 's/  *#.*//' >"$scratch/commands"
while read -r command; do
	options='-f --max-time 10'
	case $command in *-sN*) options='--max-time 2' ;; esac
	set +u
	output=$(eval "site=$site; curl $options ${command#curl }" 2>&1 </dev/null)
	status=$?
	set -u
	if [ $status -eq 0 ] || { [ $status -eq 28 ] && [ "$options" = '--max-time 2' ]; }; then
		ok "$command"
	else
		echo "	$status: $output" | head -3
		not_ok "$command"
	fi
done <"$scratch/commands"
# Accepting is more than answering: of the three lines none is refused, and the command does the same.
answer=$(curl -s "$site/api/v1/observations" -H "Authorization: Bearer $token" -H 'Content-Type: application/x-ndjson' \
	--data-binary @batch.ndjson)
case $answer in
*'"accepted":0,"duplicates":3,"refused":0'*) ok "a batch that is sent again is known" ;;
*) echo "	$answer"; not_ok "a batch that is sent again is known" ;;
esac
passes "whydown report sends the same" "$WHYDOWN" report --server "$site" --token-file probe.token batch.ndjson
[ "$(wc -l <"$scratch/commands")" -ge 15 ] && ok "docs/api.md has its commands" || not_ok "docs/api.md has its commands"
finish
