#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Queries to name servers, replayed: a flood of random names below one zone is named; name servers, lists, content
networks, reverse zones and resolvers that are only busy raise nothing, from their first second on and later; and more
of what is always asked for is no random-name flood."""
import itertools
import json
import pathlib
import random
import struct
import subprocess
import tempfile
import zlib

from captures import SECOND, pcap, udp_packet
from live import WHYDOWN, check
import live

BEGIN = 1700000000 * SECOND + 123456789  # within a tick
SERVER = bytes([203, 0, 113, 53])
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
LEARNED = 640  # seconds: a little more than what must be learned before names speak
folder = None


def replay(packets, *arguments):
    path = folder / "a.pcap"
    path.write_bytes(pcap(sorted(packets, key=lambda p: p[0])))
    done = subprocess.run([WHYDOWN, "replay", "--format", "json", "--quiet", "--service", "dns=203.0.113.53/32",
                           *arguments, path], capture_output=True, text=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


class Asker:
    """Resolvers, few of which ask for most, each from its own distance; their queries, and the answers."""

    def __init__(self, seed, many=400):
        self.r = r = random.Random(seed)
        self.resolvers = [bytes([r.randrange(1, 220)]) + r.randbytes(3) for _ in range(many)]
        self.shares = list(itertools.accumulate(1 / (i + 3) for i in range(many)))

    def resolver(self):
        return self.r.choices(self.resolvers, cum_weights=self.shares)[0]

    def mixed_case(self, name):
        return "".join(c.upper() if self.r.getrandbits(1) else c for c in name)

    def query(self, at, name, back=True, source=None):
        """With its answer, unless only one way is seen."""
        r, a = self.r, source or self.resolver()
        h = zlib.crc32(a)
        name = self.mixed_case(name) if h % 3 == 0 else name
        asked = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0\0\1\0\1"
        edns = h % 4 > 0
        head = struct.pack("!HHHHHH", r.getrandbits(16), 0, 1, 0, 0, edns)
        body = head + asked + b"\0\0\x29\x04\xd0\0\0\x80\0\0\0" * edns
        port, ttl = r.randrange(1024, 65536), (64, 128, 255)[h % 3] - 5 - (h >> 8) % 20
        out = [(at, udp_packet(a, port, SERVER, 53, body, ttl))]
        if back:
            answer = body[:2] + b"\x84\3" + body[4:] + bytes(80)
            out.append((at + 300000, udp_packet(SERVER, 53, a, port, answer)))
        return out

    def queries(self, name, per_second, begin, seconds, back=True):
        """Not in even steps."""
        out, count = [], int(per_second * seconds)
        for _ in range(count):
            at = BEGIN + int((begin + self.r.random() * seconds) * SECOND)
            out += self.query(at, name(), back)
        return out


def text(r, low, high):
    return "".join(r.choices(LETTERS, k=r.randint(low, high)))


def random_names(r):
    """What bots of the Mirai family ask for: twelve random letters."""
    return lambda: text(r, 12, 12) + ".shop.example.com"


def popular(names):
    """The n-th is asked for 1/n as often."""
    shares = list(itertools.accumulate(1 / (i + 1) for i in range(len(names))))
    return lambda r: r.choices(names, cum_weights=shares)[0]


def servers(r):
    """Who asks a name server for what, of those that are not attacked."""
    hosts = popular([text(r, 3, 8) + ".example.com" for _ in range(300)])
    domains = popular([f"{h}.{text(r, 5, 12)}.{t}" for t in ("com", "co.uk", "de") for h in ("www", "mail", "api")
                       for _ in range(3000)])
    cdn = popular(["d" + text(r, 13, 13) + ".cdn.example.net" for _ in range(50000)])
    clients = popular([f"www.{text(r, 4, 10)}.com" for _ in range(20000)])
    byte = lambda: str(r.randrange(256))
    return {
        "one zone's server": lambda: hosts(r),
        "a hoster of many domains": lambda: domains(r),
        "a content network's zone": lambda: cdn(r),
        "a list of addresses": lambda: ".".join((byte(), byte(), byte(), byte(), "bl", "example", "org")),
        "a list of IPv6 addresses": lambda: ".".join(r.choices("0123456789abcdef", k=32)) + ".bl.example.org",
        "a list of hashes": lambda: text(r, 52, 52) + ".hash.list.example.org",
        "a list of domains": lambda: f"{text(r, 5, 20)}.com.dbl.example.org",
        "a reverse zone": lambda: ".".join((byte(), byte(), "2", "192", "in-addr", "arpa")),
        "a reverse zone of IPv6": lambda: ".".join(r.choices("0123456789abcdef", k=32)) + ".ip6.arpa",
        "a resolver": lambda: clients(r),
        "measurements by random names": lambda: f"{text(r, 8, 8)}-{text(r, 4, 4)}.{text(r, 3, 3)}.probe.example.net",
    }


def vectors(answer):
    return [v["id"] for i in answer[1] for v in i.get("trace", {}).get("vectors", [])]


def quiet(what, packets, *arguments):
    answer = replay(packets, *arguments)
    check(f"{what}: no incident", answer[0] == 0 and answer[1] == [], (answer[2], vectors(answer)))


def named(what, packets, vector, *arguments):
    answer = replay(packets, *arguments)
    check(f"{what}: {vector}", answer[0] == 0 and len(answer[1]) == 1 and vectors(answer)[:1] == [vector],
          (answer[2], len(answer[1]), vectors(answer)))
    return answer


def try_first_minutes():
    """Nothing is known of the service."""
    for back in (True, False):
        for what in servers(random.Random(2)):
            asker = Asker(3)
            name = servers(asker.r)[what]
            quiet(f"{what} at 4000/s, {'both ways' if back else 'one way'} seen",
                  asker.queries(name, 4000, 0, 2, back))


def straight(r, count, seconds, name):
    """Bots that ask the server themselves, each from changing ports, in queries of one length."""
    bots, out = [bytes([r.randrange(20, 100)]) + r.randbytes(3) for _ in range(500)], []
    for n in range(count):
        asked = b"".join(bytes([len(x)]) + x.encode() for x in name().split(".")) + b"\0\0\1\0\1"
        a, head = r.choice(bots), struct.pack("!HHHHHH", r.getrandbits(16), 256, 1, 0, 0, 0)
        out.append((BEGIN + n * seconds * SECOND // count,
                    udp_packet(a, r.randrange(1024, 65536), SERVER, 53, head + asked, 64 - zlib.crc32(a) % 20)))
    return out


def try_straight():
    """Other rules open it from its first packet on; names only tell what it is."""
    r = random.Random(7)
    named("random names from bots", straight(r, 12000, 2, random_names(r)), "dns.watertorture")
    named("one name from bots", straight(r, 12000, 2, lambda: "www.shop.example.com"), "dns.query")
    hosts = [text(r, 12, 12) + ".shop.example.com" for _ in range(500)]
    named("some names from bots", straight(r, 12000, 2, lambda: r.choice(hosts)), "dns.query")


def try_learned():
    """A server that was asked for usual names by the hundred for ten minutes."""
    for what in ("one zone's server", "a hoster of many domains", "a reverse zone", "a resolver"):
        asker = Asker(4)
        usual = asker.queries(servers(asker.r)[what], 40, 0, LEARNED)
        flood = asker.queries(random_names(asker.r), 3000, LEARNED - 8, 6)
        named(f"random names at {what}", usual + flood, "dns.watertorture")
    # Names tell nothing where most are always new.
    asker = Asker(6)
    usual = asker.queries(servers(asker.r)["a content network's zone"], 40, 0, LEARNED)
    named("random names where 50,000 are usual", usual + asker.queries(random_names(asker.r), 3000, LEARNED - 8, 6),
          "dns.query")
    for what in ("one zone's server", "a list of hashes", "a list of addresses", "measurements by random names"):
        asker = Asker(5)
        name = servers(asker.r)[what]
        usual = asker.queries(name, 40, 0, LEARNED)
        named(f"seventy times as much of the same at {what}", usual + asker.queries(name, 3000, LEARNED - 8, 6),
              "dns.query")


def main():
    global folder
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try_first_minutes()
        try_straight()
        try_learned()
    return 1 if live.failures else 0


raise SystemExit(main())
