#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A running collector outlives what exporters may send: floods of templates, templates of no or of all fields, forged
exporters, numbers that wrap, clocks that jump, broken datagrams, more than it can take, and reloads in between. Its
memory stays bounded, and what is lost is counted."""
import os
import pathlib
import random
import signal
import socket
import struct
import tempfile
import threading
import time

import live
from live import DATA, Server, check, skip

CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {{listen: ["127.0.0.1:0"], threads: {threads}, receive_buffer_bytes: {buffer}, exporters: ["127.0.0.0/8"]}}
services_from: []
services:
  - {{id: shop, name: {name}, addresses: ["192.0.2.0/24"]}}
"""
THREADS = 2
# A program that a sanitizer watches keeps what it gave back for a while, and shadows of all.
WATCHED = b"__asan_init" in pathlib.Path(live.WHYDOWN).read_bytes()
# What all of this may add to the program's memory: the stated bound, with one service.
ROOM_KB = 1 << 20 if WATCHED else 64 * 1024 + 512
TOTAL = "whydown_exports_"


def address(n):
    """An exporter of this machine's own network, from 127.1.0.0 on."""
    return f"127.{1 + (n >> 16)}.{n >> 8 & 255}.{n & 255}"


class Sender:
    def __init__(self, port, source="127.0.0.1"):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.socket.connect(("127.0.0.1", port))
        self.sent = 0

    def __call__(self, data):
        self.socket.send(data)
        self.sent += 1

    def close(self):
        self.socket.close()


def v5(sequence, count=30, at=None):
    record = struct.pack("!IIIHHIIIIHHBBBBHHBBH", 0x0a010001, 0xc0000201, 0, 0, 0, 1, 100, 0, 1, 40000, 443, 0, 16, 6, 0, 0,
                         0, 0, 0, 0)
    now = int(time.time()) if at is None else at
    return struct.pack("!HHIIIIBBH", 5, count, 1000, now & 0xffffffff, 0, sequence & 0xffffffff, 0, 0, 0) + record * count


def ipfix(sets, sequence=0, domain=1, at=None):
    body = b"".join(struct.pack("!HH", number, 4 + len(content)) + content for number, content in sets)
    now = int(time.time()) if at is None else at
    return struct.pack("!HHIII", 10, 16 + len(body), now & 0xffffffff, sequence, domain) + body


def template(number, fields):
    return struct.pack("!HH", number, len(fields)) + b"".join(struct.pack("!HH", *f) for f in fields)


FLOW = [(8, 4), (12, 4), (2, 4), (1, 4)]  # source, destination, packets, bytes


def memory_kb(server):
    for line in pathlib.Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    return 0


def settle(server, name, least, seconds=5):
    """The counter, once it is at least so much, or does not grow any more."""
    until = time.monotonic() + seconds
    while (value := server.metrics()[TOTAL + name]) < least and time.monotonic() < until:
        time.sleep(0.05)
    return value


def still_counts(what, server):
    before = server.metrics()[TOTAL + "flows_total"]
    sender = Sender(server.udp_port())
    sender(v5(0, 7))
    began = time.monotonic()
    found = settle(server, "flows_total", before + 7)
    sender.close()
    took = time.monotonic() - began
    # Counters are shown once a second.
    return check(f"{what}: it still counts ({took:.2f} s)", found == before + 7, found - before)


# ---- templates ----

def try_templates(server):
    before = memory_kb(server)
    sender = Sender(server.udp_port())
    for first in range(256, 65536, 60):
        sets = [(2, template(n, FLOW)) for n in range(first, min(first + 60, 65536))]
        sender(ipfix(sets))
        if first % 600 == 256:
            time.sleep(0.002)
    sender(ipfix([(2, template(65535, FLOW)), (65535, struct.pack("!IIII", 0x0a010001, 0xc0000201, 9, 900))]))
    settle(server, "datagrams_total", sender.sent)
    check("65,280 templates of one exporter are bounded", server.metrics()[TOTAL + "templates"] < 16384 and
          memory_kb(server) - before < ROOM_KB, (server.metrics()[TOTAL + "templates"], memory_kb(server) - before))
    for sets in ([(2, template(300, []))], [(2, b"")], [(2, template(300, [(8, 0), (12, 0)]))], [(300, b"")], [(300, b"\0" * 9)],
                 [(2, template(301, [(1, 65535)] * 16000))], [(2, template(302, [(8, 65535)] * 3)), (302, b"\xff" * 500)],
                 [(2, struct.pack("!HH", 303, 65535))], [(3, struct.pack("!HHH", 304, 1, 9))], [(0, b"abcd"), (1, b"abcd")]):
        sender(ipfix(sets))
        sender(ipfix(sets)[:-1])
    sender(struct.pack("!HHIII", 10, 65535, 0, 0, 0) + b"\0" * 65000)
    sender(struct.pack("!HHIIII", 9, 65535, 0, 0, 0, 0) + struct.pack("!HHHH", 0, 65000, 300, 16000) + b"\0\1\xff\xff" * 16000)
    sender.close()
    still_counts("templates of no field, of zero bytes and of 64 KiB", server)


def try_forged(server):
    before, start = memory_kb(server), server.metrics()[TOTAL + "datagrams_total"]
    sent = 0
    for n in range(3000):
        sender = Sender(server.udp_port(), address(n))
        sender(ipfix([(2, template(256, FLOW)), (257, b"\0" * 1000)], domain=n))
        sender(v5(n * 1000))
        sender.close()
        sent += 2
    settle(server, "datagrams_total", start + sent)
    found = server.metrics()
    check("3,000 exporters are remembered up to the limit", found[TOTAL + "exporters"] <= THREADS * 256 and
          memory_kb(server) - before < ROOM_KB, (found[TOTAL + "exporters"], memory_kb(server) - before))
    still_counts("forged exporters", server)


# ---- numbers and clocks ----

def try_numbers(server):
    lost, start = (server.metrics()[TOTAL + n] for n in ("lost_total", "datagrams_total"))
    sender = Sender(server.udp_port(), "127.9.0.1")
    for n in range(40):
        sender(v5((1 << 32) - 600 + 30 * n))
    settle(server, "datagrams_total", start + sender.sent)
    check("numbers that wrap are not a loss", server.metrics()[TOTAL + "lost_total"] == lost,
          server.metrics()[TOTAL + "lost_total"] - lost)
    r = random.Random(5)
    flows = server.metrics()[TOTAL + "flows_total"]
    for n in range(200):
        sender(v5(600 + 30 * n, at=r.getrandbits(32)))
    for n in range(50):
        sender(v5(6600 + 30 * n, at=0))
    check("clocks that jump, and stand still, lose nothing", settle(server, "flows_total", flows + 7500) == flows + 7500,
          (start, server.metrics()[TOTAL + "flows_total"] - flows))
    sender.close()
    still_counts("clocks", server)


def datagrams(path):
    """What a capture's UDP packets carry, or the file itself."""
    data = path.read_bytes()
    if data[:4] not in (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4"):
        return [data[at:at + 60000] for at in range(0, min(len(data), 600000), 60000)]
    order, at, found = "<" if data[0] == 0xd4 else ">", 24, []
    while at + 16 <= len(data) and len(found) < 500:
        kept = struct.unpack_from(order + "I", data, at + 8)[0]
        found += [data[at + 16:at + 16 + kept][skip:][:65000] for skip in (0, 28, 42)]
        at += 16 + kept
    return found


def try_files(server):
    files = [p for folder in ("malformed", "flow") for p in sorted((DATA / folder).rglob("*")) if p.is_file() and
             p.suffix not in (".json", ".out", ".csv")]
    if not files:
        skip("broken datagrams over the wire", f"nothing in {DATA}/malformed")
    sender = Sender(server.udp_port(), "127.9.0.2")
    before, start = memory_kb(server), server.metrics()[TOTAL + "datagrams_total"]
    for path in files:
        for data in datagrams(path):
            sender(data)
        if sender.sent % 50 < 3:
            time.sleep(0.001)
    r = random.Random(3)
    valid = ipfix([(2, template(400, FLOW)), (400, b"\1" * 160)])
    for _ in range(3000):
        broken = bytearray(valid)
        for _ in range(3):
            broken[r.randrange(2, len(broken))] = r.getrandbits(8)
        sender(bytes(broken[:r.randrange(1, len(broken) + 1)]))
    sender.close()
    settle(server, "datagrams_total", start + sender.sent)
    check(f"{sender.sent} broken and foreign datagrams are bounded", memory_kb(server) - before < ROOM_KB,
          memory_kb(server) - before)
    still_counts("broken datagrams", server)


# ---- too much ----

def waiting(port):
    """Bytes in the kernel's buffers for that port."""
    lines = [line.split() for line in pathlib.Path("/proc/net/udp").read_text().splitlines()[1:]]
    return sum(int(f[4].split(":")[1], 16) for f in lines if int(f[1].split(":")[1], 16) == port)


def try_overload(server):
    """The program stands still while ten times as much comes as its buffers hold."""
    before = server.metrics()
    sender = Sender(server.udp_port(), "127.9.0.3")
    room = int(before[TOTAL + "receive_buffer_bytes"])
    many = 10 * room // 2048 + 1000
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        for n in range(many):
            sender(v5(30 * n))
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    began = time.monotonic()
    while waiting(server.udp_port()) > 0 and time.monotonic() - began < 30:
        time.sleep(0.01)
    took = time.monotonic() - began
    while time.monotonic() - began < 60:  # until the counters are shown
        now = server.metrics()
        taken, dropped = (now[TOTAL + n] - before[TOTAL + n] for n in ("datagrams_total", "kernel_drops_total"))
        if taken + dropped == many:
            break
        time.sleep(0.05)
    check(f"of {many} datagrams, ten times the buffer, each is taken or counted as dropped, and nothing waits any "
          f"more ({took:.2f} s later)", waiting(server.udp_port()) == 0 and taken + dropped == many and dropped > many / 2, (taken, dropped))
    lost = server.metrics()[TOTAL + "lost_total"] - before[TOTAL + "lost_total"]
    sender(v5(30 * many))
    settle(server, "datagrams_total", before[TOTAL + "datagrams_total"] + taken + 1)
    told = server.metrics()[TOTAL + "lost_total"] - before[TOTAL + "lost_total"]
    check("… and the exporter's numbers say how many records that were", told == 30 * dropped, (lost, told, 30 * dropped))
    sender.close()
    still_counts("too much", server)


def try_reloads(server):
    before = server.metrics()
    sender = Sender(server.udp_port(), "127.9.0.4")
    over = threading.Event()

    def send():
        while not over.is_set():
            for _ in range(20):
                sender(v5(30 * sender.sent))
            time.sleep(0.01)

    thread = threading.Thread(target=send)
    thread.start()
    try:
        for n in range(5):
            server.reload(CONFIG.format(threads=THREADS, buffer=1 << 20, name=f"Shop {n}"))
    finally:
        over.set()
        thread.join()
    settle(server, "datagrams_total", before[TOTAL + "datagrams_total"] + sender.sent)
    now = server.metrics()
    taken, dropped, flows = (now[TOTAL + n] - before[TOTAL + n] for n in ("datagrams_total", "kernel_drops_total",
                                                                        "flows_total"))
    check("reloads under load lose nothing", taken == sender.sent and dropped == 0 and flows == 30 * sender.sent,
          (sender.sent, taken, dropped, flows))
    sender.close()


def main():
    with tempfile.TemporaryDirectory() as name:
        server = Server(pathlib.Path(name) / "a", CONFIG.format(threads=THREADS, buffer=1 << 20, name="Shop"))
        begin = memory_kb(server)
        try:
            still_counts("at first", server)
            for part in (try_templates, try_forged, try_numbers, try_files, try_overload, try_reloads):
                part(server)
            check("all of it took less memory than is stated", memory_kb(server) - begin < ROOM_KB,
                  memory_kb(server) - begin)
        finally:
            check("it stops in good order", server.stop() == 0, server.said()[-2000:])
    return 1 if live.failures else 0


raise SystemExit(main())
