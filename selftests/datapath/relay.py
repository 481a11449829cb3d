#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the module makes of packets; see relay.sh."""

import os
import socket
import struct
import subprocess
import sys

from ktap import Tests
from lab import (CLIENT_PORT, Capture, PEER_PORT, RELAY_PORT, Raw, SERVER_PORT,
                 V4, V6, alloc, empty, ip, kturn, netns, quiet, receive, stats,
                 sysctl, text, udp, waiting)
from packets import (A_DATA, A_DF, A_FINGERPRINT, A_INTEGRITY, A_PEER,
                     A_SOFTWARE, Failed, SEND, TID, attr, channel, expect,
                     ones, parse_data_ind, send_ind, stun, xor)

SIZES = (0, 1, 2, 3, 4, 5, 100, 333, 1200)
CHAN, OTHER_CHAN = 0x4000, 0x4001


def pattern(n):
    return bytes((i * 7 + n) & 255 for i in range(n))


class World:
    """An exclusive allocation for one pair of families, with its sockets.

    The peer has three ports: one with a channel, one with a permission only,
    and one with a channel that serves for markers.
    """

    def __init__(self, a, b, offset=0, exclusive=True):
        self.a, self.b = a, b
        self.cport = CLIENT_PORT + offset
        self.rport = RELAY_PORT + offset
        self.pport = PEER_PORT + offset * 4
        self.server = (a.server, SERVER_PORT)
        self.relay = (b.relay, self.rport)
        self.client = udp("client", a.client, self.cport)
        self.peer = udp("peer", b.peer, self.pport)
        self.plain = udp("peer", b.peer, self.pport + 1)
        self.mark = udp("peer", b.peer, self.pport + 2)
        self.id = alloc(text(a.client, self.cport), text(*self.server),
                        [text(*self.relay)],
                        *(["exclusive"] if exclusive else []))
        kturn("perm", "add", self.id, b.peer, "lifetime", "600s")
        for number, port in ((CHAN, self.pport), (OTHER_CHAN, self.pport + 2)):
            kturn("chan", "add", self.id, hex(number), text(b.peer, port),
                  "lifetime", "600s")

    def marker(self):
        """What the client sent before has been dealt with."""
        self.client.sendto(channel(OTHER_CHAN, b"marker"), self.server)
        expect("marker", receive(self.mark), (b"marker", self.relay))

    def peer_marker(self):
        """What the peer sent before has been dealt with."""
        self.mark.sendto(b"marker", self.relay)
        expect("marker", receive(self.client),
               (channel(OTHER_CHAN, b"marker"), self.server))


# --------------------------------------------------------------- conversions

def from_channel(w):
    for n in SIZES:
        for pad in (b"", b"\0" * (-n % 4), b"\xff" * (-n % 4), b"garbage"):
            w.client.sendto(channel(CHAN, pattern(n), pad), w.server)
            expect(f"{n} bytes", receive(w.peer), (pattern(n), w.relay))


def to_channel(w):
    for n in SIZES:
        w.peer.sendto(pattern(n), w.relay)
        expect(f"{n} bytes", receive(w.client),
               (channel(CHAN, pattern(n)), w.server))


def from_send(w):
    to = (w.b.peer, w.pport + 1)
    fp = attr(A_FINGERPRINT, b"\1\2\3\4")
    sw = attr(A_SOFTWARE, b"client")
    for n in SIZES:
        data = pattern(n)
        peer, body = attr(A_PEER, xor(*to, TID)), attr(A_DATA, data)
        for msg in (stun(SEND, peer, body), stun(SEND, body, peer),
                    stun(SEND, body, peer, fp), stun(SEND, sw, peer, body, fp),
                    stun(SEND, peer, attr(A_DATA, data, b"\xee"), sw),
                    stun(SEND, attr(0xC0DE, b"x" * 9), peer, body),
                    stun(SEND, peer, body, attr(A_PEER, xor("192.0.2.1", 1,
                                                            TID)),
                         attr(A_DATA, b"second"))):
            w.client.sendto(msg, w.server)
            expect(f"{n} bytes, {msg[20:40].hex()}", receive(w.plain),
                   (data, w.relay))


def to_data(w):
    tids = set()
    for n in SIZES:
        w.plain.sendto(pattern(n), w.relay)
        msg, addr = receive(w.client)
        expect("from", addr, w.server)
        expect(f"{n} bytes", parse_data_ind(msg),
               ((w.b.peer, w.pport + 1), pattern(n)))
        tids.add(msg[8:20])
    expect("transaction ids", len(tids), len(SIZES))


def looks_like_client(w):
    """What a peer sends is data, whatever it looks like."""
    for data in (channel(CHAN, b"x"), send_ind((w.b.peer, 1), b"y"),
                 stun(0x0001), b"\0", b"\x80rtp"):
        w.peer.sendto(data, w.relay)
        expect("data", receive(w.client), (channel(CHAN, data), w.server))


def all_in_kernel(worlds):
    before = stats()
    for w in worlds:
        w.client.sendto(channel(CHAN, b"four"), w.server)
        receive(w.peer)
        w.peer.sendto(b"four", w.relay)
        receive(w.client)
    after = stats()
    for way in ("to_peer", "to_client"):
        for what, each in (("packets", 1), ("bytes", 4)):
            expect(way + " " + what, after[way][what] - before[way][what],
                   each * len(worlds))


# ------------------------------------------------------------ drops and punts

def reason(kind, name):
    table = stats()[kind]
    if isinstance(table, dict):
        return table.get(name, 0)
    return next((r["packets"] for r in table if r["reason"] == name), 0)


def counted(kind, name, n=1):
    class Counted:
        def __enter__(self):
            self.before = reason(kind, name)

        def __exit__(self, *exc):
            if exc[0] is None:
                expect(f"{kind} {name}", reason(kind, name) - self.before, n)
    return Counted()


def dropped_from_client(w):
    with counted("drop", "no-channel"):
        w.client.sendto(channel(0x4123, b"unbound"), w.server)
        w.marker()
    with counted("drop", "no-permission"):
        other = "192.0.2.7" if w.b.family == 4 else "2001:db8:7::7"
        w.client.sendto(send_ind((other, 5), b"unknown"), w.server)
        w.marker()


def dropped_from_peer(w):
    extra = "203.0.113.77" if w.b.family == 4 else "2001:db8:2::77"
    ip("peer", "addr", "add", extra + ("/24" if w.b.family == 4 else "/64"),
       "dev", "peer0", *([] if w.b.family == 4 else ["nodad"]))
    with counted("drop", "no-permission"):
        s = udp("peer", extra, w.pport)
        s.sendto(b"uninvited", w.relay)
        w.peer_marker()
        expect("client", waiting(w.client), None)


def punted_from_client(w, server):
    """Each arrives at the socket of the daemon, unchanged."""
    to = (w.b.peer, w.pport + 1)
    good = send_ind(to, b"data")
    other = ("2001:db8::1", 1) if w.b.family == 4 else ("192.0.2.1", 1)
    for name, msg in (
            ("control", stun(0x0001)),
            ("control", stun(0x0004, attr(0x0D, b"\0\0\2\x58"))),
            ("other", b"\x80\x60 not of TURN"),
            ("other", b""),
            ("other", b"\0\x16\0\0 no magic cookie "),
            ("malformed", channel(CHAN, b"long")[:6]),
            ("malformed", good[:-4]),
            ("malformed", good + b"tail"),
            ("malformed", stun(SEND, attr(A_DATA, b"no peer"))),
            ("malformed", stun(SEND, attr(A_PEER, xor(*to, TID)))),
            ("malformed", stun(SEND, attr(A_PEER, b"short"),
                               attr(A_DATA, b"x"))),
            ("attribute", send_ind(to, b"x", [attr(0x7ABC, b"required")])),
            ("attribute", send_ind(to, b"x", [],
                                   [attr(0x7ABC, b"required")])),
            ("attribute", send_ind(to, b"x", [],
                                   [attr(A_INTEGRITY, b"i" * 20)])),
            ("peer", send_ind(other, b"other family")),
            ("peer", send_ind((w.b.peer, 0), b"port 0"))):
        with counted("punt", name):
            w.client.sendto(msg, w.server)
            expect(f"{name} {msg[:24].hex()}", receive(server),
                   (msg, (w.a.client, w.cport)))
        expect("peer", quiet(w.plain), True)


def not_exclusive(w, server, relay):
    with counted("punt", "no-channel"):
        w.client.sendto(channel(0x4123, b"unbound"), w.server)
        expect("client's", receive(server)[0], channel(0x4123, b"unbound"))
    kturn("perm", "del", w.id, w.b.peer)
    with counted("punt", "no-permission"):
        w.client.sendto(send_ind((w.b.peer, 5), b"send"), w.server)
        expect("client's", receive(server)[0],
               send_ind((w.b.peer, 5), b"send"))
    with counted("punt", "no-permission"):
        w.peer.sendto(b"from the peer", w.relay)
        expect("peer's", receive(relay), (b"from the peer",
                                          (w.b.peer, w.pport)))
    w.client.sendto(channel(CHAN, b"needs none"), w.server)
    expect("channel", receive(w.peer), (b"needs none", w.relay))
    kturn("perm", "add", w.id, w.b.peer, "lifetime", "600s")
    to_channel(w)


def strangers(w, server):
    """Another client's 5-tuple has no part in this allocation."""
    s = udp("client", w.a.client, w.cport + 1000)
    before = stats()
    s.sendto(channel(CHAN, b"not mine"), w.server)
    expect("at the daemon", receive(server)[0], channel(CHAN, b"not mine"))
    after = stats()
    for key in ("to_peer", "drop", "punt"):
        expect(key, after[key], before[key])
    s.close()


def too_big(w, server):
    ip("relay", "link", "set", "relay1", "mtu", "1300")
    try:
        with counted("punt", "mtu"):
            msg = channel(CHAN, pattern(1400))
            w.client.sendto(msg, w.server)
            expect("at the daemon", receive(server)[0], msg)
    finally:
        ip("relay", "link", "set", "relay1", "mtu", "1500")
    from_channel(w)


def local_peer(w, server):
    """The host's own services are not reached by the fast path."""
    service = udp("relay", w.b.relay, 7777)
    kturn("perm", "add", w.id, w.b.relay, "lifetime", "600s")
    kturn("chan", "add", w.id, "0x4010", text(w.b.relay, 7777), "lifetime",
          "600s")
    for msg in (channel(0x4010, b"hello"),
                send_ind((w.b.relay, SERVER_PORT), b"hello"),
                send_ind((w.b.relay, 7777), b"hello")):
        with counted("punt", "local-peer"):
            w.client.sendto(msg, w.server)
            expect("at the daemon", receive(server)[0], msg)
    expect("service", quiet(service), True)
    service.close()


# ------------------------------------------------------------------- headers

def header_fields(w):
    """Client and peer of one family: what RFC 8656 section 14 says."""
    family = w.a.family
    cap = Capture("peer", "peer0", family)
    raw = Raw("client", family)
    to = (w.b.peer, w.pport + 1)
    for tos, ttl, df in ((0, 64, False), (0xB8, 33, True), (0x03, 255, False),
                         (0x2E, 2, True)):
        for msg in (channel(CHAN, b"fields"), send_ind(to, b"fields")):
            cap.drain()
            raw.send(w.a.client, w.a.server, w.cport, SERVER_PORT, msg,
                     tos=tos, ttl=ttl, df=df, label=0xABCDE, ident=0x1234)
            p = cap.next()
            expect("payload", p.payload, b"fields")
            expect("DSCP and ECN", p.tos, tos)
            expect("TTL", p.ttl, ttl - 1)
            expect("IP checksum", p.ip_ok, True)
            expect("UDP checksum", p.udp_ok(), True)
            if family == 4:
                expect("DF", p.df, df)
                expect("identification of a DF packet", df and p.id, 0)
                if p.id == 0x1234:
                    raise Failed("identification was copied")
            elif p.label == 0xABCDE:
                raise Failed("flow label was copied")
    if family == 4:
        cap.drain()
        raw.send(w.a.client, w.a.server, w.cport, SERVER_PORT,
                 send_ind(to, b"df", [attr(A_DF, b"")]))
        expect("DONT-FRAGMENT", cap.next().df, True)
    for s in (w.peer, w.plain):
        empty(s)
    cap.close()
    raw.close()


def df_from_ipv6(w):
    """RFC 7915 section 5.1: DF above 1260 bytes."""
    cap = Capture("peer", "peer0", 4)
    for n, df in ((1232, False), (1233, True)):
        cap.drain()
        w.client.sendto(channel(CHAN, pattern(n)), w.server)
        p = cap.next()
        expect("length", p.total, n + 28)
        expect("DF", p.df, df)
    cap.close()


def ttl_ends(w):
    cap_proto = 1 if w.a.family == 4 else 58
    cap = Capture("client", "client0", w.a.family)
    raw = Raw("client", w.a.family)
    msg = channel(CHAN, b"too far")
    with counted("drop", "ttl"):
        raw.send(w.a.client, w.a.server, w.cport, SERVER_PORT, msg, ttl=1)
        while True:
            p = cap.next(cap_proto)
            if p.l4[0] == (11 if w.a.family == 4 else 3):
                break
        w.marker()
    # Too big besides: the daemon's socket would give it a new TTL.
    ip("relay", "link", "set", "relay1", "mtu", "1300")
    with counted("drop", "ttl"):
        raw.send(w.a.client, w.a.server, w.cport, SERVER_PORT,
                 channel(CHAN, pattern(1350)), ttl=1)
        w.marker()
    ip("relay", "link", "set", "relay1", "mtu", "1500")
    quoted = p.l4[8:]
    expect("quoted packet", msg in quoted, True)
    expect("peer", quiet(w.peer), True)
    cap.close()
    raw.close()


def checksums(w):
    """Whatever the sum was, right, wrong or absent, it stays that."""
    to_peer = Capture("peer", "peer0", w.b.family)
    to_client = Capture("client", "client0", w.a.family)
    craw, praw = Raw("client", w.a.family), Raw("peer", w.b.family)
    to = (w.b.peer, w.pport + 1)
    absent = 0

    def client_says(msg, check=None):
        to_peer.drain()
        craw.send(w.a.client, w.a.server, w.cport, SERVER_PORT, msg,
                  check=check)
        return to_peer.next()

    def peer_says(port, data, check=None):
        to_client.drain()
        praw.send(w.b.peer, w.b.relay, port, w.rport, data, check=check)
        return to_client.next()

    for n in SIZES:
        data = pattern(n)
        for msg in (channel(CHAN, data), channel(CHAN, data, b"\xa5garbage"),
                    send_ind(to, data), send_ind(to, data, [], [
                        attr(A_FINGERPRINT, b"\xff\xee\xdd\xcc")])):
            expect(f"to the peer, {n} bytes", client_says(msg).udp_ok(), True)
            bad = client_says(msg, 0x1234)
            expect(f"damaged, {n} bytes", bad.udp_ok(), False)
            if w.a.family == 4:
                p = client_says(msg, absent)
                if w.b.family == 4:
                    expect("absent", p.check, 0)
                else:
                    expect("made for IPv6", p.udp_ok(), True)
        for port in (w.pport, w.pport + 1):
            expect(f"to the client, {n} bytes",
                   peer_says(port, data).udp_ok(), True)
            if w.b.family == 4:
                p = peer_says(port, data, absent)
                if w.a.family == 4:
                    expect("absent", p.check, 0)
                else:
                    expect("made for IPv6", p.udp_ok(), True)
    # Every sum there is, the one that would read 0 among them.
    base = bytearray(pattern(64))
    for i in range(0, 256):
        base[0:2] = struct.pack("!H", 0xFFFF ^ (ones(bytes(base[2:])) + i &
                                                0xFFFF))
        p = client_says(channel(CHAN, bytes(base)))
        expect("sum", (p.udp_ok(), p.check != 0), (True, True))
    for c in (to_peer, to_client, craw, praw):
        c.close()
    for s in (w.peer, w.plain, w.client):
        empty(s)


def offloads(w, state):
    """Local senders leave the sum to the device; receivers check it."""
    for where, devices in (("client", ["client0"]), ("peer", ["peer0"]),
                           ("relay", ["relay0", "relay1"])):
        for device in devices:
            subprocess.run(["ip", "netns", "exec", os.environ[where],
                            "ethtool", "-K", device, "rx", state, "tx", state,
                            "sg", state, "gro", state],
                           check=True, capture_output=True)
    cap = Capture("peer", "peer0", w.b.family)
    cap.drain()
    w.client.sendto(channel(CHAN, b"partial"), w.server)
    p = cap.next()
    if state == "on":
        expect("left to the device", p.udp_partial(), True)
    else:
        expect("sum", p.udp_ok(), True)
    cap.close()
    receive(w.peer)
    for f in (from_channel, to_channel, from_send, to_data):
        f(w)


def watched(w):
    """Packets that somebody else looks at are not written to."""
    caps = [Capture("relay", d, w.a.family) for d in ("relay0", "relay1")]
    for f in (from_channel, to_channel, from_send, to_data):
        f(w)
    caps[0].drain()
    msg = channel(CHAN, b"watched")
    w.client.sendto(msg, w.server)
    expect("peer's", receive(w.peer)[0], b"watched")
    expect("seen on the way in", caps[0].next().payload, msg)
    for c in caps:
        c.close()


def in_fragments_of_memory(w):
    """MSG_ZEROCOPY: the payload lies in pages of the sender."""
    w.client.setsockopt(socket.SOL_SOCKET, 60, 1)       # SO_ZEROCOPY
    for n in (0, 1, 5, 1000, 1201):
        data = pattern(n)
        w.client.sendto(channel(CHAN, data), 0x4000000, w.server)
        expect("channel", receive(w.peer), (data, w.relay))
        w.client.sendto(send_ind((w.b.peer, w.pport + 1), data, [],
                                 [attr(A_FINGERPRINT, b"1234")]), 0x4000000,
                        w.server)
        expect("send", receive(w.plain), (data, w.relay))
    w.plain.setsockopt(socket.SOL_SOCKET, 60, 1)
    for n in (0, 1, 2, 3, 999):
        w.plain.sendto(pattern(n), 0x4000000, w.relay)
        expect("data", parse_data_ind(receive(w.client)[0])[1], pattern(n))


def segments(w, server):
    """UDP_SEGMENT over veth arrives as one packet, and is punted."""
    s = w.client
    one = channel(CHAN, pattern(96))
    s.setsockopt(socket.SOL_UDP, 103, len(one))
    try:
        with counted("punt", "gso"):
            s.sendto(one * 3, w.server)
            for _ in range(3):
                expect("at the daemon", receive(server)[0], one)
    finally:
        s.setsockopt(socket.SOL_UDP, 103, 0)


def fragments(w, server):
    big = channel(CHAN, pattern(4000))
    w.client.sendto(big, w.server)
    expect("at the daemon", receive(server)[0], big)


def options(w, server):
    raw = Raw("client", 4)
    with counted("punt", "header"):
        raw.send(w.a.client, w.a.server, w.cport, SERVER_PORT,
                 channel(CHAN, b"options"), options=b"\1\1\1\1")
        expect("at the daemon", receive(server)[0], channel(CHAN, b"options"))
    raw.close()


# -------------------------------------------------------------------- routing

def spoofed(w, server):
    """A source that input routing refuses is not relayed."""
    spare = alloc(text("192.0.2.50", 1234), text(*w.server),
                  [text(w.b.relay, w.rport + 500)])
    kturn("perm", "add", spare, w.b.peer, "lifetime", "600s")
    kturn("chan", "add", spare, hex(CHAN), text(w.b.peer, w.pport + 2),
          "lifetime", "600s")
    raw = Raw("client", 4)
    sysctl("relay", "net.ipv4.conf.all.rp_filter=1",
           "net.ipv4.conf.relay0.rp_filter=1")
    try:
        with counted("punt", "source"):
            raw.send("192.0.2.50", w.a.server, 1234, SERVER_PORT,
                     channel(CHAN, b"spoofed"))
            w.marker()
        sysctl("relay", "net.ipv4.conf.all.rp_filter=0",
               "net.ipv4.conf.relay0.rp_filter=0")
        ip("relay", "route", "add", "192.0.2.0/24", "via", w.a.client)
        raw.send("192.0.2.50", w.a.server, 1234, SERVER_PORT,
                 channel(CHAN, b"routed"))
        expect("with a route", receive(w.mark)[0], b"routed")
        # Now it is remembered; the filter must be looked at all the same.
        ip("relay", "route", "del", "192.0.2.0/24")
        sysctl("relay", "net.ipv4.conf.relay0.rp_filter=1")
        with counted("punt", "source"):
            raw.send("192.0.2.50", w.a.server, 1234, SERVER_PORT,
                     channel(CHAN, b"spoofed"))
            w.marker()
    finally:
        sysctl("relay", "net.ipv4.conf.all.rp_filter=0",
               "net.ipv4.conf.relay0.rp_filter=0")
        raw.close()
        kturn("alloc", "del", spare)


def martian(w):
    """The host's own address as a source, from outside."""
    kturn("perm", "add", w.id, w.b.relay, "lifetime", "600s")
    raw = Raw("peer", 4)
    with counted("punt", "source"):
        raw.send(w.b.relay, w.b.relay, 4444, w.rport, b"martian")
        w.peer_marker()
        expect("client", waiting(w.client), None)
    raw.close()


def route_changes(w):
    """A remembered route is given up when the tables change."""
    from_channel(w)
    far = "198.18.0.9" if w.b.family == 4 else "2001:db8:99::9"
    ip("peer", "addr", "add", far, "dev", "lo")
    s = udp("peer", far, 9999)
    kturn("perm", "add", w.id, far, "lifetime", "600s")
    kturn("chan", "add", w.id, "0x4020", text(far, 9999), "lifetime", "600s")
    with counted("punt", "route"):
        w.client.sendto(channel(0x4020, b"no way"), w.server)
        w.marker()
    ip("relay", "route", "add", far, "via", w.b.peer)
    w.client.sendto(channel(0x4020, b"now"), w.server)
    expect("with a route", receive(s), (b"now", w.relay))
    ip("relay", "route", "replace", "blackhole", far)
    with counted("punt", "route"):
        w.client.sendto(channel(0x4020, b"gone"), w.server)
        w.marker()
    expect("peer", quiet(s), True)
    ip("relay", "route", "del", "blackhole", far)
    s.close()


def address_goes(w):
    """An address that the host has no more is not relayed for."""
    from_channel(w)
    plen = "/24" if w.a.family == 4 else "/64"
    ip("relay", "addr", "del", w.a.server + plen, "dev", "relay0")
    try:
        before = stats()["to_peer"]["packets"]
        with counted("punt", "source"):
            w.client.sendto(channel(CHAN, b"whose?"), w.server)
            deadline = 50
            while stats()["to_peer"]["packets"] == before and deadline:
                if reason("punt", "source"):
                    break
                deadline -= 1
        expect("peer", quiet(w.peer), True)
    finally:
        ip("relay", "addr", "add", w.a.server + plen, "dev", "relay0",
           *([] if w.a.family == 4 else ["nodad"]))
    from_channel(w)


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


def firewall(worlds):
    """A stateful firewall that drops by default; no conntrack entries."""
    nft = ["ip", "netns", "exec", os.environ["relay"], "nft"]
    subprocess.run([*nft, "-f", "-"], input=RULES, text=True, check=True)
    try:
        for w in worlds:
            for f in (from_channel, to_channel, from_send, to_data):
                f(w)
        # The table holds what is not relayed, so it does work.
        worlds[0].client.sendto(stun(0x0001), worlds[0].server)
        worlds[0].marker()
        ct = subprocess.run(["ip", "netns", "exec", os.environ["relay"],
                             "conntrack", "-L", "-p", "udp"],
                            capture_output=True, text=True, check=True).stdout
        entries = [line for line in ct.splitlines() if "udp" in line]
        expect("entries", len(entries), 1)
        expect("the one is control", "dport=3478" in entries[0], True)
    finally:
        subprocess.run([*nft, "flush", "ruleset"], check=True)


def main():
    tests = Tests()
    v4, v6 = World(V4, V4), World(V6, V6)
    mixed = [World(V4, V6, 1), World(V6, V4, 2)]
    worlds = [("IPv4", v4), ("IPv6", v6), ("IPv4 to IPv6", mixed[0]),
              ("IPv6 to IPv4", mixed[1])]
    loose = {4: World(V4, V4, 3, False), 6: World(V6, V6, 3, False)}
    servers = {s.family: udp("relay", s.server, SERVER_PORT) for s in (V4, V6)}
    netns("relay")

    for name, w in worlds:
        tests.add(f"{name}: ChannelData from the client", from_channel, w)
        tests.add(f"{name}: to ChannelData", to_channel, w)
        tests.add(f"{name}: Send indications", from_send, w)
        tests.add(f"{name}: to Data indications", to_data, w)
        tests.add(f"{name}: peers may send anything", looks_like_client, w)
        tests.add(f"{name}: unknown channel and peer from the client",
                  dropped_from_client, w)
        tests.add(f"{name}: what is punted", punted_from_client, w,
                  servers[w.a.family])
        tests.add(f"{name}: checksums", checksums, w)
    for name, w in worlds[:2]:
        family = w.a.family
        tests.add(f"{name}: a peer without permission", dropped_from_peer, w)
        tests.add(f"{name}: header fields", header_fields, w)
        tests.add(f"{name}: TTL runs out", ttl_ends, w)
        tests.add(f"{name}: not exclusive", not_exclusive, loose[family],
                  servers[family],
                  udp("relay", loose[family].b.relay, loose[family].rport))
        tests.add(f"{name}: a stranger's packet", strangers, w,
                  servers[family])
        tests.add(f"{name}: too big for the route", too_big, w,
                  servers[family])
        tests.add(f"{name}: the host is no peer", local_peer, w,
                  servers[family])
        tests.add(f"{name}: watched by others", watched, w)
        tests.add(f"{name}: payload in page fragments",
                  in_fragments_of_memory, w)
        tests.add(f"{name}: several segments in one", segments, w,
                  servers[family])
        tests.add(f"{name}: fragments", fragments, w, servers[family])
        tests.add(f"{name}: a route that changes", route_changes, w)
    tests.add("IPv6 to IPv4: DF", df_from_ipv6, mixed[1])
    tests.add("IPv4: IP options", options, v4, servers[4])
    tests.add("IPv4: reverse path filter", spoofed, v4, servers[4])
    tests.add("IPv4: martian source", martian, v4)
    for state in ("off", "on"):
        for name, w in worlds:
            tests.add(f"{name}: offloads {state}", offloads, w, state)
    tests.add("counters are exact", all_in_kernel, [w for _, w in worlds])
    tests.add("stateful firewall that drops by default", firewall,
              [w for _, w in worlds])
    # Last: with its address go the routes of an interface.
    for name, w in worlds[:2]:
        tests.add(f"{name}: an address that goes", address_goes, w)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
