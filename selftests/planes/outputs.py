# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes out at a device, in a form that two runs have in common.

Transaction ids and nonces are random, relayed ports too; all else stays as
it is, byte for byte.
"""

import collections
import ipaddress
import socket
import struct

from packets import Packet
from turnmessage import (FINGERPRINT, MESSAGE_INTEGRITY,
                         MESSAGE_INTEGRITY_SHA256, NONCE, XOR_MAPPED_ADDRESS,
                         XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS, Message,
                         xor_addr_parse)

ETH_P_ALL, SO_RCVBUFFORCE = 3, 33
UDP, ICMP, ICMPV6, FRAGMENT = 17, 1, 58, 44

# Neighbours and routers find each other, and groups their members.
NOT_ERRORS = 128


class Tap:
    """All that comes in at a device; fragments put together."""

    def __init__(self, device):
        """In this thread's namespace."""
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                               socket.htons(ETH_P_ALL))
        self.s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
        self.s.bind((device, ETH_P_ALL))
        self.s.setblocking(False)
        self.pieces = collections.defaultdict(dict)

    def fileno(self):
        return self.s.fileno()

    def read(self):
        """The packets that have come."""
        found = []
        while True:
            try:
                raw, addr = self.s.recvfrom(65536)
            except BlockingIOError:
                return found
            if addr[2] == socket.PACKET_OUTGOING or \
                    addr[1] not in (0x0800, 0x86DD):
                continue
            p = self.whole(Packet(raw))
            if p and (p.proto in (UDP, ICMP) or
                      p.proto == ICMPV6 and p.l4[0] < NOT_ERRORS):
                found.append(p)

    def whole(self, p):
        """@p, or what it completes; None as long as that is incomplete."""
        p.sizes = []
        if p.frag:
            ident, at, more = p.id, (p.frag & 0x1FFF) * 8, p.frag & 0x2000
        elif p.proto == FRAGMENT:
            p.proto, _, at, ident = struct.unpack("!BBHI", p.l4[:8])
            p.l4, at, more = p.l4[8:], at & ~7, at & 1
        else:
            return p
        pieces = self.pieces[p.src, p.dst, ident]
        pieces[at] = p, more
        data = b""
        while len(data) in pieces:
            piece, more = pieces[len(data)]
            data += piece.l4
            if not more:
                break
        else:
            return None
        first = pieces[0][0]
        first.sizes = [len(pieces[at][0].l4) for at in sorted(pieces)]
        first.l4, first.frag = data, 0
        first.sport, first.dport, first.ulen, first.check = struct.unpack(
            "!HHHH", data[:8])
        first.payload = data[8:]
        del self.pieces[p.src, p.dst, ident]
        return first


class Reader:
    """Makes records of packets. @roles: names of transport addresses."""

    def __init__(self, roles):
        self.roles = roles

    def role(self, ip, port):
        return self.roles.get((ip, port), f"{ip} port {port}")

    def record(self, where, p, sent):
        """@sent: what made it come, for the transaction id and the label."""
        src, dst = (str(ipaddress.ip_address(a)) for a in (p.src, p.dst))
        if p.proto != UDP:
            return {"at": where, "icmp": list(p.l4[:2]), "from": src}
        if where == "client":
            data = self.message(p.payload, sent["data"])
        else:
            data = p.payload.hex()
        out = {"at": where, "from": self.role(src, p.sport),
               "to": self.role(dst, p.dport), "data": data,
               "bytes": len(p.payload),
               "fields": {"TTL": p.ttl, "DSCP": p.tos >> 2,
                          "ECN": p.tos & 3, "checksum": self.checksum(p),
                          "fragments": self.fragments(p)}}
        if p.raw[0] >> 4 == 4:
            out["fields"]["DF"] = p.df
            out["fields"]["options"] = (p.raw[0] & 15) > 5
        else:
            out["fields"]["flow label"] = (
                "zero" if not p.label else "copied"
                if p.label == sent.get("label") else "its own")
        return out

    @staticmethod
    def fragments(p):
        """None, or how large the packets are."""
        if not p.sizes:
            return "none"
        header = 20 if p.raw[0] >> 4 == 4 else 48
        return "of 1280" if max(p.sizes) + header <= 1280 else "of more"

    @staticmethod
    def checksum(p):
        if not p.check:
            return "none"
        return "right" if p.udp_ok() or p.udp_partial() else "wrong"

    def message(self, raw, sent):
        """A client's datagram: ChannelData, or a STUN message."""
        if not raw or raw[0] >> 6:
            return raw.hex()
        try:
            msg = Message.parse(raw)
        except ValueError:
            return raw.hex()
        found = [raw[:4].hex(), "transaction id " + (
            "as asked" if msg.tid == sent[8:20] else "random")]
        for kind, value, pos in msg.attrs:
            end = pos + 4 + len(value)
            found.append([f"{kind:#06x}", self.value(msg, kind, value),
                          raw[end:end + -len(value) % 4].hex()])
        return found

    def value(self, msg, kind, value):
        if kind in (XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
                    XOR_MAPPED_ADDRESS):
            return self.role(*xor_addr_parse(value, msg.tid))
        if kind == FINGERPRINT:
            again = Message(msg.method, msg.cls, msg.tid)
            again.body = msg.body[:-8]
            return "right" if again.add_fingerprint().body == msg.body \
                else "wrong"
        if kind in (NONCE, MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256):
            return f"{len(value)} bytes"
        return value.hex()
