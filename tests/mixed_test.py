#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TCP floods among ordinary TCP, both ways seen, from the first packet of a recording on: what nobody answers is named, with
its numbers, beside what talks. And what many servers see that looks like it raises nothing."""
import json
import pathlib
import random
import subprocess
import tempfile
import zlib

from captures import ACK, FIN, PSH, RST, SECOND, STAMP, SYN, SYN_OPTIONS, pcap, tcp_packet
from live import WHYDOWN, check
import live

BEGIN = 1700000000 * SECOND + 123456789
MS = SECOND // 1000
SHOP = bytes([203, 0, 113, 9])
r = random.Random(1)
folder = None


def replay(packets, *arguments):
    path = folder / "a.pcap"
    path.write_bytes(pcap(packets))
    done = subprocess.run([WHYDOWN, "replay", "--format", "json", "--quiet", "--service", "shop=203.0.113.9/32", *arguments,
                           path], capture_output=True, text=True, timeout=120)
    incidents = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, [v for i in incidents for v in i.get("trace", {}).get("vectors", [])], done.stderr


def address():
    while True:
        a = r.randbytes(4)
        if a[0] not in (0, 10, 127) and a[0] < 224:
            return a


def ttl(a):
    h = zlib.crc32(a)
    return (64, 128, 255, 64)[h & 3] - 5 - (h >> 8) % 20


def round_trip():
    return int(r.lognormvariate(3.5, 0.7) * MS)


class Connection:
    """Of a client, as it is seen beside the server. Half of them have no time stamps."""

    def __init__(self, out, at, port=443, a=None):
        self.out, self.at, self.near = out, at, port
        self.a, self.far, self.trip = a or address(), r.randrange(1024, 65536), round_trip()
        self.options = STAMP if r.random() < 0.5 else b""
        self.sequences = [r.getrandbits(31), r.getrandbits(31)]

    def sends(self, at, flags, data=b"", served=False, options=None):
        ends = (SHOP, self.near, self.a, self.far) if served else (self.a, self.far, SHOP, self.near)
        packet = tcp_packet(*ends, flags, data, 64 if served else ttl(self.a), self.sequences[served] & 0xffffffff,
                            options=self.options if options is None else options)
        self.out.append((int(at), packet))
        self.sequences[served] += len(data) + bool(flags & (SYN | FIN))

    def open(self):
        self.sends(self.at, SYN, options=SYN_OPTIONS)
        self.sends(self.at + 50000, SYN | ACK, b"", True, SYN_OPTIONS)
        self.at += self.trip
        self.sends(self.at, ACK)
        self.at += 200000

    def up(self, size, delay=40 * MS):
        """Each second packet is acknowledged, the last later."""
        n = 0
        while size > 0:
            n, part = n + 1, min(size, 1448)
            size -= part
            self.sends(self.at, ACK | (PSH if size == 0 else 0), bytes(part))
            self.at += 120000
            if n % 2 == 0:
                self.sends(self.at, ACK, b"", True)
        if n % 2:
            self.sends(self.at + delay, ACK, b"", True)

    def down(self, size):
        n = 0
        while size > 0:
            n, part = n + 1, min(size, 1448)
            size -= part
            self.sends(self.at, ACK | (PSH if size == 0 else 0), bytes(part), True)
            self.at += 30000
            if n % 2 == 0 or size == 0:
                self.sends(self.at + self.trip + r.randrange(5 * MS), ACK)

    def close(self):
        self.at += self.trip
        self.sends(self.at, FIN | ACK)
        self.sends(self.at + 60000, FIN | ACK, b"", True)
        self.sends(self.at + self.trip, ACK)


def cut(packets, seconds):
    """A recording begins and ends in the middle of all connections."""
    return sorted((p for p in packets if BEGIN <= p[0] < BEGIN + seconds * SECOND), key=lambda p: p[0])


def begins(count, seconds, before):
    return [BEGIN + int((r.random() * (seconds + before) - before) * SECOND)
            for _ in range(int(count * (seconds + before) / seconds))]


def pages(count, seconds):
    """A web server's `count` packets, about."""
    out = []
    for at in begins(count / 45, seconds, 3):
        c = Connection(out, at)
        c.open()
        for _ in range(r.randrange(1, 5)):
            c.up(r.randrange(300, 900))
            c.at += r.randrange(1, 60) * MS
            c.down(int(r.lognormvariate(8.7, 1.2)))
            c.at += c.trip + int(r.expovariate(4) * SECOND)
        if r.random() < 0.7:
            c.close()
    return cut(out, seconds)


def short_pages(count, seconds):
    """A connection each."""
    out = []
    for at in begins(count / 11, seconds, 1):
        c = Connection(out, at, 80)
        c.open()
        c.up(r.randrange(100, 600))
        c.down(r.randrange(200, 3000))
        c.close()
    return cut(out, seconds)


def messages(count, seconds, delay=0, alive=False):
    """One on each of many connections, of which nothing else is seen: the server's, acknowledged; or the client's, which it
    acknowledges so much later; or only a sign of life."""
    out = []
    for at in begins(count / 2, seconds, 1):
        c = Connection(out, at)
        if alive:
            c.sends(at, ACK)
            c.sends(at + 40000, ACK, b"", True)
        elif delay:
            c.up(30, delay)
        else:
            c.down(30)
    return cut(out, seconds)


def uploads(count, seconds, many):
    out, pause = [], int(13.5 * many * seconds * SECOND / count)
    for at in begins(many, seconds, 0):
        c = Connection(out, at - SECOND)
        while c.at < BEGIN + seconds * SECOND:
            c.up(14480)
            c.at += pause
    return cut(out, seconds)


def taken_over(count, seconds):
    """Connections of a box that is gone: reset at the first packet, and opened anew."""
    out = []
    for at in begins(count / 9, seconds, 0):
        c = Connection(out, at)
        c.sends(at, PSH | ACK, bytes(50))
        c.sends(at + 40000, RST, b"", True)
        c = Connection(out, at + c.trip + int(r.random() * SECOND), a=c.a)
        c.open()
        c.up(300)
        c.close()
    return cut(out, seconds)


def looking(count, seconds):
    """A few that look around with ACKs."""
    out = []
    for at in begins(count / 2, seconds, 0):
        a, port = bytes([198, 51, 100, r.randrange(4)]), r.randrange(1, 65536)
        out.append((at, tcp_packet(a, 40000, SHOP, port, ACK, b"", 50, 5)))
        out.append((at + 30000, tcp_packet(SHOP, port, a, 40000, RST)))
    return cut(out, seconds)


def to_us(p):
    return p[1][16:20] == SHOP


def elsewhere(packets, percent):
    """What goes to some networks is not seen."""
    return [p for p in packets if to_us(p) or zlib.crc32(p[1][16:18]) % 100 >= percent]


def together(*parts):
    return sorted(sum(parts, []), key=lambda p: p[0])


# ---- floods ----

def flood(flags, many, low, high, hop=0, to=80, port=0, begin=b"", window=64240):
    """4000 packets in 1.2 s."""
    pool = [address() for _ in range(many)]
    out = []
    for n in range(4000):
        a = r.choice(pool) if pool else address()
        data = begin + r.randbytes(r.randint(low, high))
        out.append((BEGIN + int(n * 1.2 * SECOND / 4000),
                    tcp_packet(a, port or r.randrange(1024, 65536), SHOP, to or r.randrange(1024, 65536), flags, data,
                               hop or ttl(a), r.getrandbits(32), window=window)))
    return out


PAGE = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\n\r\n<html>"
FLOODS = {
    "ACK": (dict(flags=ACK, many=500, low=0, high=0), "ack"),
    "ACK, forged": (dict(flags=ACK, many=0, low=0, high=0, hop=113), "ack"),
    "ACK, closed window": (dict(flags=ACK, many=0, low=0, high=0, hop=242, window=0), "ack"),
    "ACK to all ports": (dict(flags=ACK, many=300, low=0, high=0, to=0), "ack"),
    "ACK with data": (dict(flags=ACK, many=800, low=512, high=512, to=0), "ack"),
    "PSH-ACK of all sizes": (dict(flags=PSH | ACK, many=800, low=1, high=900), "ack.push"),
    "PSH-ACK, equal": (dict(flags=PSH | ACK, many=500, low=64, high=64), "ack.push"),
    "middleboxes' pages": (dict(flags=PSH | ACK, many=700, low=100, high=900, port=80, to=0, begin=PAGE), "tcp.middlebox"),
}


def refused(packets):
    """By a system that knows of no such connections."""
    return [(at + 60000, tcp_packet(SHOP, int.from_bytes(p[22:24], "big"), p[12:16], int.from_bytes(p[20:22], "big"), RST))
            for at, p in packets]


def try_floods():
    for what, (how, vector) in FLOODS.items():
        for ratio, resets in ((10, False), (10, True), (4, False)):
            r.seed(zlib.crc32(what.encode()) + ratio)
            attack = flood(**how)
            answers = refused(attack) if resets else []
            code, found, err = replay(together(pages(4000 * ratio, 1.2), attack, answers))
            first = found[0] if found else {}
            check(f"{what} among {ratio} times as much{', reset' if resets else ''}: {vector}", code == 0 and len(found) == 1 and
                  first["id"] == vector and abs(first["packets"] - 4000) <= 800 and
                  first["status"] == ("reflector" if vector == "tcp.middlebox" else first["status"]) and
                  first["status"] != "proved", (err, [(v["id"], v["status"], v["packets"]) for v in found]))


def try_usual():
    usual = {
        "pages": lambda: pages(50000, 2),
        "short pages": lambda: short_pages(50000, 2),
        "messages on idle connections": lambda: together(messages(30000, 2), pages(20000, 2)),
        "clients' messages, acknowledged late": lambda: together(messages(30000, 2, 200 * MS), pages(20000, 2)),
        "signs of life": lambda: together(messages(30000, 2, alive=True), pages(20000, 2)),
        "uploads": lambda: together(uploads(30000, 2, 300), pages(20000, 2)),
        "looking around with ACKs": lambda: together(looking(16000, 2), pages(20000, 2)),
        "connections of a box that is gone": lambda: together(taken_over(40000, 2), pages(20000, 2)),
        "a tenth goes another way": lambda: elsewhere(pages(70000, 2), 10),
        "half goes another way": lambda: elsewhere(together(messages(30000, 2), pages(30000, 2)), 50),
        "a third was not captured": lambda: [p for p in together(messages(40000, 2), pages(20000, 2)) if r.random() < 2 / 3],
    }
    for what, make in usual.items():
        r.seed(zlib.crc32(what.encode()))
        packets = make()
        for sampling in (1, 10):
            code, found, err = replay(packets, "--sampling", str(sampling))
            check(f"{what}, 1:{sampling}: no incident", code == 0 and found == [],
                  (err, [(v["id"], v["status"], v["packets"]) for v in found]))


def main():
    global folder
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try_floods()
        try_usual()
    return 1 if live.failures else 0


raise SystemExit(main())
