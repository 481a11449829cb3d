#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of what is not relayed; see punts.sh."""

import os
import subprocess
import sys

from ktap import Tests
from lab import (Capture, Raw, SERVER_PORT, V4, ip, netns, receive, sysctl,
                 text, udp)
from libkturn import EXCLUSIVE
from limited import LIMIT, bits, no_limits, passed, quickly
from links import EXTRA, Tun, extra_veth, udp4
from packets import channel, expect, pattern, stun
from scene import Setup, TO_CLIENT, TO_PEER
from world import ALL, CHAN, LONG, World, waiting

PUNT_LIMIT = ("drop", "punt-limit")
CONTROL, OTHER = ("punt", "control"), ("punt", "other")
# Neither STUN nor ChannelData; 20 bytes.
ODD = b"\x80" + bytes(19)
BINDING = stun(0x0001)


# -------------------------------------------------------------- what is punted

def punted(s, w):
    """They count with all of the UDP payload."""
    daemon = s.daemon(w)
    s.kt.alloc_set_limits(w.id, bits(100), bits(1000))
    with s.counted(*[OTHER] * 5, *[LIMIT] * 2, TO_PEER, TO_CLIENT):
        for _ in range(7):
            w.client.sendto(ODD, w.server)
        s.steady(w).barrier()
    expect("at the daemon", waiting(daemon), [ODD] * 5)
    expect("the client is told", waiting(w.client), [])
    # Together with what is relayed.
    s.kt.alloc_set_limits(w.id, bits(100))
    for _ in range(3):
        w.client.sendto(ODD, w.server)
    expect("relayed", passed(s, w, "chan-out", [30, 10, 20]), 2)
    expect("at the daemon", waiting(daemon), [ODD] * 3)
    no_limits(s, w)


def punted_from_peers(s, w):
    """So does what peers send."""
    relay = udp("relay", *w.relay)
    netns("relay")
    # Without the flag, data of strangers are the daemon's.
    s.kt.perm_del(w.id, w.side.peer)
    s.kt.alloc_set_flags(w.id, 0)
    s.kt.alloc_set_limits(w.id, None, bits(50))
    reason = ("punt", "no-permission")
    try:
        with s.counted(*[reason] * 2, *[LIMIT] * 3, TO_PEER, TO_CLIENT):
            for _ in range(5):
                w.plain.sendto(b"25 bytes, " + bytes(15), w.relay)
            s.steady(w).barrier()
        expect("at the daemon", len(waiting(relay)), 2)
    finally:
        s.kt.alloc_set_flags(w.id, w.flags)
        s.kt.perm_new(w.id, w.side.peer, LONG)
        relay.close()
        no_limits(s, w)


def control(s, w):
    """Control messages are charged, but never refused."""
    daemon = s.daemon(w)
    s.kt.alloc_set_limits(w.id, bits(100))
    with s.counted(*[CONTROL] * 3, TO_PEER, TO_CLIENT):
        for _ in range(3):
            w.client.sendto(BINDING, w.server)
        s.steady(w).barrier()
    expect("data", passed(s, w, "chan-out", [60, 60, 40]), 1)
    with s.counted(*[CONTROL] * 9, TO_PEER, TO_CLIENT):
        for _ in range(9):
            w.client.sendto(BINDING, w.server)
        s.steady(w).barrier()
    expect("at the daemon", len(waiting(daemon)), 12)
    no_limits(s, w)


def ttl_first(s, w):
    """A packet whose TTL ends is dropped for that, and costs nothing."""
    raw = Raw("client", w.side.family)
    s.kt.alloc_set_limits(w.id, bits(100))
    with s.counted(*[("drop", "ttl")] * 3, TO_PEER, TO_CLIENT):
        for _ in range(3):
            raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                     channel(CHAN, pattern(100)), ttl=1)
        s.steady(w).barrier()
    raw.close()
    expect("passed", passed(s, w, "chan-out", [100]), 1)
    no_limits(s, w)


# ----------------------------------------------------- what must not be dropped

def segments(s):
    """What comes in one packet may be more than was looked at."""
    tun = Tun()
    ip("relay", "addr", "add", EXTRA.server + "/24", "dev", "odd0")
    ip("relay", "link", "set", "odd0", "up")
    server = udp("relay", EXTRA.server, SERVER_PORT)
    netns("relay")
    id = s.kt.alloc_new(text(EXTRA.client, 5000),
                        text(EXTRA.server, SERVER_PORT),
                        [text(V4.relay, 57000)], LONG, EXCLUSIVE,
                        to_peer=bits(3500))
    s.kt.perm_new(id, V4.peer, LONG)
    s.kt.chan_new(id, CHAN, text(V4.peer, 7000), LONG)
    # The second segment is no ChannelData.
    big = channel(CHAN, pattern(3000))
    packet = udp4(EXTRA.client, EXTRA.server, 5000, SERVER_PORT, big,
                  "pseudo")
    for _ in range(3):
        with s.counted(("punt", "gso")):
            tun.write(packet, tun.NEEDS_CSUM, tun.GSO_UDP, 1000, 20, 6)
            expect("at the daemon", receive(server)[0], big)
    # The first was charged.
    with s.counted(LIMIT, TO_PEER):
        tun.write(udp4(EXTRA.client, EXTRA.server, 5000, SERVER_PORT,
                       channel(CHAN, pattern(1000))))
        s.worlds["IPv6"].marker()
    s.kt.alloc_del(id)
    for each in (tun, server):
        each.close()


def bridged(s):
    """What a bridge passes on is not this host's to drop."""
    extra_veth("client", "odd0", "odd1", [EXTRA.client + "/24"])
    ip("relay", "link", "add", "br0", "type", "bridge")
    ip("relay", "link", "set", "odd1", "master", "br0")
    ip("relay", "addr", "add", EXTRA.server + "/24", "dev", "br0")
    ip("relay", "link", "set", "br0", "up")
    w = World(s.kt, EXTRA)
    server = udp("relay", *w.server)
    netns("relay")
    subprocess.run(["modprobe", "br_netfilter"], check=True)
    s.kt.alloc_set_limits(w.id, bits(100))
    try:
        sysctl("relay", "net.bridge.bridge-nf-call-iptables=1")
        for _ in range(3):
            with s.counted(("punt", "link")):
                w.say("chan-out", pattern(50))
                expect("at the daemon", receive(server)[0],
                       channel(CHAN, pattern(50)))
        sysctl("relay", "net.bridge.bridge-nf-call-iptables=0")
        # It was not charged, because nobody knows yet who gets it.
        with s.counted(TO_PEER, LIMIT, TO_PEER, TO_CLIENT):
            w.say("chan-out", pattern(100))
            w.say("chan-out", pattern(100))
            s.steady(w).barrier()
    finally:
        sysctl("relay", "net.bridge.bridge-nf-call-iptables=0")
        s.kt.alloc_del(w.id)
        w.close()
        server.close()
        ip("relay", "link", "del", "br0")
        ip("relay", "link", "del", "odd1")


def spoofed(s, w):
    """What input routing is going to refuse does not count."""
    id = s.kt.alloc_new("192.0.2.50:1234", text(*w.server),
                        [text(w.side.relay, w.rport + 500)], LONG,
                        to_peer=bits(100))
    s.kt.perm_new(id, w.side.peer, LONG)
    s.kt.chan_new(id, CHAN, text(w.side.peer, w.pport + 1), LONG)
    raw = Raw("client", 4)

    def say(message):
        raw.send("192.0.2.50", w.side.server, 1234, SERVER_PORT, message)

    def rp_filter(value):
        sysctl("relay", f"net.ipv4.conf.all.rp_filter={value}",
               f"net.ipv4.conf.relay0.rp_filter={value}")

    try:
        rp_filter(1)
        with s.counted(*[("punt", "source")] * 3, *[CONTROL] * 6,
                       *[OTHER] * 3, TO_PEER):
            for message in (channel(CHAN, pattern(100)), ODD, BINDING,
                            BINDING):
                for _ in range(3):
                    say(message)
            w.marker()
        rp_filter(0)
        ip("relay", "route", "add", "192.0.2.0/24", "via", w.side.client)
        with s.counted(TO_PEER, LIMIT, TO_PEER):
            say(channel(CHAN, pattern(100)))
            say(channel(CHAN, pattern(100)))
            w.marker()
    finally:
        rp_filter(0)
        subprocess.run(["ip", "-n", os.environ["relay"], "route", "del",
                        "192.0.2.0/24"], check=False, capture_output=True)
        raw.close()
        s.kt.alloc_del(id)


def address_gone(s, w):
    """What is for another host is neither charged nor dropped."""
    address = w.side.server + "/24"
    s.kt.alloc_set_limits(w.id, bits(1000))
    # Its neighbour has to know where it is.
    w.client.sendto(channel(CHAN, pattern(50)), w.server)
    receive(w.peer)
    ip("relay", "addr", "del", address, "dev", "relay0")
    try:
        with s.counted(*[("punt", "source")] * 3, *[OTHER] * 3,
                       *[CONTROL] * 3, TO_PEER):
            for message in (channel(CHAN, pattern(90)), ODD, BINDING):
                for _ in range(3):
                    w.client.sendto(message, w.server)
            s.worlds["IPv6"].marker()
    finally:
        ip("relay", "addr", "add", address, "dev", "relay0")
    expect("passed", passed(s, w, "chan-out", [950, 100]), 1)
    no_limits(s, w)


# ------------------------------------------------------------------ namespaces

def punt_limit(s, w):
    """All allocations together; control messages and what is relayed, not."""
    other, daemon = s.steady(w), s.daemon(w)

    def test():
        for each in (daemon, s.daemon(other)):
            waiting(each)
        s.kt.set_config(punt_rate=1, punt_burst=3)
        with s.counted(*[OTHER] * 3, *[PUNT_LIMIT] * 3, *[CONTROL] * 4,
                       TO_PEER, TO_CLIENT):
            for one in (w, other) * 3:
                one.client.sendto(ODD, one.server)
            for one in (w, other) * 2:
                one.client.sendto(BINDING, one.server)
            other.barrier()
        expect("at the daemon", len(waiting(daemon) +
                                    (waiting(s.daemon(other)) if
                                     s.daemon(other) is not daemon else [])),
               7)
        expect("passes", w.passes(other), ALL)

    quickly(test)
    expect("nobody is told", [waiting(one.client) for one in (w, other)],
           [[], []])
    s.kt.set_config(punt_rate=0)
    with s.counted(*[OTHER] * 9, TO_PEER, TO_CLIENT):
        for _ in range(9):
            w.client.sendto(ODD, w.server)
        other.barrier()
    expect("at the daemon", waiting(daemon), [ODD] * 9)


def icmp_limit(s, w):
    """The packets are dropped all the same."""
    family = w.side.family
    raw = Raw("client", family)
    cap = Capture("client", "client0", family)
    mine = (1, 11) if family == 4 else (58, 3)

    def errors():
        """Those that came before the barrier's own packet."""
        n = 0
        s.worlds["IPv4" if family == 4 else "IPv6"].barrier()
        while True:
            raw_packet = cap.s.recvfrom(65536)
            if raw_packet[1][2] == 4:       # going out
                continue
            data = raw_packet[0]
            at = 20 if family == 4 else 40
            if (data[9 if family == 4 else 6], data[at]) == mine:
                n += 1
            elif data[9 if family == 4 else 6] == 17:
                return n

    def ends(n):
        for _ in range(n):
            raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                     channel(CHAN, b"the end"), ttl=1)

    def test():
        s.kt.set_config(icmp_rate=1, icmp_burst=3)
        cap.drain()
        with s.counted(*[("drop", "ttl")] * 8, TO_PEER, TO_CLIENT):
            ends(8)
            expect("errors", errors(), 3)

    quickly(test)
    s.kt.set_config(icmp_rate=0)
    cap.drain()
    ends(20)
    expect("errors", errors(), 20)
    s.kt.set_config(icmp_rate=1000)
    raw.close()
    cap.close()


def main():
    tests, s = Tests(), Setup()
    for name in ("IPv4", "IPv6"):
        w = s.worlds[name]
        tests.add(f"{name}: what is punted", punted, s, w)
        tests.add(f"{name}: punted from peers", punted_from_peers, s, w)
        tests.add(f"{name}: control messages", control, s, w)
        tests.add(f"{name}: TTL comes first", ttl_first, s, w)
        tests.add(f"{name}: punt limit", punt_limit, s, w)
        tests.add(f"{name}: ICMP limit", icmp_limit, s, w)
    w = s.worlds["IPv4"]
    tests.add("segments", segments, s)
    tests.add("bridged", bridged, s)
    tests.add("sources that are refused", spoofed, s, w)
    tests.add("an address that is gone", address_gone, s, w)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
