#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The program's front, check-config, and a reload of a running server, from outside.
. "$(dirname "$0")/lib.sh"

# exits WHAT STATUS COMMAND…: the command must end with that status. Its output stays in $scratch/output.
exits() {
	what=$1 status=$2
	shift 2
	"$@" >"$scratch/output" 2>&1
	got=$?
	if [ "$got" -eq "$status" ]; then
		ok "$what"
	else
		echo "	exit status $got, not $status"
		sed 's/^/	/' "$scratch/output"
		not_ok "$what"
	fi
}

exits "a version is printed" 0 "$WHYDOWN" --version
exits "help lists the commands" 0 "$WHYDOWN" help
exits "… also when asked for its own" 0 "$WHYDOWN" help --help
for command in $("$WHYDOWN" help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	[ "$command" = help ] && continue
	exits "help $command tells its usage" 0 "$WHYDOWN" help "$command"
done
for command in $("$WHYDOWN" help | sed -n 's/^  \([a-z-]*\) .*/\1/p'); do
	[ "$command" = help ] && continue
	exits "$command -h is the same" 0 "$WHYDOWN" "$command" -h
	"$WHYDOWN" "$command" --nonsense >"$scratch/output" 2>&1
	status=$?
	if [ $status -eq 2 ] && [ "$(wc -l <"$scratch/output")" -le 2 ] && grep -q "^whydown $command: .*" "$scratch/output" &&
		grep -qxF "\`whydown $command --help\` tells how it is used" "$scratch/output"; then
		ok "$command --nonsense is told in two lines"
	else
		cat "$scratch/output"
		not_ok "$command --nonsense is told in two lines"
	fi
done
if [ -w /dev/full ]; then
	for command in "help" "--version" "simulate --list" "check-config" "check-config --settings" "replay --help" "simulate quiet-month"; do
		# shellcheck disable=SC2086 # several words
		fails_saying "$command says when its output cannot be written" "standard output: No space left on device" \
			sh -c "\"\$@\" >/dev/full" sh "$WHYDOWN" $command
	done
else
	skip "output that cannot be written" "there is no /dev/full"
fi
exits "an address that none can listen at is a mistake" 2 "$WHYDOWN" serve --listen localhost:8080 --data "$scratch/none"
if [ -e "$scratch/none" ]; then not_ok "… and no folder is made"; else ok "… and no folder is made"; fi
exits "no command is a mistake" 2 "$WHYDOWN"
exits "an unknown command is a mistake" 2 "$WHYDOWN" chek-config
cp "$scratch/output" "$scratch/unknown"
passes "… and the one that was meant is named" grep -qF 'did you mean `check-config`?' "$scratch/unknown"

exits "the defaults are in order" 0 "$WHYDOWN" check-config
cp "$scratch/output" "$scratch/defaults"
passes "… and say that nobody can decide on comments" grep -q 'no admin_token, so comments stay held$' "$scratch/defaults"
exits "the example is in order" 0 "$WHYDOWN" check-config "$SOURCE/examples/whydown.yaml"
exits "wrong arguments are a mistake of their own" 2 "$WHYDOWN" check-config --quick
exits "a file that is not there is a mistake" 1 "$WHYDOWN" check-config "$scratch/nowhere.yaml"
printf 'log_levle: info\n' >"$scratch/wrong.yaml"
exits "a file with a mistake is told" 1 "$WHYDOWN" check-config "$scratch/wrong.yaml"
cp "$scratch/output" "$scratch/wrong"
passes "… with file, line and what would be right" grep -qxF \
	"$scratch/wrong.yaml:1: unknown key \`log_levle\` (would be right: did you mean \`log_level\`?)" "$scratch/wrong"
fails_saying "serve does not start with it" 'unknown key `log_levle`' \
	"$WHYDOWN" serve --config "$scratch/wrong.yaml" --data "$scratch/data" --listen 127.0.0.1:0

# What a server would stumble over when it starts is told before.
printf 'telemetry:\n  logs:\n    - {path: access.log, format: "$remote_addr"}\n' >"$scratch/format.yaml"
fails_saying "a log's format that cannot be read is a mistake" \
	"$scratch/format.yaml:3: \`format\` of a log: a format needs client, time and status" "$WHYDOWN" check-config "$scratch/format.yaml"
fails_saying "… to serve, too" 'a format needs client, time and status' \
	"$WHYDOWN" serve --config "$scratch/format.yaml" --data "$scratch/none" --listen 127.0.0.1:0
printf 'places:\n  city_file: format.yaml\n' >"$scratch/places.yaml"
fails_saying "a file of places in another format is a mistake" "$scratch/places.yaml:2: \`places.city_file\`" \
	"$WHYDOWN" check-config "$scratch/places.yaml"
country=$(find "$(dirname "$WHYDOWN")" -maxdepth 1 -name country.mmdb)
if [ -n "$country" ]; then
	printf 'places: {city_file: "%s"}\n' "$country" >"$scratch/places.yaml"
	passes "… and one in that format is none" "$WHYDOWN" check-config "$scratch/places.yaml"
fi
tokens=$(sed -n 's/^# *\(admin_token\|token\): *\([^ ]*\).*/\2/p' "$SOURCE/examples/whydown.yaml")
[ "$(echo "$tokens" | wc -l)" -eq 2 ] && ok "the example shows two tokens" || not_ok "the example shows two tokens"
for token in $tokens; do
	printf 'admin_token: %s\n' "$token" >"$scratch/token.yaml"
	fails_saying "$token is nobody's" "$scratch/token.yaml:1: a token of examples/whydown.yaml, which everybody can read" \
		"$WHYDOWN" check-config "$scratch/token.yaml"
done

# Installed: the catalogue stands in share/ beside the program's bin/.
mkdir -p "$scratch/usr/bin" "$scratch/usr/share/whydown"
cp "$WHYDOWN" "$scratch/usr/bin/whydown"
fails_saying "a program without its catalogue says so" 'catalogue that comes with the program is not installed' \
	"$scratch/usr/bin/whydown" check-config
cp "$SOURCE/data/catalogue.yaml" "$scratch/usr/share/whydown/"
passes "an installed program finds its catalogue" "$scratch/usr/bin/whydown" check-config

# A scenario of somebody else's moves no terminal: an escape, a C1 control, an override of direction.
steers() { [ "$(tr -d '\011\012\040-\176' <"$scratch/output" | wc -c)" -ne 0 ]; }
mkdir -p "$scratch/usr/share/whydown/scenarios"
printf 'title A \033[31m \302\233\063m \342\200\256 title\nbegins 2025-03-10T00:00Z\nlasts 1 hour\nservice x\n  usually 1 report a minute\n' \
	>"$scratch/usr/share/whydown/scenarios/evil.scenario"
exits "a scenario with a strange title is listed" 0 "$scratch/usr/bin/whydown" simulate --list
if grep -q 'evil  *A  *\[31m  *3m  *title' "$scratch/output" && ! steers; then ok "… and steers nothing"; else
	cat -v "$scratch/output"
	not_ok "… and steers nothing"
fi
printf 'title x\nwrong \033[31m \302\233\063m \342\200\256 word\n' >"$scratch/evil.scenario"
exits "a mistake in a scenario is shown" 1 "$WHYDOWN" simulate "$scratch/evil.scenario"
if grep -q '^    wrong  *\[31m  *3m  *word$' "$scratch/output" && ! steers; then ok "… and steers nothing, either"; else
	cat -v "$scratch/output"
	not_ok "… and steers nothing, either"
fi

# A reload: a mistake changes nothing, what needs a restart is said.
cat >"$scratch/live.yaml" <<-'END'
	services_from: []
	services: [{id: shop, name: Our shop}]
END
: >"$scratch/log"
"$WHYDOWN" serve --config "$scratch/live.yaml" --data "$scratch/data" --listen 127.0.0.1:0 >"$scratch/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; rm -rf "$scratch"' EXIT

# logged TEXT: waits until the server's log holds it.
logged() {
	for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		grep -qF -- "$1" "$scratch/log" && return 0
		kill -0 "$server" 2>/dev/null || break
		sleep 0.5
	done
	cat "$scratch/log"
	return 1
}
passes "the server starts" logged 'event=listening'
printf 'services_from: []\nlog_levle: info\n' >"$scratch/live.yaml"
kill -HUP "$server"
passes "a reload with a mistake is refused" logged 'reload_refused'
cat >"$scratch/live.yaml" <<-'END'
	services_from: []
	services: [{id: shop, name: Our shop}, {id: cafe, name: Café}]
	limits: {head_ms: 5000}
	telemetry: {capture: [eth7]}
END
kill -HUP "$server"
passes "a new service holds at once" logged 'services: 1 added (cafe)'
passes "… what does not is said" logged 'limits.head_ms: 10000 -> 5000'
passes "… in one value, whose quotes are escaped" logged 'setting="telemetry.capture: [] -> [\"eth7\"]"'
if grep -F 'reload_needs_restart' "$scratch/log" | grep -q 'listen\|data_folder'; then
	not_ok "what the command line said is no change"
else
	ok "what the command line said is no change"
fi
kill "$server"
if wait "$server"; then
	ok "the server ends as it was asked to"
else
	not_ok "the server ends as it was asked to"
fi
finish
