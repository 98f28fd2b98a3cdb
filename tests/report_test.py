#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`whydown report` against a server that is busy, refuses, loses answers and counts ids."""
import gzip
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

import live
from live import WHYDOWN, check


class Server(http.server.BaseHTTPRequestHandler):
    """Answers what `script` says next (status, headers, body), or takes it as whydown would."""
    protocol_version = "HTTP/1.1"
    script, seen, ids = [], [], set()

    def log_message(self, *_):
        pass

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Server.seen.append((self.path, dict(self.headers), body))
        step = Server.script.pop(0) if Server.script else "take"
        if step == "lose":  # taken, but the answer does not arrive
            self.take(body)
            self.close_connection = True
            return
        status, headers, answer = (202, {}, self.take(body)) if step == "take" else step
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def take(self, body):
        if self.path == "/api/v1/reports":
            Server.ids.add(self.headers["Idempotency-Key"])
            return b"{}"
        new = duplicates = 0
        for line in body.splitlines():
            key = json.loads(line).get("id") or line
            duplicates += key in Server.ids
            new += key not in Server.ids
            Server.ids.add(key)
        return json.dumps({"accepted": new, "duplicates": duplicates, "refused": 0, "lines": []}).encode()


def report(script, *options, stdin=None):
    Server.script, Server.seen = list(script), []
    done = subprocess.run([WHYDOWN, "report", "--server", URL, *options], input=stdin, text=True,
                          capture_output=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def main():
    token = os.path.join(folder, "token")
    with open(token, "w", encoding="utf-8") as file:
        file.write("a-feeder's-secret-token\nmore\n")

    status, out = report([], "--service", "x", "--surface", "app", "--comment", 'say "no"\n', "--place", "GB/England/London")
    path, headers, body = Server.seen[0]
    check("one report is sent with all its fields",
          status == 0 and path == "/api/v1/reports" and json.loads(body) == {
              "service": "x", "surface": "app", "comment": 'say "no"\n', "country": "GB", "region": "England",
              "city": "London"} and headers["Content-Type"] == "application/json", status, out, body)

    Server.ids = set()
    busy = (503, {"Retry-After": "1"}, b"")
    status, out = report([busy, "lose", (429, {}, b"")], "--service", "x")
    check("it is sent until it is taken, under one key",
          status == 0 and len(Server.seen) == 4 and len(Server.ids) == 1, status, out, Server.seen)
    check("and says that it waits", "the server is busy; trying again in 1.0 s" in out, out)

    problem = json.dumps({"title": "A field of the report is wrong", "status": 422, "errors": [
        {"pointer": "/surface", "detail": 'X has no surface "fax"; it has: app'}]}).encode()
    status, out = report([(422, {}, problem)], "--service", "x", "--surface", "fax")
    check("a refusal is told with its reasons, and not tried again",
          status == 1 and "not taken (422): A field of the report is wrong" in out and "it has: app" in out
          and len(Server.seen) == 1, status, out)

    status, out = report([busy] * 9, "--service", "x", "--tries", "2", "--quiet")
    check("it gives up after as many tries as were asked for", status == 1 and len(Server.seen) == 2, status, out)

    lines = [json.dumps({"service": "x", "at": "2025-03-10T09:45:00Z"})] * 2500
    lines[7] = ""
    lines[9] = "{}"
    lines[11] = json.dumps({"service": "x", "at": "2025-03-10T09:45:00Z", "id": "own"})
    recording = os.path.join(folder, "recording.ndjson.gz")
    with gzip.open(recording, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    Server.ids = set()
    status, out = report([busy], "--token-file", token, recording)
    check("a recording is sent in batches, a wrong line is told with its number",
          status == 1 and len(Server.seen) == 4 and "recording.ndjson.gz:10: at is missing" in out
          and "2499 lines: 2498 taken, 0 sent before, 1 refused" in out, status, out)
    check("with the token", all(h["Authorization"] == "Bearer a-feeder's-secret-token" for _, h, _ in Server.seen))
    check("each line has its own id, and keeps the one it had", len(Server.ids) == 2498 and "own" in Server.ids)
    status, out = report(["lose"], "--token-file", token, "--batch", "500", recording)
    check("sending it again counts nothing twice",
          "2499 lines: 0 taken, 2498 sent before, 1 refused" in out and len(Server.seen) == 6, status, out)

    line = json.dumps({"kind": "count", "service": "x", "at": "2025-03-10T09:45:00Z", "step": 60, "count": 3})
    status, out = report([], "--token-file", token, "-", stdin=line + "\n\n")
    check("standard input is a recording, too",
          status == 0 and "1 lines: 1 taken" in out and Server.seen[0][2].decode() == line + "\n", status, out)

    answer = json.dumps({"accepted": 0, "duplicates": 0, "refused": 1, "lines": [
        {"line": 1, "at": 0, "detail": "there is no such service here"}]}).encode()
    status, out = report([(202, {}, answer)], "--token-file", token, "-", stdin="\n" + line)
    check("what the server refuses is told with the line of the file",
          status == 1 and "-:2: there is no such service here" in out, status, out)

    status, out = report([(401, {}, json.dumps({"title": "Not a feeder's token"}).encode())], "--token-file", token, recording)
    check("a token that is not taken ends it", status == 1 and "the server answers 401: Not a feeder's token" in out
          and len(Server.seen) == 1, status, out)

    evil = "\x1b]0;owned\x07"
    answer = json.dumps({"accepted": 0, "duplicates": 0, "refused": 1, "lines": [{"line": 1, "detail": evil}]}).encode()
    _, refused = report([(202, {}, answer)], "--token-file", token, "-", stdin=line)
    _, stopped = report([(400, {}, json.dumps({"detail": evil}).encode())], "--token-file", token, "-", stdin=line)
    check("what a server says steers no terminal", "\x1b" not in refused + stopped and
          "-:1: \\x1b]0;owned\\x07" in refused and "400: \\x1b]0;owned\\x07; stopped at line 1" in stopped,
          refused, stopped)

    for options, said in ((["--service", "x", recording], "--service or a recording is needed, not both"), ([], "--service or a recording is needed"),
                          ([recording], "needs --token-file"), (["--service", "x", "--tries", "0"], "--tries is a number"),
                          (["--service", "x", "--server", "ftp://a"], "the server is a URL")):
        status, out = report([], *options)
        check("wrong usage: " + said, status == 2 and said in out and not Server.seen, status, out)
    status, out = report([], "--help")
    check("--help tells every option", status == 0 and all(
        o in out for o in ("--server", "--service", "--surface", "--problem", "--comment", "--place", "--token-file")))


with tempfile.TemporaryDirectory() as folder:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
    URL = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    main()
sys.exit(1 if live.failures else 0)
