#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What kturn monitor prints; see monitor.sh."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import time

from ktap import Tests
from lab import V4, V6, netns
from libkturn import EXCLUSIVE, make_alloc
from packets import Failed, expect
from world import ALL, CHAN, LONG, World, kturn, wait_until

# Each is some 2 KiB to the socket that waits, whose buffer begins at 2 MiB.
MANY = 6000
LOST_TEXT = "lost messages, kturn show says what is left"


class Monitor:
    """A kturn monitor, and what it has printed."""

    def __init__(self, *options, here=True):
        self.json = "--json" in options
        self.p = subprocess.Popen(
            ["ip", "netns", "exec", os.environ["relay"], "kturn", "monitor",
             *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.rest = b""
        self.module(here)

    def line(self, seconds=60):
        """The next line, without its time."""
        end = time.monotonic() + seconds
        while b"\n" not in self.rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.p.stdout], [], [],
                                              left)[0]:
                raise Failed(f"no line in {seconds} s; {self.rest!r}")
            more = os.read(self.p.stdout.fileno(), 65536)
            if not more:
                raise Failed(f"it ended: {self.p.wait()} {self.rest!r}")
            self.rest += more
        line, self.rest = self.rest.split(b"\n", 1)
        line = line.decode()
        when = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z" if self.json else \
            r"\d\d:\d\d:\d\d\.\d{3} "
        if not self.json:
            expect("begins with a time", bool(re.match(when, line)), True)
            return line.split(" ", 1)[1]
        entry = json.loads(line)
        expect("has a time", bool(re.fullmatch(when, entry.pop("time"))),
               True)
        return entry

    def module(self, here):
        word = "here" if here else "gone"
        expect("module", self.line(), {"event": "module-" + word} if self.json
               else "module " + word)

    def lost(self):
        expect("lost", self.line(), {"event": "lost"} if self.json else
               LOST_TEXT)

    def told(self, w, reason):
        """The next line is that w's allocation has gone."""
        got = self.line()
        if not self.json:
            got = got.split(" client ")[0]
            expect("told", got, f"alloc {w.id} {reason}")
            return
        expect("told", (got["event"], got["id"], got["reason"]),
               ("alloc", w.id, reason))

    def is_going_on(self, kt):
        """What is removed from now on is told."""
        w = World(kt, V4)
        kt.alloc_del(w.id)
        w.close()
        self.told(w, "deleted")

    def until_stopped(self):
        self.p.send_signal(signal.SIGSTOP)
        wait_until("it is stopped", lambda: self.state() == "T")

    def state(self):
        with open(f"/proc/{self.p.pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0]

    def go_on(self):
        self.p.send_signal(signal.SIGCONT)

    def end(self):
        self.go_on()
        self.p.send_signal(signal.SIGINT)
        expect("ended by", self.p.wait(60), -signal.SIGINT)
        expect("the last words", self.rest + self.p.stdout.read(), b"")


def rmmod():
    subprocess.run(["rmmod", "kturn"], check=True)


def insmod():
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)


def make_many(kt):
    results = kt.batch([("alloc_new", make_alloc(
        f"198.51.100.2:{1000 + n}", "198.51.100.1:3478",
        [f"203.0.113.1:{1000 + n}"], LONG, EXCLUSIVE)) for n in range(MANY)])
    expect("failures", any(results), False)


# -------------------------------------------------------------------- reasons

def entries(side):
    """A world, with its permission and channel as text and as JSON."""
    kt = kturn()
    steady = World(kt, side)
    w = World(kt, side, label="alice\n")
    expect("passes", w.passes(steady), ALL)
    kt.chan_new(w.id, CHAN + 1, f"{side.peer}:7" if side.family == 4 else
                f"[{side.peer}]:7", LONG)
    return kt, steady, w


def reasons_text(side):
    m = Monitor()
    kt, steady, w = entries(side)
    kt.chan_new(w.id, CHAN, w.to_chan, 1)
    expect("expired", m.line(), f"chan alloc {w.id} expired number 0x4000 "
           f"peer {w.to_chan} to-peer 1 packets 1 bytes "
           f"to-client 1 packets 1 bytes")
    kt.chan_del(w.id, CHAN + 1)
    expect("deleted", m.line().split(" to-peer ")[0],
           f"chan alloc {w.id} deleted number 0x4001 "
           f"peer {w.to_chan.rsplit(':', 1)[0]}:7")
    kt.perm_new(w.id, side.peer, 1)
    expect("expired", m.line(), f"perm alloc {w.id} expired peer {side.peer}")
    kt.perm_new(w.id, side.peer, LONG)
    kt.perm_del(w.id, side.peer)
    expect("deleted", m.line(), f"perm alloc {w.id} deleted peer {side.peer}")
    kt.alloc_set(w.id, 1)
    peer_ip = w.to_chan.rsplit(":", 1)[0]
    expect("expired", m.line(),
           f"alloc {w.id} expired "
           f"client {peer_ip.replace(side.peer, side.client)}:{w.cport} "
           f"server {peer_ip.replace(side.peer, side.server)}:3478 "
           f"relay {peer_ip.replace(side.peer, side.relay)}:{w.rport} "
           "to-peer 2 packets 2 bytes to-client 2 packets 2 bytes "
           "label alice\\n")
    kt.alloc_del(steady.id)
    m.told(steady, "deleted")
    kt.join(5, 0)
    w.begin(kt)
    kt.close()
    m.told(w, "owner-gone")
    m.end()
    for each in (w, steady):
        each.close()


def reasons_json(side):
    m = Monitor("--json")
    kt, steady, w = entries(side)
    one, two = {"packets": 1, "bytes": 1}, {"packets": 2, "bytes": 2}
    ip = w.to_chan.rsplit(":", 1)[0]
    kt.chan_new(w.id, CHAN, w.to_chan, 1)
    expect("expired", m.line(), {
        "event": "chan", "alloc_id": w.id, "number": CHAN, "peer": w.to_chan,
        "lifetime_ms": 0, "to_peer": one, "to_client": one,
        "reason": "expired"})
    kt.chan_del(w.id, CHAN + 1)
    got = m.line()
    expect("time left", LONG - 60_000 < got.pop("lifetime_ms") <= LONG, True)
    expect("deleted", got, {
        "event": "chan", "alloc_id": w.id, "number": CHAN + 1,
        "peer": ip + ":7", "to_peer": {"packets": 0, "bytes": 0},
        "to_client": {"packets": 0, "bytes": 0}, "reason": "deleted"})
    kt.perm_new(w.id, side.peer, 1)
    expect("expired", m.line(), {
        "event": "perm", "alloc_id": w.id, "peer": side.peer,
        "lifetime_ms": 0, "reason": "expired"})
    kt.alloc_set(w.id, 1)
    got = m.line()
    expect("idle", 0 <= got.pop("idle_ms") < 60_000, True)
    both = {**two, "ipv6" if ":" in side.peer else "ipv4": two}
    expect("expired", got, {
        "event": "alloc", "id": w.id,
        "client": f"{ip.replace(side.peer, side.client)}:{w.cport}",
        "server": f"{ip.replace(side.peer, side.server)}:3478",
        "relays": [f"{ip.replace(side.peer, side.relay)}:{w.rport}"],
        "lifetime_ms": 0, "exclusive": True, "alternate": False,
        "label": "alice\n",
        "to_peer": both, "to_client": both, "dropped": 0, "punted": 0,
        "reason": "expired"})
    kt.alloc_del(steady.id)
    m.told(steady, "deleted")
    owner = kt.join(5, 0)
    w.begin(kt)
    kt.close()
    got = m.line()
    expect("owner", (got["event"], got["id"], got["owner_id"],
                     got["reason"]), ("alloc", w.id, owner.id, "owner-gone"))
    m.end()
    for each in (w, steady):
        each.close()


# --------------------------------------------------------------------- module

def module(*options):
    """It does not keep the module, nor load it, and sees it come and go."""
    m = Monitor(*options)
    for _ in range(3):
        kt = kturn()
        m.is_going_on(kt)
        w = World(kt, V4)
        kt.close()
        rmmod()
        m.module(False)
        w.close()
        insmod()
        m.module(True)
    rmmod()
    m.module(False)
    m.end()
    m = Monitor(*options, here=False)
    expect("loaded by it", os.path.exists("/sys/module/kturn"), False)
    insmod()
    m.module(True)
    kt = kturn()
    m.is_going_on(kt)
    m.end()
    kt.close()


# ----------------------------------------------------------------------- lost

def told_before_lost(m):
    """How many were told before the line that says that others were not."""
    told = 0
    while True:
        line = m.line()
        if line in ({"event": "lost"}, LOST_TEXT):
            return told
        if m.json:
            expect("told", (line["event"], line["reason"]),
                   ("alloc", "deleted"))
        else:
            expect("told", bool(re.match(r"alloc \d+ deleted ", line)), True)
        told += 1


def lost(*options):
    kt, m = kturn(), Monitor(*options)
    make_many(kt)
    m.until_stopped()
    kt.flush()
    m.go_on()
    told = told_before_lost(m)
    print(f"# {told} of {MANY} were told")
    expect("lost some", told < MANY, True)
    m.is_going_on(kt)
    m.end()
    kt.close()


def lost_module(*options):
    """The module goes, or is another, while messages are lost."""
    for back in (True, False):
        kt, m = kturn(), Monitor(*options)
        make_many(kt)
        m.until_stopped()
        kt.flush()
        kt.close()
        rmmod()
        if back:
            insmod()
        m.go_on()
        # What fitted is there; what the rest said, it finds out.
        before = []
        while True:
            line = m.line()
            if line in ({"event": "module-gone"}, "module gone"):
                break
            before.append(line)
        expect("told and lost", len(before) < MANY, True)
        if back:
            m.module(True)
        m.lost()
        if not back:
            insmod()
            m.module(True)
        kt = kturn()
        m.is_going_on(kt)
        m.end()
        kt.close()


def main():
    tests = Tests()
    netns("relay")
    for name, side in (("IPv4", V4), ("IPv6", V6)):
        tests.add(f"{name}: reasons", reasons_text, side)
        tests.add(f"{name}: reasons, JSON", reasons_json, side)
    for name, options in (("", ()), (", JSON", ("--json",))):
        tests.add("the module comes and goes" + name, module, *options)
        tests.add("lost messages" + name, lost, *options)
        tests.add("lost messages, and the module" + name, lost_module,
                  *options)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
