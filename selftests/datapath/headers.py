#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Headers, of what comes in and of what goes out; see headers.sh."""

import json
import socket
import struct
import sys

from ktap import Tests
from lab import Capture, Raw, SERVER_PORT, ip, netns, quiet, receive
from packets import (A_DF, A_FINGERPRINT, attr, channel, expect, family_of,
                     ones, pattern, send_ind)
from scene import IP_HEADER, Setup, TO_PEER, run
from world import CHAN, waiting

SIZES = (0, 1, 2, 3, 4, 5, 100, 333, 1200)


def header_fields(s, w):
    """RFC 8656 sections 13 and 14, in both directions."""
    a, b = w.side.family, w.side.peer_family
    for from_family, to_family, where, device, sender, args in (
            (a, b, "peer", "peer0", "client",
             (w.side.client, w.side.server, w.cport, SERVER_PORT,
              channel(CHAN, b"fields"))),
            (b, a, "client", "client0", "peer",
             (w.side.peer, w.side.relay, w.pport, w.rport, b"fields")),
            (b, a, "client", "client0", "peer",
             (w.side.peer, w.side.relay, w.pport + 1, w.rport, b"fields"))):
        cap, raw, ids, labels = (Capture(where, device, to_family),
                                 Raw(sender, from_family), set(), set())
        cap.drain()
        for tos, ttl, df in ((0, 64, False), (0xB9, 2, False),
                             (0x03, 255, True), (0x2E, 100, True),
                             (0xFC, 7, False)):
            raw.send(*args, tos=tos, ttl=ttl, df=df, label=0xABCDE,
                     ident=0x1234)
            p = cap.next()
            expect("data", b"fields" in p.payload, True)
            expect("DSCP and ECN", p.tos, tos)
            expect("TTL", p.ttl, ttl - 1)
            expect("IP checksum", p.ip_ok, True)
            expect("UDP checksum", p.udp_ok(), True)
            if to_family == 6:
                labels.add(p.label)
            elif from_family == 4:
                expect("DF", p.df, df)
                if df:
                    expect("identification", p.id, 0)
                else:
                    ids.add(p.id)
        if to_family == 6:
            expect("flow labels", (len(labels), 0xABCDE in labels),
                   (1, False))
        elif from_family == 4:
            expect("identifications", (len(ids), 0x1234 in ids), (3, False))
        cap.close()
        raw.close()
    w.empty()


def dont_fragment(s, w):
    """RFC 8656 section 14: the attribute sets DF, in IPv4."""
    cap, raw = Capture("peer", "peer0", 4), Raw("client", 4)
    to = (w.side.peer, w.pport + 1)
    for attributes, df in (([], False), ([attr(A_DF, b"")], True)):
        cap.drain()
        with s.counted(TO_PEER):
            raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                     send_ind(to, b"df", attributes))
            expect("DF", cap.next().df, df)
    cap.close()
    raw.close()
    w.empty()


def df_from_ipv6(s, w):
    """RFC 7915 section 5.1: DF above 1260 bytes."""
    cap = Capture("peer", "peer0", 4)
    for n, df in ((1232, False), (1233, True)):
        cap.drain()
        with s.counted(TO_PEER):
            w.client.sendto(channel(CHAN, pattern(n)), w.server)
            p = cap.next()
        expect("length", p.total, n + 28)
        expect("DF", p.df, df)
    cap.close()
    w.empty()


def quoted_udp(icmp, family):
    """Addresses, ports and data of the packet in an ICMP error."""
    inner = icmp[8:]
    n = IP_HEADER[family]
    a, size = (12, 4) if family == 4 else (8, 16)
    kind = socket.AF_INET if family == 4 else socket.AF_INET6
    sport, dport = struct.unpack("!HH", inner[n:n + 4])
    return (socket.inet_ntop(kind, inner[a:a + size]), sport,
            socket.inet_ntop(kind, inner[a + size:a + 2 * size]), dport,
            inner[n + 8:])


def ttl_ends(s, w):
    """Who sent it is told, with the packet as it was sent."""
    for sender, device, src, dst, sport, dport, data in (
            ("client", "client0", w.side.client, w.side.server, w.cport,
             SERVER_PORT, channel(CHAN, b"from the client")),
            ("client", "client0", w.side.client, w.side.server, w.cport,
             SERVER_PORT, send_ind((w.side.peer, w.pport + 1), b"sent")),
            ("peer", "peer0", w.side.peer, w.side.relay, w.pport, w.rport,
             b"to a channel"),
            ("peer", "peer0", w.side.peer, w.side.relay, w.pport + 1,
             w.rport, b"to no channel")):
        family = family_of(src)
        proto, kind = (1, (11, 0)) if family == 4 else (58, (3, 0))
        cap, raw = Capture(sender, device, family), Raw(sender, family)
        for ttl in (1, 0) if family == 4 else (1,):
            cap.drain()
            with s.counted(("drop", "ttl")):
                raw.send(src, dst, sport, dport, data, ttl=ttl)
                while True:
                    p = cap.next(proto)
                    if (p.l4[0], p.l4[1]) == kind:
                        break
            expect("from", p.src, socket.inet_pton(
                socket.AF_INET if family == 4 else socket.AF_INET6, dst))
            expect("quoted", quoted_udp(p.l4, family),
                   (src, sport, dst, dport, data))
        cap.close()
        raw.close()
    # Too big besides: the daemon's socket would give it a new TTL.
    raw = Raw("client", w.side.family)
    ip("relay", "link", "set", "relay1", "mtu", "1300")
    try:
        with s.counted(("drop", "ttl"), TO_PEER):
            raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                     channel(CHAN, pattern(1350)), ttl=1)
            w.marker()
    finally:
        ip("relay", "link", "set", "relay1", "mtu", "1500")
        raw.close()
    expect("relayed", (waiting(w.peer), waiting(w.plain)), ([], []))


def checksums(_, w):
    """Whatever the sum was, right, wrong or absent, it stays that."""
    to_peer = Capture("peer", "peer0", w.side.peer_family)
    to_client = Capture("client", "client0", w.side.family)
    craw, praw = Raw("client", w.side.family), Raw("peer", w.side.peer_family)
    to = (w.side.peer, w.pport + 1)
    absent = 0

    def client_says(msg, check=None):
        to_peer.drain()
        craw.send(w.side.client, w.side.server, w.cport, SERVER_PORT, msg,
                  check=check)
        return to_peer.next()

    def peer_says(port, data, check=None):
        to_client.drain()
        # Without DF the longest would be fragmented for IPv6.
        praw.send(w.side.peer, w.side.relay, port, w.rport, data, df=True,
                  check=check)
        return to_client.next()

    for n in SIZES:
        data = pattern(n)
        for msg in (channel(CHAN, data), channel(CHAN, data, b"\xa5garbage"),
                    send_ind(to, data), send_ind(to, data, [], [
                        attr(A_FINGERPRINT, b"\xff\xee\xdd\xcc")])):
            expect(f"to the peer, {n} bytes", client_says(msg).udp_ok(), True)
            bad = client_says(msg, 0x1234)
            expect(f"damaged, {n} bytes", bad.udp_ok(), False)
            if w.side.family == 4:
                p = client_says(msg, absent)
                if w.side.peer_family == 4:
                    expect("absent", p.check, 0)
                else:
                    expect("made for IPv6", p.udp_ok(), True)
        for port in (w.pport, w.pport + 1):
            expect(f"to the client, {n} bytes",
                   peer_says(port, data).udp_ok(), True)
            if w.side.peer_family == 4:
                p = peer_says(port, data, absent)
                if w.side.family == 4:
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
    w.empty()


def options(s, w):
    """The stack deals with IP options."""
    raw, msg = Raw("client", 4), channel(CHAN, b"options")
    with s.counted(("punt", "header")):
        raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT, msg,
                 options=b"\1\1\1\1")
        expect("at the daemon", receive(s.daemon(w))[0], msg)
    raw.close()


def lengths_lie(s, w):
    """UDP's length is not IP's: the stack decides what to make of it."""
    family = w.side.family
    raw = Raw("client", family)
    msg = channel(CHAN, b"length")
    for ulen, arrives in ((8 + len(msg) - 2, msg[:-2]), (8 + len(msg) + 2,
                                                         None), (7, None)):
        src, dst = (socket.inet_pton(socket.AF_INET6 if family == 6 else
                                     socket.AF_INET, a)
                    for a in (w.side.client, w.side.server))
        head = struct.pack("!HHHH", w.cport, SERVER_PORT, ulen, 0)
        part = (head + msg)[:max(ulen, 8)]
        check = 0xFFFF ^ ones(src + dst + struct.pack("!II", ulen, 17) + part)
        data = head[:6] + struct.pack("!H", check) + msg
        if family == 4:
            header = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(data), 0,
                                 0, 64, 17, 0, src, dst)
        else:
            header = struct.pack("!IHBB16s16s", 6 << 28, len(data), 17, 64,
                                 src, dst)
        with s.counted(("punt", "malformed")):
            raw.s.sendto(header + data, (w.side.server, 0))
            if arrives:
                expect("at the daemon", receive(s.daemon(w))[0], arrives)
        expect("no more", quiet(s.daemon(w)), True)
    raw.close()


def extension_headers(s, w):
    """Destination options: not for the module, which does not even count."""
    w.client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                        b"\0\0\1\4\0\0\0\0")
    try:
        with s.counted():
            w.client.sendto(channel(CHAN, b"options"), w.server)
            expect("at the daemon", receive(s.daemon(w))[0],
                   channel(CHAN, b"options"))
    finally:
        w.client.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS, b"")


def no_checksum(s, w):
    """RFC 8200 section 8.1: receivers must discard it, so the stack does."""
    raw = Raw("client", 6)
    with s.counted(("punt", "header"), TO_PEER):
        raw.send(w.side.client, w.side.server, w.cport, SERVER_PORT,
                 channel(CHAN, b"unchecked"), check=0)
        w.say("chan-out", b"checked")
        expect("to the peer", receive(w.peer)[0], b"checked")
    expect("at the daemon", quiet(s.daemon(w)), True)
    raw.close()


def link_padding(s, w):
    """Bytes behind the IP packet, as short Ethernet frames have them."""
    family = w.side.family
    for n in (0, 1, 2, 3, 5):
        netns("client")
        packet = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0)
        data = channel(CHAN, pattern(n))
        src, dst = (socket.inet_pton(socket.AF_INET6 if family == 6 else
                                     socket.AF_INET, a)
                    for a in (w.side.client, w.side.server))
        ulen = 8 + len(data)
        head = struct.pack("!HHHH", w.cport, SERVER_PORT, ulen, 0)
        check = 0xFFFF ^ ones(src + dst + struct.pack("!II", ulen, 17) +
                              head + data)
        part = head[:6] + struct.pack("!H", check) + data
        if family == 4:
            iph = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + ulen, 0, 0, 64,
                              17, 0, src, dst)
            iph = iph[:10] + struct.pack("!H", 0xFFFF ^ ones(iph)) + iph[12:]
        else:
            iph = struct.pack("!IHBB16s16s", 6 << 28, ulen, 17, 64, src, dst)
        mac = json.loads(run("relay", "ip", "-j", "link", "show",
                             "relay0").stdout)[0]["address"]
        with s.counted(TO_PEER):
            packet.sendto(iph + part + b"\xa5" * (46 - n), (
                "client0", 0x0800 if family == 4 else 0x86DD, 0, 0,
                bytes.fromhex(mac.replace(":", ""))))
            expect("to the peer", receive(w.peer)[0], pattern(n))
        packet.close()
    netns("relay")


def main():
    tests, s = Tests(), Setup()
    for name, w in s.worlds.items():
        tests.add(f"{name}: header fields", header_fields, s, w)
        tests.add(f"{name}: TTL runs out", ttl_ends, s, w)
        tests.add(f"{name}: checksums", checksums, s, w)
    for name in ("IPv4", "IPv6"):
        w = s.worlds[name]
        tests.add(f"{name}: lengths that lie", lengths_lie, s, w)
        tests.add(f"{name}: padding of the link", link_padding, s, w)
    tests.add("IPv4: DONT-FRAGMENT", dont_fragment, s, s.worlds["IPv4"])
    tests.add("IPv4: IP options", options, s, s.worlds["IPv4"])
    tests.add("IPv6 to IPv4: DF", df_from_ipv6, s, s.worlds["IPv6 to IPv4"])
    tests.add("IPv6: extension headers", extension_headers, s,
              s.worlds["IPv6"])
    tests.add("IPv6: no checksum", no_checksum, s, s.worlds["IPv6"])
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
