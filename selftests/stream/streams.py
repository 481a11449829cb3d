#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients by TCP and TLS: streams.py TEST [ARGUMENT...]

Each function test_... is a test; it runs in the client's namespace, see the
picture in ../lib.sh, and fails with an exception.
"""

import contextlib
import ipaddress
import os
import socket
import ssl
import struct
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../py"))

from checks import refused, same
from lab import Raw
from turnclient import TurnClient, any_certificate
from turnmessage import BINDING, REQUEST, Message

SERVER = {4: "198.51.100.1", 6: "2001:db8:1::1"}
PEER = "203.0.113.2", 9999
# Seconds after which the server gives up what does not begin, or end.
PATIENCE = 10
MARGIN = 8


def client(transport="tcp", family=4, user="alice", password="secret",
           port=3478, **options):
    return TurnClient((SERVER[family], port), user=user, password=password,
                      transport=transport, **options)


def check_echo(c, data=b"there and back"):
    c.channel_send(0x4000, data)
    got = c.recv_data()
    same(got and got.data, data, "what came back")


def session(c):
    relay = c.allocate().relay
    c.permit(PEER[0])
    c.bind(0x4000, PEER)
    check_echo(c)
    return relay


# -------------------------------------------------------------- how it is framed

def test_pieces():
    """A message is one, whatever the segments are."""
    with client() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session(c)
        msg = Message(BINDING, REQUEST, os.urandom(12)).bytes()
        for n in range(len(msg)):
            c.raw_send(msg[n:n + 1])
        same(Message.parse(c.raw_recv()).mapped, c.local, "byte by byte")
        # Several at once, and the beginning of the next.
        data = struct.pack("!HH", 0x4000, 5) + b"abcde\xaa\xbb\xcc"
        c.raw_send(msg + data + data + msg + msg[:7])
        got = [c.raw_recv() for _ in range(4)]
        kinds = sorted(m[0] >> 6 for m in got)
        same(kinds, [0, 0, 1, 1], "two answers, two of data")
        for m in got:
            if m[0] >> 6:
                # The padding is ours, not the client's.
                same(m, struct.pack("!HH", 0x4000, 5) + b"abcde\0\0\0",
                     "ChannelData")
        c.raw_send(msg[7:])
        same(Message.parse(c.raw_recv()).mapped, c.local, "the rest")
        # The longest that a datagram can take.
        check_echo(c, os.urandom(65507))


def test_nonsense():
    """What is no STUN is not waited for."""
    for what in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 8,
                 struct.pack("!HH", 0x0001, 3),
                 struct.pack("!HHI", 0x0001, 0, 0x12345678),
                 # Long, from somebody of whom nothing is known.
                 struct.pack("!HHI", 0x0003, 0xFFFC, 0x2112A442),
                 struct.pack("!HH", 0x4000, 0xFFFF),
                 # PROXY, from somebody who may not.
                 b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"):
        with client() as c:
            c.raw_send(what)
            same(c.has_ended(), True, f"{what[:8]!r} ends it")


def test_nonsense_later():
    with client() as c:
        session(c)
        # With an allocation that length is fine.
        c.raw_send(struct.pack("!HH", 0x4000, 40000) + bytes(40000))
        same(len(c.recv_data().data), 40000, "bytes")
        c.raw_send(b"\xff")
        same(c.has_ended(), True, "it ends")


# ---------------------------------------------------------------- how long it is

def ends_within(c, least, most, what):
    begun = time.monotonic()
    c.timeout = most
    same(c.has_ended(), True, what)
    took = time.monotonic() - begun
    if took < least:
        raise AssertionError(f"{what}: after {took:.1f} s, not {least}")


def test_patience():
    """Who says nothing, and who does not finish."""
    with client() as a, client() as b, client() as c, client() as d:
        session(c)
        session(d)
        b.raw_send(b"\x16")
        c.raw_send(b"\x00\x01")
        # Each byte is one in time, but the message is not.
        slow = Message(BINDING, REQUEST, os.urandom(12)).bytes()
        end = time.monotonic() + PATIENCE + MARGIN
        sent = 0
        with contextlib.suppress(ConnectionError):
            while time.monotonic() < end:
                a.raw_send(slow[sent:sent + 1])
                sent += 1
                time.sleep(1.5)
        same(time.monotonic() < end, True, "slow ones are closed")
        for one, what in ((a, "slow"), (b, "no TLS"), (c, "half a message")):
            ends_within(one, 0, MARGIN, what)
        check_echo(d)


def test_idle(transport, port):
    """Without an allocation a minute of nothing is the end; with one it is not."""
    with client(transport, port=int(port)) as a, \
            client(transport, port=int(port)) as b:
        session(b)
        a.binding()
        ends_within(a, 50, 80, "idle")
        check_echo(b)
        b.refresh(0)
        same(b.binding(), b.local, "it goes on")
    print("passed")


def test_gone(transport):
    """What belongs to a connection ends with it."""
    with client(transport) as c:
        session(c)
        # One of alice's is all that there may be.
        with client(transport) as other:
            refused(486, other.allocate)
            c.close()
            end = time.monotonic() + 20
            while True:
                try:
                    other.allocate()
                    return
                except Exception as e:
                    if time.monotonic() > end:
                        raise
                    same(getattr(e, "code", None), 486, str(e))
                    time.sleep(0.1)


# ------------------------------------------------------------------ too many, too

def test_slow_reader(packets, size):
    """Data gives way, the oldest first; no message breaks, nobody else waits."""
    packets, size = int(packets), int(size)
    with client() as c, client() as quick, client("udp") as datagrams:
        session(quick)
        session(datagrams)
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        session(c)
        # What comes back to c is sent by c itself, which reads nothing.
        for n in range(packets):
            c.channel_send(0x4000, struct.pack("!I", n) + bytes(size - 4))
            if n % 100 == 0:
                check_echo(quick)
                check_echo(datagrams)
        last, got = -1, 0
        while last < packets - 1:
            data = c.recv_data(20)
            if data is None:
                raise AssertionError(f"after {got} the last was {last}")
            same(len(data.data), size, "bytes")
            n = struct.unpack_from("!I", data.data)[0]
            same(n > last, True, "in order")
            last, got = n, got + 1
        same(0 < got < packets, True, f"{got} of {packets} came")
        check_echo(c)


def test_asks_only(requests):
    """Answers are no data: nothing is read from who does not take them."""
    requests = int(requests)
    msg = Message(BINDING, REQUEST, os.urandom(12)).bytes()
    with client() as c:
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        c.sock.settimeout(3)
        left = memoryview(msg * requests)
        with contextlib.suppress(TimeoutError):
            while left:
                left = left[c.sock.send(left[:65536]):]
        same(bool(left), True, "the server has stopped reading")
        # All that it was asked it answers, once they are taken.
        asked = (requests * len(msg) - len(left)) // len(msg)
        first = c.raw_recv(20)
        missing = (asked - 1) * len(first) - len(c.received)
        c.sock.settimeout(20)
        while missing > 0:
            missing -= len(c.sock.recv(1 << 20))
        same(missing, 0, "bytes of answers")


def test_too_many(limit):
    """The oldest without an allocation gives way."""
    limit = int(limit)
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(client())
        session(first)
        others = [stack.enter_context(client()) for _ in range(limit + 5)]
        for c in others[:6]:
            same(c.has_ended(), True, "the oldest end")
        for c in others[6:]:
            same(c.binding(), c.local, "the youngest stay")
        check_echo(first)


def test_all_taken(limit):
    """With allocations all of them: there is no place for another."""
    with contextlib.ExitStack() as stack:
        for _ in range(int(limit)):
            c = stack.enter_context(client())
            c.allocate()
        with client() as other:
            same(other.has_ended(), True, "one too many")
        check_bind = stack.enter_context(client("udp"))
        session(check_bind)
        c.refresh(0)
        # It is seen to have none within a second.
        time.sleep(2)
        with client() as other:
            other.allocate()
            check_echo(check_bind)


def test_no_descriptors(number):
    """Those who are there go on; others come in when there is room again."""
    with client() as c:
        session(c)
        crowd = []
        try:
            for _ in range(int(number)):
                crowd.append(client())
            time.sleep(2.5)
            check_echo(c)
        finally:
            for one in crowd:
                one.close()
        with client(timeout=20) as late:
            session(late)


# ------------------------------------------------------------------------- PROXY

def proxy_header(src, dst, sport, dport, command=1):
    if command == 0:
        return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack("!BBH", 0x20, 0, 0)
    s, d = ipaddress.ip_address(src), ipaddress.ip_address(dst)
    addresses = s.packed + d.packed + struct.pack("!HH", sport, dport)
    # A TLV, of which nothing is known.
    addresses += b"\xee\x00\x03abc"
    return b"\r\n\r\n\0\r\nQUIT\n" + struct.pack(
        "!BBH", 0x21, 0x11 if s.version == 4 else 0x21,
        len(addresses)) + addresses


def test_proxy(transport):
    for src, dst in (("192.0.2.9", "192.0.2.1"),
                     ("2001:db8:9::9", "2001:db8:9::1")):
        header = proxy_header(src, dst, 40009, 443)
        with client(transport, before=header) as c:
            same(c.binding(), (src, 40009), "who the client is")
            session(c)
            # The same client once more: the first connection is dead.
            with client(transport, before=header) as again:
                session(again)
                same(c.has_ended(), True, "the first")
                check_echo(again)
    # For itself.
    with client(transport, before=proxy_header(0, 0, 0, 0, 0)) as c:
        same(c.binding(), c.local, "who the balancer is")


def test_proxy_pieces():
    header = proxy_header("192.0.2.9", "192.0.2.1", 40009, 443)
    msg = Message(BINDING, REQUEST, os.urandom(12)).bytes()
    with client() as c:
        c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for n in range(len(header)):
            c.raw_send(header[n:n + 1])
            time.sleep(0.01)
        c.raw_send(msg)
        same(Message.parse(c.raw_recv()).mapped, ("192.0.2.9", 40009),
             "who the client is")


def test_proxy_half():
    """What ends in the middle of it is not waited for."""
    header = proxy_header("192.0.2.9", "192.0.2.1", 40009, 443)
    for n in (1, 13, len(header) - 1):
        with client() as c:
            c.raw_send(header[:n])
            time.sleep(0.2)
            c.sock.shutdown(socket.SHUT_WR)
            ends_within(c, 0, 3, f"{n} bytes of a header")


def test_proxy_missing():
    msg = Message(BINDING, REQUEST, os.urandom(12)).bytes()
    for what in (msg, b"PROXY TCP4 192.0.2.9 192.0.2.1 40009 443\r\n",
                 b"\r\n\r\n\0\r\nQUIT\n\x21\x12\0\x0c" + bytes(12),
                 b"\r\n\r\n\0\r\nQUIT\n\x21\x11\xff\xff"):
        with client() as c:
            c.raw_send(what)
            same(c.has_ended(), True, f"{what[:16]!r} ends it")


# --------------------------------------------------------------------------- TLS

def common_name(c):
    cert = c.sock.getpeercert()
    return dict(pair for rdn in cert["subject"] for pair in rdn)["commonName"]


def checking(ca, **options):
    context = ssl.create_default_context(cafile=ca)
    for name, value in options.items():
        setattr(context, name, value)
    return context


def test_names(ca):
    """The certificate is that of the name which is asked for."""
    for asked, shown in (("one.example.org", "one.example.org"),
                         ("two.example.org", "two.example.org"),
                         ("x.wild.example.org", "two.example.org")):
        with client("tls", tls=checking(ca), server_name=asked) as c:
            same(common_name(c), shown, asked)
            same(c.sock.version(), "TLSv1.3", "version")
            session(c)
    context = checking(ca, check_hostname=False)
    for asked in (None, "three.example.org"):
        with client("tls", tls=context, server_name=asked) as c:
            same(common_name(c), "one.example.org", asked)


def test_versions(ca):
    context = checking(ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with client("tls", tls=context, server_name="one.example.org") as c:
        same(c.sock.version(), "TLSv1.2", "version")
        session(c)


def test_alpn(ca):
    for offered, chosen in ((["stun.turn"], "stun.turn"),
                            (["h2", "stun.nat-discovery"],
                             "stun.nat-discovery"), ([], None)):
        context = checking(ca)
        if offered:
            context.set_alpn_protocols(offered)
        with client("tls", tls=context, server_name="one.example.org") as c:
            same(c.sock.selected_alpn_protocol(), chosen, offered)
    context = checking(ca)
    context.set_alpn_protocols(["h2"])
    try:
        client("tls", tls=context, server_name="one.example.org")
    except ssl.SSLError as e:
        same("no application protocol" in
             str(e).lower().replace("_", " "), True, str(e))
    else:
        raise AssertionError("h2 was accepted")


def test_distrust():
    """A client that does not know who has signed."""
    try:
        client("tls", tls=ssl.create_default_context(),
               server_name="one.example.org")
    except ssl.SSLCertVerificationError:
        return
    raise AssertionError("it trusts anybody")


def test_old_tls():
    with socket.create_connection((SERVER[4], 3478)) as s:
        # A ClientHello of TLS 1.0, with one cipher.
        hello = b"\x03\x01" + os.urandom(32) + b"\0" + b"\0\x02\0\x2f" + \
            b"\x01\0"
        hello = b"\x01" + struct.pack("!I", len(hello))[1:] + hello
        s.sendall(b"\x16\x03\x01" + struct.pack("!H", len(hello)) + hello)
        s.settimeout(10)
        # An alert, protocol_version.
        same(s.recv(64)[:7], b"\x15\x03\x01\0\x02\x02\x46", "the answer")


def test_client_certificate(ca, cert):
    context = checking(ca)
    # With TLS 1.3 one hears of it only with what is read next.
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    try:
        client("tls", tls=context, server_name="one.example.org")
    except ssl.SSLError:
        pass
    else:
        raise AssertionError("without a certificate")
    context = checking(ca)
    context.load_cert_chain(cert)
    with client("tls", tls=context, server_name="one.example.org") as c:
        session(c)


def test_serial(seconds, ca, wanted):
    """Whose certificate it is, until it is @wanted's; and a session meanwhile."""
    context = checking(ca, check_hostname=False)
    end = time.monotonic() + float(seconds)
    while True:
        with client("tls", tls=context) as c:
            if common_name(c) == wanted:
                return
        if time.monotonic() > end:
            raise AssertionError(f"it is {common_name(c)}")
        time.sleep(0.2)


# -------------------------------------------------------------------------- DTLS

def record(epoch, kind, body):
    return struct.pack("!BHHHIH", kind, 0xFEFD, epoch, 0, 0, len(body)) + body


def hello(cookie):
    """A ClientHello of DTLS 1.2, with one cipher."""
    body = b"\xfe\xfd" + os.urandom(32) + b"\0" + \
        bytes([len(cookie)]) + cookie + b"\0\x02\xc0\x2b" + b"\x01\0"
    return record(0, 22, b"\x01" + struct.pack("!I", len(body))[1:] +
                  struct.pack("!H", 0) + b"\0\0\0" +
                  struct.pack("!I", len(body))[1:] + body)


def test_cookies(number):
    """Who does not send it back gets little, and nothing is kept."""
    for _ in range(int(number)):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            s.connect((SERVER[4], 3478))
            s.settimeout(10)
            first = hello(b"")
            s.send(first)
            answer = s.recv(65536)
            # HelloVerifyRequest
            same((answer[0], answer[13]), (22, 3), "the answer")
            same(len(answer) <= len(first), True, "it is no longer")
            # Somebody else's.
            s.send(hello(b"0123456789abcdef"))
            same(s.recv(65536)[13], 3, "the answer to a wrong cookie")


def test_no_dtls():
    """What begins like it, and is none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((SERVER[4], 3478))
        good = hello(b"")
        for what in (b"\x16", good[:13], good[:20], record(1, 23, b"data"),
                     record(0, 21, b"\x02\x28"), record(0, 22, bytes(300)),
                     b"\x3f" * 64, good[:-4] + b"\xff" * 4):
            s.send(what)
        s.settimeout(0.5)
        with contextlib.suppress(TimeoutError):
            while True:
                same(len(s.recv(65536)) < 100, True, "what comes back")
    with client("dtls") as c:
        session(c)


def test_anew():
    """A client that was restarted has the same 5-tuple, and is a new one."""
    old = client("dtls")
    session(old)
    at = old.local
    # Without a word.
    old.dtls.kill()
    old.close()
    with client("dtls", local=at) as c:
        session(c)
        refused(437, c.allocate)


def test_replay():
    """The beginning of a handshake, once more: nothing becomes of it."""
    # ETH_P_ALL: with others' what is sent isn't seen.
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                       socket.htons(3)) as tap:
        tap.bind(("client0", 0))
        with client("dtls") as c:
            session(c)
            tap.settimeout(0.5)
            hellos = []
            with contextlib.suppress(TimeoutError):
                while True:
                    ip = tap.recv(65536)
                    data = ip[28:]
                    if ip[0] == 0x45 and ip[9] == 17 and \
                            len(data) > 13 and data[0] == 22 and \
                            data[3:5] == b"\0\0" and data[13] == 1:
                        hellos.append(data)
            same(len(hellos) >= 2, True, "without a cookie, and with it")
            raw = Raw("client", 4)
            for _ in range(3):
                raw.send(c.local[0], SERVER[4], c.local[1], 3478, hellos[-1])
                check_echo(c)
            raw.close()
            # Its retransmissions end, and it is given up.
            time.sleep(PATIENCE + 2)
            check_echo(c)
            c.permit(PEER[0])


def test_busy():
    """What is no data, without end: others have their turn."""
    program = os.path.join(os.path.dirname(__file__),
                           "../../build/selftests/stream/tls_flood")
    with subprocess.Popen([program, SERVER[4], "3478", "300000"],
                          stdout=subprocess.PIPE, text=True) as flood:
        same(flood.stdout.readline(), "sending\n", "what it says")
        worst = 0
        with client("udp") as c:
            while flood.poll() is None:
                begun = time.monotonic()
                c.binding()
                worst = max(worst, time.monotonic() - begun)
        same(worst < 1, True, f"it took {worst:.1f} s")


def test_mixed():
    """An association's allocation is not that of who sends without it."""
    with client("dtls") as c:
        session(c)
        with client("udp") as other:
            session(other)
            # The same 5-tuple, but for DTLS.
            raw = Message(BINDING, REQUEST, os.urandom(12)).bytes()
            same(c.dtls.poll(), None, "it is there")
            other.raw_send(raw)
            same(Message.parse(other.raw_recv()).mapped, other.local, "mapped")
            check_echo(c)


def test_keeps(transport, ready, done):
    """A session that goes on while files @ready and @done come."""
    with client(transport, tls=any_certificate()) as c:
        session(c)
        with open(ready, "w", encoding="ascii"):
            pass
        while not os.path.exists(done):
            check_echo(c)
            time.sleep(0.1)
        check_echo(c)


def main():
    globals()["test_" + sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
