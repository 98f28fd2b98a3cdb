#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The database is damaged where the journal is not: in the engine's state, in a table's pages. The program starts all
the same, keeps what was damaged, says so, and still knows its incidents; and what is damaged while it runs it mends."""
import json
import pathlib
import sqlite3
import subprocess
import tempfile
import time

import live
from live import WHYDOWN, Server, check

CONFIG = """
listen: ["127.0.0.1:0"]
storage: {snapshot_s: 1}
"""
PAGE = 4096


def play(folder):
    """Makes the data folder of a server that has an open incident."""
    folder.mkdir()
    config = folder / "whydown.yaml"
    config.write_text(CONFIG)
    with open(folder / "log", "w") as log:
        server = subprocess.Popen([WHYDOWN, "serve", "--config", config, "--data", folder / "data", "--play",
                                   "x-2025-03-10"], stderr=log)
        until = time.time() + 60
        while "event=listening" not in (folder / "log").read_text() and time.time() < until:
            time.sleep(0.1)
        time.sleep(3)
        server.terminate()
        check("a played server stops in good order", server.wait(timeout=60) == 0, (folder / "log").read_text())


def database(folder):
    return sqlite3.connect(folder / "data/whydown.db", isolation_level=None)


def add_past(folder):
    """An incident that was over before anything in the journal."""
    with database(folder) as db:
        text = db.execute("SELECT json FROM incident ORDER BY began_ns DESC LIMIT 1").fetchone()[0]
        past = {k: v.replace("2026", "2024").replace("2025", "2024") if isinstance(v, str) and k.endswith("_at") else v
                for k, v in json.loads(text).items()}
        past.update(id="x-20240101-0000", state="closed", began_at="2024-01-01T00:00:00Z", decided_at="2024-01-01T00:05:00Z",
                    peak_at="2024-01-01T00:10:00Z", changed_at="2024-01-01T03:00:00Z", ended_at="2024-01-01T02:00:00Z")
        db.execute("INSERT INTO incident(id, service, began_ns, ended_ns, severity, json) VALUES (?, 'x', ?, ?, 9, ?)",
                   (past["id"], 1704067200 * 10**9, 1704074400 * 10**9, json.dumps(past)))
    db.close()
    return past["id"]


def damage_page(folder, table):
    """Makes the first page of a table noise, in the file."""
    with database(folder) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        root = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = ?", (table,)).fetchone()[0]
    db.close()
    with open(folder / "data/whydown.db", "r+b") as file:
        file.seek((root - 1) * PAGE)
        file.write(b"\xff" * 64)


def kept(folder):
    return sorted(p.name for p in (folder / "data").glob("damaged-*whydown.db"))


def start(what, folder, past, said):
    server = Server(folder, CONFIG)
    try:
        check(f"{what}: it starts and says so", said in server.said(), server.said())
        check(f"{what}: its past incident is there", past in [i["id"] for i in server.incidents()], server.incidents())
    finally:
        check(f"{what}: it stops in good order", server.stop() == 0, server.said())


def wait_until(true, seconds=30):
    until = time.time() + seconds
    while not true() and time.time() < until:
        time.sleep(0.2)
    return true()


def states(folder):
    """How many rows of services are in states that were finished; 0 while the database is being made anew."""
    try:
        with database(folder) as db:
            count = db.execute("SELECT count(*) FROM state WHERE generation IN (SELECT generation FROM state_whole)").fetchone()[0]
        db.close()
        return count
    except sqlite3.Error:
        return 0


def damage_running(folder):
    server = Server(folder, CONFIG)
    before = kept(folder)
    try:
        for _ in range(5):  # again where the server wrote the page from memory before it had to read it
            damage_page(folder, "state")
            with database(folder) as db:  # somebody else wrote: what it has in memory counts no more
                db.execute("UPDATE retained SET now_ns = now_ns")
            db.close()
            if wait_until(lambda: kept(folder) != before, 10):
                break
        check("damaged while it runs: a new database is made", len(kept(folder)) == len(before) + 1, server.said())
        check("… and the state is written again", wait_until(lambda: states(folder) > 0), server.said())
        check("… once", len(kept(folder)) == len(before) + 1, kept(folder))
    finally:
        check("… and it stops in good order", server.stop() == 0, server.said())


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name) / "server"
        play(folder)
        past = add_past(folder)
        with database(folder) as db:
            db.execute("UPDATE state SET bytes = x'00'")
        db.close()
        start("every state is damaged", folder, past, "an earlier one is used, or all of the journal")
        damage_page(folder, "state")
        start("the pages of the states are damaged", folder, past, "a new one was made of")
        check("… and the damaged file is kept", len(kept(folder)) == 1, kept(folder))
        damage_page(folder, "effect")
        start("the pages of the changes are damaged", folder, past, "a new one was made of")
        damage_page(folder, "damage")
        start("the notes of damage are damaged", folder, past, "a new one was made of")
        damage_running(folder)
    return 1 if live.failures else 0


raise SystemExit(main())
