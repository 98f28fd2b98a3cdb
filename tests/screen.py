# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own, and what stands on that terminal's screen: a vt100 of any size that takes UTF-8.
What it does not know of is no silent thing: it raises. Not a test."""
import errno
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

SEQUENCE = re.compile(r"\x1b(?:\[([?0-9;]*)([A-Za-z])|([()][0AB]|[=>78MDH]))")


class Strange(Exception):
    """The program wrote what a vt100 is not told."""


class Screen:
    def __init__(self, columns, rows):
        self.resize(columns, rows)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.cells = [[" "] * columns for _ in range(rows)]
        self.x = self.y = 0
        self.top, self.bottom = 0, rows - 1
        self.saved = (0, 0)
        self.left = ""

    def lines(self):
        return ["".join(row).rstrip() for row in self.cells]

    def text(self):
        return "\n".join(self.lines())

    def scroll(self, by):
        row = [" "] * self.columns
        if by > 0:
            self.cells.insert(self.bottom, self.cells.pop(self.top) and row)
        else:
            self.cells.insert(self.top, self.cells.pop(self.bottom) and row)

    def line_feed(self):
        if self.y == self.bottom:
            self.scroll(1)
        else:
            self.y = min(self.y + 1, self.rows - 1)

    def put(self, c):
        if unicodedata.category(c) in ("Cc", "Cf"):
            raise Strange(f"the character U+{ord(c):04X}")
        if unicodedata.combining(c):
            self.cells[self.y][max(self.x - 1, 0)] += c
            return
        width = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if self.x + width > self.columns:
            self.x = 0
            self.line_feed()
        self.cells[self.y][self.x:self.x + width] = [c] + [""] * (width - 1)
        self.x += width

    def erase(self, y, begin, end):
        self.cells[y][begin:end] = [" "] * (end - begin)

    def obey(self, numbers, letter):
        if numbers.startswith("?"):
            if (numbers, letter) not in (("?1", "h"), ("?1", "l"), ("?7", "h"), ("?7", "l")):
                raise Strange(f"CSI {numbers}{letter}")
            return
        n = [int(x or 0) for x in numbers.split(";")]
        by, last = max(n[0], 1), self.columns - 1
        if letter == "H":
            self.y = min(by, self.rows) - 1
            self.x = min(max(n[1] if len(n) > 1 else 1, 1), self.columns) - 1
        elif letter in "ABCD":
            self.y = min(max(self.y + {"A": -by, "B": by}.get(letter, 0), 0), self.rows - 1)
            self.x = min(max(self.x + {"D": -by, "C": by}.get(letter, 0), 0), last)
        elif letter == "J" and n[0] == 0:
            self.erase(self.y, self.x, self.columns)
            for y in range(self.y + 1, self.rows):
                self.erase(y, 0, self.columns)
        elif letter == "K" and n[0] in (0, 1):
            self.erase(self.y, *((self.x, self.columns) if n[0] == 0 else (0, min(self.x, last) + 1)))
        elif letter == "r":
            self.top, self.bottom = by - 1, (n[1] if len(n) > 1 else self.rows) - 1
            self.x = self.y = 0
        elif letter != "m":
            raise Strange(f"CSI {numbers}{letter}")

    def obey_short(self, code):
        if code == "7":
            self.saved = (self.x, self.y)
        elif code == "8":
            self.x, self.y = self.saved
        elif code == "D":
            self.line_feed()
        elif code == "M" and self.y == self.top:
            self.scroll(-1)
        elif code == "M":
            self.y = max(self.y - 1, 0)

    def feed(self, text):
        text, self.left, at = self.left + text, "", 0
        while at < len(text):
            c = text[at]
            if c == "\x1b":
                found = SEQUENCE.match(text, at)
                if found is None and len(text) - at < 12:
                    self.left = text[at:]
                    return
                if found is None:
                    raise Strange(repr(text[at:at + 12]))
                if found[3]:
                    self.obey_short(found[3])
                else:
                    self.obey(found[1], found[2])
                at = found.end()
                continue
            if c == "\r":
                self.x = 0
            elif c == "\n":
                self.line_feed()
            elif c == "\b":
                self.x = max(self.x - 1, 0)
            elif c == "\t":
                self.x = min(self.x // 8 * 8 + 8, self.columns - 1)
            elif c not in "\0\x0e\x0f":  # padding, character sets
                self.put(c)
            at += 1


class Program:
    """Runs a command on a new terminal."""

    def __init__(self, command, columns=100, rows=30, **environment):
        self.screen = Screen(columns, rows)
        self.raw = b""
        self.undecoded = b""
        self.status = None
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            kept = {k: v for k, v in os.environ.items() if not k.startswith("LC_") and
                    k not in ("COLUMNS", "LINES", "NO_COLOR")}
            os.execvpe(command[0], command, {**kept, "TERM": "vt100", "LANG": "C.UTF-8", **environment})
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.terminal)

    def read(self, seconds):
        """What comes within that time; False at the end of it all."""
        if not select.select([self.terminal], [], [], seconds)[0]:
            return True
        try:
            some = os.read(self.terminal, 1 << 16)
        except OSError as e:
            if e.errno != errno.EIO:
                raise
            some = b""
        self.raw += some
        self.undecoded += some
        try:
            text, self.undecoded = self.undecoded.decode(), b""
        except UnicodeDecodeError as e:
            if len(self.undecoded) - e.start > 3:
                raise
            text, self.undecoded = self.undecoded[:e.start].decode(), self.undecoded[e.start:]
        self.screen.feed(text)
        return some != b""

    def wait_for(self, *wanted, seconds=10):
        """Until all of these are on the screen, or a function of the screen is true. False: they never were."""
        until = time.monotonic() + seconds
        while not all(w(self.screen) if callable(w) else w in self.screen.text() for w in wanted):
            if time.monotonic() > until or not self.read(0.1):
                return False
        return True

    def type(self, keys):
        os.write(self.terminal, keys.encode())

    def resize(self, columns, rows):
        self.screen.resize(columns, rows)
        fcntl.ioctl(self.terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def end(self, seconds=10):
        """Reads on until it ends; its exit status, or -N for signal N. Kills what does not end in time."""
        until = time.monotonic() + seconds
        while self.read(0.1) and time.monotonic() < until:
            pass
        while self.status is None:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.status = os.waitstatus_to_exitcode(status)
            elif time.monotonic() > until:
                os.kill(self.pid, signal.SIGKILL)
            else:
                time.sleep(0.02)
        return self.status
