# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of TCP allocations (RFC 6062) for tests, and its peers' sockets."""

import collections
import contextlib
import socket

from lab import inside
from turnclient import TurnClient
from turnmessage import (CONNECT, CONNECTION_ATTEMPT, CONNECTION_BIND,
                         CONNECTION_ID, INDICATION, TCP, XOR_PEER_ADDRESS,
                         Message)


class RelayClient(TurnClient):
    """@attempts: of peers that have connected, (CONNECTION-ID, peer)."""

    def __init__(self, *arguments, transport="tcp", **options):
        self.attempts = collections.deque()
        self.options = dict(options, transport=transport)
        super().__init__(*arguments, **self.options)

    def keep_data(self, raw):
        if raw[0] >> 6 == 0:
            msg = Message.parse(raw)
            if (msg.method, msg.cls) == (CONNECTION_ATTEMPT, INDICATION):
                self.attempts.append((msg.get(CONNECTION_ID),
                                      msg.get_addr(XOR_PEER_ADDRESS)))
                return True
        return super().keep_data(raw)

    def allocate_tcp(self, **attributes):
        return self.allocate(transport=TCP, **attributes)

    def connect(self, peer):
        """Connect; returns the CONNECTION-ID."""
        answer = self.request(CONNECT, lambda m: m.add_peer(peer))
        return self.expect("Connect", answer).get(CONNECTION_ID)

    def attempt(self):
        """The next ConnectionAttempt, or None."""
        while not self.attempts:
            raw = self.raw_recv()
            if raw is None:
                return None
            self.keep_data(raw)
        return self.attempts.popleft()

    def another(self, **options):
        """A connection for data, of the same client."""
        return RelayClient(self.server, **self.options | options)

    def bind_connection(self, number, early=b""):
        """ConnectionBind; nothing but data comes by this connection then.

        @early is sent at once with the request that has credentials.
        """
        def build(msg):
            msg.add(CONNECTION_ID, number)
        if early:
            # The nonce is a connection's own.
            self.learn(self.request(CONNECTION_BIND, build, auth=False))
            msg = Message(CONNECTION_BIND, 0)
            build(msg)
            self.authenticate(msg)
            self.raw_send(msg.bytes() + early)
            answer = Message.parse(self.raw_recv())
        else:
            answer = self.request(CONNECTION_BIND, build)
        self.expect("ConnectionBind", answer)
        return self

    def data_connection(self, number, early=b"", **options):
        """The same with a connection of its own, which is returned."""
        c = self.another(**options)
        try:
            return c.bind_connection(number, early)
        except BaseException:
            c.close()
            raise

    # Of a connection that is bound.

    def read(self, n):
        """@n bytes, fewer at the end."""
        got, self.received = self.received[:n], self.received[n:]
        self.sock.settimeout(self.timeout)
        while len(got) < n:
            more = self.sock.recv(min(n - len(got), 65536))
            if not more:
                break
            got += more
        return got


@contextlib.contextmanager
def peer_listens(address, backlog=16):
    """A peer's listening socket."""
    with inside("peer"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.create_server((address, 0), family=family,
                                    backlog=backlog)
    with sock:
        sock.settimeout(5)
        yield sock


def peer_connects(relay, address, **options):
    """A peer's socket, which connects to a relayed address."""
    with inside("peer"):
        return socket.create_connection(relay, source_address=(address, 0),
                                        timeout=5, **options)


def peer_refused(relay, address):
    """Is a peer's connection closed at once?"""
    try:
        with peer_connects(relay, address) as sock:
            return sock.recv(1) == b""
    except ConnectionError:
        return True


def accept(listener):
    """The socket of the next that connects, and who it is."""
    sock, addr = listener.accept()
    sock.settimeout(5)
    return sock, addr[:2]


def read(sock, n):
    """@n bytes, fewer at the end."""
    got = b""
    while len(got) < n:
        more = sock.recv(min(n - len(got), 65536))
        if not more:
            break
        got += more
    return got
