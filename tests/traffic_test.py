#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic into the program: a flood over loopback stands on the page within three seconds, a reload changes whose
addresses are whose, strangers are refused; and captures of real attacks, replayed, are named."""
import json
import pathlib
import socket
import subprocess
import sys
import tempfile
import threading
import time

import live
from live import DATA, WHYDOWN, Exporter, Mix, Server, check, ip4, packet4, pcap, skip, vectors

def replay(*arguments):
    done = subprocess.run([WHYDOWN, "replay", "--format", "json", "--quiet", *map(str, arguments)],
                          capture_output=True, text=True, timeout=120)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


# ---- captures of real attacks ----

# Vector and status as SOURCES.md beside the data tells them; packets of the vector and distinct sources with the
# share by which the sketches and the first tick may differ. None: no incident.
CAPTURES = {
    "stopddos/amp.UDP.snmp.src161.pcapng": ("amp.snmp", "reflector", 4108, 4276),
    "stopddos/amp.UDP.isakmp.pcap": ("amp.ike", "reflector", 3984, 2767),
    "stopddos/amp.dns.RRSIG.fragmented.pcap": ("amp.dns", "reflector", None, None),
    "stopddos/pkt.TCP.synflood.spoofed.pcap": ("syn.spoof", "spoofed", 37841, 37623),
    "lab/CIC-DDoS-2019-SynFlood.pcap": ("syn", "unknown", 18778, 1),
    "lab/dhcp-flood-zero-timespan.pcap": ("dhcp.flood", "unknown", 10000, 1),
    "lab/small-syn-below-threshold.pcap": None,
    "lab/control-port-scan.pcap": None,
    "lab/control-one-lan-host.pcap": None,
    "lab/cldap-one-exchange.pcap": None,
    "lab/ntp-monlist-one-answer.pcap": None,
}


def near(value, right, share):
    return right is None or abs(value - right) <= share * right + 0.5


def try_capture(name, truth):
    path = DATA / "ddos" / name
    if not path.exists():
        skip(f"replay of {name}", f"no {path}")
        return
    status, incidents, err = replay(path)
    if truth is None:
        check(f"replay of {name}: no incident", status == 0 and incidents == [], (err, incidents))
        return
    vector, source, packets, sources = truth
    traces = [i["trace"]["vectors"][0] for i in incidents if "trace" in i]
    first = traces[0] if len(traces) == 1 else {}
    well = (status == 0 and first.get("id") == vector and first.get("status") == source and
            near(first["packets"], packets, 0.01) and near(first["sources"], sources, 0.10))
    check(f"replay of {name}: {vector}, sources {source}", well,
          (err, {k: first.get(k) for k in ("id", "status", "packets", "sources", "why")}))


def try_sampled():
    path = DATA / "ddos/stopddos/pkt.TCP.synflood.spoofed.pcap"
    if not path.exists():
        skip("a capture sampled 1:100", f"no {path}")
        return
    status, incidents, err = replay("--sampling", 100, path)
    first = incidents[0]["trace"]["vectors"][0] if incidents else {}
    check("sampled 1:100 it is the same vector, of about as many packets",
          status == 0 and first.get("id") == "syn.spoof" and near(first["packets"], 37841, 0.4), (err, first))


def try_text():
    """What stands in a terminal: vector, share, rates, sources and what they prove, times, how sure it is."""
    path = DATA / "ddos/stopddos/pkt.TCP.synflood.spoofed.pcap"
    if not path.exists():
        skip("replay in words", f"no {path}")
        return
    done = subprocess.run([WHYDOWN, "replay", "--quiet", path], capture_output=True, text=True, timeout=120)
    for part in ("SYN flood with forged sources (syn.spoof), 100 % of the packets, peak ", " packets/s, ",
                 "which are forged: they prove nothing", "still on at the end of the recording", "decided after ",
                 "a fixed rule: too little was seen before"):
        check(f"replay in words says: {part.strip()}", part in done.stdout, done.stdout)
    for part in ("0bit", " 0 %", "countries", "addresses  ", "usual 0"):
        check(f"replay of forged sources says nothing like: {part.strip()}", part not in done.stdout, done.stdout)


def try_options(folder):
    done = subprocess.run([WHYDOWN, "replay", "--service", "shop", "x"], capture_output=True, text=True)
    check("a service without prefixes is a mistake that is told", done.returncode == 2 and "shop=192.0.2.0/24" in
          done.stderr, done.stderr)
    path = DATA / "ddos/stopddos/amp.UDP.isakmp.pcap"
    if not path.exists():
        skip("--service names the target", f"no {path}")
        return
    status, incidents, err = replay("--service", "shop=10.10.0.0/16", path)
    check("--service names the target", status == 0 and [i["service"] for i in incidents] == ["shop"], (err, incidents))
    status, incidents, err = replay("--service", "shop=192.0.2.0/24", path)
    check("what goes elsewhere is nobody's incident", status == 0 and incidents == [], (err, incidents))
    cut = folder / "cut.pcap"
    cut.write_bytes(path.read_bytes()[:-10])
    status, incidents, err = replay(cut)
    check("a capture that ends within a packet is played up to there, and the place is told",
          status == 0 and len(incidents) == 1 and "at " in err, (status, err))


def flood_of(folder, name, attack, wrap=lambda packet: packet):
    """20 s of clients, then 6 s of a flood as well, in a capture."""
    mix = Mix(ip4("198.51.100.10"))
    packets = [(1700000000 + n / 200, wrap(mix.web())) for n in range(26 * 200)]
    packets += [(1700000020 + n / 8000, wrap(attack(mix))) for n in range(6 * 8000)]
    pcap(folder / name, sorted(packets, key=lambda p: p[0]))
    return folder / name


def try_tunnels(folder):
    def named(what, path, vector, service, *arguments):
        status, incidents, err = replay(*arguments, path)
        found = [(i["service"], i.get("trace", {}).get("vectors", [{}])[0].get("id")) for i in incidents]
        check(what, status == 0 and found == [(service, vector)], (err, found))

    own = ("--service", "shop=198.51.100.10")
    for protocol, vector in ((47, "gre"), (4, "ipip")):
        path = flood_of(folder, f"{vector}.pcap", lambda mix, protocol=protocol: mix.tunnel(protocol))
        named(f"a flood of {vector} packets is named, whatever they carry", path, vector, "shop", *own)
        named("… also where nobody said whose traffic it is", path, vector, "198-51-100-10".replace("-", "."))
    path = flood_of(folder, "mirror.pcap", Mix.dns, lambda packet: packet4(47, ip4("192.0.2.1"), ip4("192.0.2.2"),
                                                                          b"\0\0\x08\0" + packet))
    named("a flood inside a mirror's tunnel is what is inside", path, "amp.dns", "shop", *own)
    named("… also where nobody said whose traffic it is", path, "amp.dns", "198.51.100.10")


# ---- live ----

TARGET = 0xc0000201  # 192.0.2.1
flooding = threading.Event()
over = threading.Event()


def export_traffic(port):
    """Twenty times a second: some web traffic; while the flood is on, answers of 600 name servers, too."""
    exporter, n = Exporter(port), 0
    while not over.is_set():
        n += 1
        records = [(0x0a010000 + (n * 7 + i) % 400, TARGET, 5, 3000, 40000 + i, 443, 6) for i in range(30)]
        if flooding.is_set():
            records += [(0x2d000000 + ((n * 150 + i) % 600) * 65793, TARGET, 10, 14000, 53, 1024 + i, 17)
                        for i in range(150)]
        exporter.send(records)
        time.sleep(0.05)


CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {{listen: ["127.0.0.1:0"], threads: 2, exporters: [{exporters}]}}
services_from: []
services:
  - {{id: shop, name: Shop, addresses: [{addresses}]}}
"""


def incident_of(server):
    incidents = server.incidents()
    return incidents[0] if incidents else None


def try_live(folder):
    server = Server(folder, CONFIG.format(exporters="127.0.0.0/8", addresses="192.0.2.0/24"))
    thread = threading.Thread(target=export_traffic, args=(server.udp_port(),))
    thread.start()
    try:
        time.sleep(4)
        check("usual traffic is no incident", incident_of(server) is None, incident_of(server))
        began = time.time()
        flooding.set()
        while incident_of(server) is None and time.time() - began < 30:
            time.sleep(0.05)
        took = time.time() - began
        check(f"a flood is an incident ({took:.2f} s)", incident_of(server) is not None)
        while "amp.dns" not in server.get("/") + json.dumps(incident_of(server)) and time.time() - began < 40:
            time.sleep(0.1)
        found = incident_of(server) or {}
        check("… with its vector", "amp.dns" in vectors(found), found)
        flooding.clear()

        before = server.metrics()["whydown_traffic_elsewhere_total"]
        server.reload(CONFIG.format(exporters="127.0.0.0/8", addresses="198.51.100.0/24"))
        time.sleep(2)
        check("after a reload those addresses are nobody's",
              server.metrics()["whydown_traffic_elsewhere_total"] > before + 300)
        server.reload(CONFIG.format(exporters="127.0.0.9", addresses="198.51.100.0/24"))
        time.sleep(2.5)
        check("after another one the exporter is refused", server.metrics()["whydown_exports_refused_total"] > 10)
        seen = server.metrics()
        flows, records = seen["whydown_exports_flows_total"], seen["whydown_traffic_records_total"]
        check("what was decoded was tallied", abs(flows - records) < 3000, flows, records)
        check("nothing was dropped", server.metrics()["whydown_exports_kernel_drops_total"] == 0)
    finally:
        over.set()
        thread.join()
        check("it stops in good order", server.stop() == 0, server.said())


LOGS = """
listen: ["127.0.0.1:0"]
telemetry:
  logs: [{{path: {log}, service: shop}}]
  syslog: ["127.0.0.1:0"]
services_from: []
services:
  - {{id: shop, name: Shop}}
  - {{id: blog, name: Blog, hosts: [blog.example.org]}}
"""


def log_line(n, host=""):
    when = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
    return (f'{host}10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255} - - [{when}] "GET /?{n:x}={n * 7919:x} HTTP/1.1" '
            f'200 512 "-" "Mozilla/5.0"\n')


def try_logs(folder):
    log = folder / "access.log"
    log.write_text(log_line(0) * 50)  # from before the start: not read
    server = Server(folder, LOGS.format(log=log))
    port = int(server.wait_for("event=syslog address=127.0.0.1:0 udp=").split()[0])
    try:
        with open(log, "a") as out:
            out.writelines(log_line(n) for n in range(100))
        log.rename(folder / "access.log.1")
        log.write_text("".join(log_line(n) for n in range(100, 150)))
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for n in range(20):
            sender.sendto(("<134>" + log_line(n, "blog.example.org ")).encode(), ("127.0.0.1", port))
            sender.sendto(("<134>" + log_line(n, "other.example.org ")).encode(), ("127.0.0.1", port))
        until = time.time() + 10
        while server.metrics()["whydown_logs_lines_total"] < 190 and time.time() < until:
            time.sleep(0.2)
        seen = server.metrics()
        counts = [seen[f"whydown_logs_{n}_total"] for n in ("lines", "requests", "nobodys", "malformed")]
        check("lines of a followed file, across its rotation, and of syslog are counted once",
              counts == [190, 170, 20, 0], counts)
        server.reload(LOGS.format(log=log).replace("telemetry:\n", "telemetry:\n  exporters: [192.0.2.1]\n"))
        sender.sendto(("<134>" + log_line(0, "blog.example.org ")).encode(), ("127.0.0.1", port))
        until = time.time() + 10
        while server.metrics()["whydown_syslog_refused_total"] < 1 and time.time() < until:
            time.sleep(0.2)
        seen = server.metrics()
        counts = [seen[f"whydown_{n}_total"] for n in ("syslog_refused", "logs_lines")]
        check("a reload takes syslog's senders over, too", counts == [1, 190], counts)
        until, n = time.time() + 14, 1000
        while incident_of(server) is None and time.time() < until:
            with open(log, "a") as out:
                out.writelines(log_line(n + i) for i in range(600))
            n += 600
            time.sleep(0.1)
        found = incident_of(server) or {}
        check("a flood of requests that no cache can answer is an incident",
              found.get("service") == "shop" and "requests" in found.get("kinds", []), found)
    finally:
        check("with logs it stops in good order", server.stop() == 0, server.said())


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for capture, truth in CAPTURES.items():
            try_capture(capture, truth)
        try_sampled()
        try_text()
        try_options(folder)
        try_tunnels(folder)
        for part in (try_live, try_logs):
            own = folder / part.__name__
            own.mkdir()
            part(own)
    return 1 if live.failures else 0


sys.exit(main())
