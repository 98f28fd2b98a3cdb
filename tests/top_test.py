#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`whydown top` on a terminal: a flood comes into a running server and stands on the screen with what its sources
prove; keys, other sizes of the terminal, a server that goes away, one that was never there, and one that answers
rubbish or what would steer a terminal."""
import http.server
import os
import pathlib
import signal
import subprocess
import tempfile
import termios
import threading
import time

from live import SOURCE, WHYDOWN, Server, check
from screen import Program, Strange
import live

CONFIG = """
listen: ["127.0.0.1:0"]
telemetry: {listen: ["127.0.0.1:0"]}
services_from: []
services:
  - {id: shop, name: Shop, addresses: ["198.51.100.0/24"]}
  - {id: bank, name: "Bank of 東京", addresses: ["203.0.113.0/24"]}
"""
SCENARIO = """
title A flood of answers, made up
begins 2026-01-01 00:00 UTC
lasts 60 seconds
service shop
  usually 1 report a minute
traffic of shop
  addresses 198.51.100.0/24
  usually 500 packets a second
attack on shop
  vector amp.dns
  begins after 8 seconds
  stays for 50 seconds
  peaks at 5000 packets a second
  from 600 sources
"""


def top(url, *options, **how):
    return Program([WHYDOWN, "top", "--url", url, *options], **how)


def plain(url, *options, **environment):
    kept = {k: v for k, v in os.environ.items() if k != "COLUMNS" and not k.startswith("LC_")}
    return subprocess.run([WHYDOWN, "top", "--url", url, *options], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=60, env={**kept, "LANG": "C.UTF-8", **environment})


def shown_with(url, **environment):
    """What comes in three seconds on an xterm, whose words screen.py does not know."""
    p = top(url, TERM="xterm-256color", **environment)
    p.screen.feed = lambda _: None
    until = time.monotonic() + 3
    while time.monotonic() < until:
        p.read(0.1)
    p.type("q")
    check("it ends, on an xterm", p.end() == 0, p.raw)
    return p.raw


# ---- a server that is there ----

def try_table(p):
    check("the services stand on the screen", p.wait_for("Shop", "Bank of 東京", "PKT/S", "of 2"), p.screen.text())
    check("a service's packets do, too",
          p.wait_for(lambda s: any(line.startswith("Shop") and line[30:36].strip()[:1].isdigit() for line in s.lines())),
          p.screen.text())
    check("the flood is told, with its vector and what its sources prove",
          p.wait_for("1 incident", "INCIDENT OF", "reflectors", "amp.dns", seconds=30), p.screen.text())


def try_keys(p):
    p.type("?")
    check("? explains", p.wait_for("this help", "x USUAL"), p.screen.text())
    p.type("?ss")
    check("s sorts by the next column", p.wait_for("by packets"), p.screen.text())
    p.type("/bank\r")
    check("/ filters", p.wait_for("filter: bank", lambda s: "\nShop" not in s.text().split("INCIDENT")[0]),
          p.screen.text())
    p.type("\x1b")
    check("Escape ends the filter", p.wait_for("Enter: more of a service"), p.screen.text())
    p.type("p")
    check("p pauses", p.wait_for("Paused"), p.screen.text())
    clock = p.screen.lines()[0]
    time.sleep(2.2)
    p.read(0.1)
    check("and then the clock stands still", p.screen.lines()[0] == clock and "Paused, 2 s" in p.screen.text(),
          p.screen.text())
    p.type("p")
    check("p goes on", p.wait_for(lambda s: s.lines()[0] != clock, "q: quit"), p.screen.text())
    p.type("\r")
    check("Enter shows what floods a service, what its sources prove, and them",
          p.wait_for("Shop: incident", "packets/s of the last", "DNS amplification", "sources reflectors",
                     "Where from is not known", "addresses:"), p.screen.text())
    p.type("\x1b")
    check("Escape goes back", p.wait_for("SERVICE", "INCIDENT OF"), p.screen.text())


def try_sizes(p):
    for columns, rows in (60, 12), (40, 5), (3, 2), (200, 60), (100, 30):
        p.resize(columns, rows)
        head = "whydown"[:columns - 1]
        passed = p.wait_for(lambda s: s.lines()[0].startswith(head), seconds=5)
        if columns > 20:
            passed = passed and p.wait_for(lambda s: s.lines()[2].startswith("SERVICE") and len(s.lines()[2]) > 20)
        check(f"a terminal of {columns} x {rows} is filled anew", passed, p.screen.text())


def try_server(folder):
    server = Server(folder, CONFIG)
    scenario = folder / "flood.scenario"
    scenario.write_text(SCENARIO)
    traffic = subprocess.Popen([WHYDOWN, "simulate", scenario, "--format", "ipfix", "--speed", "1", "--to",
                                f"127.0.0.1:{server.udp_port()}"], stdout=subprocess.DEVNULL)
    url = "http://" + server.url
    p = top(url)
    try:
        try_table(p)
        try_keys(p)
        try_sizes(p)
        done = plain(url, "--once")
        check("--once writes it as plain text", done.returncode == 0 and b"\x1b" not in done.stdout and
              "Shop" in done.stdout.decode() and "Bank of 東京" in done.stdout.decode() and done.stderr == b"", done)
        done = plain(url, "--service", "shop", LANG="C")
        check("so it does without a terminal; one service, in ASCII", done.returncode == 0 and done.stdout.isascii() and
              b"DNS amplification" in done.stdout and b"reflectors" in done.stdout, done)
        done = plain(url, "--once", "--service", "nobody")
        check("a service that is not there: status 1", done.returncode == 1 and b"no service nobody" in done.stdout, done)
        dumb = top(url, TERM="dumb")
        check("a terminal that cannot be drawn on gets plain text",
              dumb.end() == 0 and b"\x1b" not in dumb.raw and b"Shop" in dumb.raw, dumb.raw)
        check("colours, on a terminal that has them", b"\x1b[31m" in shown_with(url))
        check("NO_COLOR: none", b"\x1b[31m" not in shown_with(url, NO_COLOR="1"))
        server.stop()
        check("a server that goes away is told", p.wait_for("trying again", "s old"), p.screen.text())
        p.type("q")
        check("q ends it, with the terminal as it was",
              p.end() == 0 and termios.tcgetattr(p.terminal)[:4] == p.before[:4], (p.status, p.raw[-200:]))
    finally:
        traffic.kill()
        traffic.wait()
        server.stop()


# ---- others ----

class Answers(http.server.BaseHTTPRequestHandler):
    """What `answers` says: (status, body) by the path's end, or of all paths. None: never."""
    answers = {}

    def do_GET(self):
        answer = next((a for end, a in self.answers.items() if self.path.endswith(end)), None)
        if answer is None:
            time.sleep(60)
            return
        status, body = answer
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        try:
            for part in [body] if isinstance(body, bytes) else body:
                self.wfile.write(part)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def try_rubbish(url):
    for what, answer, words in (
            ("another program's page", (200, b"<!doctype html><title>\x1b[2J</title>"), "not whydown's"),
            ("JSON of something else", (200, b'{"a":1}'), "lists no services"),
            ("nothing", (200, b""), "not whydown's"),
            ("404", (404, b"no"), "no whydown (status 404)"),
            ("a redirection", (301, b""), "no whydown (status 301)"),
            ("503", (503, b""), "busy (status 503)"),
            ("an answer without end", (200, (b" " * 65536 for _ in range(1 << 14))), "too long"),
            ("brackets without end", (200, b"[" * 5000000), "too long")):
        Answers.answers = {"": answer}
        done = plain(url)
        check(f"{what}: status 1, and it says so", done.returncode == 1 and done.stdout == b"" and
              words in done.stderr.decode() and b"\x1b" not in done.stderr, done)


def try_steering(url):
    parts = (SOURCE / "tests/corpus/top/steering").read_bytes().split(b"\x1e")
    ends = ["/services", "/now", "/traffic", "/trace"]
    check("the answers do have what steers a terminal", len(parts) == 4 and all(b"\\u001b" in x for x in parts[::3]))
    Answers.answers = {end: (200, body) for end, body in zip(ends, parts)}
    for options in [], ["--service", "shop"]:
        for language in "C", "C.UTF-8":
            done = plain(url, *options, LANG=language)
            said = done.stdout.decode()
            check(f"steering text comes out as text ({language} {' '.join(options)})", done.returncode == 0 and
                  len(said) > 200 and all(c == "\n" or (c.isprintable() and c not in "\u202e\u009b") for c in said), done)
    p = top(url, "--service", "shop", rows=60)
    try:
        check("so it does on a terminal", p.wait_for("Incident shop-", "rule:"), p.screen.text())
        p.type("\x1b")
        check("in the table, too", p.wait_for("INCIDENT OF"), p.screen.text())
        os.kill(p.pid, signal.SIGTERM)
        check("a signal ends it, with the terminal as it was",
              p.end() == 0 and termios.tcgetattr(p.terminal)[:4] == p.before[:4], p.status)
    except Strange as strange:
        check("so it does on a terminal", False, strange)


def try_silence(url, parts):
    """A server that stops answering does not stop the keys."""
    Answers.answers = {"/services": (200, parts[0]), "/now": (200, parts[1])}
    p = top(url)
    p.wait_for("Shop")
    Answers.answers = {}
    check("a server that says nothing is told", p.wait_for("not answered for", seconds=8), p.screen.text())
    p.type("?")
    check("while keys are obeyed", p.wait_for("this help", seconds=2), p.screen.text())
    os.close(p.terminal)
    until = time.monotonic() + 5
    while time.monotonic() < until and os.waitpid(p.pid, os.WNOHANG)[0] == 0:
        time.sleep(0.05)
    try:
        os.kill(p.pid, signal.SIGKILL)
        check("a terminal that is gone ends it", False)
    except ProcessLookupError:
        check("a terminal that is gone ends it", True)


def try_others():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    try_rubbish(url)
    try_steering(url + "/")
    try_silence(url, (SOURCE / "tests/corpus/top/flood").read_bytes().split(b"\x1e"))
    server.shutdown()
    server.server_close()
    done = plain(url)
    check("no server: status 1, and it says so", done.returncode == 1 and b"onnect" in done.stderr and
          url.encode() in done.stderr, done)


def try_options():
    for options in (["--url", "ftp://x"], ["--url", "http://a\x1b[2J"], ["--every", "0"], ["--sort", "colour"],
                    ["--service", "A b"], ["--what"], ["x"], ["--url", "h" * 5000]):
        done = plain("http://127.0.0.1:9", *options)
        check(f"{options[0]} {options[-1][:12]!r}: wrong usage", done.returncode == 2 and done.stdout == b"" and
              b"--help" in done.stderr, done)
    done = plain("http://127.0.0.1:9", "--help")
    check("--help", done.returncode == 0 and b"usage: whydown top" in done.stdout, done)
    done = plain("http://me:secret@127.0.0.1:9/")
    check("a password in the URL is not shown", done.returncode == 1 and b"secret" not in done.stderr, done)


def main():
    with tempfile.TemporaryDirectory() as name:
        try_options()
        try_others()
        try_server(pathlib.Path(name))
    return 1 if live.failures else 0


raise SystemExit(main())
