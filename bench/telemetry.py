#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""telemetry: whydown and its peers take the same flow exports over loopback, one tool at a time.

Each tool runs on one core, the sender (bench/flow_sender.c) on the other. Processor time is that of all processes of
the tool, user and kernel, from the first datagram until the tool rests again, less what it uses when nothing comes.
Lost is what the kernel dropped at the tool's sockets (/proc/net/udp). Processor time per record is taken at the
highest rate at which nothing was lost. RECORDS=10000000 (default) records a run; ONLY=ipfix for one format."""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

RECORDS = int(os.environ.get("RECORDS", "10000000"))
SENDER = "build/bench/flow_sender"
WHYDOWN = os.environ.get("WHYDOWN", "build/whydown")
TICK = os.sysconf("SC_CLK_TCK")
PORT = 20055
# Millions of records a second that are offered, from the highest down, until nothing is lost.
RATES = [5, 3, 2, 1, 0.5, 0.2, 0.1, 0.05]
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


class Tool:
    """One way to run one program. `command` gets a folder of its own."""

    def __init__(self, name, program, command, check=None):
        self.name, self.program, self.command, self.check = name, program, command, check

    def start(self):
        self.folder = tempfile.mkdtemp(dir=WORK)
        self.log = open(self.folder + "/log", "wb")
        command = ["taskset", "-c", "0", *self.command(self.folder)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL,
                                        cwd=self.folder, start_new_session=True)
        for _ in range(200):
            if sockets()[0] > 0:
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
        self.log.close()

    def idle_rate(self):
        before = cpu_seconds(self.process.pid)
        time.sleep(2)
        return (cpu_seconds(self.process.pid) - before) / 2

    def run(self, form, rate, records):
        """(records a CPU second, records lost in the kernel, share that the tool says it took) or None."""
        if not self.start():
            self.stop()
            return None
        idle = self.idle_rate()
        before, dropped = cpu_seconds(self.process.pid), sockets()[1]
        began = time.monotonic()
        done = subprocess.run(["taskset", "-c", "1", SENDER, form, str(records), str(int(rate)),
                               f"127.0.0.1:{PORT}"], stdout=subprocess.PIPE, text=True, check=True)
        sent, datagrams, _, _ = done.stdout.split()
        last = cpu_seconds(self.process.pid)
        while True:  # until it rests
            time.sleep(1)
            now = cpu_seconds(self.process.pid)
            if now - last <= idle + 0.05:
                break
            last = now
        used = max(now - before - idle * (time.monotonic() - began), 1 / TICK)
        lost = (sockets()[1] - dropped) * int(sent) / int(datagrams)
        taken = self.check(self) if self.check is not None else None
        self.stop()
        share = "" if taken is None else f", {taken:.0f} counted inside"
        say(f"{self.name}: {form} at {rate / 1e6:g} M/s: {used:.2f} CPU s, {lost:.0f} of {sent} lost{share}")
        return int(sent) / used, lost, taken

    def best(self, form, rates=RATES, records=RECORDS):
        """(records a CPU second, highest rate without loss), or None."""
        if shutil.which(self.program) is None and not os.path.exists(self.program):
            return None
        for rate in rates:
            done = self.run(form, rate * 1e6, min(records, int(rate * 1e6 * 10)))
            if done is None:
                return None
            if done[1] == 0 and (done[2] is None or done[2] > 0.99 * min(records, int(rate * 1e6 * 10))):
                return done[0], rate * 1e6
        return done[0], 0


# ---- how each is run; PEERS: as fairly as we know how ----

def whydown(folder):
    with open(folder + "/whydown.yaml", "w") as file:
        file.write(f"""listen: ["127.0.0.1:0"]
telemetry:
  listen: ["127.0.0.1:{PORT}"]
  threads: 1
  receive_buffer_bytes: 268435456
services:
""")
        for n in range(16):
            file.write(f"  - id: shop-{n}\n    name: Shop {n}\n    addresses: [198.51.100.{16 * n}/28]\n")
    return [WHYDOWN, "serve", "--config", folder + "/whydown.yaml", "--data", folder + "/data"]


def nfcapd(folder):
    return ["nfcapd", "-l", folder, "-p", str(PORT), "-b", "127.0.0.1", "-B", "200000000", "-t", "3600"]


def sfcapd(folder):
    return ["sfcapd", "-l", folder, "-p", str(PORT), "-b", "127.0.0.1", "-B", "200000000", "-t", "3600"]


def pmacct(program, keys):
    prefix = "nfacctd" if program == "nfacctd" else "sfacctd"

    def command(folder):
        with open(folder + "/conf", "w") as file:
            file.write(f"""daemonize: false
plugins: print
aggregate: {keys}
print_refresh_time: 3600
print_output_file: {folder}/out
print_output: csv
print_cache_entries: 4000037
plugin_buffer_size: 1024000
plugin_pipe_size: 268435456
{prefix}_port: {PORT}
{prefix}_ip: 127.0.0.1
{prefix}_pipe_size: 268435456
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


def figure(best, part, scale=1e6):
    return "not installed" if best is None else f"{best[part] / scale:.2f}"


def main():
    rows = []
    only = os.environ.get("ONLY", "")
    netflow_peers = [
        Tool("nfcapd (stores only)", "nfcapd", nfcapd),
        Tool("nfacctd by destination", "nfacctd", pmacct("nfacctd", "dst_host")),
        Tool("nfacctd by source", "nfacctd", pmacct("nfacctd", "src_host")),
        Tool("FastNetMon as installed", "fastnetmon", fastnetmon("on")),
        Tool("FastNetMon without tracking", "fastnetmon", fastnetmon("off")),
    ]
    sflow_peers = [Tool("sfcapd (stores only)", "sfcapd", sfcapd),
                   Tool("sfacctd by destination", "sfacctd", pmacct("sfacctd", "dst_host"))]
    us = Tool("whydown", WHYDOWN, whydown)
    for form, peers in (("netflow5", netflow_peers), ("netflow9", netflow_peers), ("ipfix", netflow_peers),
                        ("sflow", sflow_peers), ("ipfix-spoofed", [])):
        if only and only != form:
            continue
        ours = us.best(form, RATES if form != "sflow" else [3, 2, 1, 0.5])
        name = f"{form} over UDP, one core"
        if not peers:
            rows.append((name, "M records/CPU s", figure(ours, 0), "-", "-", "-"))
            rows.append((name + ", nothing lost", "M records/s", figure(ours, 1), "-", "-", "-"))
        for peer in peers:
            theirs = peer.best(form)
            for part, what, unit in ((0, "", "M records/CPU s"), (1, ", nothing lost", "M records/s")):
                known = ours is not None and theirs is not None and theirs[part] > 0
                rows.append((name + what, unit, figure(ours, part), peer.name, figure(theirs, part),
                             f"{ours[part] / theirs[part]:.2f}" if known else "-"))
    for row in rows:
        print("\t".join(row))


try:
    main()
finally:
    shutil.rmtree(WORK, ignore_errors=True)
