#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What kturn top and kturn stats --reasons show."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time

from ktap import Tests
from lab import V4, V6, kturn as cli
from libkturn import DROP, PUNT
from packets import Failed, channel, expect
from world import CHAN, World, kturn

PACKETS = 300
ENTER, LEAVE = b"\033[?1049h\033[?25l", b"\033[?25h\033[?1049l"
# It then shows anew only when something else than time makes it.
NEVER = ("--interval", "1h")


def command(*args):
    return ["ip", "netns", "exec", os.environ["relay"], "kturn", "top", *args]


class Terminal:
    """kturn top on a terminal of its own."""

    def __init__(self, *args, rows=24, columns=200):
        # It begins once what the terminal is then has been read.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ["TERM"] = "xterm"
            signal.sigwait({signal.SIGUSR1})
            os.execvp("ip", command(*args))
        self.size(rows, columns)
        self.before = termios.tcgetattr(self.fd)
        self.seen = b""
        os.kill(self.pid, signal.SIGUSR1)

    def size(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ,
                    struct.pack("HHHH", rows, columns, 0, 0))

    def until(self, what, condition, seconds=20):
        """Read until what was seen since then is that; returns it."""
        end = time.monotonic() + seconds
        while not condition(self.seen):
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.fd], [], [], left)[0]:
                raise Failed(f"waited {seconds} s until {what}; {self.seen!r}")
            try:
                self.seen += os.read(self.fd, 65536)
            except OSError:
                raise Failed(f"it ended before {what}; {self.seen!r}") \
                    from None
        return self.seen

    def frame(self, what, condition=lambda lines: True):
        """The lines of the next frame that is as wanted."""
        def last(seen):
            whole = seen.split(b"\033[H")[1:]
            whole = [f for f in whole if b"\033[J" in f]
            return whole and condition(self.lines(whole[-1]))
        seen = self.until(what, last)
        frame = [f for f in seen.split(b"\033[H")[1:] if b"\033[J" in f][-1]
        self.seen = b""
        return self.lines(frame)

    @staticmethod
    def lines(frame):
        text = frame.split(b"\033[J")[0].decode()
        return [line.removesuffix("\033[K") for line in
                re.split(r"\r+\n", text)]

    def press(self, key):
        os.write(self.fd, key)

    def given_back(self):
        self.until("the terminal is given back",
                   lambda seen: seen.endswith(LEAVE))
        self.seen = b""
        expect("terminal", termios.tcgetattr(self.fd), self.before)

    def ended(self):
        """The status, when all that it had taken is given back."""
        self.given_back()
        status = os.waitpid(self.pid, 0)[1]
        os.close(self.fd)
        return status


def ids(lines):
    return [int(n) for n in re.findall(r"^ *(\d+)  \S+:\d+ ",
                                       "\n".join(lines), re.M)]


def burst(w, packets=PACKETS):
    for _ in range(packets):
        w.client.sendto(channel(CHAN, bytes(50)), w.server)
        w.peer.sendto(bytes(20), w.relay)


def rates(worlds):
    """Rates times intervals are what was sent, for each and in all."""
    w, other = worlds
    p = subprocess.Popen(command("--json", "--interval", "300ms", "--count",
                                 "40"), stdout=subprocess.PIPE, text=True)
    first = json.loads(p.stdout.readline())
    expect("fields", sorted(first), sorted([
        "time", "interval_ms", "to_peer", "to_client", "dropped_per_s",
        "punted_per_s", "allocs"]))
    burst(w)
    for _ in range(5):
        w.plain.sendto(b"no channel", (w.relay[0], other.relay[1]))
        w.client.sendto(channel(CHAN + 1, b"no such"), w.server)
    sums, wanted = {}, {"to_peer": (PACKETS, 400 * PACKETS),
                        "to_client": (PACKETS, 160 * PACKETS), "dropped": 5}
    while sums.get("dropped") != 5 or sums["to_client"][0] < PACKETS:
        line = p.stdout.readline()
        if not line:
            raise Failed(f"it ended, and only this had been relayed: {sums}")
        o = json.loads(line)
        mine, = [a for a in o["allocs"] if a["id"] == w.id]
        for way in ("to_peer", "to_client"):
            sums[way] = tuple(
                a + round(mine[way][k] * o["interval_ms"] / 1000) for a, k in
                zip(sums.get(way, (0, 0)), ("packets_per_s", "bits_per_s")))
            expect("sum of all", round(sum(a[way]["bits_per_s"] for a in
                                           o["allocs"])),
                   round(o[way]["bits_per_s"]))
        sums["dropped"] = sums.get("dropped", 0) + round(
            mine["dropped_per_s"] * o["interval_ms"] / 1000)
    p.kill()
    p.wait()
    expect("relayed", sums, wanted)
    expect("allocation", (mine["client"], mine["relays"], mine["label"]),
           (f"{w.side.client}:{w.cport}", [f"{w.side.relay}:{w.rport}"],
            "one\x1b[31m"))


def snapshots(worlds):
    """Without a terminal: whole, plain, as often as asked for."""
    out = subprocess.run(command("--interval", "100ms", "--count", "3",
                                 "--sort", "id"), capture_output=True,
                         text=True, check=True).stdout
    parts = out.split("\n\n")
    expect("snapshots", len(parts), 3)
    for part in parts:
        expect("ids", ids(part.split("\n")), [w.id for w in worlds])
        expect("label", "one\\x1b[31m" in part, True)
    expect("escapes", "\033" in out, False)


def shown(worlds):
    """On a terminal; a key press or another size is seen at once."""
    w, other = worlds
    other.say("chan-out", b"x")
    t = Terminal(*NEVER, "--sort", "id")
    t.until("it takes the page", lambda seen: ENTER in seen)
    lines = t.frame("the first frame", ids)
    expect("ids", ids(lines), [w.id, other.id])
    expect("escapes in labels", "\033" in "".join(lines), False)
    expect("keys", "[a id]" in lines[1], True)
    expect("rows", len(lines) <= 24, True)
    burst(w, 3)
    t.press(b" ")
    lines = t.frame("rates", lambda lines: "to peers" in lines[0])
    t.press(b"r")
    lines = t.frame("sorted by rate", lambda lines: "[r rate]" in lines[1])
    expect("busiest first", ids(lines), [w.id, other.id])
    burst(other, 200)
    t.press(b" ")
    lines = t.frame("the other is the busiest", lambda lines:
                    ids(lines) == [other.id, w.id])
    t.press(b"a")
    t.frame("sorted by id", lambda lines: ids(lines) == [w.id, other.id])
    t.size(5, 40)
    lines = t.frame("another size", lambda lines: len(lines) == 5)
    expect("columns", max(map(len, lines)), 40)
    t.size(50, 250)
    t.frame("a third size", lambda lines: len(ids(lines)) == 2)
    t.press(b"q")
    expect("status", t.ended(), 0)


def refreshed(_):
    t = Terminal("--interval", "100ms", "--count", "4")
    t.frame("rates", lambda lines: "to peers" in lines[0])
    expect("status", t.ended(), 0)


def signals(_):
    """Whatever ends or stops it, the terminal is as it was."""
    for number, act in ((signal.SIGINT, lambda t: t.press(b"\x03")),
                        (signal.SIGQUIT, lambda t: t.press(b"\x1c")),
                        (signal.SIGTERM,
                         lambda t: os.kill(t.pid, signal.SIGTERM))):
        t = Terminal(*NEVER)
        t.frame("the first frame")
        act(t)
        expect("signal", os.WTERMSIG(t.ended()), number)


def stopped(_):
    t = Terminal(*NEVER)
    t.frame("the first frame")
    t.press(b"\x1a")
    t.given_back()
    expect("stopped", os.WIFSTOPPED(os.waitpid(t.pid, os.WUNTRACED)[1]), True)
    os.kill(t.pid, signal.SIGCONT)
    t.until("it takes the page", lambda seen: ENTER in seen)
    t.frame("a frame")
    t.press(b"q")
    expect("status", t.ended(), 0)


def reasons(worlds):
    """All of them, counted or not, with what they mean."""
    w, _ = worlds
    before = json.loads(cli("--json", "stats", "--reasons"))
    w.client.sendto(channel(CHAN + 1, b"no such"), w.server)
    w.client.sendto(b"\x80neither", w.server)
    w.barrier()
    after = json.loads(cli("--json", "stats", "--reasons"))
    for kind, names in (("drop", DROP), ("punt", PUNT)):
        expect(kind, list(after[kind]), list(names))
        for name in names:
            more = after[kind][name]["packets"] - before[kind][name]["packets"]
            expect(name, more, int((kind, name) in (("drop", "no-channel"),
                                                    ("punt", "other"))))
            expect(name, len(after[kind][name]["meaning"]) > 10, True)
    lines = cli("stats", "--reasons").splitlines()
    expect("lines", len(lines), 1 + len(DROP) + len(PUNT))
    line, = [s for s in lines if s.startswith("dropped") and "no-channel" in s]
    expect("line", line.split(None, 3)[1:], [
        "no-channel", str(after["drop"]["no-channel"]["packets"]),
        after["drop"]["no-channel"]["meaning"]])
    expect("longest line", max(map(len, lines)) <= 110, True)


def main():
    kt, tests = kturn(), Tests()
    worlds = [World(kt, V4, label="one\x1b[31m"), World(kt, V6)]
    for name, function in (("rates are what was sent", rates),
                           ("snapshots without a terminal", snapshots),
                           ("on a terminal", shown),
                           ("again after a time", refreshed),
                           ("ended by a signal", signals),
                           ("stopped and continued", stopped)):
        tests.add("top: " + name, function, worlds)
    tests.add("stats: all reasons and what they mean", reasons, worlds)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
