# SPDX-License-Identifier: Apache-2.0
"""What tests and benchmarks of the live program share: starting it, asking it, packets, a network namespace. Not a
test. All of it is bounded: nobody sends longer than it says."""
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import struct
import subprocess
import sys
import time

SOURCE = pathlib.Path(os.environ.get("SOURCE", pathlib.Path(__file__).resolve().parent.parent))
WHYDOWN = os.environ.get("WHYDOWN", str(SOURCE / "build/whydown"))
DATA = pathlib.Path(os.environ.get("WHYDOWN_TEST_DATA", SOURCE / "../shared/data"))
failures = 0


def check(what, passed, *shown):
    global failures
    print(("ok - " if passed else "not ok - ") + what, flush=True)
    if not passed:
        failures += 1
        print("\t" + " ".join(map(str, shown)).replace("\n", "\n\t"), flush=True)
    return passed


def skip(what, why):
    print(f"skip - {what}: {why}", flush=True)


def inside_a_namespace(what):
    """Runs this script once more in a network namespace of its own, with loopback up, and ends with its status.
    Returns only inside it. Skips where that is not permitted."""
    if os.environ.get("WHYDOWN_NAMESPACE"):
        return
    name = f"whydown-test-{os.getpid()}"
    try:
        made = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    except FileNotFoundError:
        skip(what, "no program `ip`")
        sys.exit(0)
    if made.returncode != 0:
        skip(what, "no network namespace: " + made.stderr.strip())
        sys.exit(0)
    try:
        # Not `ip netns exec`, which also mounts: that fails where the root is no mount point (a chroot).
        enter = ["nsenter", "--net=/run/netns/" + name]
        subprocess.run([*enter, "ip", "link", "set", "lo", "up"], check=True)
        done = subprocess.run([*enter, sys.executable, *sys.argv], env={**os.environ, "WHYDOWN_NAMESPACE": name})
    finally:
        subprocess.run(["ip", "netns", "del", name])
    sys.exit(done.returncode)


# ---- the program ----

class Server:
    def __init__(self, folder, config, ready="event=listening", preexec=None):
        """Waits until it says `ready`; None: it may not start at all, and connect() is for the caller."""
        folder.mkdir(exist_ok=True)
        self.folder, self.connection = folder, None
        self.config = folder / "whydown.yaml"
        self.config.write_text(config)
        self.log = open(folder / "log", "w+")
        self.process = subprocess.Popen([WHYDOWN, "serve", "--config", self.config, "--data", folder / "data"],
                                        stderr=self.log, preexec_fn=preexec)
        if ready is not None:
            self.connect()
            self.wait_for(ready)

    def connect(self):
        self.url = "127.0.0.1:" + self.wait_for("event=listening url=http://127.0.0.1:").split("/")[0]
        self.connection = http.client.HTTPConnection(self.url, timeout=10)

    def said(self):
        return pathlib.Path(self.log.name).read_text()

    def wait_for(self, text, seconds=30):
        until = time.time() + seconds
        while time.time() < until:
            said = self.said()
            if text in said:
                return said.split(text)[-1]
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        raise TimeoutError(f"{text}: {said}")

    def udp_port(self):
        return int(self.wait_for("event=collecting udp=127.0.0.1:").split()[0])

    def get(self, path):
        """Over one connection: an address may open only so many a second (docs/http.md). LookupError: not 200."""
        for again in (True, False):
            try:
                self.connection.request("GET", path)
                answer = self.connection.getresponse()
                text = answer.read().decode()
                break
            except (ConnectionError, http.client.HTTPException):
                self.connection.close()
                if not again:
                    raise
        if answer.status != 200:
            raise LookupError(f"{path}: {answer.status}: {text[:200]}")
        return text

    def incidents(self):
        return json.loads(self.get("/api/v1/incidents"))["incidents"]

    def metrics(self):
        found = {}
        for line in self.get("/metrics").splitlines():
            if line and line[0] != "#":
                name, value = line.rsplit(" ", 1)
                found[name] = float(value)
        return found

    def reload(self, config):
        told = self.said().count("event=reloaded")
        self.config.write_text(config)
        self.process.send_signal(signal.SIGHUP)
        until = time.time() + 20
        while self.said().count("event=reloaded") == told and time.time() < until:
            time.sleep(0.02)

    def stop(self):
        if self.connection is not None:
            self.connection.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait()


# ---- exporters ----

class Exporter:
    """NetFlow 5 or 9 to a collector, from an address and with a source id of one's own."""

    def __init__(self, port, source="127.0.0.1", to="127.0.0.1", version=5, source_id=0):
        self.socket = socket.socket(socket.AF_INET6 if ":" in to else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((source, 0))
        self.to = (to, port)
        self.version, self.source_id = version, source_id
        self.sequence = 0  # v5: of records, v9: of datagrams
        self.clock = 0     # s that its clock is ahead of ours

    def datagram(self, records):
        """Records of (source, target, packets, bytes, source port, target port, protocol)."""
        now = int(time.time() + self.clock)
        if self.version == 5:
            return struct.pack("!HHIIIIBBH", 5, len(records), 1000, now, 0, self.sequence, self.source_id >> 8,
                               self.source_id & 255, 0) + b"".join(
                struct.pack("!IIIHHIIIIHHBBBBHHBBH", s, d, 0, 0, 0, p, b, 0, 0, sp, dp, 0, 0, proto, 0, 0, 0, 0, 0, 0)
                for s, d, p, b, sp, dp, proto in records)
        fields = ((8, 4), (12, 4), (2, 4), (1, 4), (7, 2), (11, 2), (4, 1))
        template = struct.pack("!HH", 256, len(fields)) + b"".join(struct.pack("!HH", *f) for f in fields)
        data = b"".join(struct.pack("!IIIIHHB", *r) for r in records)
        data += b"\0" * (-len(data) % 4)
        return (struct.pack("!HHIIII", 9, 1 + len(records), 1000, now, self.sequence, self.source_id) +
                struct.pack("!HH", 0, 4 + len(template)) + template + struct.pack("!HH", 256, 4 + len(data)) + data)

    def skip(self, count):
        """As if so many had been lost on the way."""
        self.sequence += count

    def send(self, records):
        for at in range(0, len(records), 30):
            part = records[at:at + 30]
            self.socket.sendto(self.datagram(part), self.to)
            self.sequence += len(part) if self.version == 5 else 1


def sflow_sample(sequence, index, sampling, drops, packet):
    """A flow sample of an interface's, with one IP packet's header."""
    header = packet[:128]
    raw = struct.pack("!IIII", 11, len(packet), 0, len(header)) + header + b"\0" * (-len(header) % 4)
    body = struct.pack("!IIIIIIII", sequence, index, sampling, sequence * sampling, drops, index, index + 1, 1)
    body += struct.pack("!II", 1, len(raw)) + raw
    return struct.pack("!II", 1, len(body)) + body


def sflow(agent, sub_agent, sequence, samples):
    return struct.pack("!IIIIIII", 5, 1, agent, sub_agent, sequence, 60000, len(samples)) + b"".join(samples)


def vectors(incident):
    return [v["id"] for v in (incident.get("traffic") or {}).get("vectors", [])]


# ---- packets ----

def ip4(text):
    return struct.unpack("!I", socket.inet_aton(text))[0]


def ones(data):
    """Internet checksum (RFC 1071)."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def packet4(protocol, source, target, payload, ttl=64, ident=0):
    head = struct.pack("!BBHHHBBHII", 0x45, 0, 20 + len(payload), ident & 0xffff, 0, ttl, protocol, 0, source, target)
    return head[:10] + struct.pack("!H", ones(head)) + head[12:] + payload


def udp(source, sport, target, dport, payload, ttl=64):
    return packet4(17, source, target, struct.pack("!HHHH", sport, dport, 8 + len(payload), 0) + payload, ttl)


def tcp(source, sport, target, dport, flags, payload=b"", ttl=64, sequence=0, window=64240, options=b""):
    offset = (20 + len(options)) // 4 << 4
    head = struct.pack("!HHIIBBHHH", sport, dport, sequence & 0xffffffff, 0, offset, flags, window, 0, 0)
    return packet4(6, source, target, head + options + payload, ttl)


SYN, ACK, PSH = 2, 16, 8


class Mix:
    """Packets of the kinds the tests need, seeded. Addresses are those kept for documentation and benchmarks."""

    def __init__(self, target, seed=1):
        self.random = random.Random(seed)
        self.target = target
        self.resolvers = [self.random.randrange(0x0b000000, 0xdf000000) for _ in range(600)]
        self.clients = [self.random.randrange(0x0b000000, 0xdf000000) for _ in range(400)]
        answer = struct.pack("!HHHHHH", 7, 0x8180, 1, 20, 0, 1) + b"\7example\3com\0" + struct.pack("!HH", 255, 1)
        self.answer = (answer + bytes(range(256)) * 8)[:1372]
        self.sequence = 0

    def web(self):
        """One packet of a client in a connection."""
        r = self.random
        client = r.choice(self.clients)
        port = 32768 + client % 28000
        kind = r.random()
        if kind < 0.05:
            return tcp(client, port, self.target, 443, SYN, ttl=50 + client % 12, sequence=r.getrandbits(32),
                       options=b"\2\4\5\xb4\4\2\x08\x0a\0\0\0\1\0\0\0\0\1\3\3\7")
        return tcp(client, port, self.target, 443, ACK if kind < 0.6 else ACK | PSH,
                   b"x" * (0 if kind < 0.6 else 400), ttl=50 + client % 12, sequence=r.getrandbits(32))

    def reply(self):
        client = self.random.choice(self.clients)
        return tcp(self.target, 443, client, 32768 + client % 28000, ACK, b"y" * 1200)

    def dns(self):
        """An answer that nobody asked for."""
        r = self.random
        return udp(r.choice(self.resolvers), 53, self.target, r.randrange(1024, 65536), self.answer, ttl=r.randrange(45, 60))

    def tunnel(self, protocol=47):
        """A GRE or IP-in-IP packet with random addresses inside, as bots send it."""
        r = self.random
        inside = udp(r.randrange(0x01000000, 0xdf000000), r.randrange(65536), r.randrange(0x01000000, 0xdf000000),
                     r.randrange(65536), b"\0" * 400, ttl=64)
        return packet4(protocol, r.choice(self.clients), self.target,
                       (b"\0\0\x08\0" if protocol == 47 else b"") + inside, ttl=50)

    def syn(self):
        """A SYN from an address that was made up."""
        r = self.random
        return tcp(r.randrange(0x01000000, 0xdf000000), r.randrange(1024, 65536), self.target, 443, SYN, ttl=242,
                   sequence=r.getrandbits(32), window=0)


def pcap(path, packets):
    """IP packets, (s since 1970, bytes) each, as a capture without a link layer."""
    with open(path, "wb") as out:
        out.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101))
        for at, packet in packets:
            out.write(struct.pack("<IIII", int(at), int(at % 1 * 1e6), len(packet), len(packet)) + packet)


def mac_of(interface):
    shown = subprocess.run(["ip", "-j", "link", "show", interface], check=True, capture_output=True, text=True)
    return bytes.fromhex(json.loads(shown.stdout)[0]["address"].replace(":", ""))


class Wire:
    """Frames out of one end of a veth pair, so that they come in at the other."""

    def __init__(self, inner, outer, address):
        for command in (["link", "add", inner, "type", "veth", "peer", "name", outer],
                        ["address", "add", address + "/24", "dev", inner], ["link", "set", inner, "up"],
                        ["link", "set", outer, "up"]):
            subprocess.run(["ip", *command], check=True)
        # Nothing of the machine's own is to be on it.
        for name in (inner, outer):
            pathlib.Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
        self.head_in = mac_of(inner) + mac_of(outer) + b"\x08\0"
        self.out_socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.out_socket.bind((outer, 0))

    def send(self, packets):
        for packet in packets:
            self.out_socket.send(self.head_in + packet)


def paced(send, make, per_s, stop, seconds=60):
    """Twenty batches a second of make()s until `stop` is set or `seconds` are over; returns how many."""
    began, sent = time.monotonic(), 0
    while not stop.is_set():
        age = time.monotonic() - began
        if age > seconds:
            break
        due = min(int(age * per_s), sent + per_s // 5)
        if due > sent:
            send([make() for _ in range(due - sent)])
            sent = due
        time.sleep(0.02)
    return sent
