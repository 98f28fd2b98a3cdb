#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""attack: how long it takes from an attack's first packet to an open incident that names the vector, as its reader at
the API sees it (asked fifty times a second), publishing included; FastNetMon, as installed but for its threshold, gets the same
packets or datagrams at the same time.

Eight services of a /24 each have usual traffic for LEARN seconds (default 40); then one after the other is attacked for
12 seconds, at ten times or 1.4 times the usual in all, by a SYN flood, DNS and NTP answers, and a carpet of UDP over
256 addresses. Once as NetFlow v5 over loopback, once as packets that whydown and FastNetMon both capture. FastNetMon's threshold is
1.2 times the usual, which nobody could set as well. ONLY=export or ONLY=packets for one of both."""
import json
import multiprocessing
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests"))
from live import ACK, PSH, SYN, Server, Wire, ip4, tcp, udp  # noqa: E402

LEARN_S = float(os.environ.get("LEARN", "40"))
ATTACK_S, PAUSE_S = 12, 2
NET = ip4("198.18.0.0")
FNM_PORT = 20056
DNS = struct.pack("!HHHHHH", 7, 0x8180, 1, 20, 0, 1) + b"\7example\3com\0\0\xff\0\1"
NTP = b"\xd7\0\x03\x2a\0\6\0\x48"
# What is said to be right: the vector's id begins with it.
KINDS = [("SYN flood", "syn"), ("DNS amplification", "amp.dns"), ("NTP amplification", "amp.ntp"), ("UDP carpet", "udp")]
RUNS = [(kind, vector, times) for times in (10, 1.4) for kind, vector in KINDS]


def say(text):
    print(text, file=sys.stderr, flush=True)


def target(n, host=1):
    return NET + (n << 8) + host


# ---- traffic: each maker gives (what to send, how many packets that is) ----

class Records:
    """NetFlow v5, 30 records a datagram, to both."""
    usual_per_s = 10000

    def __init__(self, ports):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.ports, self.sequence = ports, 0

    def send(self, records):
        for at in range(0, len(records), 30):
            part = records[at:at + 30]
            head = struct.pack("!HHIIIIBBH", 5, len(part), 1000, int(time.time()), 0, self.sequence, 0, 0, 0)
            for port in self.ports:
                self.socket.sendto(head + b"".join(part), ("127.0.0.1", port))
            self.sequence += len(part)

    @staticmethod
    def record(source, to, packets, length, sport, dport, protocol, flags=0):
        return struct.pack("!IIIHHIIIIHHBBBBHHBBH", source, to, 0, 0, 0, packets, packets * length, 0, 1, sport, dport, 0,
                           flags, protocol, 0, 0, 0, 0, 0, 0)

    def usual(self, r, n):
        client = 0x0b000000 + r.randrange(400) * 65793
        port = 32768 + client % 28000
        if r.random() < 0.5:
            return self.record(target(n), client, 20, 1200, 443, port, 6, ACK), 0
        return self.record(client, target(n), 20, 200, port, 443, 6, ACK | PSH), 20

    def attack(self, r, n, kind):
        if kind == "SYN flood":
            return self.record(r.randrange(0x0b000000, 0xdf000000), target(n), 1, 40, r.randrange(1024, 65536), 443, 6,
                               SYN), 1
        if kind == "UDP carpet":
            return self.record(0x2d000000 + r.randrange(700) * 65793, target(n, r.randrange(256)), 4, 540,
                               r.randrange(1024, 65536), r.randrange(1024, 65536), 17), 4
        port, length = (53, 1400) if kind == "DNS amplification" else (123, 468)
        return self.record(0x2d000000 + r.randrange(600) * 65793, target(n), 10, length, port, r.randrange(1024, 65536),
                           17), 10


class Frames:
    """Packets on a veth pair, at whose other end both look."""
    usual_per_s = 2600

    def __init__(self, wire):
        self.send = wire.send

    def usual(self, r, n):
        client = 0x0b000000 + r.randrange(400) * 65793
        port = 32768 + client % 28000
        return tcp(client, port, target(n), 443, ACK | PSH, b"x" * 200, ttl=50 + client % 12), 1

    def attack(self, r, n, kind):
        if kind == "SYN flood":
            return tcp(r.randrange(0x0b000000, 0xdf000000), r.randrange(1024, 65536), target(n), 443, SYN, ttl=242,
                       sequence=r.getrandbits(32), window=0), 1
        source = 0x2d000000 + r.randrange(700) * 65793
        if kind == "UDP carpet":
            return udp(source, r.randrange(1024, 65536), target(n, r.randrange(256)), r.randrange(1024, 65536),
                       b"\1" * 512, ttl=50 + source % 12), 1
        port, payload = (53, DNS.ljust(1372, b"\7")) if kind == "DNS amplification" else (123, NTP.ljust(440, b"\7"))
        return udp(source, port, target(n), r.randrange(1024, 65536), payload, ttl=50 + source % 12), 1


class Stream:
    """Made ahead, sent round and round at a rate."""

    def __init__(self, make, count, per_s):
        made = [make() for _ in range(count)]
        self.items = [item for item, _ in made]
        self.each = sum(packets for _, packets in made) / count
        self.per_s, self.at, self.sent, self.began = per_s, 0, 0, None

    def due(self, now):
        self.began = now if self.began is None else self.began
        count = int((now - self.began) * self.per_s / self.each) + 1 - self.sent
        found = [self.items[(self.at + i) % len(self.items)] for i in range(min(count, 5000))]
        self.at = (self.at + len(found)) % len(self.items)
        self.sent += count
        return found


def drive(sender, streams, seconds):
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        for stream in streams:
            sender.send(stream.due(now))
        time.sleep(0.004)


# ---- who looks ----

def watch(url, found, over):
    """The first time that each service's incident had its vector: found[service] = (s, [vectors])."""
    import http.client
    connection = http.client.HTTPConnection(url, timeout=10)

    def get(path):
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        return json.loads(text) if answer.status == 200 else {}

    while not over.is_set():
        for incident in get("/api/v1/incidents").get("incidents", []):
            names = [v["id"] for v in (incident.get("traffic") or {}).get("vectors", [])]
            if names and incident["service"] not in found:
                now = time.monotonic()
                patterns = get(f"/api/v1/incidents/{incident['id']}/trace").get("patterns", [])
                found[incident["service"]] = (now, names, patterns)
        time.sleep(0.02)


class FastNetMon:
    def __init__(self, folder, interface, usual_per_s):
        self.folder = folder
        folder.mkdir()
        conf = pathlib.Path("/etc/fastnetmon.conf").read_text()
        (folder / "networks").write_text("".join(f"198.18.{n}.0/24\n" for n in range(len(RUNS))))
        (folder / "whitelist").write_text("")
        notify = folder / "notify"
        notify.write_text(f'#!/bin/sh\nnow=$(cut -d" " -f1 /proc/uptime)\n'
                          f'[ "$4" = ban ] && echo "$1 $now $(grep -i "attack type")" >> {folder}/bans\nexit 0\n')
        notify.chmod(0o755)
        settings = {"disable_usage_report": "on", "networks_list_path": folder / "networks",
                    "white_list_path": folder / "whitelist", "enable_api": "off", "enable_ban": "on",
                    "notify_script_path": notify, "monitor_local_ip_addresses": "off", "pid_path": folder / "pid",
                    "cli_stats_file_path": folder / "stats", "cli_stats_ipv6_file_path": folder / "stats6",
                    "sflow": "off", "netflow": "off" if interface else "on", "netflow_port": FNM_PORT,
                    "netflow_host": "127.0.0.1", "mirror_afpacket": "on" if interface else "off",
                    "interfaces": interface or "", "ban_for_pps": "on", "ban_for_bandwidth": "off",
                    "ban_for_flows": "off", "threshold_pps": int(1.2 * usual_per_s)}
        for key, value in settings.items():
            conf, changed = re.subn(rf"(?m)^{key}\s*=.*$", f"{key} = {value}", conf)
            if changed == 0:
                conf += f"\n{key} = {value}\n"
        (folder / "conf").write_text(conf)
        os.makedirs("/var/log/fastnetmon_attacks", exist_ok=True)
        self.process = subprocess.Popen(
            ["fastnetmon", "--configuration_file", folder / "conf", "--log_file", folder / "log", "--disable_pid_logic"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, start_new_session=True)

    def bans(self):
        """{service's number: (uptime s, what it was called)}"""
        path, found = self.folder / "bans", {}
        for line in path.read_text().splitlines() if path.exists() else []:
            address, now, *kind = line.split(" ", 2)
            n = (ip4(address) - NET) >> 8
            found.setdefault(n, (float(now), kind[0].split(":")[-1].strip() if kind else "?"))
        return found

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def uptime():
    return float(pathlib.Path("/proc/uptime").read_text().split()[0])


def measure(folder, how, telemetry, make_sender, interface):
    services = "".join(f"  - {{id: shop-{n}, name: Shop {n}, addresses: [198.18.{n}.0/24]}}\n" for n in range(len(RUNS)))
    server = Server(folder / "ours", f'listen: ["127.0.0.1:0"]\ntelemetry: {telemetry}\nservices_from: []\nservices:\n'
                    f"{services}", "event=c")
    sender = make_sender(server)
    installed = shutil.which("fastnetmon") is not None
    peer = FastNetMon(folder / "peer", interface, sender.usual_per_s) if installed else None
    manager = multiprocessing.Manager()
    found, over = manager.dict(), manager.Event()
    looker = multiprocessing.Process(target=watch, args=(server.url, found, over))
    looker.start()
    r, rows, begins = random.Random(7), [], []
    usual = Stream(lambda: sender.usual(r, r.randrange(len(RUNS))), 4000, sender.usual_per_s * len(RUNS))
    drive(sender, [usual], LEARN_S)
    false = dict(found)
    for n, (kind, _, times) in enumerate(RUNS):
        attack = Stream(lambda: sender.attack(r, n, kind), 20000, sender.usual_per_s * (times - 1))
        begins.append((time.monotonic(), uptime()))
        drive(sender, [usual, attack], ATTACK_S)
        drive(sender, [usual], PAUSE_S)
    over.set()
    looker.join()
    bans = peer.bans() if peer else {}
    for n, (kind, vector, times) in enumerate(RUNS):
        at, names, patterns = found.get(f"shop-{n}", (None, [], []))
        right = any(name.startswith(vector) for name in names) and (kind != "UDP carpet" or "carpet" in patterns)
        took = at - begins[n][0] if at and right and f"shop-{n}" not in false else None
        ban = bans.get(n)
        theirs = ban[0] - begins[n][1] if ban else None
        say(f"{how}: {kind} x{times}: {took} {names} {patterns}; FastNetMon {theirs} {ban}")
        rows.append((f"attack to open incident: {kind}, {times:g} times usual, {how}", "s",
                     f"{took:.2f}" if took is not None else "never",
                     f"FastNetMon ({ban[1]})" if ban else "FastNetMon",
                     "not installed" if peer is None else f"{theirs:.2f}" if ban else "never",
                     f"{theirs / took:.2f}" if ban and took else "-"))
    if peer:
        peer.stop()
    server.stop()
    return rows


def main():
    only, rows = os.environ.get("ONLY", ""), []
    with tempfile.TemporaryDirectory(prefix="whydown-bench-") as name:
        for part in ("export", "packets"):
            folder = pathlib.Path(name) / part
            folder.mkdir()
            if only not in ("", part):
                continue
            if part == "export":
                rows += measure(folder, "NetFlow v5", '{listen: ["127.0.0.1:0"]}',
                                lambda server: Records([server.udp_port(), FNM_PORT]), None)
            else:
                wire = Wire("inner", "outer", "198.18.200.1")
                rows += measure(folder, "AF_PACKET", "{capture: [inner]}", lambda server: Frames(wire), "inner")
    for row in rows:
        print("\t".join(row))


main()
