# SPDX-License-Identifier: GPL-2.0-or-later
"""STUN messages (RFC 8489, RFC 8656) for tests: made, and taken apart."""

import base64
import hashlib
import hmac
import ipaddress
import os
import socket
import struct
import time
import zlib

MAGIC = 0x2112A442
HEADER_LEN = 20

# Classes.
REQUEST, INDICATION, SUCCESS, ERROR = 0, 1, 2, 3

# Methods.
BINDING = 0x001
ALLOCATE = 0x003
REFRESH = 0x004
SEND = 0x006
DATA_METHOD = 0x007
CREATE_PERMISSION = 0x008
CHANNEL_BIND = 0x009
CONNECT = 0x00A
CONNECTION_BIND = 0x00B
CONNECTION_ATTEMPT = 0x00C

# Attributes.
MAPPED_ADDRESS = 0x0001
CHANGE_REQUEST = 0x0003
PADDING = 0x0026
RESPONSE_PORT = 0x0027
ALTERNATE_SERVER = 0x8023
RESPONSE_ORIGIN = 0x802B
OTHER_ADDRESS = 0x802C
USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
CHANNEL_NUMBER = 0x000C
LIFETIME = 0x000D
XOR_PEER_ADDRESS = 0x0012
DATA = 0x0013
REALM = 0x0014
NONCE = 0x0015
XOR_RELAYED_ADDRESS = 0x0016
REQUESTED_ADDRESS_FAMILY = 0x0017
EVEN_PORT = 0x0018
REQUESTED_TRANSPORT = 0x0019
DONT_FRAGMENT = 0x001A
ACCESS_TOKEN = 0x001B
MESSAGE_INTEGRITY_SHA256 = 0x001C
PASSWORD_ALGORITHM = 0x001D
USERHASH = 0x001E
XOR_MAPPED_ADDRESS = 0x0020
RESERVATION_TOKEN = 0x0022
CONNECTION_ID = 0x002A
ADDITIONAL_ADDRESS_FAMILY = 0x8000
ADDRESS_ERROR_CODE = 0x8001
PASSWORD_ALGORITHMS = 0x8002
ICMP = 0x8004
SOFTWARE = 0x8022
FINGERPRINT = 0x8028
THIRD_PARTY_AUTHORIZATION = 0x802E
ORIGIN = 0x802F
MOBILITY_TICKET = 0x8030

# RFC 8489 section 18.5: password algorithms.
MD5 = 1
SHA256 = 2

# RFC 8489 section 18.1: bits of the security feature set, bit 0 first.
NONCE_COOKIE = b"obMatJos2"
FEATURE_PASSWORD_ALGORITHMS = 1 << 23
FEATURE_USERNAME_ANONYMITY = 1 << 22

TCP = 6
UDP = 17
FAMILY = {socket.AF_INET: 1, socket.AF_INET6: 2}


class TurnError(Exception):
    """An answer that is not a success, or none. @code is 0 for none."""

    def __init__(self, what, code=0, reason="", message=None):
        super().__init__(f"{what}: {code} {reason}" if code else what)
        self.code = code
        self.reason = reason
        self.message = message


def message_type(method, cls):
    """RFC 8489 section 5, figure 3."""
    return ((method & 0xF80) << 2 | (method & 0x70) << 1 | method & 0xF |
            (cls & 2) << 7 | (cls & 1) << 4)


def split_type(value):
    """The reverse: (method, class)."""
    method = (value & 0x3E00) >> 2 | (value & 0xE0) >> 1 | value & 0xF
    return method, (value & 0x100) >> 7 | (value & 0x10) >> 4


def pad(data):
    """Zeros up to a multiple of four."""
    return data + bytes(-len(data) % 4)


def attr(kind, value=b""):
    """An attribute's bytes."""
    return struct.pack("!HH", kind, len(value)) + pad(value)


def xor_bytes(value, mask):
    return bytes(a ^ b for a, b in zip(value, mask))


def xor_addr_pack(addr, tid):
    """The value of an XOR-...-ADDRESS attribute."""
    ip = ipaddress.ip_address(addr[0])
    mask = struct.pack("!I", MAGIC) + tid
    return (struct.pack("!BBH", 0, 1 if ip.version == 4 else 2,
                        addr[1] ^ MAGIC >> 16) + xor_bytes(ip.packed, mask))


def xor_addr_parse(value, tid):
    """The reverse."""
    _, family, port = struct.unpack("!BBH", value[:4])
    if (family, len(value)) not in ((1, 8), (2, 20)):
        raise ValueError(f"malformed XOR address {value.hex()}")
    mask = struct.pack("!I", MAGIC) + tid
    packed = xor_bytes(value[4:], mask)
    return str(ipaddress.ip_address(packed)), port ^ MAGIC >> 16


def long_term_key(user, realm, password, algorithm=MD5):
    """RFC 8489 section 18.5.1."""
    text = f"{user}:{realm}:{password}".encode()
    if algorithm == SHA256:
        return hashlib.sha256(text).digest()
    return hashlib.md5(text).digest()


def userhash(user, realm):
    """RFC 8489 section 14.4."""
    return hashlib.sha256(f"{user}:{realm}".encode()).digest()


def rest_credential(secret, user="", ttl=3600, now=None):
    """A time-limited user name and its password (TURN REST scheme)."""
    expiry = int((time.time() if now is None else now) + ttl)
    name = f"{expiry}:{user}" if user else str(expiry)
    mac = hmac.new(secret.encode(), name.encode(), hashlib.sha1).digest()
    return name, base64.b64encode(mac).decode()


class Message:
    """A STUN message: built with add() and finish(), or parsed."""

    def __init__(self, method, cls, tid=None):
        self.method = method
        self.cls = cls
        self.tid = os.urandom(12) if tid is None else tid
        self.body = b""
        self.attrs = []
        self.raw = b""

    @classmethod
    def parse(cls, raw):
        """Raises ValueError when it is no well-formed STUN message."""
        if len(raw) < HEADER_LEN:
            raise ValueError("shorter than a STUN header")
        kind, length, magic = struct.unpack("!HHI", raw[:8])
        if kind >> 14 or magic != MAGIC or HEADER_LEN + length != len(raw):
            raise ValueError("not a STUN message")
        msg = cls(*split_type(kind), raw[8:20])
        msg.raw = raw
        msg.body = raw[HEADER_LEN:]
        pos = HEADER_LEN
        while pos < len(raw):
            if pos + 4 > len(raw):
                raise ValueError("an attribute's header is cut off")
            kind, length = struct.unpack_from("!HH", raw, pos)
            if pos + 4 + length > len(raw):
                raise ValueError("an attribute's value is cut off")
            msg.attrs.append((kind, raw[pos + 4:pos + 4 + length], pos))
            pos += 4 + length + -length % 4
        return msg

    def add(self, kind, value=b""):
        self.body += attr(kind, value)
        return self

    def add_u32(self, kind, value):
        return self.add(kind, struct.pack("!I", value))

    def add_peer(self, addr):
        return self.add(XOR_PEER_ADDRESS, xor_addr_pack(addr, self.tid))

    def header(self, length):
        return struct.pack("!HHI", message_type(self.method, self.cls),
                           length, MAGIC) + self.tid

    def bytes(self):
        return self.header(len(self.body)) + self.body

    def add_integrity(self, key, sha256=False):
        """The header's length covers the attribute itself (14.5)."""
        size = 32 if sha256 else 20
        text = self.header(len(self.body) + 4 + size) + self.body
        digest = hashlib.sha256 if sha256 else hashlib.sha1
        return self.add(MESSAGE_INTEGRITY_SHA256 if sha256
                        else MESSAGE_INTEGRITY,
                        hmac.new(key, text, digest).digest())

    def add_fingerprint(self):
        text = self.header(len(self.body) + 8) + self.body
        return self.add_u32(FINGERPRINT, zlib.crc32(text) ^ 0x5354554E)

    def get(self, kind):
        """The first such attribute's value, or None."""
        for candidate, value, _ in self.attrs:
            if candidate == kind:
                return value
        return None

    def get_addr(self, kind):
        value = self.get(kind)
        return None if value is None else xor_addr_parse(value, self.tid)

    def integrity_ok(self, key, sha256=False):
        """None when there is no such attribute."""
        want = MESSAGE_INTEGRITY_SHA256 if sha256 else MESSAGE_INTEGRITY
        for kind, value, pos in self.attrs:
            if kind != want:
                continue
            text = (self.header(pos - HEADER_LEN + 4 + len(value)) +
                    self.raw[HEADER_LEN:pos])
            digest = hashlib.sha256 if sha256 else hashlib.sha1
            mac = hmac.new(key, text, digest).digest()[:len(value)]
            return hmac.compare_digest(mac, value)
        return None

    @property
    def error(self):
        """(code, reason); code is 0 when it is not an error."""
        value = self.get(ERROR_CODE)
        if value is None:
            return 0, ""
        return (value[2] & 7) * 100 + value[3], value[4:].decode()

    @property
    def code(self):
        return self.error[0]

    @property
    def unknown_attributes(self):
        value = self.get(UNKNOWN_ATTRIBUTES) or b""
        return list(struct.unpack(f"!{len(value) // 2}H", value))

    @property
    def relay(self):
        return self.get_addr(XOR_RELAYED_ADDRESS)

    @property
    def relays(self):
        """By family, 4 and 6: of a dual allocation both."""
        found = [xor_addr_parse(value, self.tid)
                 for kind, value, _ in self.attrs
                 if kind == XOR_RELAYED_ADDRESS]
        return {6 if ":" in ip else 4: (ip, port) for ip, port in found}

    @property
    def address_error(self):
        """ADDRESS-ERROR-CODE: (family, code), or None."""
        value = self.get(ADDRESS_ERROR_CODE)
        return value and (4 if value[0] == 1 else 6,
                          value[2] * 100 + value[3])

    @property
    def mapped(self):
        return self.get_addr(XOR_MAPPED_ADDRESS)

    @property
    def lifetime(self):
        value = self.get(LIFETIME)
        return None if value is None else struct.unpack("!I", value)[0]

    @property
    def token(self):
        return self.get(RESERVATION_TOKEN)

    @property
    def ticket(self):
        return self.get(MOBILITY_TICKET)
