#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Durable reports a second through the whole program on one core: HTTP, checks, journal, engine, pages. wrk sends from
# the other core. Beside it, on the same disk and with the same SQLite settings, one transaction for each report.
# SECONDS_EACH=5 rounds are run three times; the median counts. Every 202 is looked for in the database afterwards.
# The CPU time of a report is that of the whole server over all rounds, what the kernel does for it included: it says
# more than the rate where other work runs beside. A feeder's reports come 500 a request, each with an id of its own.
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
token=bench-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
cat >"$work/whydown.yaml" <<YAML
listen: ["127.0.0.1:0"]
trusted_proxies: ["127.0.0.1"]
limits:
  workers: 1
  reports_per_s_max: 1000000
  reports_per_address_per_min_max: 100000
  reports_burst_per_address: 10000
  observations_per_feeder_per_s_max: 10000000
feeders:
  - name: bench
    token: $token
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
for round in 1 2 3; do
	taskset -c 1 wrk -t1 -c16 -d"$seconds" --latency -s bench/batches.lua "$url" "$token" >"$work/fed.$round" 2>&1
	if grep -q "Non-2xx" "$work/fed.$round"; then
		grep "Non-2xx" "$work/fed.$round" >&2
		exit 1
	fi
done
kill "$server"
wait "$server" || true
server=
answered=$(awk '/requests in/ {sum += $1} END {print sum}' "$work"/wrk.?)
fed=$(awk '/^lines/ {sum += $2} END {print sum}' "$work"/fed.?)

python3 - "$work" "$answered" "$fed" "$seconds" "$used" <<'PY'
import glob, os, re, sqlite3, statistics, sys, time
work, answered, fed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
seconds, used = float(sys.argv[4]), int(sys.argv[5])
SCALE = {"us": 0.001, "ms": 1, "s": 1000}


def medians(kind):
    """Requests a second and p99 in ms of the three rounds."""
    texts = [open(path).read() for path in sorted(glob.glob(f"{work}/{kind}.?"))]
    late = [re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups() for text in texts]
    return (statistics.median(float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]) for text in texts),
            statistics.median(float(number) * SCALE[unit] for number, unit in late))


kept = sqlite3.connect(f"file:{work}/data/whydown.db?mode=ro", uri=True).execute("SELECT sum(count) FROM journal").fetchone()[0]
if kept < answered + fed:
    sys.exit(f"{answered + fed} were answered 202 but {kept} are on the disk")
db = sqlite3.connect(work + "/peer.db", isolation_level=None)
db.execute("PRAGMA journal_mode=WAL")
db.execute("PRAGMA synchronous=FULL")
db.execute("CREATE TABLE report(seq INTEGER PRIMARY KEY, body BLOB)")
body, count, end = bytes(100), 0, time.monotonic() + seconds
begin = time.monotonic()
while time.monotonic() < end:
    db.execute("BEGIN IMMEDIATE")
    db.execute("INSERT INTO report(body) VALUES(?)", (body,))
    db.execute("COMMIT")
    count += 1
peer = count / (time.monotonic() - begin)
one, p99 = medians("wrk")
print("durable reports through HTTP", "reports/s", f"{one:.0f}", "one transaction a report", f"{peer:.0f}", f"{one / peer:.1f}", sep="\t")
cpu = used / os.sysconf("SC_CLK_TCK") / answered * 1e6
print("CPU time of a durable report, with the kernel's part", "us", f"{cpu:.1f}", "-", "-", "-", sep="\t")
print("p99 of the 202 under that load", "ms", f"{p99:.1f}", "-", "-", "-", sep="\t")
many, p99 = medians("fed")
many *= 500
print("durable reports through HTTP, a feeder's batches of 500", "reports/s", f"{many:.0f}", "one transaction a report", f"{peer:.0f}",
      f"{many / peer:.1f}", sep="\t")
print("p99 of a batch's answer under that load", "ms", f"{p99:.1f}", "-", "-", "-", sep="\t")
PY
