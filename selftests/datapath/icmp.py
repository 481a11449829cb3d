#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""ICMP errors about what was relayed (RFC 8656 section 11.5); see icmp.sh."""

import contextlib
import json
import socket
import struct
import sys
import time

from ktap import Tests
from lab import SERVER_PORT, careless, netns, receive, udp
from libkturn import Limit
from packets import (A_PEER, DATA, channel, expect, family_of, ones, pattern,
                     send_ind, unxor)
from scene import IP_HEADER, Setup, TO_PEER, run
from world import CHAN, LONG, World, waiting

A_ICMP = 0x8004


def parse_icmp_ind(msg):
    """(peer, type, code, data) of what should be an indication of an error."""
    kind, length, _ = struct.unpack("!HHI", msg[:8])
    expect("type, length", (kind, length), (DATA, len(msg) - 20))
    a, n = struct.unpack("!HH", msg[20:24])
    expect("first", a, A_PEER)
    peer = unxor(msg[24:24 + n], msg[8:20])
    b, m, zero, kind, code, data = struct.unpack("!HHHBBI", msg[24 + n:])
    expect("second", (b, m, zero), (A_ICMP, 8, 0))
    return peer, kind, code, data


def inet(ip):
    return socket.inet_pton(socket.AF_INET6 if ":" in ip else socket.AF_INET,
                            ip)


def quote(src, sport, dst, dport, proto=17, frag=0, chain=b""):
    """The packet that an error is about, as far as it is quoted."""
    head = struct.pack("!HHHH", sport, dport, 108, 0)
    if family_of(src) == 4:
        return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 128, 0, frag, 63, proto,
                           0, inet(src), inet(dst)) + head
    return struct.pack("!IHBB16s16s", 6 << 28, 108, 44 if chain else proto,
                       63, inet(src), inet(dst)) + chain + head


def error(kind, code, data, quoted, family):
    """ICMP; the sum of ICMPv6 is the sender's kernel's business."""
    body = struct.pack("!BBHI", kind, code, 0, data) + quoted
    if family == 6:
        return body
    return body[:2] + struct.pack("!H", 0xFFFF ^ ones(body)) + body[4:]


class Router:
    """Somewhere on the way, with an address of its own."""

    def __init__(self, family, where="peer"):
        netns(where)
        self.family = family
        self.s = socket.socket(*((socket.AF_INET, socket.SOCK_RAW, 1)
                                 if family == 4 else
                                 (socket.AF_INET6, socket.SOCK_RAW, 58)))
        netns("relay")

    def say(self, to, *args):
        self.s.sendto(error(*args, self.family), (to, 0))

    def close(self):
        self.s.close()


@contextlib.contextmanager
def told(s, n):
    """So many errors are told to clients."""
    before = s.kt.stats().icmp
    yield
    expect("told", s.kt.stats().icmp - before, n)


def heard(w):
    msg, addr = receive(w.client)
    expect("from", addr, w.server)
    return parse_icmp_ind(msg)


KINDS = {4: [(3, c, 0) for c in (0, 1, 2, 3, 5, 9, 10, 13, 15)] +
         [(3, 4, 1400), (3, 4, 0), (11, 0, 0), (11, 1, 0)],
         6: [(1, c, 0) for c in range(7)] + [(2, 0, 1400), (2, 0, 1280),
                                             (3, 0, 0), (3, 1, 0)]}
# Not errors, or none that says something to a client.
OTHERS = {4: [(4, 0), (5, 1), (8, 0), (0, 0), (12, 0), (13, 0)],
          6: [(4, 0), (4, 1), (128, 0), (129, 0), (100, 0)]}


def renew(s, w):
    """An allocation that was told of nothing yet."""
    s.kt.alloc_del(w.id)
    w.begin(s.kt)


def kinds(s, w):
    """Each kind of error, with what it says."""
    family = w.side.peer_family
    r = Router(family)
    # The port does not matter: that of the channel, and any other.
    for port in (w.pport, 1):
        renew(s, w)
        quoted = quote(*w.relay, w.side.peer, port)
        for kind, code, data in KINDS[family]:
            with told(s, 1), s.counted():
                r.say(w.relay[0], kind, code, data, quoted)
                expect("told", heard(w), ((w.side.peer, port), kind, code,
                                          data))
        # What stands there in errors that tell no MTU is not for the client.
        with told(s, 1):
            kind = (3, 1) if family == 4 else (1, 0)
            r.say(w.relay[0], *kind, 0xABCD, quoted)
            expect("told", heard(w)[3], 0)
        with told(s, 0):
            for kind, code in OTHERS[family]:
                r.say(w.relay[0], kind, code, 0, quoted)
            w.peer_marker()
    r.close()


def real(s, w):
    """An error that a host really sends."""
    family = w.side.peer_family
    with s.counted(TO_PEER), told(s, 1):
        w.client.sendto(send_ind((w.side.peer, 4321), b"anyone?"), w.server)
        expect("told", heard(w), ((w.side.peer, 4321),
                                  *((3, 3, 0) if family == 4 else
                                    (1, 4, 0))))
    # Over the channel, too.
    w.peer.close()
    try:
        with s.counted(TO_PEER), told(s, 1):
            w.client.sendto(channel(CHAN, b"anyone?"), w.server)
            expect("told", heard(w)[0], (w.side.peer, w.pport))
    finally:
        w.peer = udp("peer", w.side.peer, w.pport)
        netns("relay")


def not_told(s, w):
    """Errors that are about nothing that was relayed."""
    family = w.side.peer_family
    r = Router(family)
    kind = (3, 3) if family == 4 else (1, 4)
    stranger = "203.0.113.99" if family == 4 else "2001:db8:2::99"
    good = quote(*w.relay, w.side.peer, w.pport)
    with told(s, 0):
        for quoted in (
                # Nobody with a permission, and no relayed address.
                quote(*w.relay, stranger, w.pport),
                quote(w.relay[0], w.relay[1] + 500, w.side.peer, w.pport),
                quote(w.side.peer, w.pport, *w.relay),
                # Not UDP, and without the ports.
                quote(*w.relay, w.side.peer, w.pport, proto=6),
                good[:-5], good[:IP_HEADER[family]],
                good[:IP_HEADER[family] - 1], good[:1], b"",
                # Of another version.
                bytes([good[0] ^ 0x10]) + good[1:]):
            r.say(w.relay[0], *kind, 0, quoted)
        if family == 4:
            for quoted in (bytes([0x44]) + good[1:],
                           quote(*w.relay, w.side.peer, w.pport, frag=1),
                           # Options that it does not have.
                           bytes([0x4F]) + good[1:]):
                r.say(w.relay[0], *kind, 0, quoted)
            damaged = bytearray(error(*kind, 0, good, 4))
            damaged[-1] ^= 1
            r.s.sendto(bytes(damaged), (w.relay[0], 0))
        else:
            r.say(w.relay[0], *kind, 0,
                  quote(*w.relay, w.side.peer, w.pport,
                        chain=struct.pack("!BBHI", 17, 0, 8, 7)))
        w.peer_marker()
    expect("client", waiting(w.client), [])
    # The first fragment tells the ports; IPv4 with options has them behind.
    with told(s, 1):
        if family == 4:
            options = quote(*w.relay, w.side.peer, w.pport, frag=0x2000)
            r.say(w.relay[0], *kind, 0, bytes([0x46]) + options[1:20] +
                  b"\1\1\1\1" + options[20:])
        else:
            r.say(w.relay[0], *kind, 0,
                  quote(*w.relay, w.side.peer, w.pport,
                        chain=struct.pack("!BBHI", 17, 0, 1, 7)))
        expect("told", heard(w)[0], (w.side.peer, w.pport))
    # When the permission has ended, the channel alone does not count.
    s.kt.perm_del(w.id, w.side.peer)
    with told(s, 0):
        r.say(w.relay[0], *kind, 0, good)
        s.steady(w).peer_marker()
    s.kt.perm_new(w.id, w.side.peer, LONG)
    expect("client", waiting(w.client), [])
    r.close()


def flood(w, r, n):
    """Errors about what @w has relayed."""
    kind = (3, 3) if r.family == 4 else (1, 4)
    for _ in range(n):
        r.say(w.relay[0], *kind, 0, quote(*w.relay, w.side.peer, w.pport))


def rate(s, w):
    """No more than an allocation is told of, however many come; others are
    told of theirs."""
    r, first, other = Router(w.side.peer_family), w, World(s.kt, w.side)
    renew(s, w)
    start = time.monotonic()
    flood(first, r, 100)
    other.peer_marker()
    allowed = 20 + int(10 * (time.monotonic() - start)) + 1
    n = len(waiting(first.client))
    expect(f"between 20 and {allowed}: {n}", 20 <= n <= allowed, True)
    with told(s, 1):
        flood(other, r, 1)
        heard(other)
    # They are packets to the client.
    renew(s, w)
    limit = Limit(packet_rate=1, burst_packets=3)
    s.kt.alloc_set_limits(w.id, None, limit)
    with told(s, 3):
        flood(first, r, 10)
        other.peer_marker()
    expect("heard", len(waiting(first.client)), 3)
    renew(s, w)
    s.kt.alloc_del(other.id)
    other.close()
    r.close()


def net_rate(s, w):
    """No more than the namespace's limit, however many come."""
    r = Router(w.side.peer_family)
    renew(s, w)
    s.kt.set_config(icmp_ind_rate=1, icmp_ind_burst=3)
    try:
        with told(s, 3):
            flood(w, r, 15)
            s.steady(w).peer_marker()
            expect("heard", len(waiting(w.client)), 3)
    finally:
        s.kt.set_config(icmp_ind_rate=1000, icmp_ind_burst=0)
        r.close()


def mtu_of(w, to, frm):
    out = run("relay", "ip", "-j", *(["-6"] if ":" in to else []), "route",
              "get", to, "from", frm).stdout
    return json.loads(out)[0].get("metrics", [{}])[0].get("mtu")


FIREWALL = """
table inet strict {
	chain in { type filter hook prerouting priority -150;
		ct state invalid counter drop
	}
}"""


def path_mtu(s, w, mtu):
    """The host learns from it too, though its firewall knows no such flow."""
    family = w.side.peer_family
    daemon, r = udp("relay", *w.relay), Router(family)
    kind = (3, 4) if family == 4 else (2, 0)
    raw = careless("client", w.side.family)
    n = mtu - 8 - IP_HEADER[family] + 1
    netns("relay")
    run("relay", "nft", "-f", "-", input=FIREWALL)
    try:
        def send():
            raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                     channel(CHAN, pattern(n)), df=True)

        with s.counted(TO_PEER):
            send()
            expect("fits", receive(w.peer)[0] == pattern(n), True)
        with told(s, 1):
            r.say(w.relay[0], *kind, mtu, quote(*w.relay, w.side.peer,
                                                w.pport))
            expect("told", heard(w), ((w.side.peer, w.pport), *kind, mtu))
        expect("learnt", mtu_of(w, w.side.peer, w.relay[0]), mtu)
        # The next one does not even leave.
        with s.counted(("drop", "too-big"), TO_PEER):
            send()
            w.marker()
        # What was sent to the client comes back: nobody to be told.
        kind = (3, 4) if w.side.family == 4 else (2, 0)
        back = Router(w.side.family, "client")
        with told(s, 0):
            back.say(w.side.server, *kind, mtu + 8,
                     quote(*w.server, w.side.client, w.cport))
            w.peer_marker()
        expect("learnt", mtu_of(w, w.side.client, w.side.server),
               mtu + 8)
        back.close()
        # Other errors are what the firewall says they are.
        with told(s, 0):
            r.say(w.relay[0], *((3, 4) if family == 4 else (2, 0)), 1300,
                  quote(w.relay[0], 1, w.side.peer, 1))
            w.peer_marker()
        out = run("relay", "nft", "list", "table", "inet", "strict").stdout
        expect("dropped as invalid", "packets 1 " in out, True)
    finally:
        run("relay", "nft", "delete", "table", "inet", "strict")
        for x in (daemon, r, raw):
            x.close()


def main():
    tests, s = Tests(), Setup()
    # Each with less than what was learnt before, and before the others.
    for n, (name, w) in enumerate(s.worlds.items()):
        tests.add(f"{name}: path MTU", path_mtu, s, w, 1384 - 16 * n)
    for name, w in s.worlds.items():
        tests.add(f"{name}: what errors say", kinds, s, w)
        tests.add(f"{name}: a closed port", real, s, w)
        tests.add(f"{name}: an allocation's rate", rate, s, w)
        tests.add(f"{name}: the namespace's rate", net_rate, s, w)
        tests.add(f"{name}: not about what was relayed", not_told, s, w)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
