# SPDX-License-Identifier: GPL-2.0-or-later
"""TURN messages and IP packets as bytes: made, and taken apart.

Nothing here is more careful than a test needs: what is malformed raises.
"""

import socket
import struct

MAGIC = 0x2112A442
SEND, DATA = 0x0016, 0x0017
A_PEER, A_DATA, A_DF, A_FINGERPRINT = 0x12, 0x13, 0x1A, 0x8028
A_LIFETIME, A_SOFTWARE, A_INTEGRITY = 0x0D, 0x8022, 0x0008


class Failed(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


def af(ip):
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


def family_of(ip):
    """As people count them."""
    return 6 if ":" in ip else 4


def pattern(n):
    """So many bytes, not the same for any two of the sizes that tests use."""
    return bytes((i * 13 + n) & 255 for i in range(n))


def channel(number, data, pad=b""):
    return struct.pack("!HH", number, len(data)) + data + pad


def attr(kind, value, pad=b"\0"):
    return struct.pack("!HH", kind, len(value)) + value + \
        pad * (-len(value) % 4)


def xor(ip_text, port, tid):
    raw = socket.inet_pton(af(ip_text), ip_text)
    mask = struct.pack("!I", MAGIC) + tid
    return struct.pack("!BBH", 0, 1 if len(raw) == 4 else 2,
                       port ^ (MAGIC >> 16)) + \
        bytes(a ^ b for a, b in zip(raw, mask))


def unxor(value, tid):
    mask = struct.pack("!I", MAGIC) + tid
    raw = bytes(a ^ b for a, b in zip(value[4:], mask))
    port = struct.unpack("!H", value[2:4])[0] ^ (MAGIC >> 16)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else
                            socket.AF_INET6, raw), port


TID = bytes(range(12))


def stun(kind, *attrs, tid=TID):
    body = b"".join(attrs)
    return struct.pack("!HHI", kind, len(body), MAGIC) + tid + body


def send_ind(peer, data, before=(), after=()):
    return stun(SEND, *before, attr(A_PEER, xor(*peer, TID)),
                attr(A_DATA, data), *after)


def parse_data_ind(msg):
    """(peer, data) of a Data indication that is exactly as it should be."""
    kind, length, magic = struct.unpack("!HHI", msg[:8])
    expect("type, cookie", (kind, magic), (DATA, MAGIC))
    expect("length", length, len(msg) - 20)
    tid, pos, seen = msg[8:20], 20, []
    while pos < len(msg):
        a, n = struct.unpack("!HH", msg[pos:pos + 4])
        value = msg[pos + 4:pos + 4 + n]
        padding = msg[pos + 4 + n:pos + 4 + n + -n % 4]
        expect("padding", padding, bytes(-n % 4))
        seen.append((a, value))
        pos += 4 + n + -n % 4
    expect("attributes", [a for a, _ in seen], [A_PEER, A_DATA])
    return unxor(seen[0][1], tid), seen[1][1]


def ones(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Packet:
    """An IP packet with UDP in it, taken apart."""

    def __init__(self, raw):
        self.raw = raw
        if raw[0] >> 4 == 4:
            n = (raw[0] & 15) * 4
            self.tos, self.total, self.id, frag = struct.unpack(
                "!xBHHH", raw[:8])
            self.df, self.frag = bool(frag & 0x4000), frag & 0x3FFF
            self.ttl, self.proto = raw[8], raw[9]
            self.src, self.dst = raw[12:16], raw[16:20]
            self.ip_ok = ones(raw[:n]) == 0xFFFF
            raw = raw[:self.total]
        else:
            n = 40
            word, length = struct.unpack("!IH", raw[:6])
            self.tos, self.label = word >> 20 & 255, word & 0xFFFFF
            self.proto, self.ttl = raw[6], raw[7]
            self.src, self.dst = raw[8:24], raw[24:40]
            self.ip_ok, self.df, self.frag = True, None, 0
            raw = raw[:40 + length]
        self.l4 = raw[n:]
        # A later fragment may be shorter.
        if self.proto == 17 and len(self.l4) >= 8:
            self.sport, self.dport, self.ulen, self.check = struct.unpack(
                "!HHHH", self.l4[:8])
            self.payload = self.l4[8:]

    def pseudo(self):
        return self.src + self.dst + struct.pack("!II", self.ulen, 17)

    def udp_ok(self):
        return ones(self.pseudo() + self.l4) == 0xFFFF

    def udp_partial(self):
        """The sum that is there when the device is to do the rest."""
        return self.check == ones(self.pseudo())
