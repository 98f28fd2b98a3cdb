#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""kill_test: kills the program at random moments under load and checks after each restart that every report
it answered for is there once, and none twice. Reports that were not answered are sent again, as a client would.

usage: kill_test.py pipe WRITER     (tests/kill/writer.c: the journal itself, over pipes)
       kill_test.py http WHYDOWN    (`whydown serve`, as a feeder does: POST /api/v1/observations)

WHYDOWN_KILL_ROUNDS: how often, default 20; the full run is 200 (about a minute and a half).
WHYDOWN_KILL_SEED: repeats a run's choices, though not the machine's timing."""
import glob
import http.client
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROUNDS = int(os.environ.get("WHYDOWN_KILL_ROUNDS", "20"))
SEED = int(os.environ.get("WHYDOWN_KILL_SEED", str(random.SystemRandom().randrange(1 << 32))))
WINDOW = 300  # reports sent and not yet answered


class Failed(Exception):
    pass


class Pipe:
    """The writer over its pipes."""

    def __init__(self, writer, folder):
        self.writer, self.folder = writer, folder

    def start(self):
        self.process = subprocess.Popen([self.writer, self.folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.acknowledged = set()
        self.reading = threading.Thread(target=self.read)
        self.reading.start()

    def read(self):
        for line in self.process.stdout:
            # The last line may be cut: then nobody was answered.
            if line.endswith(b"\n"):
                self.acknowledged.add(int(line.split()[1]))

    def send(self, numbers):
        self.process.stdin.write(b"".join(b"%d\n" % n for n in numbers))
        self.process.stdin.flush()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        status = self.process.wait()
        if status != -signal.SIGKILL:
            raise Failed(f"it ended by itself with {status}")
        self.reading.join()
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.stdout.close()

    def list(self, seq):
        done = subprocess.run([self.writer, self.folder, "list", str(seq)], stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed(f"listing ended with {done.returncode}")
        reports, end = [], seq
        for line in done.stdout.splitlines():
            word, rest = line.split(" ", 1)
            if word == "report":
                reports.append(int(rest))
            elif word == "end":
                end = int(rest)
            elif word == "damage":
                raise Failed(f"damage: {rest}")
            elif word == "digest":
                _, all_of_it, _, from_state = rest.split()
                if all_of_it != from_state:
                    raise Failed("the state and the journal after it tell another story than the whole journal")
        return reports, end


CONFIG = """\
services:
  - {id: x, name: X}
feeders:
  - {name: kill, token: zyxwvutsrqponmlkjihgfedcba}
limits:
  observations_per_feeder_per_s_max: 100000
"""


class Http:
    """The server; a report's number is its id and its comment, so that export tells it."""

    def __init__(self, whydown, folder):
        self.whydown, self.folder = whydown, folder
        self.config = folder + ".yaml"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(CONFIG)
        self.log = open(folder + ".log", "w+", encoding="utf-8")

    def start(self):
        self.acknowledged = set()
        self.log.seek(0)
        self.log.truncate()
        self.process = subprocess.Popen(
            [self.whydown, "serve", "--config", self.config, "--data", self.folder, "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=self.log)
        self.port = self.listening()
        self.queue = queue.Queue()
        self.senders = [threading.Thread(target=self.deliver) for _ in range(4)]
        for sender in self.senders:
            sender.start()

    def listening(self):
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with open(self.log.name, encoding="utf-8") as log:
                if found := re.search(r"url=http://127\.0\.0\.1:(\d+)", log.read()):
                    return int(found.group(1))
            if self.process.poll() is not None:
                raise Failed(f"it did not start: see {self.log.name}")
            time.sleep(0.005)
        raise Failed(f"it did not listen: see {self.log.name}")

    def send(self, numbers):
        self.queue.put(list(numbers))

    def deliver(self):
        """Posts batches until the server is gone."""
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            while (numbers := self.queue.get()) is not None:
                at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                lines = "".join(f'{{"v":1,"kind":"report","at":"{at}","id":"{n}","service":"x","comment":"{n}"}}\n'
                                for n in numbers)
                connection.request("POST", "/api/v1/observations", lines, {
                    "Content-Type": "application/x-ndjson", "Authorization": "Bearer zyxwvutsrqponmlkjihgfedcba"})
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 202:
                    self.acknowledged |= set(numbers)
                else:
                    self.refused = f"{answer.status}: {body[:200]!r}"
        except (OSError, http.client.HTTPException):
            pass  # killed: nobody was answered

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        status = self.process.wait()
        if status != -signal.SIGKILL:
            raise Failed(f"it ended by itself with {status}")
        for _ in self.senders:
            self.queue.put(None)
        for sender in self.senders:
            sender.join()

    def list(self, seq):
        done = subprocess.run([self.whydown, "export", "--data", self.folder, "--all-comments"],
                              stdout=subprocess.PIPE, text=True)
        if done.returncode != 0:
            raise Failed(f"export ended with {done.returncode}")
        reports = [int(json.loads(line)["comment"]) for line in done.stdout.splitlines()]
        if seq == 0:
            self.told = 0
        new, self.told = reports[self.told:], len(reports)
        return new, 1


def load(program, unanswered, next_number, seconds):
    """Sends what was not answered, then new reports, for some time; returns the next new number."""
    until = time.monotonic() + seconds
    open_numbers = set(unanswered)
    if unanswered:
        program.send(sorted(unanswered))
    while time.monotonic() < until:
        open_numbers -= program.acknowledged
        room = WINDOW - len(open_numbers)
        if room <= 0:
            time.sleep(0.0005)
            continue
        new = range(next_number, next_number + min(room, 64))
        next_number = new.stop
        open_numbers.update(new)
        try:
            program.send(new)
        except BrokenPipeError as gone:
            raise Failed("it ended by itself") from gone
    return next_number


def check(listed, acknowledged, sent):
    seen = set()
    for number in listed:
        if number in seen:
            raise Failed(f"report {number} is there twice")
        seen.add(number)
    if missing := acknowledged - seen:
        raise Failed(f"{len(missing)} answered reports are missing, such as {min(missing)}")
    if strange := {n for n in seen if not 0 < n < sent}:
        raise Failed(f"report {min(strange)} was never sent")


def run(program, choice):
    acknowledged, listed, seq, next_number = set(), [], 0, 1
    for at in range(1, ROUNDS + 1):
        program.start()
        unanswered = set(range(1, next_number)) - acknowledged
        next_number = load(program, unanswered, next_number, choice.uniform(0.0, 0.35))
        program.kill()
        acknowledged |= program.acknowledged
        more, seq = program.list(seq)
        listed += more
        try:
            check(listed, acknowledged, next_number)
        except Failed as failure:
            raise Failed(f"round {at}: {failure}") from failure
    whole, _ = program.list(0)
    if whole != listed:
        raise Failed("the journal's past has changed")
    return len(acknowledged)


def main():
    folder = tempfile.mkdtemp(prefix="whydown-kill-")
    choice = random.Random(SEED)
    way = {"pipe": Pipe, "http": Http}[sys.argv[1]]
    program = None
    try:
        program = way(sys.argv[2], folder)
        answered = run(program, choice)
    except Failed as failure:
        print(f"{failure} (WHYDOWN_KILL_SEED={SEED}; the data folder is left at {folder})")
        print("not ok - killed at any moment, nothing answered is lost and nothing counted twice")
        return 1
    shutil.rmtree(folder)
    for beside in glob.glob(folder + ".*"):
        os.unlink(beside)
    if answered < ROUNDS * 20:
        print(f"only {answered} reports were answered in all", getattr(program, "refused", ""))
        print("not ok - the load was a load")
        return 1
    print(f"ok - {sys.argv[1]}: killed {ROUNDS} times: {answered} answered reports are there once")
    return 0


sys.exit(main())
