# SPDX-License-Identifier: GPL-2.0-or-later
"""STUN messages, and what is done with them: RFC 8489 sections 5, 6, 12, 14."""

import os
import struct

from checks import same
from suite import (ALL, DATAGRAMS, SERVER, World, ask, case, has, is_error,
                   is_success, lacks, send_all, signed, unanswered)
from turnmessage import (ALLOCATE, BINDING, CHANNEL_NUMBER, DATA, ERROR,
                         ERROR_CODE, FINGERPRINT, HEADER_LEN, INDICATION,
                         LIFETIME, MAGIC, MESSAGE_INTEGRITY,
                         MESSAGE_INTEGRITY_SHA256, NONCE, REALM, REFRESH,
                         REQUEST, REQUESTED_TRANSPORT, SOFTWARE, SUCCESS,
                         UNKNOWN_ATTRIBUTES, USERNAME, XOR_MAPPED_ADDRESS,
                         XOR_RELAYED_ADDRESS, Message, attr, message_type)

OPTIONAL, REQUIRED = 0xC0DE, 0x0DDD


def binding(*attributes):
    msg = Message(BINDING, REQUEST)
    for kind, value in attributes:
        msg.add(kind, value)
    return msg


def answers(w: World):
    """One of each kind: successes and errors, with credentials and without."""
    c = w.client()
    yield c.request(BINDING)
    yield c.request(ALLOCATE, c.build_allocate, auth=False)
    yield send_all(c, BINDING, (REQUIRED, b""))
    yield send_all(c, ALLOCATE)
    yield c.allocate()
    yield send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\x11\0\0\0"))
    yield c.permit("203.0.113.2")
    yield c.bind(0x4000, ("203.0.113.2", 9))
    yield send_all(c, REFRESH, (LIFETIME, bytes(4)))
    yield send_all(c, REFRESH, (LIFETIME, bytes(4)))


@case("8489 5")
def header(w):
    """the header of a response"""
    for method, cls, build in ((BINDING, SUCCESS, None), (ALLOCATE, ERROR, 1)):
        c = w.client()
        msg = Message(method, REQUEST)
        if build:
            c.build_allocate(msg)
        c.raw_send(msg.bytes())
        raw = c.raw_recv()
        kind, length, magic = struct.unpack_from("!HHI", raw)
        same(kind, message_type(method, cls), "type")
        same(magic, MAGIC, "magic cookie")
        same(raw[8:20], msg.tid, "transaction id")
        same((length, length % 4), (len(raw) - HEADER_LEN, 0), "length")


@case("8489 5", DATAGRAMS)
def top_bits(w):
    """no STUN where the two top bits are not zero"""
    raw = binding().bytes()
    unanswered(w.client(), *(bytes([raw[0] | bits]) + raw[1:]
                             for bits in (0x80, 0xC0)))


@case("8489 5", DATAGRAMS)
def lengths(w):
    """no STUN where the length is not the message's"""
    raw = binding((OPTIONAL, b"four")).bytes()
    unanswered(w.client(), *(raw[:2] + struct.pack("!H", n) + raw[4:]
                             for n in (0, 4, 7, 9, 12, 65532)))


@case("8489 6.1", DATAGRAMS)
def small(w):
    """a response fits into 576 bytes"""
    for answer in answers(w):
        same(len(answer.raw) + 28 <= 576, True, f"{len(answer.raw)} bytes")
    c = w.client(6)
    for answer in (c.request(BINDING), c.allocate(family=6)):
        same(len(answer.raw) + 48 <= 1280, True, f"{len(answer.raw)} bytes")


@case("8489 6.3")
def optional_ignored(w):
    """unknown optional attributes are ignored"""
    c = w.allocated()
    for answer in (send_all(c, BINDING, (OPTIONAL, b"what"), (0xFFFF, b"")),
                   send_all(c, REFRESH, (0xFFFF, b"1"), (LIFETIME, b"\0\0\x03"
                                                         b"\0"))):
        is_success(answer)


@case("8489 6.3")
def unexpected_ignored(w):
    """known attributes where they have no use are ignored"""
    c = w.client()
    is_success(send_all(c, BINDING, (CHANNEL_NUMBER, bytes(4)),
                        (LIFETIME, b"1"), (REQUESTED_TRANSPORT, b"\x99")))
    is_success(send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\x11\0\0\0"),
                        (CHANNEL_NUMBER, b"what"), (DATA, b"data")))
    is_success(send_all(c, REFRESH, (DATA, b"data"),
                        (REQUESTED_TRANSPORT, b"\x99\0\0\0")))


@case("8489 6.3")
def strange_classes(w):
    """responses, and methods that nobody knows, are ignored or refused"""
    c = w.client()
    unanswered(c, Message(BINDING, SUCCESS).bytes(),
               Message(BINDING, ERROR).add(ERROR_CODE, b"\0\0\4\0").bytes(),
               Message(BINDING, INDICATION).bytes(),
               Message(0x0FFF, INDICATION).bytes())


@case("8489 6.3.1", DATAGRAMS)
def retransmitted(w):
    """a retransmission is answered as the original was"""
    c = w.known()
    first = signed(c, ALLOCATE, c.build_allocate)
    got = ask(c, first)
    again = ask(c, first)
    is_success(got)
    is_success(again)
    same(again.relay, got.relay, "relayed address")
    same(again.mapped, got.mapped, "mapped address")
    same(again.lifetime is not None and got.lifetime - again.lifetime < 60,
         True, "lifetime")
    # All that is idempotent.
    for request, *arguments in ((c.permit, "203.0.113.2"),
                                (c.bind, 0x4000, ("203.0.113.2", 9)),
                                (c.refresh, 600)):
        request(*arguments)
        request(*arguments)


@case("8489 6.3.1", DATAGRAMS)
def deleted_twice(w):
    """a retransmitted Refresh that has deleted an allocation"""
    c = w.allocated()
    msg = signed(c, REFRESH, lambda m: m.add_u32(LIFETIME, 0))
    is_success(ask(c, msg))
    # RFC 8656 section 8.2 lets 437 stand for it.
    again = ask(c, msg)
    if again.cls == ERROR:
        is_error(again, 437)


@case("8489 6.3.1.1")
def error_code(w):
    """an error response has an ERROR-CODE with a suitable reason"""
    seen = set()
    for answer in answers(w):
        same(answer.cls == ERROR, answer.get(ERROR_CODE) is not None,
             "ERROR-CODE")
        if answer.cls == ERROR:
            value = answer.get(ERROR_CODE)
            code, reason = answer.error
            seen.add(code)
            same(value[:2] + bytes([value[2] & 0xF8]), bytes(3), "reserved")
            same((3 <= code // 100 <= 6, value[3] < 100), (True, True), code)
            same(0 < len(reason) < 128, True, f"reason {reason!r}")
    same(seen, {400, 401, 420, 437}, "codes")


@case("8489 6.3.1.1")
def unknown_attributes(w):
    """420 names the attributes that were not understood"""
    for auth in (True, False):
        c = w.allocated() if auth else w.client()
        answer = send_all(c, REFRESH if auth else BINDING, (REQUIRED, b"what"),
                          (OPTIONAL, b""), (REQUIRED + 1, b""), auth=auth)
        is_error(answer, 420)
        same(sorted(answer.unknown_attributes), [REQUIRED, REQUIRED + 1],
             "UNKNOWN-ATTRIBUTES")


@case("8489 6.3.1.1")
def software(w):
    """SOFTWARE is in the responses, and is short UTF-8"""
    for answer in answers(w):
        has(answer, SOFTWARE)
        name = answer.get(SOFTWARE).decode()
        same(0 < len(name) < 128, True, name)


@case("8489 14.14", server="v4")
def software_version(w):
    """SOFTWARE has a version where the operator says so"""
    for server, numbers in (("v4", True), ("main", False)):
        name = w.client(server=server).request(BINDING).get(SOFTWARE).decode()
        same(any(c.isdigit() for c in name), numbers, name)


@case("8489 16.1.2", server="v4")
def software_configured(w):
    """SOFTWARE is what the operator says"""
    for answer in (w.client().request(BINDING), w.minted("name").allocate()):
        same(answer.get(SOFTWARE), b"TURN 1", "SOFTWARE")


@case("8489 16.1.2", server="v6")
def software_hidden(w):
    """SOFTWARE is not there where the operator does not want it"""
    for answer in (w.client().request(BINDING), w.client().allocate(family=6)):
        lacks(answer, SOFTWARE)


@case("8489 12")
def stranger(w):
    """Binding needs no credentials and is redirected nowhere"""
    for family in (4, 6):
        c = w.client(family, user=None)
        answer = send_all(c, BINDING)
        is_success(answer)
        same(answer.mapped, c.local, "who we are")
        lacks(answer, REALM, NONCE, MESSAGE_INTEGRITY,
              MESSAGE_INTEGRITY_SHA256)


@case("8489 12")
def fingerprint_not_required(w):
    """FINGERPRINT is understood, and not required"""
    c = w.client()
    answer = ask(c, binding().add_fingerprint())
    is_success(answer)
    is_success(ask(c, binding()))


@case("8489 14.7")
def fingerprint_last(w):
    """FINGERPRINT is the last attribute, and right"""
    c = w.allocated()
    for answer in (c.request(BINDING, fingerprint=True),
                   c.request(REFRESH, fingerprint=True),
                   c.request(ALLOCATE, fingerprint=True)):
        if answer.get(FINGERPRINT) is None:
            continue
        same(answer.attrs[-1][0], FINGERPRINT, "last")
        check = Message(answer.method, answer.cls, answer.tid)
        check.body = answer.body[:-8]
        same(check.add_fingerprint().bytes(), answer.raw, "its value")


@case("8489 7", DATAGRAMS)
def fingerprint_wrong(w):
    """with a wrong FINGERPRINT it is no STUN"""
    raw = binding().add_fingerprint().bytes()
    unanswered(w.client(), raw[:-1] + bytes([raw[-1] ^ 1]))


@case("8489 14")
def padding_sent(w):
    """attributes end at multiples of four, padded with zeros"""
    padded = 0
    for answer in answers(w):
        for kind, value, pos in answer.attrs:
            end = pos + 4 + len(value)
            rest = answer.raw[end:end + -end % 4]
            same(pos % 4, 0, f"where {kind:#06x} begins")
            same(rest, bytes(-end % 4), f"padding of {kind:#06x}")
            padded += len(rest)
    same(padded > 0, True, "there was padding")


@case("8489 14")
def padding_received(w):
    """the padding of what comes may be anything"""
    c = w.client()
    msg = Message(BINDING, REQUEST)
    msg.body = struct.pack("!HH", OPTIONAL, 1) + b"1\xff\xfe\xfd"
    is_success(ask(c, msg))
    c = w.known()
    msg = Message(ALLOCATE, REQUEST)
    c.build_allocate(msg)
    msg.body += struct.pack("!HH", SOFTWARE, 5) + b"tests\xff\xff\xff"
    is_success(ask(c, c.authenticate(msg)))


@case("8489 14")
def first_counts(w):
    """of an attribute that comes twice the first counts"""
    c = w.client()
    answer = send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\x11\0\0\0"),
                      (LIFETIME, struct.pack("!I", 700)),
                      (LIFETIME, struct.pack("!I", 3000)))
    same(answer.lifetime, 700, "LIFETIME")


@case("8489 14.1")
def address_lengths(w):
    """addresses: 32 or 128 bits, behind a byte that is zero"""
    for family, kind, length in ((4, 1, 8), (6, 2, 20)):
        c = w.client(family)
        got = c.allocate(family=family)
        for attribute in (XOR_MAPPED_ADDRESS, XOR_RELAYED_ADDRESS):
            value = got.get(attribute)
            same((value[0], value[1], len(value)), (0, kind, length),
                 f"{attribute:#06x}")
        same(got.mapped, c.local, "XOR-MAPPED-ADDRESS")


@case("8489 14.1")
def first_byte_received(w):
    """an address's first byte may be anything"""
    c = w.allocated()

    def build(msg):
        msg.add_peer(("203.0.113.2", 9))
        at = len(msg.body) - 8
        msg.body = msg.body[:at] + b"\xff" + msg.body[at + 1:]
    is_success(c.request(0x008, build))


@case("8489 14.3")
def long_names(w):
    """user names, realms and nonces of 763 bytes can be read"""
    for kind, alone in ((USERNAME, "u"), (USERNAME, "\u00fc"), (REALM, "r"),
                        (NONCE, "n")):
        c = w.known()
        value = (alone.encode() * 763)[:763 // len(alone.encode()) *
                                       len(alone.encode())]
        msg = Message(ALLOCATE, REQUEST)
        c.build_allocate(msg)
        for one, right in ((USERNAME, b"alice"), (REALM, c.realm.encode()),
                           (NONCE, c.nonce)):
            msg.add(one, value if one == kind else right)
        answer = ask(c, msg.add_integrity(c.key()))
        same(answer.code in (401, 438), True,
             f"code {answer.code} for {kind:#06x} of {alone}")


@case("8489 14.9")
def realm_and_nonce(w):
    """REALM and NONCE have fewer than 128 characters"""
    c = w.known()
    same(0 < len(c.realm) < 128, True, c.realm)
    same(0 < len(c.nonce.decode()) < 128, True, c.nonce)
    same(b'"' in c.nonce or '"' in c.realm, False, "quotes")


@case("8489 11", ("dtls",))
def no_cookie(w):
    """a request without the magic cookie gets 500, an indication nothing"""
    c = w.client()
    old = Message(BINDING, INDICATION).bytes()
    unanswered(c, old[:4] + os.urandom(4) + old[8:])
    old = Message(BINDING, REQUEST).bytes()
    old = old[:4] + b"\x01\x02\x03\x04" + old[8:]
    c.raw_send(old)
    raw = c.raw_recv(2)
    if raw is None:
        raise AssertionError("no answer")
    same(struct.unpack_from("!H", raw)[0], message_type(BINDING, ERROR),
         "type")
    same(raw[8:20], old[8:20], "transaction id")
    at = raw.find(attr(ERROR_CODE, b"\0\0\5\0")[4:8], HEADER_LEN)
    same(at > 0, True, "ERROR-CODE 500")


@case("8656 5", ALL)
def transports(w):
    """clients may come by it"""
    c = w.client(user=None)
    same(c.binding(), c.local, SERVER[4])
