#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the module makes of what packets say; see relay.sh."""

import sys

from ktap import Tests
from lab import Capture, V4, V6, ip, netns, quiet, receive, udp
from packets import (A_DATA, A_FINGERPRINT, A_INTEGRITY, A_LIFETIME, A_PEER,
                     A_SOFTWARE, SEND, TID, attr, channel, expect,
                     parse_data_ind, pattern, send_ind, stun, xor)
from scene import Setup, TO_CLIENT, TO_PEER, run
from world import CHAN, LONG, World, waiting

SIZES = (0, 1, 2, 3, 4, 5, 100, 333, 1200)


# --------------------------------------------------------------- conversions

def from_channel(s, w):
    for n in SIZES:
        for pad in (b"", b"\0" * (-n % 4), b"\xff" * (-n % 4), b"garbage"):
            with s.counted(TO_PEER):
                w.client.sendto(channel(CHAN, pattern(n), pad), w.server)
                expect(f"{n} bytes", receive(w.peer), (pattern(n), w.relay))


def to_channel(s, w):
    for n in SIZES:
        with s.counted(TO_CLIENT):
            w.peer.sendto(pattern(n), w.relay)
            expect(f"{n} bytes", receive(w.client),
                   (channel(CHAN, pattern(n)), w.server))


def from_send(s, w):
    to = (w.side.peer, w.pport + 1)
    fp = attr(A_FINGERPRINT, b"\1\2\3\4")
    sw = attr(A_SOFTWARE, b"client")
    for n in SIZES:
        data = pattern(n)
        peer, body = attr(A_PEER, xor(*to, TID)), attr(A_DATA, data)
        for msg in (stun(SEND, peer, body), stun(SEND, body, peer),
                    stun(SEND, body, peer, fp), stun(SEND, sw, peer, body, fp),
                    stun(SEND, peer, attr(A_DATA, data, b"\xee"), sw),
                    stun(SEND, attr(0xC0DE, b"x" * 9), peer, body),
                    # More than the module reads at first.
                    stun(SEND, attr(0xC0DE, b"x" * 150), peer, body, sw),
                    stun(SEND, peer, attr(0xC0DE, b"x" * 99), body, fp),
                    stun(SEND, peer, body, attr(A_PEER, xor("192.0.2.1", 1,
                                                            TID)),
                         attr(A_DATA, b"second"))):
            with s.counted(TO_PEER):
                w.client.sendto(msg, w.server)
                expect(f"{n} bytes, {msg[20:40].hex()}", receive(w.plain),
                       (data, w.relay))


def to_data(s, w):
    tids = set()
    for n in SIZES:
        with s.counted(TO_CLIENT):
            w.plain.sendto(pattern(n), w.relay)
            msg, addr = receive(w.client)
        expect("from", addr, w.server)
        expect(f"{n} bytes", parse_data_ind(msg),
               ((w.side.peer, w.pport + 1), pattern(n)))
        tids.add(msg[8:20])
    expect("transaction ids", len(tids), len(SIZES))


def looks_like_client(s, w):
    """What a peer sends is data, whatever it looks like."""
    for data in (channel(CHAN, b"x"), send_ind((w.side.peer, 1), b"y"),
                 stun(0x0001), b"\0", b"\x80rtp"):
        with s.counted(TO_CLIENT):
            w.peer.sendto(data, w.relay)
            expect("data", receive(w.client), (channel(CHAN, data), w.server))


CONVERSIONS = (from_channel, to_channel, from_send, to_data)


def sums(s):
    """Packets and bytes of payload, of the namespace and of each entry."""
    def all_of():
        st = s.kt.stats()
        return [(c.packets, c.bytes) for c in (st.to_peer, st.to_client)] + [
            (c.packets, c.bytes) for w in s.worlds.values()
            for entry in (*s.kt.allocs(w.id), *s.kt.chans(w.id))
            for c in (entry.to_peer, entry.to_client)]

    before = all_of()
    for w in s.worlds.values():
        w.client.sendto(channel(CHAN, b"four"), w.server)
        receive(w.peer)
        w.plain.sendto(b"seventy", w.relay)
        receive(w.client)
    n = len(s.worlds)
    expect("more", [(p - q, b - c) for (p, b), (q, c) in
                    zip(all_of(), before)],
           [(n, 4 * n), (n, 7 * n),
            # The channel had no part in what came from the other port.
            *[(1, 4), (1, 7), (1, 4), (0, 0)] * n])


# ------------------------------------------------------------ drops and punts

def dropped_from_client(s, w):
    with s.counted(("drop", "no-channel"), TO_PEER):
        w.client.sendto(channel(0x4123, b"unbound"), w.server)
        w.marker()
    other = "192.0.2.7" if w.side.peer_family == 4 else "2001:db8:7::7"
    with s.counted(("drop", "no-permission"), TO_PEER):
        w.client.sendto(send_ind((other, 5), b"unknown"), w.server)
        w.marker()
    expect("daemon", quiet(s.daemon(w)), True)


def dropped_from_peer(s, w):
    four = w.side.peer_family == 4
    extra = "203.0.113.77" if four else "2001:db8:2::77"
    ip("peer", "addr", "replace", extra + ("/24" if four else "/64"),
       "dev", "peer0", *([] if four else ["nodad"]))
    with s.counted(("drop", "no-permission"), TO_CLIENT):
        sock = udp("peer", extra, w.pport)
        sock.sendto(b"uninvited", w.relay)
        w.peer_marker()
    expect("client", waiting(w.client), [])
    sock.close()


def punted_from_client(s, w):
    """Each arrives at the socket of the daemon, unchanged."""
    to = (w.side.peer, w.pport + 1)
    good = send_ind(to, b"data")
    other = ("2001:db8::1", 1) if w.side.peer_family == 4 else ("192.0.2.1", 1)
    for name, msg in (
            ("control", stun(0x0001)),
            ("control", stun(0x0004, attr(A_LIFETIME, b"\0\0\2\x58"))),
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
            ("attribute", send_ind(to, pattern(999), [],
                                   [attr(0x7ABC, b"required")])),
            ("malformed", send_ind(to, pattern(999), [],
                                   [b"\x80\x22\0\x09"])),
            ("peer", send_ind(other, b"other family")),
            ("peer", send_ind((w.side.peer, 0), b"port 0"))):
        with s.counted(("punt", name)):
            w.client.sendto(msg, w.server)
            expect(f"{name} {msg[:24].hex()}", receive(s.daemon(w)),
                   (msg, (w.side.client, w.cport)))
        expect("peer", quiet(w.plain), True)


def not_exclusive(s, w, relay):
    """What has no entry may be the daemon's: it gets all of that."""
    with s.counted(("punt", "no-channel")):
        msg = channel(0x4123, b"unbound")
        w.client.sendto(msg, w.server)
        expect("client's", receive(s.daemon(w))[0], msg)
    s.kt.perm_del(w.id, w.side.peer)
    with s.counted(("punt", "no-permission")):
        msg = send_ind((w.side.peer, 5), b"send")
        w.client.sendto(msg, w.server)
        expect("client's", receive(s.daemon(w))[0], msg)
    with s.counted(("punt", "no-permission")):
        w.peer.sendto(b"from the peer", w.relay)
        expect("peer's", receive(relay), (b"from the peer",
                                          (w.side.peer, w.pport)))
    w.client.sendto(channel(CHAN, b"needs none"), w.server)
    expect("channel", receive(w.peer), (b"needs none", w.relay))
    s.kt.perm_new(w.id, w.side.peer, LONG)
    to_channel(s, w)


# -------------------------------------------------------- before and behind us

def offloads(s, w, state):
    """Local senders leave the sum to the device; receivers check it."""
    for where, devices in (("client", ["client0"]), ("peer", ["peer0"]),
                           ("relay", ["relay0", "relay1"])):
        for device in devices:
            run(where, "ethtool", "-K", device, "rx", state, "tx", state,
                "sg", state, "gro", state)
    for where, device, family, sender, to, msg in (
            ("peer", "peer0", w.side.peer_family, w.client, w.server,
             channel(CHAN, b"partial")),
            ("client", "client0", w.side.family, w.plain, w.relay,
             b"partial")):
        cap = Capture(where, device, family)
        cap.drain()
        sender.sendto(msg, to)
        p = cap.next()
        if state == "on":
            expect("left to the device", p.udp_partial(), True)
        else:
            expect("sum", p.udp_ok(), True)
        cap.close()
    netns("relay")
    w.empty()
    for f in CONVERSIONS:
        f(s, w)


def watched(s, w):
    """Packets that somebody else looks at are not written to."""
    caps = [Capture("relay", "relay0", w.side.family),
            Capture("relay", "relay1", w.side.peer_family)]
    for f in CONVERSIONS:
        f(s, w)
    for cap in caps:
        cap.drain()
    msg = channel(CHAN, b"watched")
    w.client.sendto(msg, w.server)
    expect("peer's", receive(w.peer)[0], b"watched")
    expect("seen on the way in", caps[0].next().payload, msg)
    w.plain.sendto(b"watched", w.relay)
    expect("client's", parse_data_ind(receive(w.client)[0])[1], b"watched")
    expect("seen on the way in", caps[1].next().payload, b"watched")
    for cap in caps:
        cap.close()


def main():
    tests, s = Tests(), Setup()
    loose = {"IPv4": World(s.kt, V4, flags=0),
             "IPv6": World(s.kt, V6, flags=0)}
    for name, w in s.worlds.items():
        for what, f in (
                ("ChannelData from the client", from_channel),
                ("to ChannelData", to_channel),
                ("Send indications", from_send),
                ("to Data indications", to_data),
                ("peers may send anything", looks_like_client),
                ("unknown channel and peer from the client",
                 dropped_from_client),
                ("a peer without permission", dropped_from_peer),
                ("what is punted", punted_from_client),
                ("watched by others", watched)):
            tests.add(f"{name}: {what}", f, s, w)
    for name, w in loose.items():
        tests.add(f"{name}: not exclusive", not_exclusive, s, w,
                  udp("relay", *w.relay))
    netns("relay")
    for state in ("off", "on"):
        for name, w in s.worlds.items():
            tests.add(f"{name}: offloads {state}", offloads, s, w, state)
    tests.add("counters are exact", sums, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
