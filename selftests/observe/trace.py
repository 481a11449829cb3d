#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Tracepoints, and the reasons that the kernel's drop monitors get."""

import os
import re
import sys

from ktap import Tests
from lab import V4, V4_TO_V6, V6, V6_TO_V4, Raw, netns, sysctl
from libkturn import DROP, PUNT
from packets import channel, expect, send_ind
from tracing import Trace, event_format
from world import CHAN, LONG, World, kturn

FORWARD, DROPPED, PUNTED = ("kturn_forward", "kturn_drop", "kturn_punt")
FAMILY = {4: "ipv4", 6: "ipv6"}


class Scene:
    def __init__(self):
        self.kt = kturn()
        self.worlds = [World(self.kt, side) for side in (V4, V6, V4_TO_V6,
                                                         V6_TO_V4)]
        # Its packets tell that what went before has been dealt with.
        self.other = World(self.kt, V4)
        self.netns = str(os.stat("/run/netns/" + os.environ["relay"]).st_ino)
        netns("relay")

    def event(self, name, alloc, **fields):
        return {"event": name, "netns": self.netns, "alloc": str(alloc),
                **{k: str(v) for k, v in fields.items()}}

    def told(self, trace, *wanted):
        """Exactly these events, but for the other's packets."""
        self.other.barrier()
        found = [e for e in trace.take() if e.get("alloc") !=
                 str(self.other.id) and e["event"].startswith("kturn")]
        expect("events", [{k: v for k, v in e.items() if k != "skbaddr"}
                          for e in found], list(wanted))
        return found


def families(w):
    return {"to-peer": {"in": FAMILY[w.side.family],
                        "out": FAMILY[w.side.peer_family]},
            "to-client": {"in": FAMILY[w.side.peer_family],
                          "out": FAMILY[w.side.family]}}


def forward(s):
    with Trace("kturn") as trace:
        for w in s.worlds:
            for way, dir, chan in (("chan-out", "to-peer", "0x4000"),
                                   ("send-out", "to-peer", "0x0000"),
                                   ("chan-in", "to-client", "0x4000"),
                                   ("data-in", "to-client", "0x0000")):
                w.say(way, b"thirteen byte")
                s.told(trace, s.event(FORWARD, w.id, dir=dir, len=13,
                                      chan=chan, **families(w)[dir]))


def refused_packets(w):
    """(drop reason, direction, length, call that sends one)"""
    stranger = w.pport + 1
    return (("no-channel", "to-peer", 7,
             lambda: w.client.sendto(channel(CHAN + 1, b"abc"), w.server)),
            ("no-permission", "to-client", 5,
             lambda: w.plain.sendto(b"12345", w.relay)),
            ("no-permission", "to-peer", 40 + 12 * (w.side.peer_family == 6),
             lambda: w.client.sendto(send_ind((w.side.peer, stranger),
                                              b"data"), w.server)))


def drop(s):
    with Trace("kturn") as trace:
        for w in s.worlds:
            s.kt.perm_del(w.id, w.side.peer)
            for reason, dir, length, send in refused_packets(w):
                send()
                s.told(trace, s.event(DROPPED, w.id, dir=dir, len=length,
                                      reason=reason, **families(w)[dir]))
            s.kt.perm_new(w.id, w.side.peer, LONG)


def both_families(s):
    """From which of the two it would have left, nobody knows."""
    w = World(None, V4)
    w.id = s.kt.alloc_new(f"{V4.client}:{w.cport}", f"{V4.server}:3478",
                          [f"{V4.relay}:{w.rport}", f"[{V6.relay}]:{w.rport}"],
                          LONG, w.flags)
    with Trace("kturn") as trace:
        w.client.sendto(channel(CHAN, b"abcd"), w.server)
        s.told(trace, s.event(DROPPED, w.id, dir="to-peer", len=8, out="none",
                              reason="no-channel", **{"in": "ipv4"}))
    s.kt.alloc_del(w.id)


def punt(s):
    w = s.worlds[1]
    with Trace("kturn") as trace:
        for reason, data in (("control", bytes.fromhex(
                "000100002112a442000102030405060708090a0b")),
                ("other", b"\x80neither"), ("malformed", channel(CHAN, b"abcd")[:7])):
            w.client.sendto(data, w.server)
            found = s.told(trace, s.event(
                PUNTED, w.id, dir="to-peer", len=len(data), reason=reason,
                **families(w)["to-peer"]))
            expect("one packet", len({e["skbaddr"] for e in found}), 1)


def names(_):
    """Programs that read the formats find all names and their numbers."""
    for event, numbers in ((DROPPED, DROP), (PUNTED, PUNT)):
        text = event_format("kturn/" + event)
        found = re.findall(r'\{ (\d+), "([a-z-]+)" \}',
                           text[text.index("REC->reason"):])
        expect(event, {name: int(n) for n, name in found}, numbers)


def silent(s):
    """What is not enabled is not told; and nothing else is dropped."""
    with Trace("kturn/kturn_drop", "kturn/kturn_punt") as trace:
        s.worlds[0].say("chan-out", b"x")
        s.told(trace)


def core_reason(s, trace, reason, core):
    """The packet that kturn dropped is told of once more, with that."""
    s.other.barrier()
    events = trace.take()
    mine, = [e for e in events if e["event"] == DROPPED]
    expect("reason", mine["reason"], reason)
    told = [e["reason"] for e in events if e["event"] == "kfree_skb" and
            e["skbaddr"] == mine["skbaddr"]]
    expect("the kernel's reason for " + reason, told, [core])


def monitors(s):
    with Trace("kturn/kturn_drop", "skb/kfree_skb") as trace:
        for w in s.worlds[:2]:
            s.kt.perm_del(w.id, w.side.peer)
            for reason, _, _, send in refused_packets(w):
                send()
                core_reason(s, trace, reason, "NETFILTER_DROP")
            s.kt.perm_new(w.id, w.side.peer, LONG)
            raw = Raw("client", w.side.family)
            raw.send(w.side.client, w.side.server, w.cport, 3478,
                     channel(CHAN, b"dies"), ttl=1)
            core_reason(s, trace, "ttl", "IP_INHDR")
            raw.close()


def orphan(s):
    """The owner has gone, and nobody would take what is punted."""
    owner = kturn()
    owner.join(5, 60_000, "gone")
    w = World(owner, V4)
    owner.close()
    with Trace("kturn", "skb/kfree_skb") as trace:
        w.client.sendto(b"\x80neither", w.server)
        core_reason(s, trace, "orphan", "NO_SOCKET")
    s.kt.alloc_del(w.id)


def main():
    sysctl("relay", "net.ipv4.icmp_ratelimit=0")
    s, tests = Scene(), Tests()
    tests.add("trace: what is relayed, each way and family", forward, s)
    tests.add("trace: what is dropped, with the reason", drop, s)
    tests.add("trace: dropped, of an allocation of both families",
              both_families, s)
    tests.add("trace: what is punted, with the reason", punt, s)
    tests.add("trace: formats name all reasons", names, s)
    tests.add("trace: nothing that was not asked for", silent, s)
    tests.add("trace: drop monitors get the kernel's own reasons", monitors, s)
    tests.add("trace: drop monitors are told of orphans", orphan, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
