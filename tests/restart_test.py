#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is known of an incident's traffic outlives the program, and the traces it keeps in memory: after a restart,
and after more traces than it keeps, the page and the API still have it."""
import json
import pathlib
import sqlite3
import tempfile
import threading
import time

import live
from live import Exporter, Server, check, vectors

CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {listen: ["127.0.0.1:0"], exporters: ["127.0.0.0/8"]}
services_from: []
services:
  - {id: shop, name: Shop, addresses: ["192.0.2.0/24"]}
"""
TARGET = 0xc0000201
TRACES_KEPT = 256  # in memory


def traffic(exporter, flooding, over):
    n = 0
    while not over.is_set():
        n += 1
        records = [(0x0a010000 + (n * 7 + i) % 400, TARGET, 5, 3000, 40000 + i, 443, 6) for i in range(30)]
        if flooding.is_set():
            records += [(0x2d000000 + (n * 150 + i) % 600 * 65793, TARGET, 10, 14000, 53, 1024 + i, 17)
                        for i in range(150)]
        exporter.send(records)
        time.sleep(0.05)


def make_incident(folder):
    """(its id, its trace as the API gave it)"""
    server = Server(folder, CONFIG)
    flooding, over = threading.Event(), threading.Event()
    sender = threading.Thread(target=traffic, args=(Exporter(server.udp_port()), flooding, over))
    sender.start()
    try:
        time.sleep(5)
        flooding.set()
        until = time.time() + 15
        while "amp.dns" not in [v for i in server.incidents() for v in vectors(i)] and time.time() < until:
            time.sleep(0.1)
        time.sleep(2)
        found = server.incidents()
        if not check("a flood is an incident", len(found) == 1, found):
            return None, None
        trace = json.loads(server.get(f"/api/v1/incidents/{found[0]['id']}/trace"))
        return found[0]["id"], trace
    finally:
        over.set()
        sender.join()
        check("the program stops in good order", server.stop() == 0, server.said())


def add_traces(database, trace):
    """As many younger ones as push it out of memory."""
    with sqlite3.connect(database) as db:
        newest = db.execute("SELECT max(changed_ns) FROM trace").fetchone()[0]
        db.executemany("INSERT INTO trace(incident, changed_ns, json) VALUES (?, ?, ?)",
                       [(f"shop-2020-{n}", newest + 1 + n, json.dumps({**trace, "incident": f"shop-2020-{n}"}))
                        for n in range(TRACES_KEPT)])
    db.close()


def look(what, folder, incident, trace):
    server = Server(folder, CONFIG)
    try:
        again = json.loads(server.get(f"/api/v1/incidents/{incident}/trace"))
        check(f"{what} the API has its trace", again.get("packets", 0) >= trace["packets"] > 0 and
              [v["id"] for v in again["vectors"]][:1] == ["amp.dns"], (again.get("packets"), trace["packets"]))
        page = server.get("/i/" + incident)
        check(f"{what} its page has the vector and the sources", "<code>amp.dns</code>" in page and
              'id="sources"' in page, page)
        said = json.loads(server.get(f"/api/v1/incidents/{incident}/versions"))["versions"]
        check(f"{what} the API has what was said of it before", [v["number"] for v in said] ==
              list(range(1, len(said) + 1)) and said[0]["change"] == "opened" and
              "amp.dns" in [p["id"] for v in said for p in v["incident"]["traffic"]["vectors"]], said)
        page = server.get(f"/i/{incident}/versions")
        check(f"{what} its versions have a page", page.count('<li id="v') == min(len(said), 100) > 0 and
              "DNS amplification" in page, page)
        svg = server.get(f"/i/{incident}/map.svg")
        check(f"{what} its map is drawn", "<svg" in svg, svg[:200])
    finally:
        check(f"{what} it stops in good order", server.stop() == 0, server.said())


def wait_until(true, seconds):
    until = time.time() + seconds
    while not true() and time.time() < until:
        time.sleep(0.2)
    return true()


def try_locked(folder):
    """Another program holds the database while an incident opens. It is over before anybody could write it."""
    server = Server(folder, CONFIG)
    flooding, over = threading.Event(), threading.Event()
    sender = threading.Thread(target=traffic, args=(Exporter(server.udp_port()), flooding, over))
    sender.start()
    other = sqlite3.connect(folder / "data/whydown.db", isolation_level=None)
    try:
        time.sleep(5)
        other.execute("BEGIN IMMEDIATE")
        flooding.set()
        check("an incident opens while nothing can be written", wait_until(server.incidents, 20), server.said())
        over.set()
        check("… and the log says so", wait_until(lambda: "event=incident_not_kept" in server.said(), 20), server.said())
        time.sleep(6)
        other.execute("ROLLBACK")
        kept = "SELECT (SELECT count(*) FROM incident) + (SELECT count(*) FROM trace)"
        check("it is written when that is possible again, and its trace",
              wait_until(lambda: other.execute(kept).fetchone()[0] == 2, 20), server.said())
        found = server.incidents()[0]["id"]
        server.process.kill()
        server.process.wait()
        server = Server(folder, CONFIG)
        check("after a kill it is there", [i["id"] for i in server.incidents()] == [found], server.said())
    finally:
        over.set()
        sender.join()
        other.close()
        code = server.stop()
        check("and it stops in good order", code == 0, code, server.said())


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "server"
        incident, trace = make_incident(folder)
        if incident is None:
            return 1
        look("after a restart", folder, incident, trace)
        databases = [p for p in (folder / "data").iterdir() if p.read_bytes()[:15] == b"SQLite format 3"]
        add_traces(databases[0], trace)
        look("when memory is full of younger ones", folder, incident, trace)
        try_locked(pathlib.Path(name) / "locked")
    return 1 if live.failures else 0


raise SystemExit(main())
