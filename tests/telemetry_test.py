#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As a new user would try it: softflowd watches an interface and exports NetFlow v9 to the program, and a bounded
flood comes in at that interface: within three seconds of its first packet the incident stands on the page, with its
vector and its sources. The same with the program looking at the interface itself. All in a network namespace of the
test's own."""
import json
import pathlib
import shutil
import signal
import subprocess
import tempfile
import threading
import time

from live import Mix, Server, Wire, check, inside_a_namespace, ip4, paced, skip, vectors
import live

WHAT = "an exporter, a flood, and the page"
ADDRESS = "198.51.100.10"
CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {telemetry}
services_from: []
services:
  - {{id: shop, name: Shop, addresses: ["198.51.100.0/24"]}}
"""
WORDS = {"reflector": "reflectors", "spoofed": "forged"}  # on the page
USUAL_PER_S, FLOOD_PER_S = 300, 6000
LEARN_S, FLOOD_S = 6, 5


class Softflowd:
    """maxlife=1: what softflowd knows of a flow leaves after a second, expint=1: once a second it looks for that."""

    def __init__(self, interface, port, version, folder):
        self.process = subprocess.Popen(
            ["softflowd", "-d", "-i", interface, "-n", f"127.0.0.1:{port}", "-v", version, "-t", "maxlife=1",
             "-t", "expint=1", "-t", "general=1", "-t", "tcp=1", "-t", "udp=1", "-c", "none", "-p", folder / "pid"],
            stdout=subprocess.DEVNULL, stderr=open(folder / "softflowd.log", "w"))

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=20)


def trace_of(server, incident):
    """What the traffic of the incident was; {} while nothing is known of it."""
    try:
        return json.loads(server.get(f"/api/v1/incidents/{incident['id']}/trace"))
    except LookupError:
        return {}


def await_incident(server, vector, status, began, seconds=30):
    """(s until an incident, s until its page names the vector and what its sources prove, what was seen last)"""
    first = named = None
    found, page = [], ""
    while named is None and time.monotonic() - began < seconds:
        found = server.incidents()
        if found:
            first = first or time.monotonic() - began
            page = server.get("/i/" + found[0]["id"])
            if (f'/method/vectors#{vector}"' in page and f"<td>{WORDS[status]}</td>" in page and
                    'id="sources"' in page):
                named = time.monotonic() - began
        time.sleep(0.02)
    return first, named, found or page


def flood(what, server, wire, make, vector, status):
    mix = Mix(ip4(ADDRESS))
    over, flooding_over = threading.Event(), threading.Event()
    usual = threading.Thread(target=paced, args=(wire.send, mix.web, USUAL_PER_S, over, 60))
    usual.start()
    attacker, sent = None, []
    try:
        time.sleep(LEARN_S)
        check(f"{what}: usual traffic is no incident", server.incidents() == [], server.incidents())
        seen = server.metrics().get("whydown_traffic_records_total", 0)
        check(f"{what}: it is seen", seen > 50, seen)
        attack = Mix(ip4(ADDRESS), seed=2)
        began = time.monotonic()
        attacker = threading.Thread(target=lambda: sent.append(paced(wire.send, lambda: make(attack), FLOOD_PER_S,
                                                                     flooding_over, FLOOD_S)))
        attacker.start()
        first, named, found = await_incident(server, vector, status, began)
        said = ", ".join("never" if t is None else f"{t:.2f} s" for t in (first, named))
        check(f"{what}: there is an incident, and {vector} with its sources on its page ({said})",
              first is not None and named is not None, found)
        attacker.join()
        time.sleep(1.5)
        found = server.incidents()
        trace = trace_of(server, found[0]) if found else {}
        of = [v for v in trace.get("vectors", []) if v["id"] == vector]
        check(f"{what}: one incident, its first vector is {vector}, sources: {status}",
              len(found) == 1 and vectors(found[0])[:1] == [vector] and of[0]["status"] == status, (found, of))
        return of[0] if of else {}, sent[0]
    finally:
        over.set()
        flooding_over.set()
        usual.join()
        if attacker:
            attacker.join()


def try_softflowd(folder, wire, version, make, vector, status):
    what = f"softflowd, version {version}, {vector}"
    if shutil.which("softflowd") is None:
        skip(what, "no softflowd")
        return
    server = Server(folder, CONFIG.format(telemetry='{listen: ["127.0.0.1:0"]}'))
    exporter = Softflowd("inner", server.udp_port(), version, folder)
    try:
        flood(what, server, wire, make, vector, status)
    finally:
        exporter.stop()
        check(f"{what}: the program stops in good order", server.stop() == 0, server.said())


def try_capture(folder, wire, make, vector, status):
    what = f"AF_PACKET, {vector}"
    server = Server(folder, CONFIG.format(telemetry="{capture: [inner]}"), "event=capturing")
    try:
        found, right = flood(what, server, wire, make, vector, status)
        check(f"{what}: as many packets as were sent", abs(found.get("packets", 0) - right) < 0.05 * right,
              (found.get("packets"), right))
    finally:
        check(f"{what}: the program stops in good order", server.stop() == 0, server.said())


def main():
    inside_a_namespace(WHAT)
    wire = Wire("inner", "outer", ADDRESS)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try_softflowd(folder / "a", wire, "9", Mix.dns, "amp.dns", "reflector")
        try_softflowd(folder / "b", wire, "9", Mix.syn, "syn.spoof", "spoofed")
        try_capture(folder / "c", wire, Mix.syn, "syn.spoof", "spoofed")
    return 1 if live.failures else 0


raise SystemExit(main())
