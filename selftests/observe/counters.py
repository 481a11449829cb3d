#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Counters by direction and family, of packets from many CPUs; idle time."""

import json
import os
import sys

from ktap import Tests
from lab import V4, V6, V6_TO_V4, V4_TO_V6, kturn as cli, netns, text, udp
from libkturn import Refused
from packets import Failed, channel, expect, send_ind
from world import CHAN, LONG, World, kturn, wait_until

# More than an allocation has lanes.
CPUS = os.cpu_count()
PACKETS = 1000 if os.environ.get("KTURN_VM") == "debug" else 20000
DIRS = ("to_peer", "to_client")


def pair(counter):
    return counter.packets, counter.bytes


def by_family(o):
    """{direction: (total, IPv4, IPv6)}, each packets and bytes"""
    return {d: (pair(getattr(o, d)), *map(pair, getattr(o, d + "_by")))
            for d in DIRS}


def minus(after, before):
    return {d: tuple((a[0] - b[0], a[1] - b[1])
                     for a, b in zip(after[d], before[d])) for d in DIRS}


def alloc_of(kt, id):
    a, = kt.allocs(id)
    return a


class Both:
    """An allocation with relayed addresses of both families."""

    def __init__(self, kt, side):
        self.side, self.w4, self.w6 = side, World(None, V4), World(None, V6)
        w = self.w4 if side is V4 else self.w6
        self.client, self.server = w.client, w.server
        self.id = kt.alloc_new(
            text(side.client, w.cport), text(*w.server),
            [text(*self.w4.relay), text(*self.w6.relay)], LONG, 1)
        for v, number in ((self.w4, CHAN), (self.w6, CHAN + 1)):
            kt.perm_new(self.id, v.side.peer, LONG)
            kt.chan_new(self.id, number, v.to_chan, LONG)

    def send(self, n4, n6):
        """So many each way, by channel and as indications in turn."""
        for n, w, number in ((n4, self.w4, CHAN), (n6, self.w6, CHAN + 1)):
            for i in range(n):
                if i % 2:
                    self.client.sendto(channel(number, b"abc"), self.server)
                    w.peer.sendto(b"12345", w.relay)
                else:
                    self.client.sendto(send_ind(
                        (w.side.peer, w.pport + 1), b"abc"), self.server)
                    w.plain.sendto(b"12345", w.relay)


def families(kt, barrier):
    for side in (V4, V6):
        b = Both(kt, side)
        before = by_family(kt.stats())
        b.send(5, 3)
        barrier.barrier()
        wanted = {"to_peer": ((8, 24), (5, 15), (3, 9)),
                  "to_client": ((8, 40), (5, 25), (3, 15))}
        expect("allocation", by_family(alloc_of(kt, b.id)), wanted)
        stats = minus(by_family(kt.stats()), before)
        # The barrier's own: a packet of seven bytes each way.
        wanted = {d: ((t[0] + 1, t[1] + 7), (v4[0] + 1, v4[1] + 7), v6)
                  for d, (t, v4, v6) in wanted.items()}
        expect("namespace", stats, wanted)
        kt.alloc_del(b.id)


def shown(kt, barrier):
    """The CLI says the same, where there are two families."""
    b = Both(kt, V4)
    b.send(2, 1)
    barrier.barrier()
    a, = json.loads(cli("--json", "show", "alloc", b.id))["allocs"]
    expect("to_peer", a["to_peer"],
           {"packets": 3, "bytes": 9, "ipv4": {"packets": 2, "bytes": 6},
            "ipv6": {"packets": 1, "bytes": 3}})
    expect("idle", 0 <= a["idle_ms"] < 60_000, True)
    line = cli("show", "alloc", b.id).splitlines()[1]
    for part in (" 9 (IPv6: 3) ", " 15 (IPv6: 5) "):
        if part not in line:
            raise Failed(f"{part!r} is not in {line!r}")
    kt.alloc_del(b.id)
    w = World(kt, V4_TO_V6)
    a, = json.loads(cli("--json", "show", "alloc", w.id))["allocs"]
    expect("to_peer", a["to_peer"], {"packets": 0, "bytes": 0,
                                     "ipv6": {"packets": 0, "bytes": 0}})
    expect("idle", "idle_ms" in a, False)
    d = json.loads(cli("--json", "stats"))
    for way in DIRS:
        for k in ("packets", "bytes"):
            expect("sum", d[way]["ipv4"][k] + d[way]["ipv6"][k], d[way][k])


def flood(cpu, packets):
    os.sched_setaffinity(0, {cpu})
    for s, data, to in packets * (PACKETS // len(packets)):
        s.sendto(data, to)


def on_all_cpus(packets):
    pids = []
    for cpu in range(CPUS):
        pid = os.fork()
        if not pid:
            try:
                flood(cpu, packets)
                os._exit(0)
            finally:
                os._exit(1)
        pids.append(pid)
    for pid in pids:
        expect("exit status", os.waitpid(pid, 0)[1], 0)


def many_cpus(kt, _):
    """Nothing is lost between CPUs that relay for one allocation at once."""
    expect("CPUs", CPUS >= 5, True)
    w = World(kt, V6_TO_V4)
    packets = [(w.client, channel(CHAN, b"abc"), w.server),
               (w.peer, b"12345", w.relay)]
    on_all_cpus(packets)
    n = CPUS * PACKETS // len(packets)
    wanted = {"to_peer": (n, 3 * n), "to_client": (n, 5 * n)}
    chan, = [c for c in kt.chans(w.id) if c.number == CHAN]
    for entry in (alloc_of(kt, w.id), chan):
        expect("counted", {d: pair(getattr(entry, d)) for d in DIRS}, wanted)
    kt.alloc_del(w.id)


def idle(kt, barrier):
    w = World(kt, V4)

    def ms():
        return alloc_of(kt, w.id).idle_ms
    expect("before the first packet", ms(), -1)
    w.say("chan-in", b"x")
    barrier.barrier()
    expect("after it", 0 <= ms() < 1000, True)
    wait_until("three seconds have passed", lambda: ms() >= 3000)
    # What is not relayed is no activity.
    w.client.sendto(channel(CHAN + 1, b"dropped"), w.server)
    barrier.barrier()
    expect("after a drop", ms() >= 3000, True)
    w.say("send-out", b"x")
    barrier.barrier()
    expect("after the second", 0 <= ms() < 1000, True)
    kt.alloc_del(w.id)


def deleted(kt, _):
    """Who listens for the end is told the same."""
    b = Both(kt, V6)
    b.send(1, 1)
    wait_until("it was counted", lambda: alloc_of(
        kt, b.id).to_client.packets == 2)
    monitor = cli_monitor()
    kt.alloc_del(b.id)
    event = json.loads(monitor.stdout.readline())
    monitor.kill()
    monitor.wait()
    expect("event", (event["event"], event["id"]), ("alloc", b.id))
    expect("to_client", event["to_client"]["ipv6"], {"packets": 1, "bytes": 5})
    try:
        kt.allocs(b.id)
        raise Failed("it is still there")
    except Refused:
        pass


def cli_monitor():
    import subprocess
    p = subprocess.Popen(["ip", "netns", "exec", os.environ["relay"], "kturn",
                          "--json", "monitor"], stdout=subprocess.PIPE,
                         text=True)
    expect("first line", json.loads(p.stdout.readline())["event"],
           "module-here")
    return p


def main():
    kt, tests = kturn(), Tests()
    barrier = World(kt, V4)
    udp("relay", V4.server, 3478)
    netns("relay")
    for name, function in (("by direction and family", families),
                           ("shown by the CLI", shown),
                           ("nothing is lost between CPUs", many_cpus),
                           ("time since the last packet", idle),
                           ("told when it ends", deleted)):
        tests.add("counters: " + name, function, kt, barrier)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
