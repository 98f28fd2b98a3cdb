#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was fed in buckets of fifteen minutes is exported in those, and replaying the export finds the incidents that
the server found."""
import json
import math
import pathlib
import sqlite3
import subprocess
import tempfile
import time

import live
from live import Server, check

CONFIG = """
listen: ["127.0.0.1:0"]
feeders: [{name: probe, token: only-the-feeder-has-this-token}]
services_from: []
services:
  - {id: shop, name: Shop}
"""
STEP = 900


def fed():
    """Nine days that are like each other until the last has an outage of two hours."""
    begin = int(time.time()) // 86400 * 86400 - 10 * 86400
    for n in range(9 * 96):
        usual = 20 + 15 * math.sin(n / 96 * 2 * math.pi) + n * n % 7
        outage = 400 if 8 * 96 + 40 <= n < 8 * 96 + 48 else 0
        yield json.dumps({"kind": "count", "id": f"{n + 1:032x}", "at": str(begin + n * STEP), "step": STEP, "service": "shop",
                          "count": int(usual) + outage})


def feed(server, lines):
    """How many are taken; once more where a slow disk made the server say 503: an id is taken once."""
    for _ in range(10):
        server.connection.request("POST", "/api/v1/observations", "\n".join(lines), {
            "Content-Type": "application/x-ndjson", "Authorization": "Bearer only-the-feeder-has-this-token"})
        answer = server.connection.getresponse()
        text = answer.read()
        if answer.status != 503:
            break
        time.sleep(1)
    taken = json.loads(text)
    return taken.get("accepted", 0) + taken.get("duplicates", 0)


def told(incidents):
    return [(i["service"], i["began_at"], i["ended_at"], i["peak_observed"]) for i in incidents]


def try_damage(data):
    """A byte of an old batch: the rest comes, and nothing is promised that a start does not do."""
    with sqlite3.connect(data / "whydown.db") as database:
        seq, body = database.execute("SELECT seq, body FROM journal ORDER BY length(body) DESC LIMIT 1").fetchone()
        at = len(body) // 2
        body = body[:at] + bytes([body[at] ^ 0xff]) + body[at + 1:]
        database.execute("UPDATE journal SET body = ? WHERE seq = ?", (body, seq))
    done = subprocess.run([live.WHYDOWN, "export", "--data", data], capture_output=True, text=True)
    check("a damaged batch: the rest comes, and the status says that it is not all",
          done.returncode == 1 and 0 < len(done.stdout.splitlines()) < 9 * 96, (done.returncode, done.stderr))
    check("… and so do words", "1 damaged batch was left out in part: only what is whole of it" in done.stderr, done.stderr)
    with sqlite3.connect(data / "whydown.db") as database:
        database.execute("UPDATE incident SET json = substr(json, 9)")
    done = subprocess.run([live.WHYDOWN, "export", "--data", data, "--what", "incidents"], capture_output=True, text=True)
    check("a damaged incident is left out and told", (done.returncode, done.stdout, done.stderr) ==
          (1, "", "whydown export: 1 incident could not be read and was left out\n"), done)


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        server = Server(folder, CONFIG)
        lines = list(fed())
        accepted = 0
        # The last day a bucket at a time, as it would come: a batch is judged at its end.
        for batch in [lines[:8 * 96], *([line] for line in lines[8 * 96:])]:
            accepted += feed(server, batch)
        check("what was fed is taken", accepted == len(lines), accepted)
        for _ in range(100):
            if any(i["ended_at"] for i in server.incidents()):
                break
            time.sleep(0.1)
        found = told(server.incidents())
        check("there is an incident", len(found) == 1, found)
        server.stop()
        for form in ("csv", "ndjson"):
            file = folder / ("counts." + form)
            with open(file, "w") as out:
                subprocess.run([live.WHYDOWN, "export", "--data", folder / "data", "--what", "counts", "--format", form],
                               stdout=out, check=True)
            rows = [line for line in file.read_text().splitlines() if line[-1] != "p"]  # the names end in "step"
            check(f"{form}: a row for each bucket, with its width",
                  len(rows) == len(lines) and all("900" in row for row in rows), rows[:3])
            done = subprocess.run([live.WHYDOWN, "replay", "--format", "json", file], capture_output=True, text=True)
            again = told([i for i in map(json.loads, done.stdout.splitlines()) if "began_at" in i])
            check(f"{form}: its replay finds the same", again == found, (found, again, done.stderr))
        try_damage(folder / "data")
    return live.failures > 0


if __name__ == "__main__":
    raise SystemExit(main())
