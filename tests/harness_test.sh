#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The browser harness sees what is wrong with a page: it runs against tests/browser/fake/server.mjs.
. "$(dirname "$0")/lib.sh"

WHYDOWN=$SOURCE/tests/browser/fake/server.mjs SOURCE=$SOURCE \
	node "$SOURCE/tests/browser/run.mjs" "$SOURCE/tests/browser/fake" >"$scratch/lines" 2>&1
status=$?
if grep -q '^skip - ' "$scratch/lines"; then
	skip "the harness" "$(sed -n 's/^skip - [^:]*: [^:]*: //p;T;q' "$scratch/lines")"
	exit 0
fi
grep -E '^(ok|not ok) - ' "$scratch/lines" >"$scratch/got"
cat >"$scratch/expected" <<'LINES'
not ok - pages: assertion fails
not ok - pages: console error fails
not ok - pages: exception fails
ok - pages: expected complaint passes
ok - pages: good page passes
not ok - pages: missing file fails
not ok - pages: request to another host fails
ok - pages: script can be off
LINES
passes "good pages pass, and each kind of bad page fails" diff "$scratch/expected" "$scratch/got"
[ "$status" -eq 1 ] && ok "the run as a whole fails then" || not_ok "the run as a whole fails then"
[ "$failures" -eq 0 ] || cat "$scratch/lines"

finish
