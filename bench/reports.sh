#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Durable reports a second through the whole program on one core: HTTP, checks, journal, engine, pages. wrk sends from
# the other core. Beside it, on the same disk and with the same SQLite settings, one transaction for each report.
# SECONDS_EACH=5 rounds are run three times; the median counts. Every 202 is looked for in the database afterwards.
# The CPU time of a report is that of the whole server over all rounds, what the kernel does for it included: it says
# more than the rate where other work runs beside.
set -eu
cd "$SOURCE"
seconds=${SECONDS_EACH:-5}
row() { printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$@"; }
if ! command -v wrk >/dev/null; then
	row "durable reports through HTTP" reports/s "not installed" - - -
	exit 0
fi
work=$(mktemp -d "$SOURCE/build/bench-reports.XXXXXX")
server=
trap 'if [ -n "$server" ]; then kill "$server"; wait "$server" || true; fi; rm -rf "$work"' EXIT
cat >"$work/whydown.yaml" <<'YAML'
listen: ["127.0.0.1:0"]
trusted_proxies: ["127.0.0.1"]
limits:
  workers: 1
  reports_per_s_max: 1000000
  reports_per_address_per_min_max: 100000
  reports_burst_per_address: 10000
YAML
taskset -c 0 "$WHYDOWN" serve --config "$work/whydown.yaml" --data "$work/data" 2>"$work/log" &
server=$!
n=0
until grep -q event=listening "$work/log"; do
	n=$((n + 1))
	[ $n -lt 100 ] || { cat "$work/log" >&2; exit 1; }
	sleep 0.1
done
url=$(sed -n 's/.*url=\(http[^ ]*\).*/\1/p' "$work/log" | head -1)

# user and system time of the server, in ticks
ticks() { awk '{print $14 + $15}' "/proc/$server/stat"; }
before=$(ticks)
for round in 1 2 3; do
	taskset -c 1 wrk -t1 -c256 -d"$seconds" --latency -s bench/reports.lua "$url" >"$work/wrk.$round" 2>&1
	if grep -q "Non-2xx" "$work/wrk.$round"; then
		grep "Non-2xx" "$work/wrk.$round" >&2
		exit 1
	fi
done
used=$(($(ticks) - before))
kill "$server"
wait "$server" || true
server=
answered=$(awk '/requests in/ {sum += $1} END {print sum}' "$work"/wrk.?)

python3 - "$work" "$answered" "$seconds" "$used" <<'PY'
import glob, os, re, sqlite3, statistics, sys, time
work, answered, seconds, used = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), int(sys.argv[4])
texts = [open(path).read() for path in sorted(glob.glob(work + "/wrk.?"))]
rates = [float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]) for text in texts]
scale = {"us": 0.001, "ms": 1, "s": 1000}
p99 = [float(a) * scale[unit] for a, unit in (re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups() for text in texts)]
kept = sqlite3.connect(f"file:{work}/data/whydown.db?mode=ro", uri=True).execute("SELECT sum(count) FROM journal").fetchone()[0]
if kept < answered:
    sys.exit(f"{answered} were answered 202 but {kept} are on the disk")
db = sqlite3.connect(work + "/peer.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE report(seq INTEGER PRIMARY KEY, body BLOB)")
one, count, end = bytes(100), 0, time.monotonic() + seconds
begin = time.monotonic()
while time.monotonic() < end:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO report(body) VALUES(?)", (one,))
    db.execute("COMMIT")
    count += 1
peer = count / (time.monotonic() - begin)
ours = statistics.median(rates)
print("durable reports through HTTP", "reports/s", f"{ours:.0f}", "one transaction a report", f"{peer:.0f}", f"{ours / peer:.1f}", sep="\t")
cpu = used / os.sysconf("SC_CLK_TCK") / answered * 1e6
print("CPU time of a durable report, with the kernel's part", "us", f"{cpu:.1f}", "-", "-", "-", sep="\t")
print("p99 of the 202 under that load", "ms", f"{statistics.median(p99):.1f}", "-", "-", "-", sep="\t")
PY
