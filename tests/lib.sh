# SPDX-License-Identifier: Apache-2.0
# lib.sh: what a script test starts with (". lib.sh"). It prints one line for each thing it tried, "ok - …",
# "not ok - …" or "skip - …: why"; scripts/test counts them. $WHYDOWN is the program, $SOURCE the source tree.
set -u
LC_ALL=C
export LC_ALL
SOURCE=${SOURCE:-$(cd "$(dirname "$0")/.." && pwd)}
WHYDOWN=${WHYDOWN:-$SOURCE/build/whydown}
failures=0

# A folder for the test's files, gone when it ends.
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM

ok() { echo "ok - $1"; }
not_ok() {
	echo "not ok - $1"
	failures=$((failures + 1))
}
skip() { echo "skip - $1: $2"; }

# passes WHAT COMMAND…: the command must succeed.
passes() {
	what=$1
	shift
	if "$@" >"$scratch/output" 2>&1; then
		ok "$what"
	else
		sed 's/^/	/' "$scratch/output"
		not_ok "$what"
	fi
}

# fails_saying WHAT TEXT COMMAND…: the command must fail and its output must hold TEXT.
fails_saying() {
	what=$1
	text=$2
	shift 2
	if "$@" >"$scratch/output" 2>&1; then
		echo "	it succeeded"
		not_ok "$what"
	elif grep -qF -- "$text" "$scratch/output"; then
		ok "$what"
	else
		echo "	it failed without saying '$text':"
		sed 's/^/	/' "$scratch/output"
		not_ok "$what"
	fi
}

# Every test ends with this.
finish() { [ "$failures" -eq 0 ]; }
