#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An address that reported is nowhere afterwards: not in the data folder, not in the log, also not when it was
refused, and not after a restart. The address comes through a trusted proxy, so that it is one of its own."""
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile

import live
from live import WHYDOWN, check

ADDRESSES = ("203.0.113.77", "2001:db8:1:2:3:4:5:6")


def forms(address):
    """The address as text and as the bytes of a struct, whole and as the network it is hashed by."""
    if ":" in address:
        packed = socket.inet_pton(socket.AF_INET6, address)
        return [address.encode(), packed, packed[:8], b"2001:db8:1:2"]
    packed = socket.inet_aton(address)
    return [address.encode(), packed, packed[::-1]]


def found(folder):
    hits = []
    for directory, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(directory, name), "rb") as file:
                content = file.read()
            hits += [(name, form) for address in ADDRESSES for form in forms(address) if form in content]
    return hits


class Running:
    """`whydown serve` on a free port."""

    def __enter__(self):
        with open(os.path.join(folder, "log"), "ab") as log:
            self.process = subprocess.Popen([WHYDOWN, "serve", "--config", os.path.join(folder, "config.yaml"),
                                             "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:0"],
                                            stdout=log, stderr=subprocess.PIPE)
        os.makedirs(os.path.join(folder, "data"), exist_ok=True)
        self.log, self.port = b"", 0
        while not self.port:
            line = self.process.stderr.readline()
            self.log += line
            if not line:
                raise RuntimeError(self.log)
            match = re.search(rb"http://127\.0\.0\.1:(\d+)", line)
            self.port = int(match.group(1)) if match else 0
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.log += self.process.communicate(timeout=30)[1]
        with open(os.path.join(folder, "log"), "ab") as log:
            log.write(self.log)

    def post(self, address, body, content_type="application/json"):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.request("POST", "/api/v1/reports", body, {"Content-Type": content_type, "X-Forwarded-For": address})
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content


def main():
    with open(os.path.join(folder, "config.yaml"), "w", encoding="utf-8") as file:
        file.write("trusted_proxies: [127.0.0.1]\nlog_level: debug\n"
                   "limits:\n  reports_per_address_per_min_max: 1\n  reports_burst_per_address: 2\n")
    with Running() as server:
        for address in ADDRESSES:
            status, content = server.post(address, '{"service":"x","surface":"app"}')
            check(f"a report from {address} is taken", status == 202, status, content)
            status, content = server.post(address, '{"service":"no such"}')
            check("a wrong one is refused", status == 422, status, content)
            status, content = server.post(address, '{"service":"x"}')
            check("one too many is told to wait", status == 429, status, content)
            check("and no answer repeats the address", address.encode() not in content, content)
        check("while it runs, neither is in the data folder or the log", not found(folder), found(folder))
        data = os.path.join(folder, "data")
        open_to_all = [name for name in os.listdir(data) if os.stat(os.path.join(data, name)).st_mode & 0o007]
        check("no other user can read what it writes", not open_to_all and "whydown.db" in os.listdir(data), open_to_all)
    with Running() as server:
        status, content = server.post(ADDRESSES[0], '{"service":"x"}')
        check("after a restart it is taken again", status == 202, status, content)
    check("after it ended, neither is anywhere", not found(folder), found(folder))
    with open(os.path.join(folder, "log"), "rb") as log:
        check("the log was kept", b"listening" in log.read())
    with open(os.path.join(folder, "data", "planted"), "wb") as file:
        file.write(b"x" + forms(ADDRESSES[0])[1] + b"y")
    check("this search finds one that is there", len(found(folder)) == 1, found(folder))


with tempfile.TemporaryDirectory() as folder:
    main()
sys.exit(1 if live.failures else 0)
