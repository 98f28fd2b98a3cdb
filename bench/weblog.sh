#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A log of some million requests, beside GoAccess on the same file, one core: CPU seconds of the whole
# process, file reading included; medians. We read, count and judge; GoAccess reads and counts
# into a report (JSON). A row: see scripts/bench.
#   usage: weblog.sh [LINES] [ROUNDS]      (after: ninja -C build benches)
set -eu
lines=${1:-1000000} rounds=${2:-1}
here=$(cd "$(dirname "$0")" && pwd)
build=${WHYDOWN:+$(dirname "$WHYDOWN")}
build=${build:-$here/../build}
name="access log of $lines lines, read to findings"
command -v goaccess >/dev/null || { printf '%s\tlines/CPU s\t-\tGoAccess\tnot installed\t-\n' "$name"; exit 0; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/bench/bench_weblog" generate "$lines" "$dir/access.log"

# cpu FILE COMMAND…: appends user + system seconds; the command's output goes to FILE.out
cpu() {
  local file=$1
  shift
  { TIMEFORMAT='%U %S'; time taskset -c 0 "$@" > "$dir/$file.out" 2> "$dir/$file.err"; } 2>&1 |
    awk '{print $1 + $2}' >> "$dir/$file"
}
median() { sort -g "$dir/$1" | sed -n "$(((rounds + 1) / 2))p"; }

for _ in $(seq "$rounds"); do
  cpu ours "$build/bench/bench_weblog" run "$dir/access.log"
  cpu goaccess goaccess "$dir/access.log" --log-format=COMBINED --no-global-config --no-progress -o "$dir/report.json"
done
cat "$dir/ours.out" >&2
grep -q "^$lines requests" "$dir/ours.out" && grep -q 'http.cachebust' "$dir/ours.out" ||
  echo "weblog.sh: not all was read, or the flood was not seen" >&2
grep -q "\"total_requests\": $lines" "$dir/report.json" || echo "weblog.sh: GoAccess did not read all" >&2
awk -v name="$name" -v n="$lines" -v a="$(median ours)" -v b="$(median goaccess)" \
  'BEGIN {printf "%s\tlines/CPU s\t%.0f\tGoAccess\t%.0f\t%.2f\n", name, n / a, n / b, b / a}'
