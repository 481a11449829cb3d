# SPDX-License-Identifier: GPL-2.0-or-later
"""What is sent through both planes: datagrams from a client and from a peer.

Each function returns the cases of one kind for a client @c (see record.py):
the same for every pair of families, but for addresses and sizes. A case says
what the module does with it when the kernel relays: the counters that go up,
each by one.
"""

import struct

from packets import (A_DATA, A_DF, A_FINGERPRINT, A_INTEGRITY, A_LIFETIME,
                     A_PEER, A_SOFTWARE, MAGIC, SEND, TID, attr, channel,
                     pattern, send_ind, stun, xor)
from turnmessage import Message

TO_PEER, TO_CLIENT = "relayed to-peer", "relayed to-client"
NO_CHANNEL, NO_PERMISSION = "drop no-channel", "drop no-permission"
TTL_OVER = "drop ttl"
MALFORMED, OTHER, CONTROL = "punt malformed", "punt other", "punt control"
ATTRIBUTE, PEER, MTU = "punt attribute", "punt peer", "punt mtu"
TOO_BIG = "drop too-big"
HEADER, LOCAL_PEER = "punt header", "punt local-peer"

# Channels to the peer's ports; PERMITTED has none, but a permission.
BOUND, BOUND_LAST = 0x4000, 0x4FFF
PORT, PORT_LAST, PERMITTED, CLOSED = 9000, 9002, 9001, 9
# Of allocations to each other: to the second client, and back; to itself.
TO_SECOND, TO_FIRST, TO_THIRD, TO_SELF = 0x4010, 0x4011, 0x4012, 0x4013

IP_HEADER = {4: 20, 6: 40}
# Without fragments through a link of 1500 bytes.
FULL = {4: 1472, 6: 1452}


class Case:
    """One datagram.

    @counted: the module's counters, none if it is none of its business
    @to: the server's or the relay's port, if not that of the allocation
    @server: another address of the server
    @port: the sender's, if not that of the client or of the bound channel
    @ip: the peer's other address
    @looped: to a relayed address of the server, so that it is relayed twice
    @header: arguments of lab.Raw.send(); a case without goes from a socket
             if it does not fit into one packet
    """

    def __init__(self, name, data, *counted, to=None, port=None, ip=None,
                 server=None, looped=False, sender=None, **header):
        self.name, self.data, self.counted = name, data, counted
        self.to, self.port, self.ip, self.looped = to, port, ip, looped
        self.server, self.sender, self.header = server, sender, header


def relayed(c, data_len, to_client=0):
    """The counter of data that fits, or does not fit, into one packet.

    RFC 8656 sections 13 and 14: what IPv4 lets be fragmented is, what comes
    by IPv6 is not.
    """
    family = c.peer_family if to_client else c.family
    room = FULL[c.family] - to_client if to_client else FULL[c.peer_family]
    if family == 6 and data_len > room:
        return TOO_BIG
    return TO_CLIENT if to_client else TO_PEER


# ------------------------------------------------------------ from the client

def channel_data(c):
    cases = [Case(f"{n} bytes", channel(BOUND, pattern(n)), TO_PEER)
             for n in (0, 1, 2, 3, 4, 5, 7, 8, 100, 333, 1200)]
    cases += [Case(f"{n} bytes and padding",
                   channel(BOUND, pattern(n), bytes(-n % 4)), TO_PEER)
              for n in (1, 2, 3, 5)]
    cases += [Case(f"{n} bytes and padding that is not zero",
                   channel(BOUND, pattern(n), b"\xff" * (-n % 4)), TO_PEER)
              for n in (1, 2, 3)]
    # RFC 8656 section 12.6: what is beyond the length is no part of it.
    cases += [Case(f"{n} bytes behind {size}",
                   channel(BOUND, pattern(size), pattern(n)), TO_PEER)
              for n, size in ((1, 8), (4, 8), (100, 8), (10, 0), (3, 333))]
    cases += [Case(f"length {more} more than there is",
                   struct.pack("!HH", BOUND, 20 + more) + pattern(20),
                   MALFORMED) for more in (1, 3, 4, 100, 65515)]
    cases += [Case(f"length {n} of an empty one",
                   struct.pack("!HH", BOUND, n), MALFORMED)
              for n in (1, 65535)]
    cases += [Case(f"{n} bytes of a header", channel(BOUND, b"")[:n], OTHER)
              for n in (0, 1, 2, 3)]
    # RFC 8656 section 12: 0x5000 to 0xFFFF are reserved, what is below
    # 0x4000 is no channel; RFC 5766 had them up to 0x7FFF.
    cases += [Case(f"channel {n:#06x}", channel(n, b"unbound"), NO_CHANNEL)
              for n in (0x4001, 0x4FFE, 0x5000, 0x5FFF, 0x6000, 0x7FFF)]
    cases += [Case("unbound, length too long",
                   struct.pack("!HH", 0x4001, 9) + b"data", NO_CHANNEL)]
    cases += [Case(f"channel {n:#06x}", channel(n, b"no channel"), OTHER)
              for n in (0x0000, 0x3FFF, 0x8000, 0xBFFF, 0xC000, 0xFFFF)]
    most = FULL[c.family] - 4
    cases += [Case(f"{size} bytes", channel(BOUND, pattern(size)),
                   relayed(c, size)) for size in (most - 1, most)]
    # Comes in fragments, which are the stack's.
    cases += [Case(f"{size} bytes", channel(BOUND, pattern(size)))
              for size in (most + 1, 3000)]
    return cases + [
        Case("the other channel", channel(BOUND_LAST, b"other"), TO_PEER),
        Case("ChannelData in ChannelData",
             channel(BOUND, channel(BOUND, b"inner")), TO_PEER),
        Case("a Send indication in ChannelData",
             channel(BOUND, send_ind(c.permitted, b"inner")), TO_PEER),
        Case("no allocation", channel(BOUND, b"whose?"), port=c.port + 50),
        Case("another address of the server", channel(BOUND, b"whose?"),
             server=c.server_other),
        Case("to a closed port of the server", channel(BOUND, b"data"),
             to=3477),
    ]


def ind(*attrs, tid=TID, kind=SEND):
    return stun(kind, *attrs, tid=tid)


def peer_attr(addr, tid=TID):
    return attr(A_PEER, xor(*addr, tid))


def fingerprinted(c, change=0):
    msg = Message(6, 1, TID)
    msg.add_peer(c.permitted).add(A_DATA, b"fingerprint").add_fingerprint()
    raw = bytearray(msg.bytes())
    raw[-1] ^= change
    return bytes(raw)


def send_sizes(c):
    most = FULL[c.family] - len(send_ind(c.permitted, b"")) & ~3
    cases = [Case(f"{n} bytes", send_ind(c.permitted, pattern(n)), TO_PEER)
             for n in (0, 1, 2, 3, 4, 5, 7, 8, 100, 333, 1200)]
    return cases + [
        Case(f"{most} bytes", send_ind(c.permitted, pattern(most)),
             relayed(c, most)),
        Case(f"{most + 1} bytes", send_ind(c.permitted, pattern(most + 1))),
        Case("3000 bytes", send_ind(c.permitted, pattern(3000))),
    ]


def send_peers(c):
    v6 = c.peer_family == 6
    refused = [("multicast", "ff0e::1" if v6 else "233.252.0.1"),
               ("unspecified", "::" if v6 else "0.0.0.0"),
               ("loopback", "::1" if v6 else "127.0.0.1"),
               ("link-local", "fe80::1" if v6 else "169.254.0.1"),
               ("no permission", c.other)]
    if not v6:
        refused += [("broadcast", "255.255.255.255"),
                    ("directed broadcast", "203.0.113.255")]
    embedded = [("mapped", "::ffff:203.0.113.2"),
                ("NAT64", "64:ff9b::203.0.113.2"),
                ("6to4", "2002:cb00:7102::1"),
                ("compatible", "::203.0.113.2")]
    cases = [Case(name, send_ind((ip, PERMITTED), b"data"), NO_PERMISSION)
             for name, ip in refused]
    cases += [Case(name, send_ind((ip, PERMITTED), b"data"),
                   NO_PERMISSION if v6 else PEER) for name, ip in embedded]
    cases += [Case(f"port {port}", send_ind((c.peer, port), b"data"), TO_PEER)
              for port in (1, CLOSED, PORT, PORT_LAST, 65535)]
    # RFC 8656 section 11.2: never to the server itself, permission or not.
    cases += [Case(f"the server's own {ip}, port {port}",
                   send_ind((ip, port), b"data"), LOCAL_PEER)
              for ip in (c.relay[0], c.own_other) for port in (3478, 9)]
    return cases + [
        Case("port 0", send_ind((c.peer, 0), b"data"), PEER),
        Case("the other family",
             send_ind((c.wrong_peer, PERMITTED), b"data"), PEER),
        Case("no permission, port 0", send_ind((c.other, 0), b"data"), PEER),
    ]


def send_attributes(c):
    peer, data = peer_attr(c.permitted), attr(A_DATA, b"attributes")
    other, second = peer_attr((c.peer, PORT)), attr(A_DATA, b"second")
    unknown = attr(0xC055, b"unknown")
    df, software = attr(A_DF, b""), attr(A_SOFTWARE, b"test")
    zero, ones = bytes(12), b"\xff" * 12
    good = {
        "data first": (data, peer),
        "SOFTWARE first": (software, peer, data),
        "SOFTWARE between": (peer, software, data),
        "SOFTWARE last": (peer, data, software),
        "unknown optional first": (unknown, peer, data),
        "unknown optional between": (peer, unknown, data),
        "unknown optional last": (peer, data, unknown),
        "unknown optional 0xffff, empty": (attr(0xFFFF, b""), peer, data),
        "many unknown optional": (unknown,) * 20 + (peer, data),
        "many unknown optional behind": (peer, data) + (unknown,) * 20,
        "one long unknown optional": (attr(0xC055, bytes(600)), peer, data),
        "one long unknown optional behind": (peer, data,
                                             attr(0xC055, bytes(600))),
        "DONT-FRAGMENT first": (df, peer, data),
        "DONT-FRAGMENT last": (peer, data, df),
        "DONT-FRAGMENT twice": (df, peer, df, data),
        "DONT-FRAGMENT with a value": (attr(A_DF, b"four"), peer, data),
        "LIFETIME": (attr(A_LIFETIME, bytes(4)), peer, data),
        "known attributes of requests": (
            attr(0x000C, bytes(4)), attr(0x0019, b"\x11\0\0\0"),
            attr(0x0006, b"user"), attr(0x0014, b"realm"), peer, data),
        "FINGERPRINT of no message": (peer, data,
                                      attr(A_FINGERPRINT, bytes(4))),
        "FINGERPRINT of 8 bytes": (peer, data, attr(A_FINGERPRINT, bytes(8))),
        "FINGERPRINT first": (attr(A_FINGERPRINT, bytes(4)), peer, data),
        "two peers": (peer, other, data),
        "two peers, of both families": (
            peer, peer_attr((c.wrong_peer, PERMITTED)), data),
        "two peers, the second malformed": (peer, attr(A_PEER, b"\0"), data),
        "two data": (peer, data, second),
        "two of each": (peer, data, other, second),
        "padding not zero": (attr(A_DATA, b"attributes", b"\xff"), peer,
                             attr(0xC055, b"x", b"\xaa")),
        "reserved byte set": (
            attr(A_PEER, b"\x7f" + xor(*c.permitted, TID)[1:]), data),
    }
    attribute = {
        "unknown required first": (attr(0x0055, b"what"), peer, data),
        "unknown required last": (peer, data, attr(0x7FFF, b"")),
        "an attribute of RFC 3489": (attr(0x0004, bytes(8)), peer, data),
        # RFC 8656 section 5: indications are not authenticated.
        "MESSAGE-INTEGRITY": (peer, data, attr(A_INTEGRITY, bytes(20))),
        "MESSAGE-INTEGRITY-SHA256": (peer, data, attr(0x001C, bytes(32))),
        "MESSAGE-INTEGRITY and FINGERPRINT": (
            peer, data, attr(A_INTEGRITY, bytes(20)),
            attr(A_FINGERPRINT, bytes(4))),
        "MESSAGE-INTEGRITY, and more behind": (
            peer, data, attr(A_INTEGRITY, bytes(20)), attr(0x0055, b"x")),
        "MESSAGE-INTEGRITY before the data": (
            peer, attr(A_INTEGRITY, bytes(20)), data),
    }
    cases = [Case(name, ind(*attrs), TO_PEER)
             for name, attrs in good.items()]
    cases += [Case(name, ind(*attrs), ATTRIBUTE)
              for name, attrs in attribute.items()]
    return cases + [
        Case("FINGERPRINT", fingerprinted(c), TO_PEER),
        Case("FINGERPRINT, wrong", fingerprinted(c, 1), TO_PEER),
        Case("transaction id 0",
             ind(peer_attr(c.permitted, zero), data, tid=zero), TO_PEER),
        Case("transaction id of ones",
             ind(peer_attr(c.permitted, ones), data, tid=ones), TO_PEER),
    ]


def send_malformed(c):
    peer, data = peer_attr(c.permitted), attr(A_DATA, b"malformed!")
    value, whole = xor(*c.permitted, TID), send_ind(c.permitted, b"malformed")
    short = struct.pack("!HH", A_DATA, 5) + b"12345"
    bad = {
        "no attributes": (),
        "no data": (peer,),
        "no peer": (data,),
        "only an unknown optional": (attr(0xC055, b"?"),),
        "peer of 0 bytes": (attr(A_PEER, b""), data),
        "peer of 3 bytes": (attr(A_PEER, value[:3]), data),
        "peer of 4 bytes": (attr(A_PEER, value[:4]), data),
        "peer cut by 1": (attr(A_PEER, value[:-1]), data),
        "peer too long by 1": (attr(A_PEER, value + b"\0"), data),
        "peer too long by 4": (attr(A_PEER, value + bytes(4)), data),
        "peer of the other family's length": (
            attr(A_PEER, bytes([0, 3 - value[1]]) + value[2:]), data),
        "the first of two peers malformed": (attr(A_PEER, b"\0"), peer, data),
        "an unknown attribute cut": (
            peer, data, struct.pack("!HH", 0xC055, 5) + b"1234"),
        "an attribute longer than all": (
            peer, data, struct.pack("!HH", 0xC055, 65535)),
        "data longer than the message": (
            peer, struct.pack("!HH", A_DATA, 9) + b"12345678"),
        "data of 65535 bytes": (
            peer, struct.pack("!HH", A_DATA, 65535) + b"12345678"),
    }
    cases = [Case(f"family {n}",
                  ind(attr(A_PEER, bytes([0, n]) + value[2:]), data),
                  MALFORMED) for n in (0, 3, 255)]
    cases += [Case(name, ind(*attrs), MALFORMED)
              for name, attrs in bad.items()]
    # The padding is missing, so the length is no multiple of four.
    cases += [Case("no padding", ind(peer, short), MALFORMED)]
    cases += [Case(f"header's length {more:+}", whole[:2] + struct.pack(
        "!H", len(whole) - 20 + more) + whole[4:], MALFORMED)
        for more in (-4, -1, 1, 4, 60000)]
    cases += [Case(f"{n} bytes behind", whole + bytes(n), MALFORMED)
              for n in (1, 4, 100)]
    cases += [Case(f"{n} bytes of it", whole[:n], MALFORMED if n >= 20
                   else OTHER)
              for n in (4, 8, 19, 20, 23, 24, 28, len(whole) - 4,
                        len(whole) - 1)]
    cases += [Case("wrong cookie",
                   whole[:4] + struct.pack("!I", MAGIC ^ 1) + whole[8:],
                   OTHER)]
    cases += [Case(f"type {kind:#06x}", ind(peer, data, kind=kind), CONTROL)
              for kind in (0x0006, 0x0106, 0x0116, 0x0017, 0x0216)]
    return cases + [
        Case("no allocation", whole, port=c.port + 50),
        Case("another address of the server", whole, server=c.server_other),
    ]


def control(c):
    """STUN that is the daemon's in both planes; its answers are compared."""
    binding = Message(1, 0, TID)
    finger = Message(1, 0, TID).add_fingerprint().bytes()
    requests = {
        "Binding": binding.bytes(),
        "Binding, FINGERPRINT": finger,
        "Binding, FINGERPRINT wrong": finger[:-1] + bytes([finger[-1] ^ 1]),
        "Binding, SOFTWARE": stun(0x0001, attr(A_SOFTWARE, b"test")),
        "Binding, unknown optional": stun(0x0001, attr(0xC055, b"test")),
        "Binding, unknown required": stun(
            0x0001, attr(0x0055, b""), attr(0x0056, b"?")),
        "Binding, an attribute cut": stun(
            0x0001, struct.pack("!HH", A_SOFTWARE, 9)),
        "Binding, its length wrong": binding.bytes() + bytes(4),
        "Binding indication": stun(0x0011),
        "Binding success": stun(0x0101),
        "Binding error": stun(0x0111),
        "Allocate without credentials": stun(
            0x0003, attr(0x0019, b"\x11\0\0\0")),
        "Refresh without credentials": stun(0x0004),
        "CreatePermission without credentials": stun(
            0x0008, peer_attr(c.permitted)),
        "ChannelBind without credentials": stun(
            0x0009, attr(0x000C, struct.pack("!HH", BOUND, 0)),
            peer_attr(c.permitted)),
        "Shared Secret": stun(0x0002),
        "an unknown method": stun(0x0FEE & 0x3EEF),
        "Data request": stun(0x0007),
    }
    garbage = {
        "20 zeros": bytes(20),
        "100 ones": b"\xff" * 100,
        "one zero": b"\0",
        "0x40": b"\x40",
        "0x7f": b"\x7f",
        "DTLS": b"\x16\xfe\xfd" + pattern(60),
        "RTP": b"\x80\x60" + pattern(170),
        "RTCP": b"\x80\xc8" + pattern(26),
        "ZRTP": b"\x10\0" + pattern(40),
        "QUIC": b"\xc3\0\0\0\1" + pattern(80),
        "text": b"GET / HTTP/1.1\r\n\r\n"[::-1],
        "1200 bytes": b"\x90" + pattern(1199),
    }
    cases = [Case(name, raw, CONTROL) for name, raw in requests.items()]
    cases += [Case(name, raw, NO_CHANNEL if raw[0] >> 6 == 1 and
                   len(raw) > 3 else OTHER) for name, raw in garbage.items()]
    return cases + [
        Case("Binding, no allocation", binding.bytes(), port=c.port + 50),
        Case("Binding, another address of the server", binding.bytes(),
             server=c.server_other),
    ]


# -------------------------------------------------------------- from the peer

def peer_data(c):
    cases = []
    ind_len = 36 if c.peer_family == 4 else 48
    for where, port, extra in (("bound", PORT, 4),
                               ("permitted", PERMITTED, ind_len)):
        sizes = [0, 1, 2, 3, 4, 5, 7, 8, 19, 20, 100, 333, 1200]
        # Around what still fits, with its header and its padding.
        most = min(FULL[c.family] - extra, FULL[c.peer_family])
        sizes += [most - 4, most - 1, most]
        sizes += [n for n in (most + 1, most + 4, FULL[c.peer_family])
                  if most < n <= FULL[c.peer_family]]
        for n in sorted(set(sizes)):
            padded = n if port == PORT else n + -n % 4
            cases.append(Case(f"{n} bytes, {where}", pattern(n),
                              relayed(c, padded, extra), port=port))
        cases.append(Case(f"3000 bytes, {where}", pattern(3000), port=port))
        # Relayed as they are, whatever they look like.
        cases += [Case(f"{name}, {where}", raw, TO_CLIENT, port=port)
                  for name, raw in {
                      "ChannelData": channel(BOUND, b"not the client's"),
                      "a Send indication": send_ind(c.permitted, b"none"),
                      "a Data indication": stun(0x0017, attr(A_DATA, b"x")),
                      "a Binding request": stun(0x0001),
                      "a ChannelData header cut": b"\x40\0",
                      "zeros": bytes(20),
                      "ones": b"\xff" * 33}.items()]
    cases += [Case(f"port {port}", b"any port", TO_CLIENT, port=port)
              for port in (0, 1, PORT_LAST, PORT + 1000, 65535)]
    cases += [Case(f"{n} bytes, not permitted", pattern(n), NO_PERMISSION,
                   port=PERMITTED, ip=c.other) for n in (0, 1, 100, 1200)]
    return cases + [
        Case("not permitted, a bound channel's port", b"data", NO_PERMISSION,
             ip=c.other),
        Case("not permitted, like ChannelData", channel(BOUND, b"data"),
             NO_PERMISSION, ip=c.other),
        Case("not permitted, in fragments", pattern(3000), ip=c.other,
             port=PERMITTED),
        Case("no relayed address", b"data", to=1000),
        Case("to the listener's port", b"data", to=3478),
        Case("Binding, to the listener's port", stun(0x0001), to=3478),
        Case("ChannelData, to the listener's port", channel(BOUND, b"data"),
             to=3478),
    ]


# ----------------------------------------------------------------- hairpin

def hairpin(first, second, third, across):
    """Between relayed addresses of the server.

    @first and @second have channels to each other; @across, whose own family
    is the other one, has one to @second, which has none back; @third has no
    permission for the server's addresses.
    """
    there = (TO_PEER, TO_CLIENT)
    cases = []
    for a, b, number, name in ((first, second, TO_SECOND, "channel"),
                               (second, first, TO_FIRST, "channel"),
                               (across, second, TO_SECOND, "indication"),
                               (first, first, TO_SELF, "channel")):
        where = f"{a.name} to {b.name}'s {name}"
        for n in (0, 1, 5, 333, 1200):
            cases.append(Case(f"ChannelData of {n}, {where}",
                              channel(number, pattern(n)), *there,
                              looped=True, sender=a))
            cases.append(Case(f"Send of {n}, {where}",
                              send_ind(b.relay, pattern(n)), *there,
                              looped=True, sender=a))
        cases.append(Case(f"Send, DONT-FRAGMENT, {where}",
                          send_ind(b.relay, b"df", [attr(A_DF, b"")]),
                          *there, looped=True, sender=a))
        cases.append(Case(f"like ChannelData, {where}",
                          send_ind(b.relay, channel(TO_SECOND, b"x")),
                          *there, looped=True, sender=a))
    # What must not be fragmented is left to the daemon, and comes back.
    big = channel(TO_SECOND, pattern(FULL[across.family] - 4))
    cases += [
        Case("no permission behind", channel(TO_THIRD, b"data"),
             NO_PERMISSION, looped=True, sender=first),
        Case("no permission behind, Send",
             send_ind(third.relay, b"data"), NO_PERMISSION,
             looped=True, sender=first),
        Case("too big behind", big,
             *((MTU, TO_CLIENT) if across.family == 6 else there),
             looped=True, sender=across),
        Case("no permission here", send_ind(second.relay, b"data"),
             NO_PERMISSION, sender=third),
        Case("no such relayed address",
             send_ind((second.relay[0], 1000), b"data"), LOCAL_PEER,
             sender=first),
        Case("the client's port", send_ind((second.relay[0], second.port),
                                           b"data"), LOCAL_PEER,
             sender=first),
    ]
    return cases
