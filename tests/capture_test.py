#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Packets of an interface, inside a network namespace that this test makes: what is counted, a flood that is named,
an interface that goes away and comes back, and what is said without the privilege or the interface; the same by
AF_XDP, where a program may be put on an interface."""
import ctypes
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import live
from captures import ip_packet
from live import check, packet4, udp, vectors

CAP_NET_RAW, PR_CAPBSET_DROP = 13, 24
TARGET = 0xc0000201  # 192.0.2.1
ETHERNET = b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\0"

CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {{{by}: [{interface}], capture_threads: {threads}, capture_ring_bytes: 4194304, capture_promiscuous: {all}}}
services_from: []
services:
  - {{id: shop, name: Shop, addresses: [192.0.2.1]}}
"""


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


DNS_ANSWER = b"\x12\x34\x81\x80\0\1\0\x14\0\0\0\1\7example\3org\0\0\xff\0\1"


def frame(source, length, sport):
    """Ethernet, IPv4, UDP from `sport` to 192.0.2.1; from 53 a large DNS answer."""
    payload = (DNS_ANSWER if sport == 53 else b"words of a client").ljust(length - 28, b".")
    return ETHERNET + udp(source, sport, TARGET, 40000, payload, ttl=57)


def fragment_frame(source, n):
    """Ethernet, and a later fragment of a datagram whose first one never comes."""
    return ETHERNET + ip_packet(17, source.to_bytes(4, "big"), TARGET.to_bytes(4, "big"), b"." * 400, ttl=57, ident=n, fragment=185)


def gre_frame(source, n):
    """Ethernet, IPv4, GRE to 192.0.2.1, and in it a packet whose addresses mean nothing, as bots send it."""
    inside = udp(source * 7 & 0xffffffff, 4000, 0x0b000000 + n * 65793 % 0xb0000000, 40000, b"." * 472, ttl=57)
    return ETHERNET + packet4(47, source, TARGET, b"\0\0\x08\0" + inside, ttl=57)


class Server(live.Server):
    """May not start: then nothing can be asked of it."""

    def __init__(self, folder, interface, threads=1, preexec=None, by="capture", all="false"):
        super().__init__(folder, CONFIG.format(interface=interface, threads=threads, by=by, all=all), None, preexec)

    def starts(self):
        try:
            self.connect()
        except TimeoutError:
            return False
        return True

    def metric(self, name):
        return self.metrics()[name]


def incident_of(server):
    incidents = server.incidents()
    return incidents[0] if incidents else {}


def flood(wire, make, server, seconds=30):
    """Until an incident has traffic, or `seconds`; returns how long that took."""
    began, sent = time.time(), 0
    while time.time() - began < seconds and "traffic" not in incident_of(server):
        for _ in range(300):
            sent += 1
            wire.send(make(0x2d000000 + sent % 700 * 65793, sent))
        time.sleep(0.02)
    return time.time() - began


def try_counting(folder, threads, by="capture"):
    server = Server(folder, "va", threads, by=by)
    if not server.starts():
        check(f"a {by} of {threads} threads starts", False, server.said())
        return
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    before = server.metric("whydown_capture_packets_total")
    for n in range(3000):
        wire.send(frame(0x0a000000 + n % 50, 100, 3000 + n % 7))
        if n % 30 == 0:
            time.sleep(0.05)
    wire.send(b"\xff" * 6 + b"\x02\0\0\0\0\1" + b"\x08\x06" + b"\0" * 46)  # ARP
    time.sleep(2.2)
    packets = server.metric("whydown_capture_packets_total") - before
    check(f"{by}: {threads} threads count every packet once", 3001 <= packets < 3050, packets)
    check("… and those that are not IP apart", server.metric("whydown_capture_not_ip_total") >= 1)
    check("… and drop none", server.metric("whydown_capture_drops_total") == 0)
    check("an unhurried thousand packets is no incident", incident_of(server) == {}, incident_of(server))
    took = flood(wire, lambda source, _: frame(source, 1400, 53), server)
    check(f"a flood on the wire is an incident ({took:.2f} s)", "traffic" in incident_of(server), incident_of(server))
    time.sleep(1)
    check("… with its vector", vectors(incident_of(server))[:1] == ["amp.dns"], incident_of(server))
    if threads == 1 and by == "capture":
        ip("link", "set", "va", "down")
        time.sleep(1)
        ip("link", "set", "va", "up")
        time.sleep(1)
        before = server.metric("whydown_capture_packets_total")
        for n in range(100):
            wire.send(frame(0x0a000000, 100, 3000))
            time.sleep(0.001)
        time.sleep(2.2)
        check("an interface that was down is listened to again",
              server.metric("whydown_capture_packets_total") >= before + 100)
    check("it stops in good order", server.stop() == 0, server.said())


def try_tunnels(folder):
    """What floods a watched address with GRE is GRE, whatever addresses are inside."""
    server = Server(folder, "va")
    if not server.starts():
        check("a capture starts once more", False, server.said())
        return
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    for n in range(400):
        wire.send(frame(0x0a000000 + n % 50, 100, 3000 + n % 7))
        time.sleep(0.01)
    took = flood(wire, gre_frame, server)
    time.sleep(1)
    check(f"a flood of GRE packets at a service is named so, live ({took:.2f} s)",
          vectors(incident_of(server))[:1] == ["gre"], incident_of(server))
    check("it, too, stops in good order", server.stop() == 0, server.said())


def count(server, wire, frames):
    """How many more packets are counted when these were sent."""
    before = server.metric("whydown_capture_packets_total")
    for packet in frames:
        wire.send(packet)
        time.sleep(0.001)
    time.sleep(2.2)
    return server.metric("whydown_capture_packets_total") - before


def try_threads(folder):
    """What a group of sockets must not lose: fragments alone, and an interface that is made anew."""
    server = Server(folder, "va", 2, all="true")
    if not server.starts():
        check("a capture of two threads starts", False, server.said())
        return
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    seen = count(server, wire, [fragment_frame(0x0a000000 + n % 50, n) for n in range(500)])
    check("two threads count fragments whose rest never comes", seen >= 500, seen)
    wire.close()
    ip("link", "del", "va")
    time.sleep(1)
    make_wire()
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    seen = count(server, wire, [frame(0x0a000000 + n, 100, 3000) for n in range(100)])
    check("… and an interface that was made anew is listened to again", seen >= 100, seen)
    seen = count(server, wire, [b"\x02\0\0\0\0\x77" + frame(0x0a000000 + n, 100, 3000)[6:] for n in range(100)])
    check("… also to what is addressed to others, as before", seen >= 100, seen)
    check("with a new interface it stops in good order", server.stop() == 0, server.said())


def try_drops(folder):
    """The program is held for a moment: the ring fills, and what the kernel drops then is counted."""
    server = Server(folder, "va")
    if not server.starts():
        check("a capture starts again", False, server.said())
        return
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    time.sleep(1)
    before = server.metric("whydown_capture_packets_total")
    packet, sent = frame(0x0a000000, 300, 3000), 60000
    server.process.send_signal(signal.SIGSTOP)
    try:
        for _ in range(sent):
            wire.send(packet)
    finally:
        server.process.send_signal(signal.SIGCONT)
    time.sleep(3)
    drops = server.metric("whydown_capture_drops_total")
    packets = server.metric("whydown_capture_packets_total") - before
    check(f"what the kernel dropped is counted ({drops:.0f} of {sent})", drops > 1000 and abs(drops + packets - sent) < 60,
          (drops, packets))
    for n in range(100):
        wire.send(packet)
    time.sleep(2.5)
    check("… and what comes after it is seen", server.metric("whydown_capture_packets_total") - before >= packets + 100)
    check("after drops it stops in good order", server.stop() == 0, server.said())


def drop_privilege():
    ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_NET_RAW, 0, 0, 0)


def make_wire():
    ip("link", "set", "lo", "up")
    ip("link", "add", "va", "type", "veth", "peer", "name", "vb")
    for interface in ("va", "vb"):
        ip("link", "set", interface, "up")
    time.sleep(2)  # the kernel's own packets of a new interface


def main_xdp():
    with tempfile.TemporaryDirectory() as name:
        folders = [pathlib.Path(name) / str(n) for n in range(2)]
        for folder in folders:
            folder.mkdir()
        make_wire()
        ip("addr", "add", "192.0.2.1/24", "dev", "va")
        check("a frame of the wire reaches the system", reaches())
        server = Server(folders[0], "va", by="capture_xdp")
        if not server.starts() and "built without" in server.said():
            print("skip - packets by AF_XDP: this program was built without libxdp")
            return 0
        if "Operation not permitted" in server.said():
            print("skip - packets by AF_XDP: this machine lets nobody put a program on an interface")
            return 0
        check("… but not what AF_XDP takes", not reaches(), server.said())
        check("it stops in good order", server.stop() == 0, server.said())
        try_counting(folders[1], 1, "capture_xdp")
        check("the program on the interface goes with the server",
              "xdp" not in subprocess.run(["ip", "link", "show", "va"], capture_output=True, text=True).stdout)
        server = Server(folders[1], "nowhere0", by="capture_xdp")
        check("AF_XDP: an interface that is not there is told", server.process.wait(timeout=20) == 1 and
              "event=cannot_capture interface=nowhere0" in server.said(), server.said())
    return 1 if live.failures else 0


def reaches():
    """Does a datagram to a port of ours, sent as a frame from the other end, come out of a socket?"""
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.bind(("192.0.2.1", 40000))
    listener.settimeout(0.5)
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("vb", 0))
    wire.send(frame(0xc0000202, 100, 3000))
    try:
        listener.recv(100)
        return True
    except TimeoutError:
        return False
    finally:
        listener.close()
        wire.close()


def main():
    with tempfile.TemporaryDirectory() as name:
        folders = [pathlib.Path(name) / str(n) for n in range(7)]
        for folder in folders:
            folder.mkdir()
        make_wire()
        try_counting(folders[0], 1)
        try_counting(folders[1], 2)
        try_tunnels(folders[4])
        try_drops(folders[5])
        try_threads(folders[6])
        server = Server(folders[2], "nowhere0")
        check("an interface that is not there is told", server.process.wait(timeout=20) == 1 and
              "event=cannot_capture interface=nowhere0" in server.said() and "No such device" in server.said(),
              server.said())
        server = Server(folders[3], "va", preexec=drop_privilege)
        check("the privilege that is missing is told", server.process.wait(timeout=20) == 1 and
              "CAP_NET_RAW" in server.said(), server.said())
    return 1 if live.failures else 0


def try_xdp():
    """In a namespace without users of its own: only there may a program be put on an interface."""
    probe = subprocess.run(["unshare", "--net", "ip", "link", "add", "va", "type", "veth", "peer", "name", "vb"],
                           capture_output=True, text=True)
    if probe.returncode != 0:
        print("skip - packets by AF_XDP: " + probe.stderr.strip())
        return 0
    return subprocess.run(["unshare", "--net", sys.executable, __file__, "--inside-xdp"]).returncode


if "--inside" in sys.argv:
    sys.exit(main())
if "--inside-xdp" in sys.argv:
    sys.exit(main_xdp())
try:
    made = subprocess.run(["unshare", "--user", "--map-root-user", "--net", "ip", "link", "add", "va", "type", "veth",
                           "peer", "name", "vb"], capture_output=True, text=True)
except FileNotFoundError as missing:
    made = subprocess.CompletedProcess([], 1, "", str(missing))
if made.returncode != 0:
    print("skip - packets of an interface: no network namespace of its own: " + (made.stderr.strip() or "unshare fails"))
    sys.exit(0)
inside = subprocess.run(["unshare", "--user", "--map-root-user", "--net", sys.executable, __file__, "--inside"])
sys.exit(inside.returncode or try_xdp())
