# SPDX-License-Identifier: GPL-2.0-or-later
"""Who a request is from: RFC 8489 sections 9 and 10, RFC 8656 section 5."""

import base64
import hmac
import os
import struct

from checks import same
from suite import (SECURE, ask, case, has, is_error, is_success, lacks,
                   send_all, signed)
from turnmessage import (ALLOCATE, ALTERNATE_SERVER, BINDING, CHANNEL_BIND,
                         CREATE_PERMISSION, FEATURE_PASSWORD_ALGORITHMS,
                         FEATURE_USERNAME_ANONYMITY, LIFETIME, MD5,
                         MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256, NONCE,
                         NONCE_COOKIE, PASSWORD_ALGORITHM,
                         PASSWORD_ALGORITHMS, REALM, REFRESH, REQUEST,
                         REQUESTED_TRANSPORT, SHA256, SOFTWARE, USERHASH,
                         USERNAME, Message, long_term_key, userhash)

ALTERNATE_DOMAIN = 0x8003
INTEGRITY = MESSAGE_INTEGRITY, MESSAGE_INTEGRITY_SHA256
TURN_METHODS = ALLOCATE, REFRESH, CREATE_PERMISSION, CHANNEL_BIND
# What a test changes or leaves out of a request's credentials.
PARTS = "user", "realm", "nonce", "algorithms", "algorithm"


def claim(c, key=None, without=(), sha256=None, **changed):
    """An Allocate whose credentials are complete but for this."""
    sha256 = c.algorithms is not None if sha256 is None else sha256
    values = {"user": (USERNAME, b"alice"),
              "realm": (REALM, c.realm.encode()), "nonce": (NONCE, c.nonce)}
    if sha256:
        values["algorithms"] = PASSWORD_ALGORITHMS, c.algorithms
        values["algorithm"] = PASSWORD_ALGORITHM, struct.pack("!HH", SHA256, 0)
    values.update(changed)
    msg = Message(ALLOCATE, REQUEST)
    c.build_allocate(msg)
    for part in PARTS:
        if part in values and part not in without:
            msg.add(*values[part])
    key = key or long_term_key("alice", c.realm, "secret",
                               SHA256 if sha256 else MD5)
    return msg.add_integrity(key, sha256)


def challenge(answer, code, anonymous_too=True):
    """The error @code, with all that a client needs to answer."""
    is_error(answer, code)
    has(answer, REALM, NONCE)
    lacks(answer, USERNAME, *((USERHASH,) if anonymous_too else ()))


def features(nonce):
    same(nonce[:9], NONCE_COOKIE, "nonce cookie")
    return int.from_bytes(base64.b64decode(nonce[9:13], validate=True), "big")


@case("8489 9.2")
def nonce_cookie(w):
    """a NONCE begins with the cookie and 24 bits of features"""
    bits = features(w.known().nonce)
    known = FEATURE_PASSWORD_ALGORITHMS | FEATURE_USERNAME_ANONYMITY
    same(bits & ~known, 0, "unassigned features")


@case("8489 9.2.4")
def no_integrity(w):
    """401 with REALM and NONCE for a request without integrity"""
    c = w.client()
    for method in TURN_METHODS:
        answer = send_all(c, method, (REQUESTED_TRANSPORT, b"\x11\0\0\0"),
                          auth=False)
        challenge(answer, 401)
        lacks(answer, *INTEGRITY)
    # A user name alone proves nothing.
    challenge(send_all(c, ALLOCATE, (USERNAME, b"alice"), auth=False), 401)


@case("8489 9.2.4")
def nonces_differ(w):
    """nonces are of one client address and port only"""
    nonces = [w.known().nonce for _ in range(4)]
    same(len(set(nonces)), 4, "different nonces")


@case("8489 9.2.4")
def nonce_of_another(w):
    """another client's nonce is stale"""
    a, b = w.known(), w.known()
    b.nonce = a.nonce
    answer = ask(b, claim(b))
    challenge(answer, 438)


@case("8489 9.2.4")
def algorithms_bit(w):
    """PASSWORD-ALGORITHMS comes with its feature bit"""
    c = w.known()
    bits = features(c.nonce)
    same(bool(bits & FEATURE_PASSWORD_ALGORITHMS), c.algorithms is not None,
         "bit")


@case("8489 9.2.4")
def anonymity_bit(w):
    """USERHASH is understood where its feature bit is set"""
    c = w.known()
    answer = ask(c, claim(c, user=(USERHASH, userhash("alice", c.realm))))
    if features(c.nonce) & FEATURE_USERNAME_ANONYMITY:
        is_success(answer)
    else:
        same(answer.code in (400, 401, 420), True, f"code {answer.code}")


@case("8489 9.2.4")
def parts_missing(w):
    """400 where USERNAME, REALM or NONCE are missing"""
    for part in ("user", "realm", "nonce"):
        for sha256 in (True, False):
            c = w.known()
            if sha256 and c.algorithms is None:
                continue
            answer = ask(c, claim(c, without=(part,), sha256=sha256))
            is_error(answer, 400)
            lacks(answer, USERNAME, USERHASH, NONCE, REALM, *INTEGRITY)


@case("8489 9.2.4")
def bid_down(w):
    """400 where algorithms are not those that were offered"""
    one = (PASSWORD_ALGORITHM, struct.pack("!HH", SHA256, 0))
    for without, changed in (
            (("algorithms",), {}), (("algorithm",), {}),
            ((), {"algorithms": (PASSWORD_ALGORITHMS,
                                 struct.pack("!HH", MD5, 0))}),
            ((), {"algorithms": (PASSWORD_ALGORITHMS, one[1] * 3)}),
            ((), {"algorithm": (PASSWORD_ALGORITHM,
                                struct.pack("!HH", 0x55, 0))})):
        c = w.known()
        has_any = c.algorithms is not None
        same(has_any, True, "PASSWORD-ALGORITHMS are offered")
        is_error(ask(c, claim(c, without=without, **changed)), 400)


@case("8489 9.2.4")
def as_if_md5(w):
    """without an algorithm it is MD5, and the response has the same"""
    c = w.known()
    answer = ask(c, claim(c, sha256=False))
    is_success(answer)
    key = long_term_key("alice", c.realm, "secret")
    same(answer.integrity_ok(key), True, "MESSAGE-INTEGRITY")
    lacks(answer, MESSAGE_INTEGRITY_SHA256)


@case("8489 9.2.4")
def with_sha256(w):
    """with an algorithm the response has MESSAGE-INTEGRITY-SHA256"""
    for number in (SHA256, MD5):
        c = w.known()
        same(c.algorithms is not None, True, "PASSWORD-ALGORITHMS are offered")
        key = long_term_key("alice", c.realm, "secret", number)
        answer = ask(c, claim(c, key, algorithm=(
            PASSWORD_ALGORITHM, struct.pack("!HH", number, 0))))
        is_success(answer)
        same(answer.integrity_ok(key, True), True, "its value")
        same(len(answer.get(MESSAGE_INTEGRITY_SHA256)), 32, "its length")
        lacks(answer, MESSAGE_INTEGRITY)


@case("8489 9.2.4")
def response_parts(w):
    """authenticated responses have integrity and no names"""
    c = w.client()
    c.allocate()
    for answer in (c.refresh(), c.permit("203.0.113.2"),
                   send_all(c, CHANNEL_BIND), send_all(c, CREATE_PERMISSION),
                   send_all(c, REFRESH, (0x0DDD, b""))):
        same(answer.integrity_ok(c.key(), c.sha256), True, "integrity")
        lacks(answer, REALM, NONCE, USERNAME, USERHASH)


@case("8489 9.2.4")
def unknown_user(w):
    """401 for a user that there is not"""
    c = w.known()
    offered = c.algorithms
    key = os.urandom(32 if offered else 16)
    users = [(USERNAME, b"nobody")]
    if features(c.nonce) & FEATURE_USERNAME_ANONYMITY:
        users += [(USERHASH, os.urandom(32))]
    for user in users:
        answer = ask(c, claim(c, key, user=user))
        challenge(answer, 401)
        same(answer.get(PASSWORD_ALGORITHMS), offered, "PASSWORD-ALGORITHMS")


@case("8489 9.2.4")
def algorithms_offered(w):
    """challenges offer PASSWORD-ALGORITHMS"""
    c = w.known()
    for answer in (c.request(ALLOCATE, c.build_allocate, auth=False),
                   ask(c, claim(c, os.urandom(16), sha256=False)),
                   ask(c, claim(c, nonce=(NONCE, c.nonce[:-1] + b"!")))):
        has(answer, PASSWORD_ALGORITHMS)


@case("8489 9.2.4")
def wrong_password(w):
    """401 for the wrong password"""
    for sha256 in (True, False):
        c = w.known()
        if sha256 and c.algorithms is None:
            continue
        answer = ask(c, claim(c, os.urandom(16), sha256=sha256))
        challenge(answer, 401)
        lacks(answer, *INTEGRITY)


@case("8489 9.2.4")
def stale_nonce(w):
    """438 for a nonce that is not valid, with one that is"""
    c = w.known()
    last = b"A" if c.nonce[-1:] != b"A" else b"B"
    answer = ask(c, claim(c, nonce=(NONCE, c.nonce[:-1] + last)))
    challenge(answer, 438)
    same(answer.get(PASSWORD_ALGORITHMS), c.algorithms, "PASSWORD-ALGORITHMS")
    c.learn(answer)
    is_success(ask(c, claim(c)))


@case("8489 9.2.4")
def truncated_integrity(w):
    """MESSAGE-INTEGRITY-SHA256 of fewer bytes is not taken"""
    for size in (4, 12, 16, 28):
        c = w.known()
        msg = claim(c)
        body = msg.body[:-36]
        text = msg.header(len(body) + 4 + size) + body
        key = long_term_key("alice", c.realm, "secret", SHA256)
        msg.body = body
        msg.add(MESSAGE_INTEGRITY_SHA256,
                hmac.new(key, text, "sha256").digest()[:size])
        answer = ask(c, msg)
        same(answer.code in (400, 401), True, f"code {answer.code}")


@case("8489 9")
def behind_integrity(w):
    """what follows MESSAGE-INTEGRITY is ignored"""
    c = w.known()
    is_success(ask(c, claim(c, sha256=False).add(0x0DDD, b"required")
                   .add_fingerprint()))
    c.algorithms = None
    msg = signed(c, REFRESH).add_u32(LIFETIME, 0)
    same(ask(c, msg).lifetime != 0, True, "LIFETIME counted")
    is_success(ask(c, signed(c, REFRESH)))


@case("8489 9")
def behind_sha256(w):
    """what follows MESSAGE-INTEGRITY-SHA256 is ignored"""
    c = w.known()
    is_success(ask(c, claim(c, sha256=True).add(0x0DDD, b"required")
                   .add_fingerprint()))
    msg = signed(c, REFRESH).add_u32(LIFETIME, 0)
    same(ask(c, msg).lifetime != 0, True, "LIFETIME counted")
    is_success(ask(c, signed(c, REFRESH)))


@case("8489 9")
def sha256_behind_sha1(w):
    """MESSAGE-INTEGRITY-SHA256 behind MESSAGE-INTEGRITY counts"""
    c = w.known()
    msg = claim(c, sha256=True)
    msg.body = msg.body[:-36]
    key = long_term_key("alice", c.realm, "secret", SHA256)
    msg.add_integrity(key)
    answer = ask(c, msg.add_integrity(os.urandom(32), True))
    is_error(answer, 401)


@case("8489 18.5.1.1")
def md5_last(w):
    """MD5 is not what the server likes best"""
    numbers = w.known().offered_algorithms()
    same(numbers[:1], [SHA256], "the first of PASSWORD-ALGORITHMS")


@case("8656 5")
def another_user(w):
    """441 for who did not make the allocation"""
    c = w.allocated()
    c.user, c.password = "bob", "stored"
    for method in (REFRESH, CREATE_PERMISSION, CHANNEL_BIND):
        is_error(send_all(c, method), 441)
    c.user, c.password = "alice", "secret"
    is_success(send_all(c, REFRESH))


@case("8656 5")
def mechanism(w):
    """all but Binding and indications need long-term credentials"""
    for method in TURN_METHODS:
        c = w.client()
        is_error(send_all(c, method, auth=False), 401)
    is_success(send_all(w.client(), BINDING, auth=False))
    w.client().allocate()


@case("8656 5")
def software_in_turn(w):
    """SOFTWARE is in the responses to Allocate and Refresh"""
    c = w.client()
    has(c.request(ALLOCATE, c.build_allocate, auth=False), SOFTWARE)
    has(send_all(c, ALLOCATE), SOFTWARE)
    has(c.allocate(), SOFTWARE)
    has(c.refresh(), SOFTWARE)
    has(send_all(w.client(), REFRESH), SOFTWARE)


def alternates(answer):
    """Of each: its first byte, its family and its length."""
    return [(*value[:2], len(value)) for kind, value, _ in answer.attrs
            if kind == ALTERNATE_SERVER]


@case("8489 10", server="away")
def alternate(w):
    """ALTERNATE-SERVER of the client's family first, then of the other"""
    ipv4, ipv6 = (0, 1, 8), (0, 2, 20)
    for family, wanted in ((4, [ipv4, ipv6]), (6, [ipv6, ipv4])):
        answer = send_all(w.client(family), ALLOCATE,
                          (REQUESTED_TRANSPORT, b"\x11\0\0\0"))
        is_error(answer, 300)
        same(alternates(answer), wanted, "ALTERNATE-SERVER")


@case("8489 14.8", server="away")
def alternate_protected(w):
    """300 for who has credentials only, with integrity"""
    c = w.client()
    is_error(send_all(c, ALLOCATE, auth=False), 401)
    bad = w.known()
    is_error(ask(bad, claim(bad, os.urandom(32))), 401)
    answer = send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\x11\0\0\0"))
    is_error(answer, 300)
    same(answer.integrity_ok(c.key(), c.sha256), True, "integrity")
    is_success(send_all(w.client(), BINDING))


@case("8489 10", SECURE, server="away")
def alternate_domain(w):
    """ALTERNATE-DOMAIN over TLS and DTLS: a name"""
    c = w.client()
    answer = send_all(c, ALLOCATE, (REQUESTED_TRANSPORT, b"\x11\0\0\0"))
    same(answer.get(ALTERNATE_DOMAIN), b"two.example.org", "ALTERNATE-DOMAIN")

