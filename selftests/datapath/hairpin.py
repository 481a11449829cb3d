#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Between two clients of the same server; see hairpin.sh."""

import itertools
import sys

from ktap import Tests
from lab import Capture, Raw, SERVER_PORT, V4, V4_TO_V6, V6, V6_TO_V4, ip, \
    netns, receive, text, udp
from libkturn import EXCLUSIVE
from packets import (A_DF, attr, channel, expect, family_of, parse_data_ind,
                     pattern, send_ind)
from scene import Setup, TO_CLIENT, TO_PEER
from world import CHAN, LONG, World, waiting

TO_OTHER = CHAN + 7
SIDES = {"IPv4": V4, "IPv6": V6, "IPv4 to IPv6": V4_TO_V6,
         "IPv6 to IPv4": V6_TO_V4}
BOTH = TO_PEER, TO_CLIENT


class Pair:
    """Two worlds that may talk to each other's relayed address."""

    def __init__(self, s, first, second, chan_a=True, chan_b=True):
        self.s = s
        self.a, self.b = World(s.kt, SIDES[first]), World(s.kt, SIDES[second])
        self.chan_a, self.chan_b = chan_a, chan_b
        for me, other, chan in ((self.a, self.b, chan_a),
                                (self.b, self.a, chan_b)):
            s.kt.perm_new(me.id, other.relay[0], LONG)
            if chan:
                s.kt.chan_new(me.id, TO_OTHER, text(*other.relay), LONG)

    def say(self, data, attrs=()):
        if self.chan_a:
            return channel(TO_OTHER, data)
        return send_ind(self.b.relay, data, attrs)

    def heard(self):
        got, addr = receive(self.b.client)
        expect("from", addr, self.b.server)
        if self.chan_b:
            expect("channel", got[:2], TO_OTHER.to_bytes(2, "big"))
            return got[4:4 + int.from_bytes(got[2:4], "big")]
        peer, data = parse_data_ind(got)
        expect("peer", peer, self.a.relay)
        return data

    def close(self):
        for w in (self.a, self.b):
            self.s.kt.alloc_del(w.id)
            w.close()


def pairs(s, first, second):
    for chan_a, chan_b in itertools.product((True, False), repeat=2):
        p = Pair(s, first, second, chan_a, chan_b)
        try:
            yield p
        finally:
            p.close()


def counts(s, w):
    c = s.kt.allocs(w.id)[0]
    return [(x.packets, x.bytes) for x in (c.to_peer, c.to_client)]


def one_pass(s, first, second):
    """Both relay it, neither device nor stack see it in between."""
    for p in pairs(s, first, second):
        cap = Capture("relay", "lo", family_of(p.a.side.relay))
        for n in (0, 1, 3, 4, 333, 1200):
            with s.counted(*BOTH):
                p.a.client.sendto(p.say(pattern(n)), p.a.server)
                expect(f"{n} bytes", p.heard() == pattern(n), True)
        expect("counted", (counts(s, p.a), counts(s, p.b)),
               ([(6, 1541), (0, 0)], [(0, 0), (6, 1541)]))
        cap.s.setblocking(False)
        try:
            cap.s.recv(1)
            raise AssertionError("it took the way through the stack")
        except BlockingIOError:
            pass
        cap.close()
        # And back.
        with s.counted(*BOTH):
            p.b.client.sendto(channel(TO_OTHER, b"back") if p.chan_b else
                              send_ind(p.a.relay, b"back"), p.b.server)
            got = receive(p.a.client)[0]
        expect("back", got[4:] if p.chan_a else parse_data_ind(got)[1],
               b"back")


def fields(s, first, second):
    """As over two hops."""
    for p in pairs(s, first, second):
        a, b = p.a.side, p.b.side
        raw, out = Raw("client", a.family), Capture("client", "client0",
                                                    b.family)
        for ttl, tos, df in ((64, 0, False), (3, 0xB9, True),
                             (255, 0x2E, False)):
            out.drain()
            with s.counted(*BOTH):
                raw.send(a.client, a.server, p.a.cport, SERVER_PORT,
                         p.say(b"fields"), ttl=ttl, tos=tos, df=df)
                q = out.next()
            expect("TTL, DSCP, ECN, sums", (q.ttl, q.tos, q.ip_ok, q.udp_ok()),
                   (ttl - 2, tos, True, True))
            if {a.family, family_of(a.relay), b.family} == {4}:
                expect("DF", q.df, df)
            p.heard()
        for ttl in (1, 2):
            with s.counted(("drop", "ttl")):
                raw.send(a.client, a.server, p.a.cport, SERVER_PORT,
                         p.say(b"ends"), ttl=ttl)
        if not p.chan_a:
            out.drain()
            with s.counted(*BOTH):
                raw.send(a.client, a.server, p.a.cport, SERVER_PORT,
                         p.say(b"df", [attr(A_DF, b"")]))
                q = out.next()
            if b.family == 4:
                # Across families the attribute is ignored.
                expect("DF", q.df, {a.family, family_of(a.relay)} == {4})
            p.heard()
        raw.close()
        out.close()


def refused(s, first, second):
    """Both permissions count, and both lifetimes."""
    p = Pair(s, first, second)
    s.kt.perm_del(p.b.id, p.a.relay[0])
    with s.counted(("drop", "no-permission")):
        p.a.client.sendto(p.say(b"not wanted"), p.a.server)
        expect("dropped by", counts(s, p.a)[0], (0, 0))
    expect("dropped by", [s.kt.allocs(w.id)[0].dropped for w in (p.a, p.b)],
           [0, 1])
    s.kt.perm_new(p.b.id, p.a.relay[0], LONG)
    with s.counted(*BOTH):
        p.a.client.sendto(p.say(b"wanted"), p.a.server)
        expect("then", p.heard(), b"wanted")
    s.kt.perm_del(p.a.id, p.b.relay[0])
    with s.counted(("drop", "no-permission")):
        p.a.client.sendto(send_ind(p.b.relay, b"by Send"), p.a.server)
    # RFC 8656 section 12.6: from the client, the channel is enough.
    with s.counted(*BOTH):
        p.a.client.sendto(p.say(b"by channel"), p.a.server)
        expect("then", p.heard(), b"by channel")
    # Without the other allocation it is an address of the host.
    s.kt.alloc_del(p.b.id)
    sock = udp("relay", *p.b.relay)
    netns("relay")
    with s.counted(("punt", "local-peer")):
        p.a.client.sendto(p.say(b"nobody there"), p.a.server)
        expect("at the daemon", receive(s.daemon(p.a))[0],
               p.say(b"nobody there"))
    expect("at the socket", waiting(sock), [])
    expect("client", waiting(p.b.client), [])
    sock.close()
    s.kt.alloc_del(p.a.id)
    for w in (p.a, p.b):
        w.close()


def not_exclusive(s, first, second):
    """The other's owner may know better."""
    a, b = World(s.kt, SIDES[first]), World(s.kt, SIDES[second], flags=0)
    s.kt.chan_new(a.id, TO_OTHER, text(*b.relay), LONG)
    s.kt.perm_new(a.id, b.relay[0], LONG)
    msg = channel(TO_OTHER, b"unknown")
    with s.counted(("punt", "no-permission")):
        a.client.sendto(msg, a.server)
        expect("at the daemon", receive(s.daemon(a))[0], msg)
    for w in (a, b):
        s.kt.alloc_del(w.id)
        w.close()


def to_itself(s, side):
    """A client that sends to its own relayed address gets it back, once."""
    w = World(s.kt, SIDES[side])
    s.kt.perm_new(w.id, w.relay[0], LONG)
    s.kt.chan_new(w.id, TO_OTHER, text(*w.relay), LONG)
    msg = channel(TO_OTHER, b"to myself")
    with s.counted(*BOTH):
        w.client.sendto(msg, w.server)
        expect("back", receive(w.client), (msg, w.server))
    expect("no more", waiting(w.client), [])
    s.kt.alloc_del(w.id)
    w.close()


def ring(s, side):
    """Allocations whose clients are relayed addresses: nothing goes round."""
    side = SIDES[side]
    if side.family != side.peer_family:
        return
    w = World(s.kt, side)
    ports = [w.rport + 1000 + i for i in range(3)]
    ids = []
    for i, port in enumerate(ports):
        ids.append(s.kt.alloc_new(
            text(side.relay, ports[i - 1]), text(*w.server),
            [text(side.relay, port)], LONG, EXCLUSIVE, ""))
        for peer in (side.relay, side.server, side.peer):
            s.kt.perm_new(ids[-1], peer, LONG)
    sender = udp("peer", side.peer, 7777)
    netns("relay")
    for port in ports:
        with s.counted(("drop", "loop")):
            sender.sendto(b"round and round", (side.relay, port))
    # The same from a client's side.
    s.kt.perm_new(w.id, side.relay, LONG)
    for port in ports:
        with s.counted(("drop", "loop")):
            w.client.sendto(send_ind((side.relay, port), b"x"), w.server)
    expect("client", waiting(w.client), [])
    for i in [*ids, w.id]:
        s.kt.alloc_del(i)
    sender.close()
    w.close()


def too_big(s, first, second):
    """What does not fit the second client's link is left to the daemon."""
    p = Pair(s, first, second)
    route = ("route", "replace", "198.51.100.0/24" if p.b.side.family == 4 else
             "2001:db8:1::/64", "dev", "relay0",
             *(() if p.b.side.family == 4 else ("metric", "256")))
    ip("relay", *route, "mtu", "1300")
    try:
        raw = Raw("client", p.a.side.family)
        msg = p.say(pattern(1290))
        with s.counted(("punt", "mtu")):
            raw.send(p.a.side.client, p.a.side.server, p.a.cport, SERVER_PORT,
                     msg, df=True)
            expect("at the daemon", receive(s.daemon(p.a))[0] == msg, True)
        raw.close()
    finally:
        ip("relay", *route)
    p.close()


def moved(s, first, second):
    """The host's addresses change: what is remembered is looked up again."""
    p = Pair(s, first, second)
    relay, six = p.b.relay[0], family_of(p.b.relay[0]) == 6
    with s.counted(*BOTH):
        p.a.client.sendto(p.say(b"before"), p.a.server)
        expect("before", p.heard(), b"before")
    # The second address has the same number: it goes to somebody else now.
    ip("relay", "addr", "del", relay + ("/64" if six else "/24"), "dev",
       "relay1")
    try:
        p.a.client.sendto(p.say(b"without"), p.a.server)
        expect("punted", s.kt.allocs(p.a.id)[0].punted, 1)
        expect("client", waiting(p.b.client), [])
    finally:
        ip("relay", "addr", "add", relay + ("/64" if six else "/24"), "dev",
           "relay1", *(["nodad"] if six else []))
    s.daemon(p.a)
    with s.counted(*BOTH):
        p.a.client.sendto(p.say(b"after"), p.a.server)
        expect("after", p.heard(), b"after")
    p.close()


def main():
    tests, s = Tests(), Setup()
    for first, second in itertools.product(SIDES, repeat=2):
        if SIDES[first].peer_family != SIDES[second].peer_family:
            continue
        name = f"{first} and {second}: "
        tests.add(name + "in one pass", one_pass, s, first, second)
        tests.add(name + "header fields", fields, s, first, second)
        tests.add(name + "refused", refused, s, first, second)
        tests.add(name + "not exclusive", not_exclusive, s, first, second)
    for side in SIDES:
        tests.add(f"{side}: to itself", to_itself, s, side)
        tests.add(f"{side}: a ring", ring, s, side)
    tests.add("IPv4: too big for the second", too_big, s, "IPv4", "IPv4")
    tests.add("IPv6: too big for the second", too_big, s, "IPv6", "IPv6")
    tests.add("IPv4: an address goes", moved, s, "IPv4", "IPv4")
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
