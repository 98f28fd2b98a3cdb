#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two exporters over loopback, of which one falls silent in the middle of a flood: the incident stays open and says
so, what is usual stays, the operator is told who it is and nobody else; the other speaks for its own services."""
import http.client
import json
import pathlib
import signal
import tempfile
import time

import live
from live import Exporter, Server, check

TOKEN = "only-the-operator-has-this-token"
CONFIG = """
listen: ["127.0.0.1:0"]
admin_token: {token}
telemetry:
  listen: ["127.0.0.1:0"]
  threads: 2
  exporters: [127.0.0.2, 127.0.0.3]
services_from: []
services:
  - {{id: shop, name: Shop, addresses: ["192.0.2.0/24"]}}
  - {{id: bank, name: Bank, addresses: ["198.51.100.0/24"]}}
"""
SHOP, BANK = 0xc0000201, 0xc6336401
PATIENCE_S = 75  # with who is new (docs/telemetry.md)


def users(target, turn):
    return [(0x0a000000 + turn * 20 + n, target, 10, 6000, 40000 + n, 443, 6) for n in range(20)]


def resolvers(turn):
    return [(0x51000000 + turn * 400 + n * 7, SHOP, 40, 56000, 53, 20000 + n, 17) for n in range(300)]


def operator(server, path):
    connection = http.client.HTTPConnection(server.url, timeout=10)
    connection.request("GET", path, headers={"Authorization": "Bearer " + TOKEN})
    text = connection.getresponse().read().decode()
    connection.close()
    return text


def traffic(server, service):
    return json.loads(server.get(f"/api/v1/services/{service}"))["traffic"]


def play(seconds, *speakers):
    """Each speaks every quarter of a second."""
    for turn in range(int(4 * seconds)):
        for exporter, records in speakers:
            exporter.send(records(turn))
        time.sleep(0.25)


def try_silence(folder):
    server = Server(folder, CONFIG.format(token=TOKEN))
    try:
        port = server.udp_port()
        first = Exporter(port, "127.0.0.2", version=5)
        second = Exporter(port, "127.0.0.3", version=9, source_id=3)
        play(5, (first, lambda n: users(SHOP, n)), (second, lambda n: users(BANK, n)))
        play(3, (first, lambda n: users(SHOP, n) + resolvers(n)), (second, lambda n: users(BANK, n)))
        check("a flood opens an incident", [i["state"] for i in server.incidents()] == ["open"], server.incidents())
        usual = traffic(server, "shop")["usual_packets_per_s"]

        # The exporter of the shop is gone. That of the bank speaks, but nobody goes to the bank any more.
        play(PATIENCE_S - 15, (second, lambda n: users(0xcb007101, n)))
        quiet = traffic(server, "bank")
        check("what its exporter speaks of others proves that the bank has none",
              quiet["silent_since"] is None and quiet["packets_per_s"] == 0, quiet)
        play(25, (second, lambda n: users(0xcb007101, n)))
        shop, incident = traffic(server, "shop"), server.incidents()[0]
        check("of the shop nothing is known since its exporter is silent",
              shop["silent_since"] == shop["flows_at"] and not shop["silent_partly"]
              and abs(shop["usual_packets_per_s"] - usual) < 0.1 * usual, usual, shop)
        check("its incident stays open and says so",
              incident["state"] == "open" and incident["traffic"].get("silent_since") == shop["silent_since"], incident)
        check("so does its page", "No telemetry of its traffic since" in server.get("/i/" + incident["id"]))
        check("and the service's", "No telemetry of its traffic since" in server.get("/s/shop"))
        senders = {s["name"]: s["silent"] for s in json.loads(operator(server, "/api/v1/exporters"))["senders"]}
        check("the operator is told who it is", senders == {"127.0.0.2": True, "127.0.0.3": False}, senders)
        check("also by metrics", 'whydown_sender_silent{sender="127.0.0.2"} 1' in operator(server, "/metrics"))
        public = server.get("/metrics")
        check("others only that there is one", "whydown_senders_silent 1\n" in public and "127.0.0." not in public)
        check("and the log names it", "event=sender_silent sender=127.0.0.2" in server.said(), server.said())

        play(6, (first, lambda n: users(SHOP, n)), (second, lambda n: users(BANK, n)))
        shop = traffic(server, "shop")
        check("it is heard again, and what was usual is",
              shop["silent_since"] is None and abs(shop["usual_packets_per_s"] - usual) < 0.5 * usual, usual, shop)
        check("the log says so", "event=sender_heard_again sender=127.0.0.2" in server.said())
        check("there is no other incident", len(server.incidents()) == 1, server.incidents())
    finally:
        server.process.send_signal(signal.SIGTERM)
        server.process.wait(30)


with tempfile.TemporaryDirectory() as made:
    try_silence(pathlib.Path(made) / "server")
raise SystemExit(1 if live.failures else 0)
