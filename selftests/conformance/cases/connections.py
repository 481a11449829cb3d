# SPDX-License-Identifier: GPL-2.0-or-later
"""TCP, TLS and DTLS: RFC 8489 sections 6.2.2, 6.2.3 and 16."""

import re
import socket
import struct

from checks import same
from lab import inside
from suite import (CLIENT, PORT, SECURE, SERVER, SILENCE, STREAMS, case,
                   is_error, is_success, send_all)
from turnmessage import (ALLOCATE, BINDING, REQUEST, Message)

# Seconds in which a handshake would have succeeded.
REFUSAL = 3
WEAK = ("eNULL", "aNULL", "RC4", "3DES", "DES", "EXPORT", "MD5")


def handshake(w, *options, **patience):
    """Whether there was one, and what openssl s_client says of it."""
    version = "-tls1_2" if w.transport == "tls" else "-dtls1_2"
    if options and options[0].startswith(("-tls", "-dtls")):
        version, options = options[0], options[1:]
    ok, text = w.run("openssl", "s_client", version, "-connect",
                     f"{SERVER[4]}:{PORT['main']}", *options, **patience)
    return ok and "Cipher is (NONE)" not in text, text


def cipher(w, *options):
    ok, text = handshake(w, *options)
    if not ok:
        raise AssertionError(f"no handshake: {text[-300:]}")
    return re.search(r"Cipher is (\S+)", text)[1]


@case("8489 6.2.2", STREAMS)
def framing(w):
    """messages in pieces, and several at once"""
    c = w.client(user=None)
    one, two, three = (Message(BINDING, REQUEST) for _ in range(3))
    c.raw_send(one.bytes()[:3])
    c.raw_send(one.bytes()[3:] + two.bytes() + three.bytes()[:21])
    c.raw_send(three.bytes()[21:])
    for msg in (one, two, three):
        same(Message.parse(c.raw_recv()).tid, msg.tid, "transaction id")


@case("8489 6.2.2", STREAMS)
def kept_open(w):
    """a connection stays open, whatever the responses were"""
    c = w.client()
    is_success(send_all(c, BINDING))
    is_error(send_all(c, ALLOCATE, auth=False), 401)
    is_error(send_all(c, ALLOCATE), 400)
    is_error(send_all(c, ALLOCATE, (0x0DDD, b"")), 420)
    c.allocate()
    c.refresh(0)
    is_success(send_all(c, BINDING))


@case("8489 6.2.2", ("tcp",))
def answered_first(w):
    """a connection that the client ends is closed after the responses"""
    c = w.client(user=None)
    asked = [Message(BINDING, REQUEST) for _ in range(20)]
    c.raw_send(b"".join(msg.bytes() for msg in asked))
    c.sock.shutdown(socket.SHUT_WR)
    for msg in asked:
        same(Message.parse(c.raw_recv()).tid, msg.tid, "transaction id")


@case("8489 6.2.2", ("tcp",))
def never_back(w):
    """no connection is opened towards the client"""
    with inside("client"):
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sender = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    w.stack.callback(listener.close)
    for s in (listener, sender):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    sender.bind((CLIENT[4], 0))
    address = sender.getsockname()
    sender.connect((SERVER[4], PORT["main"]))
    sender.sendall(Message(BINDING, REQUEST).bytes())
    # Closed by a reset, with the response on its way.
    sender.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                      struct.pack("ii", 1, 0))
    sender.close()
    listener.bind(address)
    listener.listen()
    listener.settimeout(SILENCE)
    try:
        raise AssertionError(f"connected from {listener.accept()[1]}")
    except TimeoutError:
        pass


@case("8489 6.2.3", SECURE)
def mandatory_ciphers(w):
    """the ciphersuites that everybody has to have"""
    for name in ("DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"):
        same(cipher(w, "-cipher", name), name, "ciphersuite")


@case("8489 6.2.3", SECURE)
def forward_secrecy(w):
    """ciphersuites with perfect forward secrecy are preferred"""
    for first in ("AES128-GCM-SHA256", "AES256-SHA"):
        got = cipher(w, "-cipher", f"{first}:ECDHE-RSA-AES128-GCM-SHA256:"
                     "@SECLEVEL=1")
        same(got, "ECDHE-RSA-AES128-GCM-SHA256", "ciphersuite")


@case("8489 6.2.3", SECURE)
def weak_ciphers(w):
    """weak ciphersuites are not used"""
    for name in WEAK:
        ok, text = w.run("openssl", "ciphers", "-tls1_2", "-s",
                         f"{name}:@SECLEVEL=0")
        if not ok or not text.strip():
            continue        # OpenSSL itself has forgotten it
        ok, text = handshake(w, "-cipher", f"{name}:@SECLEVEL=0",
                             patience=REFUSAL)
        same(ok, False, f"handshake with {name}")


@case("8489 6.2.3", SECURE)
def no_compression(w):
    """no compression"""
    ok, text = handshake(w, "-comp")
    same(ok, True, text[-300:])
    same("Compression: NONE" in text, True, text[-300:])


@case("8489 16", SECURE)
def old_versions(w):
    """versions before 1.2 are not served"""
    for version in (("-tls1", "-tls1_1") if w.transport == "tls"
                    else ("-dtls1",)):
        ok, _ = handshake(w, version, "-cipher", "ALL:@SECLEVEL=0",
                          patience=REFUSAL)
        same(ok, False, f"handshake with {version}")
    ok, text = handshake(w)
    same(ok, True, text[-300:])


@case("8489 6.2.3", ("tls",))
def tls13(w):
    """TLS 1.3 has its mandatory ciphersuite"""
    name = "TLS_AES_128_GCM_SHA256"
    same(cipher(w, "-tls1_3", "-ciphersuites", name), name, "ciphersuite")
