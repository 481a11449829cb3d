#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How much more two CPUs relay than one, as forwarding does; by the clock.

Each CPU has a sender, whose packets go all their way on it. Rounds alternate
between one and two, and between paths, so that what else the machine does
weighs on all of them. Prints "FIGURE VALUE UNIT" lines.
"""

import os
import statistics
import struct
import subprocess
import sys

from lab import V4, netns, sysctl, udp
from packets import Failed, channel, pattern
from paths import (QUICK, SINK_PORT, arrived, connected, count_arrivals,
                   endless_world, know_each_other)
from world import CHAN, attach, kturn

ROUNDS = 3 if QUICK else 9
COUNT = 10_000 if QUICK else 25_000
CPUS = 0, 1


def forwarding():
    return [connected(udp("client", V4.client, 0), (V4.peer, SINK_PORT))
            for _ in CPUS], pattern(204)


def relayed(kt):
    worlds = [endless_world(kt, V4) for _ in CPUS]
    return [connected(w.client, w.server) for w in worlds], \
        channel(CHAN, pattern(200))


def start(sock, cpu):
    fd = sock.fileno()
    sock.setblocking(True)
    return subprocess.Popen(
        [os.environ["FLOOD"], str(fd), str(COUNT // 10), str(COUNT)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[fd],
        preexec_fn=lambda: os.sched_setaffinity(0, {cpu}))


def rate(path, cpus):
    """Packets per second, of all senders together."""
    socks, packet = path
    arrived("peer")
    senders = [start(socks[cpu], cpu) for cpu in cpus]
    for s in senders:
        s.stdin.write(struct.pack("=H", len(packet)) + packet)
        s.stdin.close()
    outputs = [s.stdout.read() for s in senders]
    if any(s.wait() for s in senders):
        raise Failed("a sender failed")
    sent = len(cpus) * (COUNT // 10 + COUNT)
    n = arrived("peer")
    if n != sent:
        raise Failed(f"{n} of {sent} packets arrived")
    return sum(1e9 / float(o) for o in outputs)


def gains(paths):
    """{path: what two CPUs do, by what one does, in each round}"""
    found = {name: [] for name in paths}
    for n in range(ROUNDS):
        for name, path in paths.items():
            one = rate(path, CPUS[n % 2:n % 2 + 1])
            found[name].append(rate(path, CPUS) / one)
    return found


def compare(name, paths):
    found = gains(paths)
    plain, ours = (statistics.median(found[x]) for x in paths)
    print(f"2 CPUs / 1, ip_forward{name}\t{plain:.3f}\tratio")
    print(f"2 CPUs / 1, ChannelData in{name}\t{ours:.3f}\tratio")
    print(f"scaling from 1 to 2 CPUs, ChannelData in{name} / ip_forward\t"
          f"{ours / plain:.3f}\tratio", flush=True)


def main():
    if os.cpu_count() < 2:
        raise Failed("there is one CPU")
    netns("relay")
    sysctl("relay", "net.ipv4.ip_forward=1")
    know_each_other()
    count_arrivals()
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)
    kt = kturn()
    paths = {"forwarding": forwarding(), "relayed": relayed(kt)}
    compare("", paths)
    attach(kt)
    compare(", ingress", paths)
    kt.close()
    subprocess.run(["rmmod", "kturn"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
