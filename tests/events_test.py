#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Open pages hear of every service that changed, also of more than are told at once."""
import json
import pathlib
import socket
import tempfile
import time

import live
from live import Server, check

SERVICES = 450
TOKEN = "only-this-feeder-has-this-token"
CONFIG = f"""
listen: ["127.0.0.1:0"]
feeders: [{{name: f, token: {TOKEN}}}]
services_from: []
services:
""" + "".join(f"  - {{id: s{n}, name: Service {n}}}\n" for n in range(1, SERVICES + 1))


def listen(url):
    host, port = url.split(":")
    stream = socket.create_connection((host, int(port)), timeout=1)
    stream.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
    return stream


def names_until(stream, wanted, seconds):
    """The names of the events that come until all that are wanted have, or the time is over."""
    text, until = b"", time.time() + seconds
    names = set()
    while not wanted <= names and time.time() < until:
        try:
            text += stream.recv(65536)
        except socket.timeout:
            pass
        names = {line[7:].decode() for line in text.split(b"\n") if line.startswith(b"event: ")}
    return names


def main():
    with tempfile.TemporaryDirectory() as name:
        server = Server(pathlib.Path(name) / "server", CONFIG)
        try:
            stream = listen(server.url)
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            lines = "".join(json.dumps({"kind": "report", "service": f"s{n}", "at": at, "id": f"{n:032x}"}) + "\n" for n in range(1, SERVICES + 1))
            for _ in range(5):  # a slow disk may make the server say 503; an id is taken once
                server.connection.request("POST", "/api/v1/observations", lines, {
                    "Content-Type": "application/x-ndjson", "Authorization": "Bearer " + TOKEN})
                answer = server.connection.getresponse()
                text = answer.read()
                if answer.status != 503:
                    break
                time.sleep(1)
            taken = json.loads(text)
            check("reports of all services are taken", taken.get("accepted", 0) + taken.get("duplicates", 0) == SERVICES, text)
            wanted = {f"service.s{n}" for n in range(1, SERVICES + 1)} | {"now"}
            missing = wanted - names_until(stream, wanted, 10)
            check("whoever listens hears of each of them", not missing, len(missing), sorted(missing)[:3])
            stream.close()
        finally:
            check("it stops in good order", server.stop() == 0, server.said())
    return 1 if live.failures else 0


raise SystemExit(main())
