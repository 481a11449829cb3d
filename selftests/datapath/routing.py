#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Where packets come from and go to; see routing.sh."""

import sys

from ktap import Tests
from lab import Raw, SERVER_PORT, ip, quiet, receive, sysctl, text, udp
from packets import channel, expect, send_ind, stun
from scene import Setup, TO_CLIENT, TO_PEER, run
from world import ALL, CHAN, LONG, wait_until, waiting


def strangers(s, w):
    """Another client's 5-tuple has no part in this allocation."""
    sock = udp("client", w.side.client, w.cport + 1000)
    msg = channel(CHAN, b"not mine")
    with s.counted():
        sock.sendto(msg, w.server)
        expect("at the daemon", receive(s.daemon(w))[0], msg)
    sock.close()


def local_peer(s, w):
    """The host's own services are not reached by the fast path."""
    service = udp("relay", w.side.relay, 7777)
    s.kt.perm_new(w.id, w.side.relay, LONG)
    s.kt.chan_new(w.id, 0x4010, text(w.side.relay, 7777), LONG)
    for msg in (channel(0x4010, b"hello"),
                send_ind((w.side.relay, SERVER_PORT), b"hello"),
                send_ind((w.side.relay, 7777), b"hello")):
        with s.counted(("punt", "local-peer")):
            w.client.sendto(msg, w.server)
            expect("at the daemon", receive(s.daemon(w))[0], msg)
    expect("service", quiet(service), True)
    service.close()


def spoofed(s, w):
    """A source that input routing refuses is not relayed."""
    spare = s.kt.alloc_new("192.0.2.50:1234", text(*w.server),
                           [text(w.side.relay, w.rport + 500)], LONG)
    s.kt.perm_new(spare, w.side.peer, LONG)
    s.kt.chan_new(spare, CHAN, text(w.side.peer, w.pport + 1), LONG)
    raw = Raw("client", 4)

    def say(data):
        raw.send("192.0.2.50", w.side.server, 1234, SERVER_PORT,
                 channel(CHAN, data))

    sysctl("relay", "net.ipv4.conf.all.rp_filter=1",
           "net.ipv4.conf.relay0.rp_filter=1")
    try:
        with s.counted(("punt", "source"), TO_PEER):
            say(b"spoofed")
            w.marker()
        sysctl("relay", "net.ipv4.conf.all.rp_filter=0",
               "net.ipv4.conf.relay0.rp_filter=0")
        ip("relay", "route", "add", "192.0.2.0/24", "via", w.side.client)
        with s.counted(TO_PEER):
            say(b"routed")
            expect("with a route", receive(w.plain)[0], b"routed")
        # Now it is remembered; the filter must be looked at all the same.
        ip("relay", "route", "del", "192.0.2.0/24")
        sysctl("relay", "net.ipv4.conf.relay0.rp_filter=1")
        with s.counted(("punt", "source"), TO_PEER):
            say(b"spoofed")
            w.marker()
    finally:
        sysctl("relay", "net.ipv4.conf.all.rp_filter=0",
               "net.ipv4.conf.relay0.rp_filter=0")
        raw.close()
        s.kt.alloc_del(spare)


def martian(s, w):
    """The host's own address as a source, from outside."""
    s.kt.perm_new(w.id, w.side.relay, LONG)
    raw = Raw("peer", 4)
    with s.counted(("punt", "source"), TO_CLIENT):
        raw.send(w.side.relay, w.side.relay, 4444, w.rport, b"martian")
        w.peer_marker()
    expect("client", waiting(w.client), [])
    raw.close()


def route_changes(s, w):
    """A remembered route is given up when the tables change."""
    far = "198.18.0.9" if w.side.peer_family == 4 else "2001:db8:99::9"
    ip("peer", "addr", "add", far, "dev", "lo")
    sock = udp("peer", far, 9999)
    s.kt.perm_new(w.id, far, LONG)
    s.kt.chan_new(w.id, 0x4020, text(far, 9999), LONG)
    with s.counted(("punt", "route"), TO_PEER):
        w.client.sendto(channel(0x4020, b"no way"), w.server)
        w.marker()
    ip("relay", "route", "add", far, "via", w.side.peer)
    with s.counted(TO_PEER):
        w.client.sendto(channel(0x4020, b"now"), w.server)
        expect("with a route", receive(sock), (b"now", w.relay))
    ip("relay", "route", "replace", "blackhole", far)
    with s.counted(("punt", "route"), TO_PEER):
        w.client.sendto(channel(0x4020, b"gone"), w.server)
        w.marker()
    expect("peer", quiet(sock), True)
    ip("relay", "route", "del", "blackhole", far)
    sock.close()


def address_goes(s, w):
    """An address that the host has no more is not relayed for."""
    expect("before", w.passes(s.steady(w)), ALL)
    plen = "/24" if w.side.family == 4 else "/64"
    ip("relay", "addr", "del", w.side.server + plen, "dev", "relay0")
    try:
        before = s.counters()
        with s.counted(("punt", "source")):
            w.client.sendto(channel(CHAN, b"whose?"), w.server)
            wait_until("it is counted", lambda: s.counters() != before)
        expect("peer", quiet(w.peer), True)
    finally:
        ip("relay", "addr", "add", w.side.server + plen, "dev", "relay0",
           *([] if w.side.family == 4 else ["nodad"]))
    expect("after", w.passes(s.steady(w)), ALL)


RULES = """
table inet fw {
 chain i { type filter hook input priority 0; policy drop;
           ct state established,related accept
           ct state invalid drop
           udp dport 3478 accept
           icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
 }
 chain f { type filter hook forward priority 0; policy drop; }
 chain o { type filter hook output priority 0; policy drop;
           ct state established,related accept
           icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept
 }
 chain p { type filter hook postrouting priority 0;
           ct state invalid drop
 }
}
"""


def firewall(s):
    """A stateful firewall that drops by default; no conntrack entries."""
    run("relay", "nft", "-f", "-", input=RULES)
    try:
        for w in s.worlds.values():
            expect("passes", w.passes(s.steady(w)), ALL)
        # The table holds what is not relayed, so it does work.
        w = s.worlds["IPv4"]
        w.client.sendto(stun(0x0001), w.server)
        expect("request", receive(s.daemon(w))[0], stun(0x0001))
        entries = [line for line in run("relay", "conntrack", "-L", "-p",
                                        "udp").stdout.splitlines()
                   if "udp" in line]
        expect("entries", len(entries), 1)
        expect("the one is control", "dport=3478" in entries[0], True)
    finally:
        run("relay", "nft", "flush", "ruleset")


def main():
    tests, s = Tests(), Setup()
    for name in ("IPv4", "IPv6"):
        w = s.worlds[name]
        tests.add(f"{name}: a stranger's packet", strangers, s, w)
        tests.add(f"{name}: the host is no peer", local_peer, s, w)
        tests.add(f"{name}: a route that changes", route_changes, s, w)
    tests.add("IPv4: reverse path filter", spoofed, s, s.worlds["IPv4"])
    tests.add("IPv4: martian source", martian, s, s.worlds["IPv4"])
    tests.add("stateful firewall that drops by default", firewall, s)
    # Last: with its address go the routes of an interface.
    for name in ("IPv4", "IPv6"):
        tests.add(f"{name}: an address that goes", address_goes, s,
                  s.worlds[name])
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
