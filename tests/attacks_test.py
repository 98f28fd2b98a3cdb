#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attacks in every form a capture comes in, replayed: each kind of attack from its first packet on is named; links,
tunnels, formats, lengths and clocks change nothing; and what many services usually do raises nothing."""
import datetime
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import zlib

from captures import (ACK, FIN, LINKS, PSH, RST, SECOND, STAMP, SYN, SYN_OPTIONS, TUNNELS, URG, ip_packet, moved, pcap,
                      pcapng, read, tcp_packet, udp_packet)
from live import DATA, WHYDOWN, check, skip
import live

BEGIN = 1700000000 * SECOND + 123456789  # within a tick
SHOP = bytes([203, 0, 113, 9])
folder = None


def replay(data, *arguments):
    path = folder / "a.pcap"
    path.write_bytes(data)
    done = subprocess.run([WHYDOWN, "replay", "--format", "json", "--quiet", *arguments, path], capture_output=True,
                          text=True, timeout=120)
    incidents = [json.loads(line) for line in done.stdout.splitlines()]
    return done.returncode, incidents, done.stderr


def spread(packets, seconds):
    return [(BEGIN + int(i * seconds * SECOND / len(packets)), p) for i, p in enumerate(packets)]


class Maker:
    """Seeded. Addresses are unicast ones; each has a distance of its own."""

    def __init__(self, target=SHOP, seed=1):
        self.r = random.Random(seed)
        self.target = target

    def address(self):
        if len(self.target) == 16:
            return bytes([0x20 | self.r.randrange(16)]) + self.r.randbytes(15)
        while True:
            a = self.r.randbytes(4)
            if a[0] not in (0, 10, 127) and a[0] < 224:
                return a

    @staticmethod
    def ttl(address):
        h = zlib.crc32(address)
        return (64, 128, 255, 64)[h & 3] - 5 - (h >> 8) % 20

    def sources(self, many):
        """Makes the next source: of so many; 0 = each packet another one."""
        pool = [self.address() for _ in range(many)]
        return (lambda: self.r.choice(pool)) if pool else self.address

    def port(self):
        return self.r.randrange(1024, 65536)

    def answers(self, n, port, begins, low, high, many, to=0):
        source = self.sources(many)
        out = []
        for _ in range(n):
            a, length = source(), self.r.randint(low, high)
            payload = (begins + self.r.randbytes(length))[:length]
            out.append(udp_packet(a, port, self.target, to or self.port(), payload, self.ttl(a)))
        return out

    def tcp(self, n, flags, many, ttl=0, payload=0, port=0, **rest):
        source = self.sources(many)
        out = []
        for _ in range(n):
            a = source()
            out.append(tcp_packet(a, port or self.port(), self.target, self.port() if port else 80, flags,
                                  self.r.randbytes(self.r.randint(1, payload)) if payload else b"", ttl or self.ttl(a),
                                  self.r.getrandbits(32), **rest))
        return out

    def udp(self, n, many, to, low, high, begins=b""):
        source = self.sources(many)
        out = []
        for _ in range(n):
            a = source()
            payload = begins + self.r.randbytes(self.r.randint(low, high))
            out.append(udp_packet(a, self.port(), self.target, to or self.port(), payload, self.ttl(a)))
        return out

    def other(self, n, protocol, many, head, low, high):
        source = self.sources(many)
        out = []
        for _ in range(n):
            a = source()
            body = head + self.r.randbytes(self.r.randint(low, high))
            out.append(ip_packet(protocol or self.r.randrange(100, 250), a, self.target, body, self.ttl(a)))
        return out

    def uneven(self, n, port, begins, sizes, many):
        """Answers of amplifiers of which the n-th sends 1/n as many, as true ones are; of some sizes."""
        pool = [self.address() for _ in range(many)]
        out = []
        for a in self.r.choices(pool, [1 / (i + 1) for i in range(many)], k=n):
            payload = (begins + self.r.randbytes(2000))[:self.r.choice(sizes)]
            out.append(udp_packet(a, port, self.target, self.port(), payload, self.ttl(a)))
        return out

    def resets(self, n):
        """SYN-ACKs of servers, of which each sixth then resets what it never had."""
        answers = self.tcp(n * 6 // 7, SYN | ACK, 800, port=443, options=b"\2\4\5\xb4")
        resets = [tcp_packet(p[12:16], 443, self.target, self.port(), RST, ttl=p[8], sequence=77)
                  for p in self.r.sample(answers, n - len(answers))]
        return self.r.sample(answers + resets, n)

    def plain(self, n, many, length):
        """Bots, each with one socket that sends equal datagrams to one port."""
        bots = [(self.address(), self.port()) for _ in range(many)]
        return [udp_packet(a, port, self.target, 7777, self.r.randbytes(length), self.ttl(a))
                for a, port in self.r.choices(bots, k=n)]

    def in_parts(self, n, protocol, many, head, length):
        """Large datagrams of few, each in fragments."""
        source, out = self.sources(many), []
        while len(out) < n:
            a, ident, body = source(), self.r.getrandbits(16), head + self.r.randbytes(length)
            for at in range(0, len(body), 1480):
                more = 0x2000 if at + 1480 < len(body) else 0
                out.append(ip_packet(protocol, a, self.target, body[at:at + 1480], self.ttl(a), ident, more | at // 8))
        return out[:n]

    def bursts(self, n, port, payloads, many):
        """Answers of several datagrams each, to one port a time, of amplifiers as uneven as true ones are."""
        pool, out = [self.address() for _ in range(many)], []
        while len(out) < n:
            a, to = self.r.choices(pool, [(i + 1) ** -0.7 for i in range(many)])[0], self.port()
            out += [udp_packet(a, port, self.target, to, p + self.r.randbytes(length - len(p)), self.ttl(a))
                    for p, length in payloads]
        return out[:n]

    def tunnelled(self, n, protocol, head):
        """What is inside is addressed to the tunnel's own end, as bots of the Mirai family can do."""
        return [ip_packet(protocol, self.address(), self.target, head + udp_packet(
            self.address(), self.port(), self.target, self.port(), self.r.randbytes(512))) for _ in range(n)]

    def fragments(self, n):
        source = self.sources(400)
        return [ip_packet(17, source(), self.target, self.r.randbytes(1000), 50, self.r.getrandbits(16), 185)
                for _ in range(n)]


def dns(*counts):
    return struct.pack("!HHHHHH", 7, 0x8180, *counts) + b"\7example\3com\0\0\xff\0\1"


R = "reflector"
# What is made of a Maker and a number of packets; the vector, and what its sources prove where that is certain.
ATTACKS = {
    "DNS, 800 resolvers": (lambda m, n: m.answers(n, 53, dns(1, 20, 0, 1), 900, 1400, 800), "amp.dns", R),
    "DNS, 40 resolvers, one port": (lambda m, n: m.answers(n, 53, dns(1, 4, 2, 1), 400, 512, 40, 80), "amp.dns", R),
    "NTP monlist": (lambda m, n: m.answers(n, 123, b"\xd7\0\x03\x2a\0\6\0\x48", 440, 440, 500, 80), "amp.ntp", R),
    "SNMP": (lambda m, n: m.answers(n, 161, b"\x30\x82\x04\xf0\x02\1\1\4\6public", 300, 1400, 1500), "amp.snmp", R),
    "SSDP": (lambda m, n: m.answers(n, 1900, b"HTTP/1.1 200 OK\r\n", 250, 400, 2000, 7777), "amp.ssdp", R),
    "CharGEN": (lambda m, n: m.answers(n, 19, bytes(range(33, 105)), 74, 1024, 300), "amp.chargen", R),
    "CLDAP": (lambda m, n: m.answers(n, 389, b"\x30\x84\0\0\x0b\x3a\2\1\7d", 1300, 1470, 900), "amp.cldap", R),
    "memcached": (lambda m, n: m.answers(n, 11211, b"\0\0\0\1\2\xbc\0\0VALUE a", 1408, 1408, 60), "amp.memcached", R),
    "WS-Discovery": (lambda m, n: m.answers(n, 3702, b"<?xml version", 600, 1400, 800), "amp.wsd", R),
    "TFTP": (lambda m, n: m.answers(n, 69, b"\0\3\0\1", 100, 516, 700), "amp.tftp", R),
    "IKE": (lambda m, n: m.answers(n, 500, b"12345678abcdefgh\1\x10\2", 80, 350, 900), "amp.ike", R),
    "SYN-ACK": (lambda m, n: m.tcp(n, SYN | ACK, 2500, port=443, options=b"\2\4\5\xb4"), "tcp.synack", R),
    "SYN, forged": (lambda m, n: m.tcp(n, SYN, 0, ttl=113), "syn.spoof", "spoofed"),
    "SYN of systems": (lambda m, n: m.tcp(n, SYN, 3000, options=SYN_OPTIONS), "syn.real", None),
    "SYN, one source": (lambda m, n: m.tcp(n, SYN, 1), "syn", "unknown"),
    "ACK": (lambda m, n: m.tcp(n, ACK, 500), "ack", None),
    "ACK, closed window": (lambda m, n: m.tcp(n, ACK, 0, ttl=242, window=0), "ack", "spoofed"),
    "PSH-ACK of all sizes": (lambda m, n: m.tcp(n, PSH | ACK, 800, payload=900), "ack.push", None),
    "RST": (lambda m, n: m.tcp(n, RST, 300), "rst", None),
    "FIN-ACK": (lambda m, n: m.tcp(n, FIN | ACK, 900), "fin", None),
    "URG": (lambda m, n: m.tcp(n, URG | ACK, 900), "urg", None),
    "no flags": (lambda m, n: m.tcp(n, 0, 0), "tcp.null", None),
    "Xmas": (lambda m, n: m.tcp(n, FIN | PSH | URG, 0), "tcp.xmas", None),
    "all flags": (lambda m, n: m.tcp(n, 63, 0), "tcp.xmas", None),
    "SYN-FIN": (lambda m, n: m.tcp(n, SYN | FIN, 0), "tcp.synfin", None),
    "UDP, random ports": (lambda m, n: m.udp(n, 900, 0, 1, 1400), "udp.random", None),
    "UDP, one length": (lambda m, n: m.udp(n, 700, 80, 512, 512), "udp.fixed", None),
    "UDP, one port, all lengths": (lambda m, n: m.udp(n, 700, 9999, 64, 1400), "udp", None),
    "UDP, empty": (lambda m, n: m.udp(n, 700, 80, 0, 0), "udp.null", None),
    "DNS queries": (lambda m, n: m.udp(n, 500, 53, 0, 0, struct.pack("!HHHHHH", 1, 256, 1, 0, 0, 0) +
                                       b"\5abcde\7example\3com\0\0\1\0\1"), "dns.query", None),
    "ping": (lambda m, n: m.other(n, 1, 800, b"\x08\0\0\0", 60, 60), "icmp.echo", None),
    "ping, large": (lambda m, n: m.other(n, 1, 300, b"\x08\0\0\0", 1400, 1400), "icmp.large", None),
    "BlackNurse": (lambda m, n: m.other(n, 1, 3, b"\3\3\0\0\0\0\0\0", 28, 28), "icmp.blacknurse", None),
    "GRE": (lambda m, n: [ip_packet(47, m.address(), m.target, b"\0\0\x08\0" + udp_packet(
        m.r.randbytes(4), 1, m.r.randbytes(4), 2, bytes(512))) for _ in range(n)], "gre", None),
    "IP in IP": (lambda m, n: [ip_packet(4, m.address(), m.target, udp_packet(
        m.r.randbytes(4), 1, m.r.randbytes(4), 2, bytes(60))) for _ in range(n)], "ipip", None),
    "any protocol": (lambda m, n: m.other(n, 0, 500, b"", 20, 400), "rndproto", None),
    "fragments": (lambda m, n: m.fragments(n), "frag", None),
    "CharGEN, uneven": (lambda m, n: m.uneven(n, 19, b" !#$%&'()*+,-./0", (74, 148, 512, 1024), 400), "amp.chargen", R),
    "quotes, uneven": (lambda m, n: m.uneven(n, 17, b'"It is', range(60, 380), 300), "amp.qotd", R),
    "CoAP, uneven": (lambda m, n: m.uneven(n, 5683, b"\x60\x45\x12\x34\xc0\xff</a>", range(200, 1100), 500), "amp.coap", R),
    "TP-240, 30 of them": (lambda m, n: m.uneven(n, 10074, b"call_id", range(30, 60), 30), "amp.tp240", R),
    "a connection's flags in one packet": (lambda m, n: m.tcp(n, SYN | ACK | PSH, 300), "tcp.odd", None),
    "the same, one source": (lambda m, n: m.tcp(n, SYN | ACK | FIN, 1), "tcp.odd", "unknown"),
    "no flags, some data": (lambda m, n: m.tcp(n, 0, 500, payload=1000), "tcp.null", None),
    "SYN, three addresses": (lambda m, n: m.tcp(n, SYN, 3, options=SYN_OPTIONS), "syn.real", "unknown"),
    "UDP from port 0": (lambda m, n: [udp_packet(a, 0, m.target, 80, bytes([1]) * 1024, m.ttl(a))
                                      for a in m.r.choices([m.address() for _ in range(300)], k=n)], "udp.fixed", None),
    "DHCP of made-up clients": (lambda m, n: [udp_packet(bytes(4), 68, b"\xff" * 4, 67, b"\1\1\6\0" + m.r.randbytes(300))
                                              for _ in range(n)], "dhcp.flood", "unknown"),
    "handshakes of QUIC": (lambda m, n: m.bursts(n, 443, [(b"\xc0\0\0\0\1", 1250), (b"\xe0\0\0\0\1", 1250),
                                                          (b"\xc0\0\0\0\1", 180)], 900), "amp.quic", R),
    "versions of QUIC": (lambda m, n: m.bursts(n, 443, [(b"\x9a\0\0\0\0", 35)], 900), "amp.quic.version", R),
    "resets of OpenVPN": (lambda m, n: m.bursts(n, 1194, [(b"\x40", 14)] * 4, 2500), "amp.openvpn", R),
    "requests of IKE from its port": (lambda m, n: [udp_packet(a, 500, m.target, 500, m.r.randbytes(8) + bytes(8) +
                                      b"\x21\x20\x22\x08" + m.r.randbytes(280)) for a in (m.address() for _ in range(n))],
                                      "ike.request", None),
    "parts of Steam's answers": (lambda m, n: m.bursts(n, 27015, [(b"\xfe\xff\xff\xff", 1248)] * 2, 900),
                                 "amp.steam.parts", R),
    "a game's answers from another's port": (lambda m, n: m.bursts(n, 30120, [(b"\xff\xff\xff\xffstatusResponse\n", 900)],
                                             800), "amp.quake3", R),
    "Kad": (lambda m, n: m.bursts(n, 4672, [(b"\xe4\x09", 525), (b"\xe4\x09", 300), (b"\xe4\x09", 50)], 900), "amp.kad", R),
    "GRE to its own end": (lambda m, n: m.tunnelled(n, 47, b"\0\0\x08\0"), "gre", None),
    "IP in IP to its own end": (lambda m, n: m.tunnelled(n, 4, b""), "ipip", None),
    "times of NTP servers": (lambda m, n: m.uneven(n, 123, b"\x24\1\0\xe9", (48,), 3000), "amp.ntp4", R),
}
# The same, which need more of them a second to be told from what is usual.
HEAVY = {
    "SYN-ACK and RST": (lambda m, n: m.resets(n), "tcp.synack", R),
    "bots with a socket each": (lambda m, n: m.plain(n, 200, 512), "udp.fixed", None),
    "large pings in parts": (lambda m, n: m.in_parts(n, 1, 12, b"\x08\0\0\0", 20000), "icmp.large", None),
    "large datagrams in parts": (lambda m, n: m.in_parts(n, 17, 6, b"\x30\x39\0\x50\x20\x08\0\0", 8192), "udp.fixed", None),
}
# What a fiftieth of a second shows.
SHORT = ("SYN, forged", "SYN, one source", "ACK", "no flags", "BlackNurse", "CharGEN, uneven", "quotes, uneven", "SNMP")


def named(what, answer, vector, status, packets):
    code, incidents, err = answer
    found = [v for i in incidents for v in i.get("trace", {}).get("vectors", [])]
    first = found[0] if found else {}
    check(f"{what}: {vector}", code == 0 and len(incidents) == 1 and first.get("id") == vector and
          status in (None, first.get("status")) and abs(first["packets"] - packets) <= 0.01 * packets,
          (err, [(v["id"], v["status"], v["packets"]) for v in found]))


def try_kinds():
    for what, (make, vector, status) in ATTACKS.items():
        named(what, replay(pcap(spread(make(Maker(), 5000), 1))), vector, status, 5000)
    for what, (make, vector, status) in HEAVY.items():
        named(what, replay(pcap(spread(make(Maker(), 10000), 1))), vector, status, 10000)
    for what in SHORT:
        make, vector, status = ATTACKS[what]
        answer = replay(pcap(spread(make(Maker(), 2500), 0.02)))
        named("a fiftieth of a second of " + what, answer, vector, status, 2500)
        check(f"a fiftieth of a second of {what}: its peak",
              all(abs(i["traffic"]["peak_packets_per_s"] - 2500) <= 25 for i in answer[1]), answer[1])
        check(f"a fiftieth of a second of {what}: nothing was seen before",
              all(i["traffic"]["usual_packets_per_s"] == 0 for i in answer[1]), answer[1])
    _, incidents, err = replay(pcap(spread(ATTACKS["SYN, forged"][0](Maker(), 3500), 0.7)))
    check("less than a second: all of it is the peak", [i["traffic"]["peak_packets_per_s"] for i in incidents] == [3500],
          (err, incidents))
    # Most of it is in later fragments, which are no rest that was there before.
    begins = replay(pcap(spread(Maker().in_parts(6000, 17, 300, b"\0\x35\x30\x39\x0f\x68\0\0" + dns(1, 20, 0, 1), 3900), 2)))
    named("DNS in parts", begins, "amp.dns", R, 6000)
    check("DNS in parts: nothing was seen before",
          all(i["traffic"]["usual_packets_per_s"] == 0 for i in begins[1]), begins[1])
    six = bytes.fromhex("20010db8000000000000000000000010")
    for what in ("DNS, 800 resolvers", "SYN, one source", "UDP, random ports", "memcached"):
        make, vector, status = ATTACKS[what]
        named("IPv6: " + what, replay(pcap(spread(make(Maker(six), 5000), 1))), vector, status, 5000)
    # Made up within all that is unicast, or of no more than was given to somebody.
    blocks = {"spoofed": range(0x20, 0x40), "unknown": (0x20, 0x24, 0x26, 0x28, 0x2a, 0x2c)}
    for status, first in blocks.items():
        maker = Maker(six)
        maker.address = lambda m=maker, of=first: bytes([m.r.choice(of)]) + m.r.randbytes(15)
        named(f"IPv6: SYN, {status}", replay(pcap(spread(maker.tcp(5000, SYN, 0), 1))),
              "syn.spoof" if status == "spoofed" else "syn", status, 5000)


def try_flags():
    """Any flags, drawn for each packet: most of them no system sends."""
    for seconds in (0.02, 2):
        m = Maker()
        packets = [tcp_packet(m.address(), m.port(), SHOP, 80, m.r.randrange(64), b"", 50, m.r.getrandbits(32))
                   for _ in range(8000)]
        code, incidents, err = replay(pcap(spread(packets, seconds)))
        found = [(v["id"], v["status"]) for i in incidents for v in i.get("trace", {}).get("vectors", [])]
        check(f"flags at random, {seconds} s: tcp.odd", code == 0 and len(incidents) == 1 and
              found[:1] == [("tcp.odd", "spoofed")], (err, found))
    # One-packet flows (NetFlow 5) with the flags of a whole connection prove none.
    m, datagrams = Maker(), []
    sources = [m.address() for _ in range(400)]
    for n in range(0, 12000, 30):
        at = BEGIN + n * SECOND // 6000
        records = b"".join(m.r.choice(sources) + SHOP + bytes(4) + struct.pack(
            "!HHIIIIHHBBBBHHBBH", 3, 4, 1, 240, 1000, 1000, m.port(), 80, 0, SYN | ACK | PSH, 6, 0, 0, 0, 24, 24, 0)
            for _ in range(30))
        head = struct.pack("!HHIIIIBBH", 5, 30, 1000, at // SECOND, at % SECOND, n, 0, 0, 0)
        datagrams.append((at, udp_packet(bytes([198, 51, 100, 1]), 50001, bytes([198, 51, 100, 9]), 2055, head + records)))
    code, incidents, err = replay(pcap(datagrams), "--service", "shop=203.0.113.9/32")
    found = [(v["id"], v["status"]) for i in incidents for v in i.get("trace", {}).get("vectors", [])]
    check("flows of one packet with a connection's flags: tcp.odd", code == 0 and [f[0] for f in found] == ["tcp.odd"] and
          found[0][1] != "proved",
          (err, found))


def try_middle():
    """A flood that is over before the recording is."""
    m = Maker()
    flood = [(BEGIN + (20 * SECOND) + i * SECOND // 5000, p) for i, p in enumerate(m.tcp(25000, SYN, 0, ttl=113))]
    code, incidents, err = replay(pcap(sorted(talk(m, 60, 30000) + flood, key=lambda p: p[0])))
    ended = [datetime.datetime.fromisoformat((i["ended_at"] or "1970-01-01T00:00:00Z").replace("Z", "+00:00"))
             for i in incidents]
    check("a flood in the middle of a recording ends there", code == 0 and len(incidents) == 1 and
          24 <= ended[0].timestamp() - BEGIN / SECOND <= 30, (err, ended))


def try_forms():
    make, vector, status = ATTACKS["SYN, forged"]
    count = 3000
    packets = spread(make(Maker(), count), 0.5)
    for what in LINKS:
        named(what, replay(pcap(packets, what)), vector, status, count)
    for what, wrap in TUNNELS.items():
        named("inside " + what, replay(pcap([(at, wrap(p)) for at, p in packets])), vector, status, count)
    for write in (pcap, pcapng):
        for order in "<>":
            for nanoseconds in (False, True):
                named(f"{write.__name__} {order} {'ns' if nanoseconds else 'us'}",
                      replay(write(packets, order=order, nanoseconds=nanoseconds)), vector, status, count)
    for kept in (54, 64, 96, 128):
        named(f"{kept} bytes of each packet", replay(pcap(packets, kept_max=kept)), vector, status, count)
    # Without their payload, which was not kept, or was erased to make the capture anonymous.
    answers = spread(Maker().answers(count, 53, dns(1, 20, 0, 1), 900, 1400, 300), 0.5)
    named("42 bytes of each answer", replay(pcap(answers, kept_max=42)), "amp.dns", R, count)
    named("answers without content", replay(pcap([(at, p[:28] + bytes(len(p) - 28)) for at, p in answers])), "amp.dns",
          R, count)
    for write in (pcap, pcapng):
        named(f"torn {write.__name__}", replay(write(packets)[:-30]), vector, status, count - 1)
    wrong = list(packets)
    wrong[100] = (wrong[100][0] + 10 * 365 * 86400 * SECOND, wrong[100][1])
    first = [(5 * SECOND, packets[0][1])] + packets[1:]
    half = count // 2
    clocks = {
        "times from 0 on": moved(packets, 0), "all at one time": [(BEGIN, p) for _, p in packets],
        "one packet of ten years later": wrong, "the first of 1970": first,
        "a clock set back": packets[:half] + [(at - 3600 * SECOND, p) for at, p in packets[half:]],
        "backwards": [(2 * BEGIN + SECOND - at, p) for at, p in packets],
    }
    for what, changed in clocks.items():
        named(what, replay(pcap(changed)), vector, status, count)


def try_carpet():
    """A sixteenth of a /20 each: no /24 stands out."""
    packets = []
    for n in range(256):
        packets += Maker(bytes([198, 18, n % 16, n])).answers(40, 53, dns(1, 20, 0, 1), 900, 1400, 40)
    random.Random(1).shuffle(packets)
    code, incidents, err = replay(pcap(spread(packets, 2)))
    traces = [i.get("trace", {}) for i in incidents]
    check("a carpet over a /20 is one incident of that prefix", code == 0 and len(incidents) == 1 and
          incidents[0]["service"] == "198.18.0.0-20" and traces[0]["vectors"][0]["id"] == "amp.dns" and
          "carpet" in traces[0]["patterns"], (err, [(i["service"], t.get("patterns")) for i, t in zip(incidents, traces)]))


# ---- what is none ----

def talk(maker, seconds, count, one_way=1, back=0.5, low=40, high=1400, many=100, port=443, own=0, tcp=False):
    """Conversations: the same two ports all the time, and `back` packets for each."""
    peers = [(maker.address(), own or maker.port(), maker.port()) for _ in range(many)]
    out = []
    for _ in range(count):
        a, far, near = maker.r.choice(peers)
        near = port if own == 0 else near
        at, payload = BEGIN + int(maker.r.random() * seconds * SECOND), bytes(maker.r.randint(low, high))
        if tcp:
            out.append((at, tcp_packet(a, far, SHOP, near, ACK | PSH, payload, maker.ttl(a), 1, options=STAMP)))
        else:
            out.append((at, udp_packet(a, far, SHOP, near, payload, maker.ttl(a))))
        if maker.r.random() < back:
            reply = tcp_packet(SHOP, near, a, far, ACK, options=STAMP) if tcp else \
                udp_packet(SHOP, near, a, far, bytes(40))
            out.append((at + 9000, reply))
    return sorted(out, key=lambda p: p[0])


def try_usual():
    usual = {
        "fetched by QUIC from four servers": dict(low=1250, high=1250, many=4, own=443, back=0.08),
        "uploads": dict(low=1400, high=1400, many=300, back=0.25, tcp=True),
        "uploads, one way seen": dict(low=1400, high=1400, many=300, back=0, tcp=True),
        "messages of things": dict(low=20, high=200, many=3000, port=1883, back=1, tcp=True),
        "calls": dict(low=172, high=172, many=200, port=5004, back=1),
        "a game": dict(low=40, high=90, many=200, port=27015, back=1),
        "a game, one way seen": dict(low=40, high=90, many=200, port=27015, back=0),
        "flow exports of 20 routers": dict(low=1400, high=1400, many=20, port=2055, back=0),
        "a VPN's client": dict(low=1380, high=1400, many=1, own=4500, back=0.25),
        "television": dict(low=1328, high=1328, many=1, port=5004, back=0),
    }
    for what, how in usual.items():
        packets = talk(Maker(), 2, 24000, **how)
        code, incidents, err = replay(pcap(packets), "--service", "shop=203.0.113.9/32")
        check(f"{what}: no incident", code == 0 and incidents == [],
              (err, [v["id"] for i in incidents for v in i.get("trace", {}).get("vectors", [])]))


def try_among_calls():
    """Floods in the class that calls have, too, which are answered packet for packet."""
    ssdp = b"HTTP/1.1 200 OK\r\nCACHE-"
    floods = {
        "made-up sources": (lambda m: m.udp(6000, 0, 80, 200, 200), "udp.fixed", 6000),
        "bots that change ports": (lambda m: m.udp(6000, 120, 0, 512, 512), "udp.random", 6000),
        "answers from any port": (lambda m: [udp_packet(a, m.port(), SHOP, m.port(), ssdp + m.r.randbytes(250), m.ttl(a))
                                             for a in m.r.choices([m.address() for _ in range(900)], k=6000)],
                                  "amp.ssdp", 6000),
    }
    for what, (make, vector, right) in floods.items():
        m = Maker()
        calls = talk(m, 3, 2200, back=1, low=172, high=172, many=15, port=5004)
        flood = [(at + SECOND, p) for at, p in spread(make(m), 2)]
        code, incidents, err = replay(pcap(sorted(calls + flood)), "--service", "shop=203.0.113.9/32")
        found = [v for i in incidents for v in i.get("trace", {}).get("vectors", [])]
        most = right * (1.05 if vector == "amp.ssdp" else 1.4)  # of what has no sign of its own the calls are counted, too
        check(f"{what} among calls: {vector}", code == 0 and len(incidents) == 1 and found[0]["id"] == vector and
              0.95 * right <= found[0]["packets"] <= most and
              (vector != "amp.ssdp" or found[0]["status"] == R),
              (err, [(v["id"], v["status"], v["packets"]) for v in found]))


def try_together():
    """What many do at a time: from one address, over one distance, or to whoever has joined."""
    one, maker = bytes([198, 18, 0, 7]), Maker()
    hosts = [(bytes([198, 18, 1 + n // 200, n % 200]), 514 if n % 2 else maker.port()) for n in range(300)]
    calls = [udp_packet(one, 20000 + 2 * (n % 100), SHOP, 30000 + 2 * (n % 100), bytes([n % 256]) * 172, 57)
             for n in range(20000)]
    pages = [tcp_packet(one, 443, SHOP, 40000 + maker.r.randrange(200), PSH | ACK, bytes(850), 60, n * 850, options=STAMP)
             for n in range(16000)]
    lines = [udp_packet(a, port, SHOP, 514, b"<134>" + bytes(maker.r.randint(60, 500)), 62)
             for a, port in maker.r.choices(hosts, k=20000)]
    tunnel = [ip_packet(50, one, SHOP, struct.pack("!II", 77, n) + bytes(maker.r.choice((92, 1420))), 57)
              for n in range(40000)]
    film = [udp_packet(b"\x0a\5\5\5", 40000 + n % 30, bytes([239, 1, 1, n % 30]), 5004, bytes([n % 256]) * 1328, 10)
            for n in range(40000)]
    for what, packets in {"calls of one exchange": calls, "pages of one server": pages, "a network's log lines": lines,
                          "an IPsec tunnel": tunnel, "television of 30 channels": film}.items():
        code, incidents, err = replay(pcap(spread(packets, 4)))
        check(f"{what}, one way seen: no incident", code == 0 and incidents == [],
              (err, [v["id"] for i in incidents for v in i.get("trace", {}).get("vectors", [])]))


def inside(maker, clients, count, low, high, back, handshakes=True):
    """Connections, each opened, then data on it from its client; the service sends `back` packets for each."""
    out, open_ = [], []
    for n in range(clients):
        a, port, sequence = maker.address(), maker.port(), maker.r.getrandbits(31)
        ttl, at = maker.ttl(a), BEGIN + n * SECOND // 200
        open_.append([a, port, ttl, sequence + 1])
        if handshakes:
            out += [(at, tcp_packet(a, port, SHOP, 80, SYN, b"", ttl, sequence, options=SYN_OPTIONS)),
                    (at + 20000, tcp_packet(SHOP, 80, a, port, SYN | ACK, options=SYN_OPTIONS)),
                    (at + 9000000, tcp_packet(a, port, SHOP, 80, ACK, b"", ttl, sequence + 1))]
    for n in range(count):
        at, c = BEGIN + SECOND // 2 + int(n * 2 * SECOND / count), maker.r.choice(open_)
        data = maker.r.randbytes(maker.r.randint(low, high))
        out.append((at, tcp_packet(c[0], c[1], SHOP, 80, ACK | PSH, data, c[2], c[3])))
        c[3] += len(data)
        if maker.r.random() < back:
            out.append((at + 30000, tcp_packet(SHOP, 80, c[0], c[1], ACK, acknowledged=c[3])))
    return sorted(out, key=lambda p: p[0])


def try_inside():
    code, incidents, err = replay(pcap(inside(Maker(), 40, 16000, 768, 768, 0.01)), "--service", "shop=203.0.113.9/32")
    found = [(v["id"], v["status"]) for i in incidents for v in i.get("trace", {}).get("vectors", [])]
    check("equal data inside connections, not acknowledged: ack.push", code == 0 and len(incidents) == 1 and
          found[:1] == [("ack.push", "unknown")], (err, found))
    usual = {
        "parts of uploads": dict(clients=60, low=768, high=768, back=0.5),
        "parts of uploads, of many of which one is acknowledged": dict(clients=60, low=768, high=768, back=0.04),
        "full packets of uploads, nearly one way seen": dict(clients=60, low=1448, high=1448, back=0.015),
        "requests of one length": dict(clients=200, low=612, high=612, back=1),
        "messages of all lengths, nearly one way seen": dict(clients=200, low=40, high=900, back=0.015),
        "parts of uploads, one way seen": dict(clients=60, low=768, high=768, back=0, handshakes=False),
    }
    for what, how in usual.items():
        code, incidents, err = replay(pcap(inside(Maker(), count=16000, **how)), "--service", "shop=203.0.113.9/32")
        check(f"{what}: no incident", code == 0 and incidents == [],
              (err, [v["id"] for i in incidents for v in i.get("trace", {}).get("vectors", [])]))


def try_scanner():
    """One's own scan: each of its SYNs is refused."""
    maker, packets, far = Maker(), [], bytes([198, 18, 0, 7])
    for n in range(12000):
        at, port = BEGIN + n * SECOND // 5000, maker.r.randrange(1, 65536)
        packets.append((at, tcp_packet(SHOP, 40000, far, port, SYN, options=b"\2\4\5\xb4")))
        packets.append((at + 500000, tcp_packet(far, port, SHOP, 40000, RST | ACK, window=0)))
    code, incidents, err = replay(pcap(packets), "--service", "shop=203.0.113.9/32")
    check("refusals of one's own scan: no incident", code == 0 and incidents == [], (err, incidents))
    # A stranger's, told by an exporter that does not know flags (NetFlow 9): a flow each.
    order, datagrams = maker.r.sample(range(1, 65536), 12000), []
    template = struct.pack("!HHHH", 0, 36, 260, 7) + struct.pack("!14H", 8, 4, 12, 4, 7, 2, 11, 2, 4, 1, 2, 4, 1, 4)
    for n in range(0, 12000, 20):
        records = b"".join(far + SHOP + struct.pack("!HHBII", 44321, port, 6, 1, 44) for port in order[n:n + 20])
        at = BEGIN + n * SECOND // 3000
        data = struct.pack("!HHIIII", 9, 21, n, at // SECOND, n // 20, 7) + template + \
            struct.pack("!HH", 260, 4 + len(records)) + records
        datagrams.append((at, udp_packet(bytes([198, 51, 100, 1]), 50001, bytes([198, 51, 100, 9]), 2055, data)))
    code, incidents, err = replay(pcap(datagrams), "--service", "shop=203.0.113.9/32")
    check("a scan without flags: no incident", code == 0 and incidents == [],
          (err, [v["id"] for i in incidents for v in i.get("trace", {}).get("vectors", [])]))


# ---- among ten times as much ----

def web(maker, target, begin, seconds, count):
    """Clients of a web server, both ways: some packets of connections, evenly."""
    out, clients = [], [maker.address() for _ in range(900)]
    kinds = [(SYN, SYN_OPTIONS, 0, True), (SYN | ACK, SYN_OPTIONS, 0, False), (FIN | ACK, STAMP, 0, True),
             (FIN | ACK, STAMP, 0, False)] + [(ACK, STAMP, 0, True)] * 8 + [(PSH | ACK, STAMP, 500, True)] * 6 + \
            [(ACK, STAMP, 1400, False)] * 14
    for n in range(count):
        c = maker.r.choice(clients)
        flags, options, length, inbound = maker.r.choice(kinds)
        port = 32768 + zlib.crc32(c) % 28000
        ends = (c, port, target, 443) if inbound else (target, 443, c, port)
        out.append((begin + int(n * seconds * SECOND / count),
                    tcp_packet(*ends, flags, bytes(length), maker.ttl(c) if inbound else 64, maker.r.getrandbits(32),
                               options=options)))
    return out


MIXED = {  # file, which of its packets: vector, sources, most it may be sampled
    "stopddos/amp.UDP.snmp.src161.pcapng": (slice(None), "amp.snmp", "reflector", 4079, 4070, 100),
    "stopddos/amp.UDP.isakmp.pcap": (slice(None), "amp.ike", "reflector", 3984, 2767, 100),
    "stopddos/pkt.TCP.synflood.spoofed.pcap": (slice(5000, 10000), "syn.spoof", "spoofed", 5000, None, 10),
}


def try_mixed():
    for name, (part, vector, status, right, sources, most) in MIXED.items():
        path = DATA / "ddos" / name
        if not path.exists():
            skip(f"{name} among ten times as much", f"no {path}")
            continue
        attack = read(path)[part]
        begin = attack[0][0] - SECOND
        seconds = (attack[-1][0] - begin) / SECOND + 0.2
        packets = sorted(attack + web(Maker(), bytes([10, 10, 10, 10]), begin, seconds, 10 * len(attack)),
                         key=lambda p: p[0])
        data = pcap(packets)
        for sampling in (1, most):
            code, incidents, err = replay(data, "--sampling", str(sampling))
            found = [v for i in incidents for v in i.get("trace", {}).get("vectors", [])]
            v = found[0] if found else {}
            # Three standard errors: of a share that is taken from a sample, and of what sampling left.
            within = 3 * (0.02 + (right / sampling) ** -0.5 if sampling > 1 else 0.02) * right
            well = code == 0 and len(incidents) == 1 and (v.get("id"), v.get("status")) == (vector, status) and \
                abs(v["packets"] - right) <= within and \
                (sources is None or sampling > 1 or abs(v["sources"] - sources) <= 0.07 * sources)
            check(f"{name} among ten times as much, 1:{sampling}: {vector}", well,
                  (err, [(v["id"], v["status"], v["packets"], v["sources"]) for v in found]))


def main():
    global folder
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try_kinds()
        try_flags()
        try_middle()
        try_forms()
        try_carpet()
        try_usual()
        try_among_calls()
        try_together()
        try_inside()
        try_scanner()
        try_mixed()
    return 1 if live.failures else 0


raise SystemExit(main())
