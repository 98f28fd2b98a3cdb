#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exporters over loopback: who may send, what is lost on the way, whose clock is wrong, several domains behind one
address, IPv6, what the kernel drops; and who is told of it: the operator in full, others without addresses."""
import http.client
import json
import os
import pathlib
import signal
import socket
import tempfile
import time

import live
from live import Exporter, Server, check

TOKEN = "only-the-operator-has-this-token"
CONFIG = """
listen: ["127.0.0.1:0"]
admin_token: {token}
telemetry:
  listen: ["127.0.0.1:0"{more}]
  threads: {threads}
  receive_buffer_bytes: {buffer}
  exporters: [127.0.0.1, 127.0.0.2, {{address: 127.0.0.3, sampling: 50}}, "::1"]
services_from: []
services:
  - {{id: shop, name: Shop, addresses: ["192.0.2.0/24"]}}
"""
TARGET = 0xc0000201


def records(count):
    return [(0x0a000000 + n, TARGET, 2, 200, 40000, 443, 6) for n in range(count)]


def ask(server, path, token=None):
    """(status, text)"""
    connection = http.client.HTTPConnection(server.url, timeout=10)
    connection.request("GET", path, headers={"Authorization": "Bearer " + token} if token else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def exporters(server):
    status, text = ask(server, "/api/v1/exporters", TOKEN)
    return json.loads(text) if status == 200 else {}


def find(all_of, address, source_id=0):
    return next((e for e in all_of.get("exporters", []) if e["address"] == address and e["source_id"] == source_id), {})


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
            s.bind(("::1", 0))
        return True
    except OSError:
        return False


def try_accounts(folder):
    six = has_ipv6()
    if not six:
        live.skip("an exporter of IPv6", "no ::1 here")
    server = Server(folder, CONFIG.format(token=TOKEN, threads=2, buffer=4194304, more=', "[::1]:0"' if six else ""))
    try:
        port = server.udp_port()
        plain = Exporter(port, "127.0.0.1", version=5, source_id=0x0102)
        late = Exporter(port, "127.0.0.2", version=9, source_id=7)
        late.clock = 3600
        sampled = Exporter(port, "127.0.0.3", version=5)
        stranger = Exporter(port, "127.0.0.9", version=5)
        behind = [Exporter(port, "127.0.0.1", version=9, source_id=n) for n in (1, 2, 3)]
        for n in range(10):
            plain.send(records(30))
            if n == 4:
                plain.skip(120)  # four datagrams of 30 records
            late.send(records(10))
            if n in (2, 7):
                late.skip(3)
            sampled.send(records(20))
            stranger.send(records(5))
            for x in behind:
                x.send(records(4))
        if six:
            six_port = int(server.wait_for("event=collecting udp=[::1]:").split()[0])
            over_six = Exporter(six_port, "::1", "::1", version=9, source_id=9)
            for _ in range(10):
                over_six.send(records(5))
        # An agent of sFlow: 12 samples of interface 3 one by one, of which two are lost on the way.
        agent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        agent.bind(("127.0.0.2", 0))
        packet = live.udp(0x0a000001, 53, TARGET, 4000, b"x" * 200)
        for n in range(12):
            if n not in (4, 5):
                agent.sendto(live.sflow(0xc6336401, 7, n, [live.sflow_sample(n, 3, 400, n // 6, packet)]),
                             ("127.0.0.1", port))
        time.sleep(2.5)

        found = exporters(server)
        s = (found.get("sflow") or [{}])[0]
        check("an agent of sFlow: its samples, and those that were lost",
              [s.get(k) for k in ("address", "agent", "sub_agent", "index", "sampling", "samples", "lost", "drops")] ==
              ["127.0.0.2", "198.51.100.1", 7, 3, 400, 10, 2, 1], found.get("sflow"))
        e = find(found, "127.0.0.1", 0x0102)
        check("NetFlow 5: its records, and those that were lost",
              (e.get("protocol"), e.get("flows"), e.get("lost")) == ("netflow5", 300, 120), e)
        e = find(found, "127.0.0.2", 7)
        check("NetFlow 9: its datagrams that were lost", (e.get("protocol"), e.get("flows"), e.get("lost")) ==
              ("netflow9", 100, 6), e)
        check("a clock that is an hour ahead is told", abs(e.get("clock_skew_s", 0) - 3600) < 3, e)
        check("one that is right, too", abs(find(found, "127.0.0.1", 0x0102).get("clock_skew_s", 9)) < 3, e)
        several = [find(found, "127.0.0.1", n) for n in (1, 2, 3)]
        check("three domains behind one address are three, without a loss", [(e.get("flows"), e.get("lost"))
              for e in several] == [(40, 0)] * 3, several)
        if six:
            e = find(found, "::1", 9)
            check("an exporter of IPv6 is told apart", (e.get("flows"), e.get("lost")) == (50, 0), found["exporters"])
        refused = [(r["address"], r["datagrams"]) for r in found.get("refused", [])]
        check("who is not on the list is named to the operator", refused == [("127.0.0.9", 10)], found.get("refused"))
        check("… and has no row of its own", find(found, "127.0.0.9") == {}, found)

        m = server.metrics()
        flows = 300 + 100 + 200 + 120 + 10 + (50 if six else 0)
        for name, right in (("exports_refused_total", 10), ("exports_lost_total", 126), ("exports_flows_total", flows),
                            ("exports_kernel_drops_total", 0), ("traffic_records_total", flows), ("sflow_samples_total", 10), ("sflow_lost_total", 2),
                            ("sflow_agent_drops_total", 1)):
            check(f"whydown_{name} is {right}", m.get("whydown_" + name) == right, m.get("whydown_" + name))
        check("the largest skew is in the metrics", abs(m.get("whydown_exports_clock_skew_max_seconds", 0) - 3600) < 3, m)
        check("the receive buffer is told", m.get("whydown_exports_receive_buffer_bytes", 0) > 0 and
              found["receive_buffer_bytes"] == m["whydown_exports_receive_buffer_bytes"], m)

        status, text = ask(server, "/metrics")
        check("the public metrics have no exporter's address", status == 200 and "127.0.0." not in text)
        status, text = ask(server, "/metrics", TOKEN)
        check("the operator's have", status == 200 and
              'whydown_exporter_lost_total{exporter="127.0.0.2",id="7",version="9"} 6' in text, text[-2000:])
        for token in (None, "x" * 32, TOKEN[:-1]):
            status, text = ask(server, "/api/v1/exporters", token)
            check(f"without the operator's token ({token}) nobody is told", status == 401 and "127.0.0." not in text,
                  (status, text))
        # What 127.0.0.3 sends stands for fifty times as much: its sampling is in the configuration.
        traffic = json.loads(server.get("/api/v1/services/shop/traffic"))
        check("the service has traffic", traffic.get("traffic") is not None, traffic)
    finally:
        check("it stops in good order", server.stop() == 0, server.said())


def try_kernel_drops(folder):
    """The program is held for a moment: what comes meanwhile does not fit into a small buffer."""
    server = Server(folder, CONFIG.format(token=TOKEN, threads=1, buffer=65536, more=""))
    try:
        sender = Exporter(server.udp_port(), "127.0.0.1", version=5)
        sender.send(records(30))
        time.sleep(0.5)
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            for _ in range(2000):
                sender.send(records(30))
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        time.sleep(0.5)
        sender.send(records(30))  # tells by its number what is missing
        time.sleep(2.5)
        m = server.metrics()
        dropped = m.get("whydown_exports_kernel_drops_total", 0)
        received = m.get("whydown_exports_datagrams_total", 0)
        check(f"what the kernel dropped is counted ({dropped:.0f} of 2002)", dropped > 100 and dropped + received == 2002,
              (dropped, received))
        check("… and missed by the sequence numbers", m.get("whydown_exports_lost_total") == 30 * dropped,
              m.get("whydown_exports_lost_total"))
        found = exporters(server)
        check("… and told to the operator", found.get("kernel_drops") == dropped and
              0 < found.get("receive_buffer_bytes", 0) <= 131072, found)
    finally:
        check("after it, too, it stops in good order", server.stop() == 0, server.said())


def main():
    with tempfile.TemporaryDirectory() as name:
        try_accounts(pathlib.Path(name) / "a")
        try_kernel_drops(pathlib.Path(name) / "b")
    return 1 if live.failures else 0


raise SystemExit(main())
