#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of TCP allocations (RFC 6062): tcprelay.py TEST [ARGUMENT...]

Each function test_... is a test; it runs in the client's namespace, makes its
peers in the peer's, see the picture in ../lib.sh, and fails with an exception.
"""

import collections
import contextlib
import os
import select
import socket
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../py"))

from checks import refused, same
from lab import inside
from relayclient import (RelayClient, accept, peer_connects, peer_listens,
                         peer_refused, read)
from turnmessage import BINDING, CONNECT, CONNECTION_BIND, CONNECTION_ID

SERVER = {4: "198.51.100.1", 6: "2001:db8:1::1"}
PEER = {4: "203.0.113.2", 6: "2001:db8:2::2"}
LOST = bytes.fromhex("00000001")
# Seconds: what has 30, in a process that has other things to do.
PATIENCE, MARGIN = 30, 8


def client(transport="tcp", family=4, user="alice", password="secret",
           port=3478, **options):
    return RelayClient((SERVER[family], port), user=user, password=password,
                       transport=transport, **options)


def ended(sock):
    """Is nothing left to be read, ever? A reset is an end as well."""
    try:
        return sock.recv(1) == b""
    except ConnectionError:
        return True


@contextlib.contextmanager
def connected(c, family=4, early=b"", banner=b""):
    """A client's data connection, and the peer's socket."""
    with peer_listens(PEER[family]) as listener:
        number = c.connect(listener.getsockname()[:2])
        sock, _ = accept(listener)
        with sock:
            if banner:
                sock.sendall(banner)
            with c.data_connection(number, early) as data:
                yield data, sock


def check_echo(data, sock, text=b"there and back"):
    data.raw_send(text)
    same(read(sock, len(text)), text, "to the peer")
    sock.sendall(text)
    same(data.read(len(text)), text, "to the client")


# -------------------------------------------------------------- opened by clients

def test_connect(transport, family):
    """From the relayed address, and nothing is lost of what comes early."""
    family = int(family)
    with client(transport, family) as c:
        relay = c.allocate_tcp(family=family).relay
        # Of so many some come to each worker.
        for n in range(8):
            early = os.urandom(3000) if n % 2 else b""
            with peer_listens(PEER[family]) as listener:
                number = c.connect(listener.getsockname()[:2])
                sock, addr = accept(listener)
                with sock:
                    same(addr, relay, "who connects")
                    sock.sendall(b"hello")
                    with c.data_connection(number, early) as data:
                        same(read(sock, len(early)), early, "early")
                        same(data.read(5), b"hello", "the peer's")
                        check_echo(data, sock)
                        # Nothing that looks like STUN is one here.
                        check_echo(data, sock, bytes.fromhex(
                            "000100002112a442") + bytes(12))


def test_dual():
    with client() as c:
        relays = c.allocate_tcp(additional_family=6).relays
        for family in (4, 6):
            with connected(c, family) as (data, sock):
                same(sock.getpeername()[:2], relays[family], "from")
                check_echo(data, sock)
                if family == 6:
                    # One family's end ends its connections.
                    c.refresh(0, family=6)
                    same(ended(sock), True, "of IPv6")
        with connected(c) as (data, sock):
            check_echo(data, sock)


def test_hairpin(public=None):
    """Two clients of this server; behind a NAT by its public address."""
    with client() as a, client() as b:
        relay_a, relay_b = a.allocate_tcp().relay, b.allocate_tcp().relay
        if public:
            same({relay_a[0], relay_b[0]}, {public}, "relayed addresses")
        b.permit(relay_a[0])
        number = a.connect(relay_b)
        with a.data_connection(number) as one:
            number, who = b.attempt()
            same(who, relay_a, "who connects")
            with b.data_connection(number) as other:
                one.raw_send(b"one")
                same(other.read(3), b"one", "there")
                other.raw_send(b"other")
                same(one.read(5), b"other", "back")


# ---------------------------------------------------------------- opened by peers

def test_attempts(transport, limit):
    with client(transport) as c:
        relay = c.allocate_tcp().relay
        same(peer_refused(relay, PEER[4]), True, "without a permission")
        same(len(c.attempts), 0, "attempts told")
        c.permit(PEER[4])
        with contextlib.ExitStack() as stack:
            for n in range(int(limit)):
                sock = stack.enter_context(peer_connects(relay, PEER[4]))
                sock.sendall(b"early")
                if n % 2:
                    sock.shutdown(socket.SHUT_WR)
                number, who = c.attempt()
                same(who, sock.getsockname()[:2], "who it is")
                data = stack.enter_context(c.data_connection(number))
                same(data.read(5), b"early", "early data")
                data.raw_send(b"answer")
                same(read(sock, 6), b"answer", "answer")
                if n % 2:
                    same(data.read(1), b"", "the end")
            same(peer_refused(relay, PEER[4]), True, "one too many")
            refused(508, c.connect, (PEER[4], 9))


# ----------------------------------------------------------------------- refusals

def connection_bind(c, number):
    def build(msg):
        if number is not None:
            msg.add(CONNECTION_ID, number)
    return c.expect("ConnectionBind", c.request(CONNECTION_BIND, build))


def test_refused_allocations(transport):
    with client(transport) as c:
        for attributes in ({"dont_fragment": True}, {"even_port": False},
                           {"token": bytes(8)}):
            refused(400, c.allocate_tcp, **attributes)
        refused(442, c.allocate, transport=99)
        c.allocate_tcp()
        refused(437, c.allocate_tcp)
    # Not by datagrams.
    for other in ("udp", "dtls"):
        with client(other) as c:
            refused(400, c.allocate_tcp)
            c.allocate()
            refused(437, c.connect, (PEER[4], 9))
            c.refresh(0)
            refused(400, connection_bind, c, LOST)


def test_refused_connects():
    with client() as c, client() as udp:
        refused(437, c.connect, (PEER[4], 9))
        relay = c.allocate_tcp().relay
        other = udp.allocate().relay
        refused(437, udp.connect, (PEER[4], 9))
        same(c.request(CONNECT).code, 400, "without a peer")
        refused(443, c.connect, (PEER[6], 9))
        for peer in (("127.0.0.1", 22), ("10.0.0.1", 80), (SERVER[4], 3478),
                     ("169.254.169.254", 80), ("224.0.0.1", 9), relay, other,
                     (PEER[4], 0)):
            refused(403, c.connect, peer)
        # There is a TCP port, which is none for UDP.
        refused(403, udp.bind, 0x4000, relay)
        refused(447, c.connect, (PEER[4], 9))
        refused(403, c.bind, 0x4000, (PEER[4], 9))
        with peer_listens(PEER[4]) as listener:
            peer = listener.getsockname()
            number = c.connect(peer)
            refused(446, c.connect, peer)
            with c.data_connection(number):
                refused(446, c.connect, peer)
        c.user, c.password = "bob", "stored"
        refused(441, c.connect, (PEER[4], 9))


def test_refused_binds():
    with client() as c:
        c.allocate_tcp()
        with peer_listens(PEER[4]) as listener:
            number = c.connect(listener.getsockname())
            refused(400, connection_bind, c, number)
            for wrong in (None, LOST, bytes(8), os.urandom(4), os.urandom(4)):
                with c.another() as data:
                    refused(400, connection_bind, data, wrong)
                    # It is a connection like others, wherever it is now.
                    data.allocate()
            with client(user="bob", password="stored") as data:
                refused(400, connection_bind, data, number)
            with c.data_connection(number), c.another() as data:
                refused(400, connection_bind, data, number)


def test_off():
    with client(timeout=1) as c:
        refused(442, c.allocate_tcp)
        c.allocate()
        same(c.request(CONNECT, lambda m: m.add_peer((PEER[4], 9))), None,
             "answer to Connect")


# -------------------------------------------------------------------- many bytes

def test_bulk(transport, count):
    """Both ways at the same time, to ends that read late: no byte is lost."""
    count = int(count)
    there, back = os.urandom(count), os.urandom(count)
    got = []
    with client(transport, timeout=30) as c:
        c.allocate_tcp()
        with connected(c) as (data, sock):
            sock.settimeout(30)

            def peer():
                sock.sendall(back)
                sock.shutdown(socket.SHUT_WR)
                got.append(read(sock, count + 1))

            thread = threading.Thread(target=peer)
            thread.start()
            # Some of it before anybody reads: the peer fills all there is.
            data.raw_send(there[:count // 2])
            half = data.read(count // 2)
            data.raw_send(there[count // 2:])
            rest = data.read(count)
            data.close()
            thread.join()
            same(half + rest == back, True, "to the client")
            same(got[0] == there, True, "to the peer")


def test_slow(transport):
    """Who does not read stops who sends; nothing else is disturbed."""
    with client(transport) as c:
        c.allocate_tcp()
        with connected(c) as (data, sock), connected(c) as (other, beside):
            sent = 0
            sock.settimeout(0.5)
            with contextlib.suppress(TimeoutError):
                while sent < 64 << 20:
                    sent += sock.send(bytes(1 << 16))
            same(sent < 32 << 20, True, f"{sent} bytes waited")
            check_echo(other, beside)
            # The other way is free, too.
            data.raw_send(b"stop")
            same(read(sock, 4), b"stop", "the other way")
            data.timeout = 30
            same(data.read(sent), bytes(sent), "what waited")


def test_limit(rate):
    """Bytes a second: it takes as long as it has to, and nothing is lost."""
    size = 65535 + int(rate)
    with client(timeout=30) as c:
        c.allocate_tcp()
        with connected(c) as (data, sock):
            begun = time.monotonic()
            data.raw_send(bytes(size))
            sock.settimeout(30)
            same(read(sock, size), bytes(size), "to the peer")
            took = time.monotonic() - begun
            same(0.8 < took < 5, True, f"it took {took:.1f} s")


def send_both(data, socks, size):
    """@size bytes by each of @data; what each of @socks got of the first half."""
    left, got, half = {d: size for d in data}, collections.Counter(), {}
    end = time.monotonic() + 30
    for d in data:
        d.sock.setblocking(False)
    while got.total() < len(data) * size:
        same(time.monotonic() < end, True, "all comes in time")
        for d in data:
            with contextlib.suppress(BlockingIOError):
                left[d] -= d.sock.send(bytes(left[d]))
        for sock in select.select(socks, [], [], 0.01)[0]:
            got[sock] += len(sock.recv(65536))
        if got.total() <= size:
            half = got.copy()
    return half


def test_user_limit(rate):
    """The same of two allocations together, neither of which waits for long."""
    size = int(rate) * 3 // 4
    with client() as a, client() as b:
        a.allocate_tcp()
        b.allocate_tcp()
        with connected(a) as (one, first), connected(b) as (two, second):
            begun = time.monotonic()
            half = send_both((one, two), (first, second), size)
            took = time.monotonic() - begun
    same(1.4 < took < 10, True, f"it took {took:.1f} s")
    same(min(half[first], half[second]) > size // 10, True,
         f"{half[first]} and {half[second]} bytes at half time, both some")


# ------------------------------------------------------------------------- ending

def test_ends(transport):
    text = os.urandom(300000)
    with client(transport) as c:
        c.allocate_tcp()
        with connected(c) as (data, sock):
            data.raw_send(text)
            data.close()
            same(read(sock, len(text) + 1) == text, True, "the client's last")
        with connected(c) as (data, sock):
            sock.sendall(text)
            sock.close()
            same(data.read(len(text) + 1) == text, True, "the peer's last")
        # A reset is an end, too.
        with connected(c) as (data, sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                            b"\1\0\0\0\0\0\0\0")
            sock.close()
            same(ended(data.sock), True, "a reset by the peer")
        if transport == "tcp":
            # "That is all", and the answer still comes.
            with connected(c) as (data, sock):
                data.sock.shutdown(socket.SHUT_WR)
                same(read(sock, 1), b"", "no more requests")
                sock.sendall(text)
                sock.close()
                same(data.read(len(text) + 1) == text, True, "the answer")
        # All of an allocation's end with it.
        with connected(c) as (data, sock), connected(c) as (more, other):
            c.refresh(0)
            for one in (data.sock, sock, more.sock, other):
                same(ended(one), True, "its allocation has ended")
        c.allocate_tcp()
        with connected(c) as (data, sock):
            c.close()
            same(ended(data.sock), True, "no control connection")
            same(ended(sock), True, "no control connection")


def test_gone():
    """The client goes before it is known what comes of its request."""
    with client(timeout=0.3) as c:
        c.allocate_tcp()
        with inside("peer"), socket.create_server((PEER[4], 0),
                                                  backlog=0) as full:
            # It takes one, and lets others wait.
            with socket.create_connection(full.getsockname()):
                same(c.request(CONNECT, lambda m: m.add_peer(
                    full.getsockname())), None, "an answer")


# ----------------------------------------------------------------------- patience

def test_patience(port):
    """Half a minute to connect, to be bound, and to end."""
    port = int(port)
    with client(port=port, timeout=PATIENCE + MARGIN) as c, \
            client(port=port) as lost, contextlib.ExitStack() as stack:
        relay = c.allocate_tcp().relay
        c.permit(PEER[4])
        lost.allocate_tcp()
        unbound = stack.enter_context(peer_connects(relay, PEER[4]))
        number, _ = c.attempt()
        data, half = stack.enter_context(connected(c))
        half.shutdown(socket.SHUT_WR)
        same(data.read(1), b"", "the peer has done")
        # A client that goes while its peer takes nothing.
        stalled, deaf = stack.enter_context(connected(c))
        # All is full then, and not only the daemon busy with others.
        stalled.sock.settimeout(5)
        with contextlib.suppress(TimeoutError):
            while True:
                stalled.sock.send(bytes(1 << 16))
        stalled.close()
        begun = time.monotonic()
        with inside("peer"):
            # It takes one, and lets others wait.
            full = stack.enter_context(socket.create_server(
                (PEER[4], 0), backlog=0))
            stack.enter_context(socket.create_connection(full.getsockname()))
        refused(447, c.connect, full.getsockname())
        took = time.monotonic() - begun
        same(PATIENCE <= took < PATIENCE + MARGIN, True, f"after {took:.1f} s")
        unbound.settimeout(MARGIN)
        same(ended(unbound), True, "it was not bound")
        refused(400, c.data_connection, number)
        half.settimeout(MARGIN)
        same(ended(half), True, "nothing more came for it")
        # Who is bound and says nothing is left alone.
        with connected(c) as (data, sock):
            check_echo(data, sock)
    print("passed", flush=True)


def test_no_descriptors():
    with client() as c:
        c.allocate_tcp()
        with peer_listens(PEER[4]) as listener, contextlib.ExitStack() as all_:
            crowd = [all_.enter_context(client()) for _ in range(100)]
            # Who is not answered has not been accepted.
            for one in crowd:
                if one.request(BINDING, auth=False, timeout=0.5) is None:
                    break
            else:
                raise AssertionError("all were accepted")
            refused(508, c.connect, listener.getsockname())
        with connected(c) as (data, sock):
            check_echo(data, sock)


def main():
    globals()["test_" + sys.argv[1]](*sys.argv[2:])


if __name__ == "__main__":
    main()
