#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A log of some million requests, beside GoAccess on the same file: CPU seconds (user and system) of the
# whole process on one core, start and file reading included; medians. We read, count and judge (`whydown
# replay`); GoAccess reads and counts into a report (JSON). A row: see scripts/bench.
#   usage: weblog.sh [LINES] [ROUNDS] [LINES FOR GOACCESS]      (after: ninja -C build benches)
#
# How GoAccess is run: with the configuration that it comes with (which leaves out two of its panels), the
# format named, no addresses looked up (its default for reports), no progress drawn, nothing on its standard
# input. Its own project names 51,000 to 88,000 lines a second on a desktop's core; it uses one thread. It
# gets the first 200,000 lines, which favours it: the more different requests and visitors it has stored, the
# slower it becomes; of all lines it may take minutes. It is ended after PEER_MAX_S seconds.
set -eu
lines=${1:-2000000} rounds=${2:-3} peer_lines=${3:-200000}
PEER_MAX_S=120
here=$(cd "$(dirname "$0")" && pwd)
whydown=${WHYDOWN:-$here/../build/whydown}
build=$(dirname "$whydown")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"$build/bench/bench_weblog" generate "$lines" "$dir/access.log"
head -n "$peer_lines" "$dir/access.log" > "$dir/part.log"

# cpu FILE COMMAND…: appends user + system seconds; the command's output goes to FILE.out and FILE.err
cpu() {
  local file=$1
  shift
  { TIMEFORMAT='%U %S'; time taskset -c 0 "$@" < /dev/null > "$dir/$file.out" 2> "$dir/$file.err"; } 2>&1 |
    awk '{print $1 + $2}' >> "$dir/$file"
}
median() { sort -g "$dir/$1" | sed -n "$(((rounds + 1) / 2))p"; }

for _ in $(seq "$rounds"); do
  cpu ours "$whydown" replay "$dir/access.log"
done
cat "$dir/ours.out" "$dir/ours.err" >&2
grep -q "^$lines observations" "$dir/ours.err" && grep -q 'http.cachebust' "$dir/ours.out" ||
  echo "weblog.sh: not all was read, or the flood was not seen" >&2
name="access log of $lines lines, read to findings"
ours=$(awk -v n="$lines" -v s="$(median ours)" 'BEGIN {printf "%.0f", n / s}')
if ! command -v goaccess >/dev/null; then
  printf '%s\tlines/CPU s\t%s\tGoAccess\tnot installed\t-\n' "$name" "$ours"
  exit 0
fi
rounds=1
cpu goaccess timeout "$PEER_MAX_S" goaccess "$dir/part.log" --log-format=COMBINED --no-parsing-spinner -o "$dir/report.json"
if ! grep -q "\"total_requests\": $(wc -l < "$dir/part.log")," "$dir/report.json" 2>/dev/null; then
  printf '%s\tlines/CPU s\t%s\tGoAccess\tnot within %s s\t-\n' "$name" "$ours" "$PEER_MAX_S"
  exit 0
fi
awk -v name="$name" -v a="$ours" -v n="$(wc -l < "$dir/part.log")" -v s="$(median goaccess)" \
  'BEGIN {printf "%s\tlines/CPU s\t%d\tGoAccess, first %d\t%.0f\t%.2f\n", name, a, n, n / s, a / (n / s)}'
