#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Which chains of netfilter see what is relayed; see filters.sh."""

import contextlib
import errno
import json
import socket
import sys

from chains import each_way, local_out, nft, passed, seen, table
from ktap import Tests
from lab import receive, set_mtu
from packets import Failed, channel, expect, pattern, send_ind
from scene import IP_HEADER, Setup, TO_CLIENT, TO_PEER, run
from world import CHAN, waiting

# In, and out again, and nowhere in between.
USUAL = {"before": 1, "postrouting": 1}
WITH_OUTPUT = USUAL | {"output": 1}


def chains(s, w, context, wanted):
    passed(s, w, wanted, lambda: context(s))


def usual(s):
    del s
    return contextlib.nullcontext()


def drops(s, w, where, context, relayed):
    """A rule there keeps it away; what was relayed before that is counted."""
    with table({where: "drop"}), context(s):
        for say, _, way in each_way(w):
            with s.counted(*[way] * relayed):
                say()
    w.marker()
    expect("nothing arrives", [waiting(x) for x in
                               (w.peer, w.plain, w.client)], [[], [], []])


def rejects(s, w):
    """What an output chain refuses with an error does no harm."""
    with table({"output": "reject"}), local_out(s):
        for say, _, way in each_way(w):
            with s.counted(way):
                say()
    w.marker()


def fragmented(s, w):
    """Fragments are made behind the chains."""
    set_mtu("relay", "relay1", 1300)
    try:
        with table(), local_out(s):
            seen()
            n = 1490 - IP_HEADER[4] - 12
            with s.counted(TO_PEER):
                w.client.setsockopt(0, 10, 0)   # IP_PMTUDISC_DONT
                w.client.sendto(channel(CHAN, pattern(n)), w.server)
                expect("whole", receive(w.peer)[0] == pattern(n), True)
            expect("seen", seen(), WITH_OUTPUT)
    finally:
        set_mtu("relay", "relay1", 1500)


def errors(s, w):
    """The module's own errors get out as documented: conntrack knows nothing
    of what they quote."""
    full = 1500 - IP_HEADER[w.side.family] - 8
    w.peer.setsockopt(*((socket.IPPROTO_IP, 10, 2)  # IP_PMTUDISC_DO
                        if w.side.family == 4 else
                        (socket.IPPROTO_IPV6, 62, 1)))  # IPV6_DONTFRAG
    text = "table inet guard { chain errors { type filter hook output priority 0;"
    try:
        for rule, arrives in (("", False),
                              ("meta l4proto { icmp, ipv6-icmp } accept;",
                               True)):
            nft(f"{text} {rule} ct state invalid drop; }}\n}}\n")
            try:
                with s.counted(("drop", "too-big")):
                    w.peer.sendto(bytes(full), w.relay)
                w.marker()
                learned = False
                try:
                    w.peer.sendto(bytes(full), w.relay)
                    w.marker()
                except OSError as e:
                    learned = e.errno == errno.EMSGSIZE
            finally:
                nft("delete table inet guard")
            expect(f"learned with {rule!r}", learned, arrives)
    finally:
        run("peer", "ip", "route", "flush", "cache")
        run("peer", "ip", "-6", "route", "flush", "cache")


def main():
    tests, s = Tests(), Setup()
    for name, w in s.worlds.items():
        tests.add(f"{name}: chains on the way", chains, s, w, usual, USUAL)
        tests.add(f"{name}: with LOCAL_OUT", chains, s, w, local_out,
                  WITH_OUTPUT)
        for where, context, relayed in (
                ("before", usual, 0), ("postrouting", usual, 1),
                ("output", local_out, 1), ("postrouting", local_out, 1)):
            tests.add(f"{name}: dropped by {where}" + (
                " with LOCAL_OUT" if context is local_out else ""), drops, s,
                w, where, context, relayed)
        tests.add(f"{name}: rejected by output", rejects, s, w)
    for name in ("IPv4", "IPv6"):
        tests.add(f"{name}: errors by the module", errors, s, s.worlds[name])
    for name in ("IPv4", "IPv4 to IPv6"):
        tests.add(f"{name}: fragments with LOCAL_OUT", fragmented, s,
                  s.worlds[name])
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
