# SPDX-License-Identifier: GPL-2.0-or-later
"""Odd IP and UDP headers around data that is relayed otherwise.

As in cases.py: each function returns cases for a client.
"""

from cases import (ATTRIBUTE, BOUND, HEADER, MALFORMED, NO_CHANNEL,
                   NO_PERMISSION, FULL, IP_HEADER, PERMITTED, TO_CLIENT,
                   TO_PEER, TOO_BIG, TTL_OVER, Case, peer_attr)
from packets import (A_DATA, A_DF, A_INTEGRITY, SEND, attr, channel, pattern,
                     send_ind, stun)


def headers(c, from_client):
    """In one direction; each of the families has its own."""
    family = c.family if from_client else c.peer_family
    data = channel(BOUND, b"headers") if from_client else b"headers"
    way = TO_PEER if from_client else TO_CLIENT
    cases = [Case(f"TTL {n}", data, way, ttl=n) for n in (2, 3, 65, 128, 255)]
    cases += [Case("TTL 1", data, TTL_OVER, ttl=1)]
    # Of each DSCP class one, and each ECN.
    cases += [Case(f"DSCP {dscp}, ECN {ecn}", data, way,
                   tos=dscp << 2 | ecn)
              for dscp, ecn in ((0, 1), (0, 2), (0, 3), (8, 0), (16, 1),
                                (26, 2), (34, 3), (46, 0), (46, 2), (48, 0),
                                (63, 3))]
    # What does not fit: the sender's UDP length says more, or less.
    cases += [Case(f"UDP length {more:+}", data, MALFORMED,
                   ulen=8 + len(data) + more) for more in (-1, -3, 1, 100)]
    cases += [Case("UDP length 7", data, MALFORMED, ulen=7),
              Case("UDP length 0", data, MALFORMED, ulen=0)]
    if from_client:
        peer, value = peer_attr(c.permitted), attr(A_DATA, b"headers")
        cases += [
            Case("Send: TTL 2", stun(SEND, peer, value), TO_PEER, ttl=2),
            Case("Send: TTL 1", stun(SEND, peer, value), TTL_OVER,
                 ttl=1),
            Case("Send: DSCP 46, ECN 1", stun(SEND, peer, value), TO_PEER,
                 tos=46 << 2 | 1),
            Case("punted: TTL 1, DSCP 46", stun(
                SEND, peer, value, attr(A_INTEGRITY, bytes(20))), ATTRIBUTE,
                ttl=1, tos=46 << 2),
            Case("unbound: TTL 1", channel(0x4001, b"data"), NO_CHANNEL,
                 ttl=1),
        ]
        if c.peer_family == 4 and family == 6:
            cases += [Case(f"{n} bytes", channel(BOUND, pattern(n)), TO_PEER)
                      for n in (1232, 1233)]
    else:
        cases += [
            Case("permitted: TTL 2", data, way, ttl=2, port=PERMITTED),
            Case("permitted: TTL 1", data, TTL_OVER, ttl=1, port=PERMITTED),
            Case("permitted: DSCP 10, ECN 3", data, way, port=PERMITTED,
                 tos=10 << 2 | 3),
            Case("not permitted: TTL 1", data, NO_PERMISSION, ttl=1,
                 ip=c.other),
        ]
    return cases + (headers4 if family == 4 else headers6)(
        c, from_client, data, way)


def headers4(c, from_client, data, way):
    options = {"no-operation": b"\1" * 4,
               "router alert": b"\x94\4\0\0",
               "record route": b"\7\7\4" + bytes(4) + b"\0",
               "timestamp": b"\x44\x08\x05\0" + bytes(4)}
    cases = [Case(f"option: {name}", data, HEADER, options=value)
             for name, value in options.items()]
    cases += [Case(f"DF, {extra['tos']:#04x}", data, way, df=True, **extra)
              for extra in ({"tos": 0}, {"tos": 0xB8})]
    cases += [Case("TTL 0", data, TTL_OVER, ttl=0),
              # RFC 768: no checksum
              Case("checksum 0", data, way, check=0),
              Case("checksum wrong", data, way, check=0x1234)]
    if from_client:
        peer, value = peer_attr(c.permitted), attr(A_DATA, b"headers")
        cases += [
            Case("Send: DF", stun(SEND, peer, value), way, df=True),
            Case("Send: DF and DONT-FRAGMENT", stun(
                SEND, peer, attr(A_DF, b""), value), way, df=True),
            Case("Send: checksum 0", stun(SEND, peer, value), way, check=0),
            Case("Send: checksum wrong", stun(SEND, peer, value), way,
                 check=1),
        ]
    else:
        cases += [
            Case("permitted: DF", data, way, df=True, port=PERMITTED),
            Case("permitted: checksum 0", data, way, check=0,
                 port=PERMITTED),
            Case("permitted: checksum wrong", data, way, check=1,
                 port=PERMITTED),
        ]
        # Too big now, and the sender said not to fragment it.
        full = FULL[4]
        cases += [Case(f"DF, {full} bytes", pattern(full), TOO_BIG,
                       df=True)]
    return cases


def headers6(c, from_client, data, way):
    pad = b"\1\4" + bytes(4)            # PadN
    cases = [Case(f"flow label {n:#x}", data, way, label=n)
             for n in (1, 0xABCDE, 0xFFFFF)]
    # Extension headers: not even looked at.
    cases += [Case("destination options", data, ext=(60, pad)),
              Case("hop-by-hop options", data, ext=(0, pad)),
              # RFC 8200 section 8.1: such a packet is dropped.
              Case("checksum 0", data, HEADER, check=0),
              Case("checksum wrong", data, way, check=0x1234)]
    return cases


def mtu(c):
    """While the peer's link takes 1300 bytes only."""
    room = 1300 - IP_HEADER[c.peer_family] - 8
    cases = []
    for n in (room - 1, room, room + 1, room + 60):
        way = TOO_BIG if n > room and c.family == 6 else TO_PEER
        cases.append(Case(f"ChannelData, {n} bytes",
                          channel(BOUND, pattern(n)), way))
        cases.append(Case(f"Send, {n} bytes",
                          send_ind(c.permitted, pattern(n)), way))
        # RFC 8656 section 14: nothing, if it does not fit.
        if n > room and (c.family, c.peer_family) == (4, 4):
            way = TOO_BIG
        cases.append(Case(f"Send, DONT-FRAGMENT, {n} bytes",
                          send_ind(c.permitted, pattern(n),
                                   [attr(A_DF, b"")]), way))
    if c.family == 4:
        cases.append(Case("ChannelData, DF, too big",
                          channel(BOUND, pattern(room + 1)), TOO_BIG,
                          df=True))
    return cases
