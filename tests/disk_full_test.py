#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The disk fills up under a running server: reports are refused with 503 and nothing that was answered 202 is lost;
pages go on; /healthz says so; and when there is room again the server takes reports again by itself. The full disk is a
small file system in memory, so this needs root; elsewhere it is skipped."""
import http.client
import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time

import live
from live import WHYDOWN, check

REPORTS_MAX = 60000


def ask(port, method, path, body=None, headers={}):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, text


def report_until(port, wanted, most):
    """Sends reports of ever new addresses over one connection until `wanted` is answered; how many were accepted."""
    connection, accepted = http.client.HTTPConnection("127.0.0.1", port, timeout=10), 0
    comment = "x" * 480
    for n in range(most):
        body = json.dumps({"service": "x", "comment": comment})
        connection.request("POST", "/api/v1/reports", body, {
            "Content-Type": "application/json", "X-Forwarded-For": f"20.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}"})
        answer = connection.getresponse()
        answer.read()
        accepted += answer.status == 202
        if answer.status == wanted:
            return accepted, answer.status
    return accepted, 0


CONFIG = 'trusted_proxies: ["127.0.0.1"]\nlimits:\n  reports_per_s_max: 1000000\n'


def served(config, data, **options):
    """(the server, its port)"""
    process = subprocess.Popen([WHYDOWN, "serve", "--config", config, "--data", data, "--listen", "127.0.0.1:0"],
                               stderr=subprocess.PIPE, text=True, **options)
    while True:
        match = re.search(r"url=http://127\.0\.0\.1:(\d+)", process.stderr.readline())
        if match:
            return process, int(match[1])


def exported(data):
    out = subprocess.run([WHYDOWN, "export", "--data", data, "--format", "ndjson"], capture_output=True, text=True,
                         check=True).stdout
    return out.count("\n")


def try_limit():
    """A limit on the size of files (ulimit -f) is as good as a full disk, which a signal must not end."""
    folder = tempfile.mkdtemp(prefix="whydown-limit-")
    config, data, mega = folder + "/c.yaml", folder + "/data", 1 << 20
    with open(config, "w") as file:
        file.write(CONFIG)
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (mega, resource.RLIM_INFINITY))
    server, port = served(config, data, preexec_fn=limit)
    try:
        before, status = report_until(port, 503, REPORTS_MAX)
        check("where files may not grow a report is answered 503", status == 503 and before > 0, before)
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        after, deadline = 0, time.monotonic() + 20
        while not after and time.monotonic() < deadline:
            after = report_until(port, 202, 1)[0]
            time.sleep(0.1)
        check("and taken when they may", after == 1)
        server.terminate()
        check("it ends in good order", server.wait(20) == 0, server.returncode)
        check("what was accepted there is there once", exported(data) == before + after, exported(data), before, after)
    finally:
        server.kill()
        shutil.rmtree(folder)


def mounted(*arguments):
    return subprocess.run(["mount", *arguments], capture_output=True).returncode == 0


try_limit()
if os.geteuid() != 0:
    print("skip - a full disk: needs root to make a small one")
    sys.exit(1 if live.failures else 77)

folder = tempfile.mkdtemp(prefix="whydown-disk-")
if not mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", folder):
    os.rmdir(folder)
    print("skip - a full disk: no file system can be mounted here")
    sys.exit(1 if live.failures else 77)
server = None
try:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as config:
        config.write(CONFIG)
        config.flush()
        server, port = served(config.name, folder + "/data")
        before, status = report_until(port, 503, REPORTS_MAX)
        check("a report that cannot be kept is answered 503", status == 503, before)
        check("until then reports were accepted", before > 100, before)
        # What the log of the database gives back may be room for a moment: full is full when it stays so.
        status, text, deadline = 0, b"", time.monotonic() + 20
        while status != 503 and time.monotonic() < deadline:
            before += report_until(port, 503, REPORTS_MAX)[0]
            status, text = ask(port, "GET", "/healthz")
        check("/healthz says that the journal cannot write", status == 503 and b'"journal_writes":false' in text, text)
        status, text = ask(port, "POST", "/api/v1/reports", "service=x&problem=unreachable", {
            "Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": "192.0.2.1"})
        check("who sent a form is told so on a page, and when to try again", status == 503 and
              b"<!doctype html>" in text.lower() and b"Please send it again in 5 seconds." in text, status, text)
        check("pages go on", ask(port, "GET", "/s/x")[0] == 200)
        mounted("-o", "remount,size=40m", folder)
        after, deadline = 0, time.monotonic() + 20
        while not after and time.monotonic() < deadline:
            after = report_until(port, 202, 1)[0]
            time.sleep(0.1)
        check("with room again reports are accepted again", after == 1)
        check("and /healthz is well", ask(port, "GET", "/healthz")[0] == 200)
        server.terminate()
        server.communicate(timeout=20)
        server = None
        kept = exported(folder + "/data")
        check("each report that was accepted is there once, and no other", kept == before + after, kept, before, after)
        with open(folder + "/filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        told = subprocess.run([WHYDOWN, "serve", "--config", config.name, "--data", folder + "/new",
                               "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=60)
        check("a start on a full disk says that it is full", told.returncode == 1 and "no space left on the disk" in
              told.stderr and "in_use" not in told.stderr, told.returncode, told.stderr)
finally:
    if server is not None:
        server.kill()
    subprocess.run(["umount", folder], check=False)
    os.rmdir(folder)
sys.exit(1 if live.failures else 0)
