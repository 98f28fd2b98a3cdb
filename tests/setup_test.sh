#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/setup names what is missing on a system it does not know, and is silent where all is there.
. "$(dirname "$0")/lib.sh"

# A copy of the set-up whose list is ours.
mkdir -p "$scratch/scripts" "$scratch/node_modules/playwright-core"
cp "$SOURCE/scripts/setup" "$scratch/scripts/"
touch "$scratch/package-lock.json" "$scratch/node_modules/.package-lock.json"
setup=$scratch/scripts/setup

needs() { printf '%s\n' "$@" >"$scratch/scripts/needs"; }
os() { printf 'ID=%s\n' "$1" >"$scratch/os-release"; }
WHYDOWN_OS_RELEASE=$scratch/os-release
export WHYDOWN_OS_RELEASE
os something

needs '# comment' '' 'build sh command sh' 'build libc file /' 'test none command no-such-command'
passes "what is there is not missed" "$setup" build
[ ! -s "$scratch/output" ] && ok "and it says nothing then" || not_ok "and it says nothing then"

fails_saying "a part's own needs are looked at" "(by their names on Debian): none" "$setup" test

needs 'build one command no-such-command' 'build two library no-such-library' 'build sh command no-such-command sh'
fails_saying "an unknown system is told all names" "(by their names on Debian): one two" "$setup" build

needs 'build one gizmo x'
fails_saying "a mistake in the list is no silent pass" "'gizmo' is not a way" "$setup" build

fails_saying "an unknown part is refused" "'everything' is not one of" "$setup" everything

finish
