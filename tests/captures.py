# SPDX-License-Identifier: Apache-2.0
"""Capture files for tests: read and written in every form that tools write them in, wrapped in the links and tunnels
they come over, and packets of the usual traffic and of attacks. Not a test. A packet is (ns since 1970, IP packet)."""
import struct

ETHERNET, NULL, RAW, LOOP, SLL, SLL2, PPP, CHDLC, IPV4, IPV6, RAW_BSD = 1, 0, 101, 108, 113, 276, 9, 104, 228, 229, 12
SECOND = 10**9


# ---- reading ----

def ip_of(link, frame):
    """The IP packet of a frame, None where there is none. Enough for the captures the tests read."""
    if link == ETHERNET:
        kind, at = frame[12:14], 14
        while kind in (b"\x81\0", b"\x88\xa8"):
            kind, at = frame[at + 2:at + 4], at + 4
        return frame[at:] if kind in (b"\x08\0", b"\x86\xdd") else None
    return frame if link in (RAW, RAW_BSD, IPV4, IPV6) else None


def read_pcap(data):
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    unit = 1 if data[:4] in (b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d") else 1000
    link, at, found = struct.unpack_from(order + "I", data, 20)[0] & 0xffff, 24, []
    while at + 16 <= len(data):
        seconds, part, kept, _ = struct.unpack_from(order + "IIII", data, at)
        found.append((seconds * SECOND + part * unit, ip_of(link, data[at + 16:at + 16 + kept])))
        at += 16 + kept
    return [p for p in found if p[1]]


def read_pcapng(data):
    at, found, links, order = 0, [], [], "<"
    while at + 12 <= len(data):
        if data[at:at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8:at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            links = []
        kind, length = struct.unpack_from(order + "II", data, at)
        if kind == 1:
            links.append((struct.unpack_from(order + "H", data, at + 8)[0], resolution(data, at, length, order)))
        if kind == 6:
            interface, high, low, kept = struct.unpack_from(order + "IIII", data, at + 8)
            link, unit = links[interface]
            found.append(((high << 32 | low) * unit, ip_of(link, data[at + 28:at + 28 + kept])))
        at += length
    return [p for p in found if p[1]]


def resolution(data, at, length, order):
    """ns a unit of an interface: if_tsresol, decimal; microseconds without."""
    where, unit = at + 16, 1000
    while where + 4 <= at + length - 4:
        option, size = struct.unpack_from(order + "HH", data, where)
        if option == 9:
            unit = 10 ** (9 - data[where + 4])
        where += 4 + (size + 3) // 4 * 4
    return unit


def read(path):
    data = path.read_bytes()
    return read_pcapng(data) if data[:4] == b"\x0a\x0d\x0d\x0a" else read_pcap(data)


def moved(packets, begin):
    """The same, the first at `begin` (ns)."""
    first = min(p[0] for p in packets)
    return [(at - first + begin, packet) for at, packet in packets]


# ---- links: what stands before the IP packet ----

def kind_of(packet):
    return b"\x86\xdd" if packet[0] >> 4 == 6 else b"\x08\0"


MACS = b"\x02\0\0\0\0\1\x02\0\0\0\0\2"
LINKS = {
    "ethernet": (ETHERNET, lambda p: MACS + kind_of(p) + p),
    "ethernet, padded": (ETHERNET, lambda p: (MACS + kind_of(p) + p).ljust(60, b"\0")),
    "VLAN": (ETHERNET, lambda p: MACS + b"\x81\0\x20\x64" + kind_of(p) + p),
    "QinQ": (ETHERNET, lambda p: MACS + b"\x88\xa8\0\x64\x81\0\0\x65" + kind_of(p) + p),
    "MPLS": (ETHERNET, lambda p: MACS + b"\x88\x47\0\x01\0\x40\0\x02\x01\x40" + p),
    "PPPoE": (ETHERNET, lambda p: MACS + b"\x88\x64\x11\0\0\1" + struct.pack("!H", len(p) + 2) +
              (b"\0\x57" if p[0] >> 4 == 6 else b"\0\x21") + p),
    "raw IP": (RAW, lambda p: p),
    "raw IP of BSD": (RAW_BSD, lambda p: p),
    "Linux cooked": (SLL, lambda p: b"\0\0\0\1\0\6\x02\0\0\0\0\2\0\0" + kind_of(p) + p),
    "Linux cooked 2": (SLL2, lambda p: kind_of(p) + b"\0\0\0\0\0\2\0\1\0\6\x02\0\0\0\0\2\0\0" + p),
    "loopback of BSD": (NULL, lambda p: struct.pack("<I", 30 if p[0] >> 4 == 6 else 2) + p),
    "loopback of OpenBSD": (LOOP, lambda p: struct.pack(">I", 24 if p[0] >> 4 == 6 else 2) + p),
    "PPP": (PPP, lambda p: (b"\xff\3\0\x57" if p[0] >> 4 == 6 else b"\xff\3\0\x21") + p),
    "Cisco HDLC": (CHDLC, lambda p: b"\x0f\0" + kind_of(p) + p),
}


def ones(data):
    """Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def outer4(protocol, payload, source=0xcb007101, target=0xcb007102):
    """From router to router."""
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(payload), 0, 0, 250, protocol, 0, source, target)
    return head[:10] + struct.pack("!H", ones(head)) + head[12:] + payload


def outer_udp(port, payload):
    return outer4(17, struct.pack("!HHHH", 50000, port, 8 + len(payload), 0) + payload)


TUNNELS = {
    "GRE": lambda p: outer4(47, b"\0\0" + kind_of(p) + p),
    "GRE with a key": lambda p: outer4(47, b"\x20\0" + kind_of(p) + b"\0\0\0\7" + p),
    "VXLAN": lambda p: outer_udp(4789, b"\x08\0\0\0\0\0\x64\0" + MACS + kind_of(p) + p),
    "Geneve": lambda p: outer_udp(6081, b"\0\0\x65\x58\0\0\x64\0" + MACS + kind_of(p) + p),
    "GTP-U": lambda p: outer_udp(2152, struct.pack("!BBHI", 0x34, 255, len(p) + 8, 7) + b"\0\0\0\x85\1\x10\5\0" + p),
    "L2TP": lambda p: outer_udp(1701, b"\x40\2" + struct.pack("!HHH", len(p) + 12, 7, 8) + b"\xff\3" +
                                (b"\0\x57" if p[0] >> 4 == 6 else b"\0\x21") + p),
    "TZSP": lambda p: outer_udp(37008, b"\1\0\0\1\1" + MACS + kind_of(p) + p),
    "IP in IP": lambda p: outer4(41 if p[0] >> 4 == 6 else 4, p),
}


# ---- writing ----

def pcap(packets, link="ethernet", order="<", nanoseconds=False, kept_max=262144):
    number, frame = LINKS[link]
    unit = 1 if nanoseconds else 1000
    out = [struct.pack(order + "IHHiIII", 0xa1b23c4d if nanoseconds else 0xa1b2c3d4, 2, 4, 0, 0, kept_max, number)]
    for at, packet in packets:
        data = frame(packet)
        kept = data[:kept_max]
        out.append(struct.pack(order + "IIII", at // SECOND, at % SECOND // unit, len(kept), len(data)) + kept)
    return b"".join(out)


def pcapng(packets, link="ethernet", order="<", nanoseconds=False, kept_max=262144):
    number, frame = LINKS[link]
    unit = 1 if nanoseconds else 1000
    out = [struct.pack(order + "IIIHHqI", 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0, -1, 28)]
    options = struct.pack(order + "HHBBBBHH", 9, 1, 9, 0, 0, 0, 0, 0) if nanoseconds else b""
    size = 20 + len(options)
    out.append(struct.pack(order + "IIHHI", 1, size, number, 0, kept_max) + options + struct.pack(order + "I", size))
    for at, packet in packets:
        data = frame(packet)
        kept = data[:kept_max]
        padded = kept + b"\0" * (-len(kept) % 4)
        size = 32 + len(padded)
        ticks = at // unit
        out.append(struct.pack(order + "IIIIIII", 6, size, 0, ticks >> 32, ticks & 0xffffffff, len(kept), len(data)) +
                   padded + struct.pack(order + "I", size))
    return b"".join(out)


# ---- packets ----

def ip_packet(protocol, source, target, payload, ttl=64, ident=0, fragment=0):
    """Addresses of 4 or 16 bytes."""
    if len(target) == 16:
        return struct.pack("!IHBB", 0x60000000, len(payload), protocol, ttl) + source + target + payload
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(payload), ident & 0xffff, fragment, ttl, protocol, 0) + \
        source + target
    return head[:10] + struct.pack("!H", ones(head)) + head[12:] + payload


def udp_packet(source, sport, target, dport, payload, ttl=64):
    return ip_packet(17, source, target, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload, ttl)


def tcp_packet(source, sport, target, dport, flags, payload=b"", ttl=64, sequence=0, window=64240, options=b"",
               acknowledged=0):
    head = struct.pack("!HHIIBBHHH", sport, dport, sequence, acknowledged, (20 + len(options)) // 4 << 4, flags, window,
                       0, 0)
    return ip_packet(6, source, target, head + options + payload, ttl)


FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = 1, 2, 4, 8, 16, 32, 64, 128
SYN_OPTIONS = b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7"
STAMP = b"\1\1\x08\x0a\0\0\0\1\0\0\0\2"
