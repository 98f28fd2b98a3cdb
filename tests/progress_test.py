#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The progress bar of `whydown replay` on terminals of any width: it stays in its line, is gone at the end, tears no
scores that go to the same terminal, and is not there without a terminal or with --quiet."""
import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time

from live import WHYDOWN, check
import live

LINE = '{"kind":"count","at":"%s","step":1,"service":"x","count":%d}\n'


def feed(pipe):
    """Half a second of a recording whose end nobody knows."""
    begin = 1741564800
    for part in range(6):
        for n in range(part * 5000, part * 5000 + 5000):
            pipe.write((LINE % (begin + n, n % 7)).encode())
        pipe.flush()
        time.sleep(0.12)
    pipe.close()


def on_terminal(columns, *options, output_too=False):
    """What came on a terminal so wide, from standard error or from both; and what came to standard output else."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    program = subprocess.Popen([WHYDOWN, "replay", *options, "-"], stdin=subprocess.PIPE, stderr=slave,
                               stdout=slave if output_too else subprocess.PIPE)
    other = []
    reader = threading.Thread(target=lambda: other.append(b"" if output_too else program.stdout.read()))
    reader.start()
    os.close(slave)
    feeder = threading.Thread(target=feed, args=(program.stdin,))
    feeder.start()
    came = b""
    while True:
        try:
            part = os.read(master, 65536)
        except OSError:
            break
        if not part:
            break
        came += part
    feeder.join()
    reader.join()
    os.close(master)
    return came.decode(), other[0].decode(), program.wait()


def main():
    for columns in (10, 40, 45, 60, 80, 200):
        came, _, status = on_terminal(columns)
        bar, summary = came.rsplit("\r", 2)[0], came.split("\r")[-2:]
        shown = [line for line in bar.split("\r") if line.strip()]
        check(f"a bar is shown in {columns} columns", status == 0 and len(shown) >= 3, repr(came))
        check("… stays in its line", all(len(line) < columns and "\n" not in line for line in shown), repr(shown))
        check("… and is wiped at the end", came.count("\n") == 1 and summary[0].startswith("30000 observations"),
              repr(came[-200:]))
    came, _, _ = on_terminal(80, "--format", "scores", output_too=True)
    check("scores on the same terminal are not torn", all(line.startswith(("2025-03-10T", "time,", "30000 "))
                                                          for line in came.split("\r\n")[:-1]))
    came, scores, _ = on_terminal(80, "--format", "scores")
    check("elsewhere they have a bar beside them", "M/s \r" in came and scores.count("\n") == 30001)
    check("--quiet shows nothing", on_terminal(80, "--quiet")[0] == "")
    program = subprocess.Popen([WHYDOWN, "replay", "-"], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    threading.Thread(target=feed, args=(program.stdin,)).start()
    came = program.stderr.read().decode()
    check("without a terminal there is only the summary", came.startswith("30000 observations") and "\r" not in came, came)
    program.wait()


if __name__ == "__main__":
    main()
    sys.exit(live.failures != 0)
