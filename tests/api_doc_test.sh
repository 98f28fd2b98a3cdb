#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every curl command of docs/api.md does what it says: it is run as it stands there against a server of its own.
. "$(dirname "$0")/lib.sh"

if ! command -v curl >/dev/null; then
	skip "the commands of docs/api.md work" "there is no curl"
	finish
	exit
fi

"$WHYDOWN" serve --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
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
[ "$(wc -l <"$scratch/commands")" -ge 9 ] && ok "docs/api.md has its commands" || not_ok "docs/api.md has its commands"
finish
