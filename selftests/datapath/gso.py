#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Several datagrams in one packet; see gso.sh."""

import contextlib
import socket
import sys

from ktap import Tests
from lab import Capture, netns, receive, text
from packets import (A_FINGERPRINT, A_SOFTWARE, attr, channel, expect,
                     parse_data_ind, pattern, send_ind, stun)
from scene import Setup, TO_CLIENT, TO_PEER, run
from world import CHAN, LONG, waiting

UDP_SEGMENT = 103
OTHER = CHAN + 1                # the peer's second port


@contextlib.contextmanager
def segmented(sock, size):
    """What is sent is cut into datagrams of that size."""
    sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, size)
    try:
        yield
    finally:
        sock.setsockopt(socket.SOL_UDP, UDP_SEGMENT, 0)


# What is sent in one packet comes so, unless the device cannot send that: then it
# is sent one by one, and receive offload puts it together again.
OFF = {"gro": "off", "rx-udp-gro-forwarding": "off", "rx-gro-list": "off"}
KINDS = {"segments": OFF,
         "forwarding offload": OFF | {"gro": "on",
                                      "rx-udp-gro-forwarding": "on"},
         "list offload": OFF | {"gro": "on", "rx-gro-list": "on"}}


def offloads(kind):
    """For the whole topology; nothing is done when it is so already."""
    if offloads.now == kind:
        return
    offloads.now = kind
    for where, device in (("client", "client0"), ("peer", "peer0")):
        run(where, "ethtool", "-K", device, "tx-udp-segmentation",
            "on" if kind == "segments" else "off")
    for device in ("relay0", "relay1"):
        run("relay", "ethtool", "-K", device,
            *(word for pair in KINDS[kind].items() for word in pair))


offloads.now = "segments"


def with_offloads(f, s, w, kind):
    offloads(kind)
    f(s, w)


def super_packets(cap):
    """How many of those that came in are longer than a device can send."""
    found = 0
    cap.s.setblocking(False)
    while True:
        try:
            raw, addr = cap.s.recvfrom(65536)
        except BlockingIOError:
            return found
        found += addr[2] != socket.PACKET_OUTGOING and len(raw) > 1500


def split(s, w):
    """Each segment goes its own way."""
    to = (w.side.peer, w.pport + 1)
    data = pattern(600)
    send = send_ind(to, data)
    n = len(send) - 4
    a, b = channel(CHAN, pattern(n)), channel(OTHER, pattern(n)[::-1])
    cap = Capture("relay", "relay0", w.side.family)
    with segmented(w.client, len(send)):
        for parts, to_chan, to_other in (
                ((a, a, a), 3, 0), ((a, b, a, b, a), 3, 2),
                ((send, a, b, send), 1, 3),
                # The last may be shorter.
                ((a, a, a, channel(CHAN, b"short")), 4, 0),
                ((a, a, a, channel(OTHER, b"")), 3, 1)):
            cap.drain()
            with s.counted(*[TO_PEER] * len(parts)):
                w.client.sendto(b"".join(parts), w.server)
                got = [receive(w.peer) for _ in range(to_chan)]
                got += [receive(w.plain) for _ in range(to_other)]
            expect("in one packet", super_packets(cap), 1)
            expect("from", {addr for _, addr in got}, {w.relay})
            want = [p[4:] if p[0] else data for p in parts]
            expect("data", sorted(d for d, _ in got) == sorted(want), True)
        parts = [channel(CHAN, bytes([i]) + pattern(n - 1)) for i in range(9)]
        w.client.sendto(b"".join(parts), w.server)
        expect("in their order", [receive(w.peer)[0] for _ in parts] ==
               [p[4:] for p in parts], True)
    cap.close()


def to_client(s, w):
    """What a peer sends in one packet comes to the client as messages."""
    for sock, port in ((w.peer, w.pport), (w.plain, w.pport + 1)):
        for size in (500, 777):
            parts = [pattern(size)] * 4 + [pattern(size - 100)]
            with segmented(sock, size), s.counted(*[TO_CLIENT] * 5):
                sock.sendto(b"".join(parts), w.relay)
                got = [receive(w.client)[0] for _ in parts]
            if port == w.pport:
                # The peer's second port has a channel too.
                expect("ChannelData", got == [channel(CHAN, p)
                                              for p in parts], True)
            else:
                expect("Data", got == [channel(OTHER, p) for p in parts],
                       True)
    s.kt.chan_del(w.id, OTHER)
    try:
        with segmented(w.plain, 600), s.counted(*[TO_CLIENT] * 3):
            w.plain.sendto(pattern(1700), w.relay)
            got = [parse_data_ind(receive(w.client)[0])[1] for _ in range(3)]
        expect("Data indications", b"".join(got) == pattern(1700), True)
    finally:
        s.kt.chan_new(w.id, OTHER, text(w.side.peer, w.pport + 1), LONG)


def mixed(s, w):
    """One that must be punted takes the others with it; drops are apart."""
    good = channel(CHAN, pattern(696))
    binding = stun(0x0001, attr(A_SOFTWARE, b"x" * 676))
    expect("as long", len(binding), len(good))
    unbound = channel(0x4999, pattern(696))
    with segmented(w.client, len(good)):
        with s.counted(("punt", "control")):
            w.client.sendto(good + binding + good, w.server)
            expect("at the daemon", [receive(s.daemon(w))[0] for _ in "123"] ==
                   [good, binding, good], True)
        expect("at the peer", waiting(w.peer), [])
        with s.counted(*[TO_PEER] * 2, ("drop", "no-channel")):
            w.client.sendto(good + unbound + good, w.server)
            expect("at the peer", [receive(w.peer)[0] for _ in "12"] ==
                   [pattern(696)] * 2, True)
        expect("at the daemon", waiting(s.daemon(w)), [])
        # A Send indication with more before the data than is looked at.
        head = send_ind((w.side.peer, w.pport + 1), pattern(400),
                        [attr(0xC0DE, b"x" * 200)],
                        [attr(A_FINGERPRINT, b"1234")])
        same = channel(CHAN, pattern(len(head) - 4))
    with segmented(w.client, len(head)):
        with s.counted(("punt", "no-memory")):
            w.client.sendto(head + same, w.server)
            expect("at the daemon", [receive(s.daemon(w))[0] for _ in "12"] ==
                   [head, same], True)


def headers(s, w):
    """Each has headers of its own, and sums that are right."""
    cap = Capture("peer", "peer0", w.side.peer_family)
    msg = channel(CHAN, pattern(796))
    w.client.setsockopt(*((socket.IPPROTO_IP, socket.IP_TOS)
                          if w.side.family == 4 else
                          (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)), 0xB8)
    run("peer", "ethtool", "-K", "peer0", "gro", "off")
    try:
        with segmented(w.client, len(msg)):
            cap.drain()
            with s.counted(*[TO_PEER] * 3):
                w.client.sendto(msg * 3, w.server)
                for _ in "123":
                    p = cap.next()
                    expect("fields", (p.ttl, p.tos, p.ip_ok, p.payload ==
                                      pattern(796)), (63, 0xB8, True, True))
                    expect("sum", p.udp_ok() or p.udp_partial(), True)
                    receive(w.peer)
    finally:
        w.client.setsockopt(*((socket.IPPROTO_IP, socket.IP_TOS)
                              if w.side.family == 4 else
                              (socket.IPPROTO_IPV6, socket.IPV6_TCLASS)), 0)
        cap.close()


def watched(s, w):
    """Somebody else looks at the packet, and sees it as it was."""
    cap = Capture("relay", "relay0", w.side.family)
    msg = channel(CHAN, pattern(796))
    with segmented(w.client, len(msg)):
        cap.drain()
        w.client.sendto(msg * 3, w.server)
        for _ in "123":
            expect("relayed", receive(w.peer)[0] == pattern(796), True)
        expect("seen", cap.next().payload == msg * 3, True)
    cap.close()


def main():
    tests, s = Tests(), Setup()
    for w in s.worlds.values():
        s.kt.chan_new(w.id, OTHER, text(w.side.peer, w.pport + 1), LONG)
    for kind in KINDS:
        for name, w in s.worlds.items():
            for f in (split, to_client, mixed, headers, watched):
                tests.add(f"{name}, {kind}: " + f.__name__.replace("_", " "),
                          with_offloads, f, s, w, kind)
    netns("relay")
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
