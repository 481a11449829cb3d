#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a packet costs relays in userspace, in instructions; see loop.c.

Prints "FIGURE VALUE" lines. A closed loop can't have its packets dropped on the
way. So what is taken from its cost is that of the same loop where the relay
forwards packets, but for what forwarding itself costs, which paths.py's method
tells: as there, figures are net of sending and receiving.
"""

import functools
import os
import subprocess
import sys

from lab import V4, V6, netns, sysctl
from packets import Failed
from paths import (EGRESS, QUICK, count_arrivals, figure, forwarding,
                   know_each_other)
from scene import run
from servers import (BUILD, batching_coturn, coturn, have_coturn, kturnd,
                     paired)

BATCHING = "--multiplex-peer", "--udp-gso"
COUNT = 1600 if QUICK else 8000
SIZE = 200
# (family, side, direction, flows, receiver)
LOOPS = [("IPv4", V4, "in", 1, "woken"), ("IPv4", V4, "in", 8, "woken"),
         ("IPv4", V4, "out", 1, "woken"), ("IPv4", V4, "out", 8, "woken"),
         ("IPv6", V6, "in", 1, "woken"), ("IPv6", V6, "out", 1, "woken"),
         ("IPv4", V4, "in", 1, "batch"), ("IPv4", V4, "in", 8, "batch"),
         ("IPv4", V4, "out", 1, "batch"), ("IPv4", V4, "out", 8, "batch")]


def loop(kind, side, way, flows, receiver):
    r = subprocess.run([os.path.join(BUILD, "selftests/bench/loop"), kind, way,
                        receiver, side.server, side.client, side.peer,
                        str(SIZE), str(flows), str(COUNT)],
                       capture_output=True, text=True, check=False)
    if r.returncode:
        raise Failed(f"loop {kind} {way}, {flows} flows: {r.stderr.strip()}")
    return float(r.stdout)


def forwarded():
    """What forwarding costs, beyond sending and receiving."""
    count_arrivals()
    cost = {side: forwarding(side, SIZE + 4).cost() for side in (V4, V6)}
    for where in EGRESS:
        run(where, "nft", "delete table netdev sink")
    return cost


def base():
    """What is not the relay's, of each loop."""
    forward = forwarded()
    return {case: loop("plain", *case[1:]) - forward[case[1]]
            for case in LOOPS}


def one(case, server, without):
    # What one loop leaves behind is no concern of the next.
    with server(case[-1] == "batch"):
        return loop("turn", *case[1:]) - without[case]


def relayed(name, server, without):
    for case in LOOPS:
        family, _, way, flows, receiver = case
        figure(f"{name}, {family}, {SIZE} B, {flows} flow{'s'[:flows - 1]}" +
               (", out" if way == "out" else "") +
               (", in turns" if receiver == "batch" else ""),
               functools.partial(one, case, server, without))


def main():
    netns("relay")
    sysctl("relay", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    know_each_other()
    without = base()
    relayed("kturnd userspace plane", lambda b: kturnd("user", b), without)
    if not have_coturn():
        print("coturn is not installed: it is left out", file=sys.stderr)
        return 0
    relayed("coturn", lambda b: coturn(batch=b), without)
    relayed("coturn with kturn-pair", paired, without)
    program = batching_coturn()
    if program:
        relayed("coturn batching", lambda b: coturn(program, BATCHING, b),
                without)
    return 0


if __name__ == "__main__":
    sys.exit(main())
