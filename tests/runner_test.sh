#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# scripts/test counts what test programs say, and fails when one failed; scripts/bench gathers rows, and fails
# on what is no row. Both run here on copies whose meson and ninja are ours.
. "$(dirname "$0")/lib.sh"

mkdir -p "$scratch/tree/scripts" "$scratch/tree/build" "$scratch/tree/bench" "$scratch/bin"
cp "$SOURCE/scripts/test" "$SOURCE/scripts/bench" "$scratch/tree/scripts/"
printf '#!/bin/sh\nexit 0\n' >"$scratch/tree/scripts/configure"
printf '#!/bin/sh\nexit 0\n' >"$scratch/bin/ninja"
# "meson test -C FOLDER": leaves the log that the test has prepared, for the first build only.
cat >"$scratch/bin/meson" <<'MESON'
#!/bin/sh
mkdir -p "$3/meson-logs"
: >"$3/meson-logs/testlog.json"
[ "$3" != build ] || cat ../log >"$3/meson-logs/testlog.json"
MESON
chmod +x "$scratch/tree/scripts/configure" "$scratch/bin/ninja" "$scratch/bin/meson"
PATH=$scratch/bin:$PATH

# result NAME OUTCOME TEXT: one line of meson's log; TEXT may hold \n.
result() { printf '{"name": "unit / %s", "result": "%s", "stdout": "%s", "stderr": ""}\n' "$1" "$2" "$3"; }

# counts WHAT EXPECTED-LAST-LINE EXPECTED-STATUS
counts() {
	(cd "$scratch/tree" && scripts/test) >"$scratch/output" 2>&1
	status=$?
	if [ "$(tail -1 "$scratch/output")" = "$2" ] && [ "$status" -eq "$3" ]; then
		ok "$1"
	else
		sed 's/^/	/' "$scratch/output"
		not_ok "$1"
	fi
}

{
	result a OK '[==========] Running 3 test(s).\n[  PASSED  ] 3 test(s).'
	result b OK 'ok - one\nok - two\nnoise'
	result c OK 'says nothing'
} >"$scratch/log"
counts "cases, lines and programs that say nothing are counted" "6 passed, 0 failed" 0

result d FAIL '[  PASSED  ] 2 test(s).\n[  FAILED  ] 1 test(s), listed below:' >>"$scratch/log"
counts "a failed case is counted and fails the run" "8 passed, 1 failed" 1

result e FAIL '[==========] Running 3 test(s).' >"$scratch/log"
result f TIMEOUT 'ok - one' >>"$scratch/log"
counts "a program that crashes or hangs counts as failed" "1 passed, 2 failed" 1

result g OK 'ok - one\nskip - two: no network' >"$scratch/log"
result h SKIP '' >>"$scratch/log"
counts "what was skipped is counted" "1 passed, 0 failed, 2 skipped" 0
grep -q '^skipped: g in build: two: no network$' "$scratch/output" && ok "and says why" || not_ok "and says why"

: >"$scratch/log"
counts "a run of nothing fails" "0 passed, 1 failed" 1

bench=$scratch/tree/scripts/bench
rows() { printf '#!/bin/sh\nprintf "%s"\n' "$2" >"$scratch/tree/bench/$1.sh" && chmod +x "$scratch/tree/bench/$1.sh"; }
fails_saying "without benchmarks it fails" "no benchmark is registered" "$bench"
rows pages 'get\tk/s\t83\tnginx\t82\t1.01\n'
rows reports 'post\tk/s\t31\tnaive\tnot installed\t-\n'
passes "rows are gathered" "$bench"
printf 'name\tunit\tours\tpeer\tpeer'\''s\tratio\nget\tk/s\t83\tnginx\t82\t1.01\npost\tk/s\t31\tnaive\tnot installed\t-\n' \
	>"$scratch/expected"
passes "into one file with a header" diff "$scratch/expected" "$scratch/tree/build/bench.tsv"
passes "a part can be chosen" "$bench" pag
grep -q post "$scratch/tree/build/bench.tsv" && not_ok "and only that runs" || ok "and only that runs"
rows broken 'get\tk/s\t83\n'
fails_saying "what is no row fails" "not a row of 6 fields" "$bench"
printf '#!/bin/sh\nexit 3\n' >"$scratch/tree/bench/broken.sh"
fails_saying "a benchmark that fails fails the run" "ended with 3" "$bench"

finish
