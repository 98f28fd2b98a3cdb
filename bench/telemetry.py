#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""telemetry: whydown and its peers on the same flow exports and packets, one tool at a time.

Live: each tool runs on one core, the sender (bench/flow_sender.c, bench/packet_sender.c) on the other. Processor time
is that of all processes of the tool, user and kernel, from the first datagram until the tool rests again, less what it
uses when nothing comes. Lost is what the kernel dropped at the tool's sockets. Processor time per record is taken at the
highest rate at which nothing was lost, of those that are offered to it. From file: processor time of the whole run, start
included. ONLY_PART=udp, file, packets, ring or memory for a part, ONLY_FORM=ipfix for one format, BENCH_SECONDS=4
(default) for how long each rate is offered."""
import ctypes
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

SECONDS = float(os.environ.get("BENCH_SECONDS", "4"))
SENDER = os.path.abspath("build/bench/flow_sender")
PACKETS = os.path.abspath("build/bench/packet_sender")
WHYDOWN = os.path.abspath(os.environ.get("WHYDOWN", "build/whydown"))
TICK = os.sysconf("SC_CLK_TCK")
PORT = 20055
HTTP = 20080
RECORDS = 10000000  # of a file
FRAMES = 4000000
PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>
ENDS_S = 120  # no run takes longer
BEGAN = time.monotonic()
SESSIONS = []  # of what was started: ended at our own end, whatever happens
WORK = tempfile.mkdtemp(prefix="whydown-bench-")


def say(text):
    print(text, file=sys.stderr, flush=True)


def stat(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rsplit(")", 1)[1].split()


def processes(session):
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                if int(stat(name)[3]) == session:
                    found.append(int(name))
            except OSError:
                pass
    return found


def cpu_seconds(session):
    total = 0
    for pid in processes(session):
        try:
            fields = stat(pid)
            total += int(fields[11]) + int(fields[12])
        except OSError:
            pass
    return total / TICK


def sockets():
    """(bound, dropped) of UDP sockets at PORT."""
    bound = dropped = 0
    for path in ("/proc/net/udp", "/proc/net/udp6"):
        with open(path) as file:
            for line in file.readlines()[1:]:
                fields = line.split()
                if int(fields[1].rsplit(":", 1)[1], 16) == PORT:
                    bound += 1
                    dropped += int(fields[12])
    return bound, dropped


def resident(session):
    """Bytes of memory, of all processes of the session."""
    total = 0
    for pid in processes(session):
        try:
            with open(f"/proc/{pid}/statm") as file:
                total += int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except OSError:
            pass
    return total


class Tool:
    """One way to run one program. `command` gets a folder of its own."""

    def __init__(self, name, program, command, ready=None, dropped=None):
        self.name, self.program, self.command = name, program, command
        self.ready = ready if ready is not None else lambda tool: sockets()[0] > 0
        self.dropped = dropped if dropped is not None else lambda: sockets()[1]
        self.resident = 0

    def start(self):
        self.folder = tempfile.mkdtemp(dir=WORK)
        self.log = open(self.folder + "/log", "wb")
        command = ["taskset", "-c", "0", *self.command(self.folder)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        cwd=self.folder, start_new_session=True)
        SESSIONS.append(self.process.pid)
        for _ in range(200):
            if self.ready(self):
                time.sleep(0.5)
                return True
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        with open(self.folder + "/log", "rb") as file:
            say(f"{self.name}: did not start: {file.read()[-500:].decode(errors='replace')}")
        return False

    def stop(self):
        for pid in processes(self.process.pid):
            try:
                os.kill(pid, signal.SIGTERM)
            except OSError:
                pass
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        for _ in range(50):
            if not processes(self.process.pid) and sockets()[0] == 0:
                break
            time.sleep(0.1)
        SESSIONS.remove(self.process.pid)  # the number may be another's by and by
        self.log.close()

    def idle_rate(self):
        """Processor seconds a second when nothing comes; some go on with starting for a while."""
        rates = []
        while len(rates) < 15:
            before = cpu_seconds(self.process.pid)
            time.sleep(1)
            rates.append(cpu_seconds(self.process.pid) - before)
            if len(rates) > 1 and rates[-1] < 0.5 and abs(rates[-1] - rates[-2]) <= 0.03:
                return rates[-1]
        return min(rates)

    def rest(self, idle):
        """Waits until it rests; false if it does not."""
        last, until = cpu_seconds(self.process.pid), time.monotonic() + ENDS_S
        while time.monotonic() < until:
            time.sleep(1)
            now = cpu_seconds(self.process.pid)
            if now - last <= idle + 0.05:
                return True
            last = now
        say(f"{self.name}: does not come to rest")
        return False

    def run(self, sender, rate, records):
        """(records taken a CPU second, records lost in the kernel, records a second that the sender reached) or None.
        `sender` is a command that prints how many records were sent, and in how many datagrams if the kernel counts
        its losses in these."""
        if not self.start():
            self.stop()
            return None
        idle = self.idle_rate()
        before, dropped = cpu_seconds(self.process.pid), self.dropped()
        began = time.monotonic()
        done = subprocess.run(["taskset", "-c", "1", *sender(records, int(rate))], stdout=subprocess.PIPE, text=True,
                              check=True, timeout=ENDS_S)
        words = done.stdout.split()
        sent, each = int(words[0]), int(words[0]) / int(words[1]) if len(words) == 4 else 1
        took = float(words[-1])
        rested = self.rest(idle)
        used = max(cpu_seconds(self.process.pid) - before - idle * (time.monotonic() - began), 1 / TICK)
        lost = (self.dropped() - dropped) * each if rested else sent
        self.resident = resident(self.process.pid)
        self.stop()
        say(f"{self.name}: {sent} at {rate / 1e6:g} M/s ({sent / took / 1e6:.2f} reached): {used:.2f} CPU s, "
            f"{lost:.0f} lost")
        return (sent - lost) / used, lost, sent / took

    def best(self, sender, rates):
        """(records a CPU second, highest rate without loss), or None."""
        if shutil.which(self.program) is None and not os.path.exists(self.program):
            return None
        for rate in rates:
            done = self.run(sender, rate * 1e6, min(int(rate * 1e6 * SECONDS), RECORDS))
            if done is None:
                return None
            if done[1] == 0:
                return done[0], done[2]
        return done[0], 0


# ---- how each is run; PEERS: as fairly as we know how ----

def whydown(services, telemetry=f"""
  listen: ["127.0.0.1:{PORT}"]
  threads: 1
  receive_buffer_bytes: 268435456
"""):
    """services: id, addresses."""
    def command(folder):
        with open(folder + "/whydown.yaml", "w") as file:
            file.write(f'listen: ["127.0.0.1:{HTTP}"]\ntelemetry: {telemetry}\nservices:\n')
            for name, addresses in services:
                file.write(f"  - id: {name}\n    name: Name of {name}\n    addresses: [{addresses}]\n")
        return [WHYDOWN, "serve", "--config", folder + "/whydown.yaml", "--data", folder + "/data"]
    return command


SHOPS = [(f"shop-{n}", f"198.51.100.{16 * n}/28") for n in range(16)]


def nfcapd(folder):
    return ["nfcapd", "-l", folder, "-p", str(PORT), "-b", "127.0.0.1", "-B", "200000000", "-t", "3600"]


def sfcapd(folder):
    return ["sfcapd", "-l", folder, "-p", str(PORT), "-b", "127.0.0.1", "-B", "200000000", "-t", "3600"]


def pmacct(program, keys, source=None, entries=16411):
    """source: lines that say where it reads; else our port. The cache is 4 KB an entry; 16411 is its default."""
    prefix = program.removesuffix("d") if program == "pmacctd" else program
    where = source or f"{prefix}_port: {PORT}\n{prefix}_ip: 127.0.0.1\n{prefix}_pipe_size: 268435456"

    def command(folder):
        with open(folder + "/conf", "w") as file:
            file.write(f"""daemonize: false
plugins: print
aggregate: {keys}
print_refresh_time: 3600
print_output_file: {folder}/out
print_output: csv
print_cache_entries: {entries}
plugin_buffer_size: 1024000
plugin_pipe_size: 268435456
{where}
""")
        return [program, "-f", folder + "/conf"]
    return command


def fastnetmon(tracking):
    def command(folder):
        with open("/etc/fastnetmon.conf") as file:
            conf = file.read()
        with open(folder + "/networks", "w") as file:
            file.write("198.51.100.0/24\n")
        open(folder + "/whitelist", "w").close()
        settings = {"disable_usage_report": "on", "networks_list_path": folder + "/networks",
                    "white_list_path": folder + "/whitelist", "enable_connection_tracking": tracking,
                    "netflow": "on", "netflow_port": str(PORT), "netflow_host": "127.0.0.1", "sflow": "off",
                    "enable_api": "off", "enable_ban": "on", "notify_script_path": "/bin/true",
                    "monitor_local_ip_addresses": "off", "pid_path": folder + "/pid",
                    "cli_stats_file_path": folder + "/stats", "cli_stats_ipv6_file_path": folder + "/stats6"}
        for key, value in settings.items():
            conf, changed = re.subn(rf"(?m)^{key}\s*=.*$", f"{key} = {value}", conf)
            if changed == 0:
                conf += f"\n{key} = {value}\n"
        with open(folder + "/conf", "w") as file:
            file.write(conf)
        os.makedirs("/var/log/fastnetmon_attacks", exist_ok=True)
        return ["fastnetmon", "--configuration_file", folder + "/conf", "--log_file", folder + "/fnm.log",
                "--disable_pid_logic"]
    return command


# ---- rows ----

def row(name, unit, ours, peer="-", theirs=None, less_is_better=False):
    """A figure that is None could not be had."""
    def text(x):
        return "-" if x is None else x if isinstance(x, str) else f"{x:.3g}"
    known = all(isinstance(x, float) and x > 0 for x in (ours, theirs))
    ratio = (theirs / ours if less_is_better else ours / theirs) if known else None
    print("\t".join(("telemetry: " + name, unit, text(ours), peer, text(theirs), text(ratio))), flush=True)


def wanted(part):
    return os.environ.get("ONLY_PART", part) == part


def exporter(form):
    return lambda records, rate: [SENDER, form, str(records), str(rate), f"127.0.0.1:{PORT}"]


def udp_row(form, ours, peer, rates):
    theirs = peer.best(exporter(form), rates)
    for part, what, unit in ((0, "", "M records/CPU s"), (1, ", nothing lost", "M records/s")):
        row(f"{form} over UDP, one core{what}", unit, None if ours is None else ours[part] / 1e6, peer.name,
            "not installed" if theirs is None else theirs[part] / 1e6)


def udp_rows():
    """Each peer is offered the rates from twice what is known to be its best downwards."""
    store = Tool("nfcapd (stores only)", "nfcapd", nfcapd), [5, 2, 1, 0.5, 0.2]
    to = Tool("nfacctd by destination", "nfacctd", pmacct("nfacctd", "dst_host")), [3, 2, 1, 0.5]
    source = Tool("nfacctd by source", "nfacctd", pmacct("nfacctd", "src_host", entries=100003)), [1, 0.5, 0.2]
    installed = Tool("FastNetMon as installed", "fastnetmon", fastnetmon("on")), [0.2, 0.1, 0.05]
    tuned = Tool("FastNetMon without tracking", "fastnetmon", fastnetmon("off")), [2, 1, 0.5, 0.2]
    samples = Tool("sfcapd (stores only)", "sfcapd", sfcapd), [1, 0.5, 0.2, 0.1]
    samples_to = Tool("sfacctd by destination", "sfacctd", pmacct("sfacctd", "dst_host")), [1, 0.5, 0.2]
    us = Tool("whydown", WHYDOWN, whydown(SHOPS))
    for form, peers in (("netflow5", [store]), ("netflow9", [store]),
                        ("ipfix", [store, to, source, installed, tuned]), ("sflow", [samples, samples_to])):
        if os.environ.get("ONLY_FORM", form) != form:
            continue
        ours = us.best(exporter(form), [5, 3, 2, 1] if form != "sflow" else [3, 2, 1, 0.5])
        for peer, rates in peers:
            udp_row(form, ours, peer, rates)
    ours = us.best(exporter("ipfix-spoofed"), [1, 0.5])
    row("ipfix of forged sources alone over UDP", "M records/CPU s", ours and ours[0] / 1e6)
    row("ipfix of forged sources alone over UDP, nothing lost", "M records/s", ours and ours[1] / 1e6)


# ---- from file ----

def reap(process):
    """Waits for it and for what it leaves behind; processor seconds of all, or None if it did not end in time."""
    used, until = 0.0, time.monotonic() + ENDS_S
    while time.monotonic() < until:
        try:
            pid, status, usage = os.wait4(-1, os.WNOHANG)
        except ChildProcessError:
            return used
        if pid == 0:
            time.sleep(0.05)
            continue
        used += usage.ru_utime + usage.ru_stime
        if pid == process.pid:
            process.returncode = os.waitstatus_to_exitcode(status)
    for pid in processes(process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait()
    return None


def file_run(name, command, count, ends=True):
    """Records a CPU second of a program that reads a file; `ends`: it ends by itself, else it is ended when it rests."""
    if shutil.which(command[0]) is None:
        return "not installed"
    folder = tempfile.mkdtemp(dir=WORK)
    with open(folder + "/log", "wb") as log:
        process = subprocess.Popen(["taskset", "-c", "0", *command], stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                   cwd=folder, start_new_session=True)
        SESSIONS.append(process.pid)
        used = None
        if not ends:
            time.sleep(3)  # pmacct begins after two
            last, until = -1.0, time.monotonic() + ENDS_S
            while time.monotonic() < until and process.poll() is None:
                time.sleep(2)
                used = cpu_seconds(process.pid)
                if used - last < 0.05:
                    break
                last = used
            for pid in processes(process.pid):
                os.kill(pid, signal.SIGTERM)
        ended = reap(process)
        SESSIONS.remove(process.pid)
        used = ended if ends else used
    if used is None or (ends and process.returncode != 0):
        with open(folder + "/log", "rb") as log:
            say(f"{name}: failed: {log.read()[-500:].decode(errors='replace')}")
        return None
    say(f"{name}: {count} in {used:.2f} CPU s")
    return count / max(used, 1 / TICK) / 1e6


def replay(path):
    options = [word for name, addresses in SHOPS for word in ("--service", f"{name}={addresses}")]
    return [WHYDOWN, "replay", "--quiet", *options, path]


def three(name, command, count):
    """The median of three runs."""
    figures = [file_run(name, command, count) for _ in range(3)]
    return None if None in figures else sorted(figures)[1]


def file_rows():
    for form in ("netflow5", "netflow9", "ipfix", "sflow"):
        if os.environ.get("ONLY_FORM", form) != form:
            continue
        path, count = f"{WORK}/{form}.pcap", RECORDS if form != "sflow" else RECORDS // 4
        subprocess.run([SENDER, form, str(count), "0", path], check=True)
        subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)  # into the kernel's memory
        ours = three("whydown replay " + form, replay(path), count)
        program = "sfacctd" if form == "sflow" else "nfacctd"
        folder = tempfile.mkdtemp(dir=WORK)
        source = f"pcap_savefile: {path}\npcap_savefile_wait: true"
        theirs = file_run(program, pmacct(program, "dst_host", source)(folder), count, ends=False)
        row(f"{form} from file", "M records/CPU s", ours, program + " by destination", theirs)
        os.unlink(path)


def packet_rows():
    """The peers get a quarter as many packets of the same kind: they take a hundred times as long."""
    path = WORK + "/packets.pcap"
    subprocess.run([PACKETS, str(FRAMES), "0", path], check=True)
    subprocess.run(["cat", path], stdout=subprocess.DEVNULL, check=True)
    ours = three("whydown replay packets", replay(path), FRAMES)
    subprocess.run([PACKETS, str(FRAMES // 4), "0", path], check=True)
    folder = tempfile.mkdtemp(dir=WORK)
    source = f"pcap_savefile: {path}\npcap_savefile_wait: true"
    peers = (("pmacctd by destination", pmacct("pmacctd", "dst_host", source)(folder), False),
             ("softflowd", ["softflowd", "-d", "-r", path, "-n", "127.0.0.1:9", "-v", "9", "-p", folder + "/pid"],
                   True),
             ("nfpcapd (stores only)", ["nfpcapd", "-r", path, "-w", folder], True))
    for name, command, ends in peers:
        row("packets from file", "M packets/CPU s", ours, name, file_run(name, command, FRAMES // 4, ends))
    os.unlink(path)


# ---- packets of an interface ----

def metric(name):
    with urllib.request.urlopen(f"http://127.0.0.1:{HTTP}/metrics", timeout=10) as answer:
        for line in answer.read().decode().splitlines():
            if line.startswith(name + " ") or line.startswith(name + "{"):
                return float(line.split()[-1])
    return 0.0


def http_is_up(_tool):
    try:
        return metric("whydown_capture_packets_total") >= 0
    except OSError:
        return False


def ring_rows():
    commands = (["link", "add", "bench0", "type", "veth", "peer", "name", "bench1"],
                ["link", "set", "bench0", "up"], ["link", "set", "bench1", "up"])
    for command in commands:
        subprocess.run(["ip", *command], check=True)
    telemetry = "{capture: [bench1], capture_ring_bytes: 268435456}"
    us = Tool("whydown", WHYDOWN, whydown(SHOPS, telemetry), ready=http_is_up,
              dropped=lambda: metric("whydown_capture_drops_total"))
    ours = us.best(lambda count, rate: [PACKETS, str(count), str(rate), "bench0"], [0.3, 0.1])
    row("packets of an AF_PACKET ring, one core", "M packets/CPU s", ours and ours[0] / 1e6)
    row("packets of an AF_PACKET ring, nothing lost", "M packets/s", ours and ours[1] / 1e6)


# ---- memory ----

def memory_row(name, services, form=None, rate=0.0):
    """Resident megabytes, of which the table of places takes about 13."""
    tool = Tool(f"whydown, {name}", WHYDOWN, whydown(services))
    if form is not None:
        done = tool.run(exporter(form), rate * 1e6, min(int(rate * 1e6 * SECONDS), RECORDS))
        size = None if done is None else tool.resident / 1e6
    else:
        size = resident(tool.process.pid) / 1e6 if tool.start() else None
        tool.stop()
    row("memory, " + name, "MB", size)
    return size


def memory_rows():
    one = [("shop", "198.51.100.0/24")]
    many = [(f"shop-{n}", f"198.51.{100 + n // 256}.{n % 256}/32") for n in range(1000)]
    # The load goes to 198.51.100.0/24: the first 256 of the thousand, or half of these.
    half = [(f"shop-{n}", f"198.51.{100 + n // 128}.{n % 128}/32") for n in range(1000)]
    memory_row("one service, at rest", one)
    memory_row("one service, a million new sources a second", one, "ipfix-spoofed", 1)
    memory_row("1,000 services, at rest", many)
    less = memory_row("1,000 services, 128 of them with traffic", half, "ipfix", 1)
    more = memory_row("1,000 services, 256 of them with traffic", many, "ipfix", 1)
    if less is not None and more is not None:
        row("memory, a service with traffic", "KB", (more - less) * 1e3 / 128, "limit", 256.0, less_is_better=True)


def main():
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    for part, rows in (("file", file_rows), ("packets", packet_rows), ("ring", ring_rows), ("memory", memory_rows),
                       ("udp", udp_rows)):
        if wanted(part):
            rows()
    say(f"in all {time.monotonic() - BEGAN:.0f} s")


signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
try:
    main()
finally:
    for pid in [pid for session in SESSIONS for pid in processes(session)]:
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(WORK, ignore_errors=True)
