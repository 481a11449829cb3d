#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets that are too big for the way out; see sizes.sh.

RFC 8656 sections 13 and 14: fragments where the sender allows them, else an
ICMP error with what fits.
"""

import socket
import struct
import sys

from ktap import Tests
from lab import Capture, SERVER_PORT, careless, ip, receive, set_mtu
from packets import (A_DF, attr, channel, expect, family_of, parse_data_ind,
                     pattern, send_ind)
from scene import IP_HEADER, Setup, TO_CLIENT, TO_PEER
from world import CHAN, World, waiting

ALTERNATE = 2
# What a Data indication adds (RFC 8656 section 13.2).
OVERHEAD = 48


class Way:
    """One direction of a world: who sends, and who hears of it."""

    def __init__(self, w, to_client, indication):
        self.w, self.to_client, self.indication = w, to_client, indication
        side = w.side
        if to_client:
            self.sender, out = ("peer", "peer0"), ("client", "client0")
            self.device, self.counted = "relay0", TO_CLIENT
            self.src, self.sport = side.peer, w.pport + indication
            self.dst, self.dport = w.relay
            self.receiver, self.to_family = w.client, side.family
        else:
            self.sender, out = ("client", "client0"), ("peer", "peer0")
            self.device, self.counted = "relay1", TO_PEER
            self.src, self.sport = side.client, w.cport
            self.dst, self.dport = side.server, SERVER_PORT
            self.receiver = w.plain if indication else w.peer
            self.to_family = side.peer_family
        self.family = family_of(self.src)
        self.raw = careless(self.sender[0], self.family)
        # What the sender gets, and what comes out: to close one takes long.
        self.back = Capture(*self.sender, self.family)
        self.ahead = Capture(*out, self.to_family)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for x in (self.raw, self.back, self.ahead):
            x.close()

    def added(self):
        """Headers of the packet that goes out."""
        n = IP_HEADER[self.to_family] + 8
        if self.to_client:
            n += 4 if not self.indication else (
                36 if self.family == 4 else 48)
        return n

    def data(self, size):
        """Application data that makes a packet of that size, or less."""
        n = size - self.added()
        return pattern(n & ~3 if self.to_client and self.indication else n)

    def send(self, data, df=False, attrs=()):
        msg = data
        if not self.to_client:
            msg = send_ind((self.w.side.peer, self.w.pport + 1), data,
                           attrs) if self.indication else channel(CHAN, data)
        self.raw.send(self.src, self.dst, self.sport, self.dport, msg, df=df)

    def heard(self):
        got = receive(self.receiver)[0]
        if self.to_client:
            return parse_data_ind(got)[1] if self.indication else got[4:]
        return got

    def told(self):
        """The MTU in the ICMP error that the sender gets."""
        proto, kind = (1, (3, 4)) if self.family == 4 else (58, (2, 0))
        while True:
            p = self.back.next(proto)
            if (p.l4[0], p.l4[1]) == kind:
                break
        a, size = (12, 4) if self.family == 4 else (8, 16)
        inner, af = p.l4[8:], (socket.AF_INET if self.family == 4 else
                               socket.AF_INET6)
        n = IP_HEADER[self.family]
        expect("from, and quoted", (
            socket.inet_ntop(af, p.src),
            socket.inet_ntop(af, inner[a:a + size]),
            socket.inet_ntop(af, inner[a + size:a + 2 * size]),
            struct.unpack("!HH", inner[n:n + 4])),
            (self.dst, self.src, self.dst, (self.sport, self.dport)))
        return struct.unpack("!HH" if self.family == 4 else "!I",
                             p.l4[4:8])[-1]

    def wanted(self, mtu, size, df):
        """What a packet that size becomes: None if it is sent as it is, the
        largest fragment, or ("icmp", MTU)."""
        four, six = self.family == 4, self.to_family == 6
        if six and four and not df and size > 1280:
            return 1280
        if size <= mtu:
            return None
        if four and not df or not four and not six and size <= 1260:
            return mtu
        report = mtu - (20 if four and six else 0) + (
            20 if not four and not six else 0) - (
            OVERHEAD if self.to_client else 0)
        if not four and report < 1280:
            return mtu
        return "icmp", report

    def check(self, s, mtu, size, df):
        w = self.w
        self.back.drain()
        self.ahead.drain()
        wanted, data = self.wanted(mtu, size, df), self.data(size)
        what = f"{size} bytes, MTU {mtu}, DF {df}"
        if isinstance(wanted, tuple):
            with s.counted(("drop", "too-big")):
                self.send(data, df)
                expect(what, ("icmp", self.told()), wanted)
            w.marker()
            expect(what, waiting(w.plain) + waiting(w.client), [])
        else:
            with s.counted(self.counted):
                self.send(data, df)
                expect(what, self.heard() == data, True)
            sizes = fragments(self.ahead)
            if wanted is None:
                expect(what, sizes, [])
            else:
                expect(what + ": fragments", len(sizes) > 1 and
                       wanted - 8 < max(sizes) <= wanted, True)


def fragments(cap):
    """The lengths of those that have come."""
    found = []
    cap.s.setblocking(False)
    while True:
        try:
            raw, addr = cap.s.recvfrom(65536)
        except BlockingIOError:
            return found
        if addr[2] == socket.PACKET_OUTGOING:
            continue
        if raw[0] >> 4 == 4:
            if struct.unpack("!H", raw[6:8])[0] & 0x3FFF:
                found.append(len(raw))
        elif raw[6] == 44:
            found.append(len(raw))


def with_mtu(device, mtu, f):
    set_mtu("relay", device, mtu)
    try:
        f()
    finally:
        set_mtu("relay", device, 1500)


def sizes(s, w, to_client):
    """Around the MTU of the way out, which counts as it is now."""
    for indication in (0, 1):
        with Way(w, to_client, indication) as way:
            for mtu in (1400, 1280, 1328, 1300):
                with_mtu(way.device, mtu, lambda m=mtu: around(s, way, m))


def around(s, way, mtu):
    # Indications have padding.
    step = 4 if way.indication and way.to_client else 1
    for size in (mtu, mtu + step, mtu + 60):
        if size - way.added() + IP_HEADER[way.family] + 60 > 1500:
            continue
        for df in (False, True) if way.family == 4 else (True,):
            way.check(s, mtu, size, df)


def small_links(s, w):
    """IPv4 links of less than IPv6 ever has."""
    for to_client in (False, True):
        if (w.side.family if to_client else w.side.peer_family) != 4:
            continue
        # IPv6 would be gone from a device with such an MTU.
        net = "198.51.100.0/24" if to_client else "203.0.113.0/24"
        with Way(w, to_client, 0) as way:
            route = ("route", "replace", net, "dev", way.device)
            ip("relay", *route, "mtu", "900")
            try:
                for size in (900, 901, 1000, 1261):
                    for df in (False, True) if way.family == 4 else (True,):
                        way.check(s, 900, size, df)
            finally:
                ip("relay", *route)


def large(s, w):
    """IPv6 to IPv4 and back: RFC 7915 wants 1280 bytes at most."""
    for to_client in (False, True):
        with Way(w, to_client, 0) as way:
            for size in (1280, 1281, 1400):
                for df in (False, True) if way.family == 4 else (True,):
                    way.check(s, 1500, size, df)


# ------------------------------------------------------- the alternate headers

def alternate(s, w):
    """As a server in userspace sends: what comes in does not matter."""
    for to_client in (False, True):
        with Way(w, to_client, 0) as way:
            alternate_way(s, way)
    if (w.side.family, w.side.peer_family) == (4, 4):
        with Way(w, False, 1) as way:
            alternate_df(s, way)


def alternate_way(s, way):
    for ttl, tos, df in ((64, 0, False), (1, 0xB9, True), (255, 3, True)):
        data = b"alternate" if way.to_client else channel(CHAN, b"alternate")
        with s.counted(way.counted):
            way.raw.send(way.src, way.dst, way.sport, way.dport, data, ttl=ttl,
                         tos=tos, df=df)
            p = way.ahead.next()
        expect("TTL, DSCP and ECN, DF", (p.ttl, p.tos, bool(p.df)),
               (64, 0, False))
        way.heard()

    def too_big():
        for df in (False, True) if way.family == 4 else (True,):
            way.ahead.drain()
            with s.counted(way.counted):
                way.send(way.data(1340), df)
                expect("whole", way.heard() == way.data(1340), True)
            expect("fragments", len(fragments(way.ahead)), 2)

    with_mtu(way.device, 1300, too_big)


def alternate_df(s, way):
    """DF is what was asked for, and then nobody is told of what is too big."""
    asked = [attr(A_DF, b"")]
    with s.counted(TO_PEER):
        way.send(b"asked for", attrs=asked)
        expect("DF", way.ahead.next().df, True)
        way.heard()

    def too_big_to_be():
        with s.counted(("drop", "too-big"), TO_PEER):
            way.send(way.data(1340), attrs=asked)
            way.w.marker()

    with_mtu("relay1", 1300, too_big_to_be)
    way.back.s.settimeout(0)
    try:
        while way.back.s.recvfrom(65536)[0][9] != 1:
            pass
        raise AssertionError("an ICMP error was sent")
    except BlockingIOError:
        pass


def main():
    tests, s = Tests(), Setup()
    for name, w in s.worlds.items():
        for way, to_client in (("the peer", False), ("the client", True)):
            tests.add(f"{name}: sizes around the MTU, to {way}", sizes, s, w,
                      to_client)
        if 4 in (w.side.family, w.side.peer_family):
            tests.add(f"{name}: small links", small_links, s, w)
        if w.side.family != w.side.peer_family:
            tests.add(f"{name}: fragments for IPv6", large, s, w)
    for name, w in s.worlds.items():
        tests.add(f"{name}: alternate header fields", alternate, s,
                  World(s.kt, w.side, flags=1 | ALTERNATE))
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
