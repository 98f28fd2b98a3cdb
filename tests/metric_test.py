#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A metric that a feeder sends, live: an incident to either side, of values that are small and of values below 0; its
pages and feeds do not speak of reports, and say so of the last value that came."""
import http.client
import json
import pathlib
import random
import tempfile
import time

import live
from live import Server, check

TOKEN = "only-the-feeder-has-this-token"
CONFIG = f"""
listen: ["127.0.0.1:0"]
services_from: []
services:
  - {{id: latency, name: Latency}}
  - {{id: balance, name: Balance}}
feeders: [{{name: probe, token: {TOKEN}}}]
"""
STEP, DAYS, FAR = 300, 21, 12  # seconds; of history; the last so many buckets are far from usual


def lines(now):
    rng = random.Random(5)
    end = now - now % STEP - 2 * STEP  # the last bucket that is over has not come yet
    for n in range(DAYS * 86400 // STEP, 0, -1):
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(end - n * STEP))
        far = n <= FAR
        for service, value in (("latency", 0.12 + rng.gauss(0, 0.004) + far * 0.3),
                               ("balance", -3 + rng.gauss(0, 0.2) - far * 20)):
            yield {"v": 1, "kind": "metric", "at": at, "step": STEP, "service": service, "value": round(value, 4)}


def send(server, batch):
    connection = http.client.HTTPConnection(server.url, timeout=30)
    connection.request("POST", "/api/v1/observations", "\n".join(map(json.dumps, batch)), {
        "Content-Type": "application/x-ndjson", "Authorization": f"Bearer {TOKEN}"})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, json.loads(body)


def feed(server, every):
    for first in range(0, len(every), 1000):
        batch = every[first:first + 1000]
        status, said = send(server, batch)
        while status == 429:
            time.sleep(0.5)
            status, said = send(server, batch)
        if not check("a batch is taken", status == 202 and said["accepted"] == len(batch), status, said):
            break


def main():
    with tempfile.TemporaryDirectory() as name:
        server = Server(pathlib.Path(name), CONFIG)
        every = list(lines(int(time.time())))
        far = every[-2 * FAR:]
        feed(server, every[:-2 * FAR])
        # A minute that ends would have all pages made anew, and a second is when buckets are judged.
        time.sleep(15 if time.time() % 60 > 47 else 1.5)
        feed(server, far)
        until = time.time() + 5
        while len(server.incidents()) < 2 and time.time() < until:
            time.sleep(0.2)
        found = {i["service"]: i for i in server.incidents()}
        if check("there is an incident to either side, shown within seconds", set(found) == {"latency", "balance"}, found):
            low, high = found["balance"], found["latency"]
            check("what fell is below usual, below 0", low["metric"] and low["peak_observed"] < low["peak_expected"] < 0, low)
            check("what rose is above usual, below 1", high["metric"] and 1 > high["peak_observed"] > high["peak_expected"], high)
        for service, incident in found.items():
            for path in (f"/i/{incident['id']}", f"/i/{incident['id']}/versions", f"/s/{service}/feed.atom",
                         f"/s/{service}/chart.svg"):
                page = server.get(path).split("<footer")[0]
                check(f"{path} has no reports, no peak and no multiple of usual", "eports" not in page and
                      "peak" not in page and "× usual" not in page, page)
            page = server.get(f"/s/{service}")
            check(f"the page of {service} has the last value, though the newest bucket is missing",
                  " in the 5 minutes until <time" in page and "no value came" not in page, page[:3000])
            check("… and no form for reports", "<form method=\"post\"" not in page)
        check("it stops in good order", server.stop() == 0, server.said())
    return 1 if live.failures else 0


raise SystemExit(main())
