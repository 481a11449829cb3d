# SPDX-License-Identifier: GPL-2.0-or-later
"""What a case of the conformance suite is, and what it is given.

A case is a function that fails with an exception. It has a World of its own:
clients, peers and their addresses in the namespaces of ../lib.sh, all of them
closed when it ends, so that any number of cases can run at the same time.
"""

import collections
import contextlib
import itertools
import os
import socket
import subprocess
import time

from lab import inside
from turnclient import TurnClient
from turnmessage import (ALLOCATE, BINDING, ERROR, REQUEST, Message,
                         rest_credential)

ALL = "udp", "tcp", "tls", "dtls"
DATAGRAMS = "udp", "dtls"
STREAMS = "tcp", "tls"
SECURE = "tls", "dtls"

CLIENT = {4: "198.51.100.2", 6: "2001:db8:1::2"}
SERVER = {4: "198.51.100.1", 6: "2001:db8:1::1"}
RELAY = {4: "203.0.113.1", 6: "2001:db8:2::1"}
PEER = {4: "203.0.113.2", 6: "2001:db8:2::2"}
# A peer who has no permissions.
STRANGER = "203.0.113.4"
# Nobody, behind the peer, which says so by ICMP.
BEYOND = "192.0.2.9"
# Who may not be a peer.
FORBIDDEN = {4: "127.0.0.1", 6: "::1"}

# The servers, by what is special about them: one that sends every client to
# others, one that relays IPv4 only, with a quota of one, one that relays IPv6
# only. Where only one server is tested, their cases are left out.
PORT = {"main": 3478, "away": 3480, "v4": 3481, "v6": 3482}
SECRET = "north"
# Below those that the system gives away; each transport has 5000 of its own.
client_port = {transport: itertools.count(first) for transport, first in
               zip(ALL, range(10000, 30000, 5000))}
# Names of minted users hold the time.
BEGIN = time.time()

# Seconds that an answer may take on a slow machine.
PATIENCE = 15
# Seconds in which what will not come would have come.
SILENCE = 0.3

Case = collections.namedtuple("Case", "function section transports server")
cases = []


def case(section, transports=ALL, server="main"):
    """Decorator. @section: "RFC SECTION"; the first line of the function's
    text says what has to be so."""
    def decorate(function):
        cases.append(Case(function, section, transports, server))
        return function
    return decorate


def title(one, transport):
    """The name of a test."""
    what = one.function.__doc__.split("\n", maxsplit=1)[0].rstrip(".")
    return f"RFC {one.section}: {what}, {transport}"


class World:
    """What a case has, until it ends."""

    def __init__(self, transport, server):
        self.transport = transport
        self.server = server
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def client(self, family=4, user="alice", password="secret", server=None,
               transport=None, local=None, **options):
        """A client that has said nothing yet, at a port of its own: what is
        left of an allocation must not be the next one's."""
        transport = transport or self.transport
        with inside("client"):
            return self.stack.enter_context(TurnClient(
                (SERVER[family], PORT[server or self.server]), user=user,
                password=password, transport=transport,
                local=(local or CLIENT[family], next(client_port[transport])),
                timeout=PATIENCE, **options))

    def minted(self, name, **options):
        """A client of a user that is this case's only."""
        user, password = rest_credential(SECRET, f"{name}-{self.transport}",
                                         now=BEGIN)
        return self.client(user=user, password=password, **options)

    def allocated(self, family=4, of=None, **attributes):
        """A client with an allocation of an address family."""
        c = self.client(of or 4)
        if family != 4:
            attributes["family"] = family
        c.relayed = c.allocate(**attributes).relay
        return c

    def known(self, **options):
        """A client that has been told realm and nonce."""
        c = self.client(**options)
        c.learn(c.request(ALLOCATE, c.build_allocate, auth=False))
        return c

    def peer(self, family=4, address=None):
        """A peer's socket; .addr is where it is."""
        with inside("peer"):
            s = Peer(address or PEER[family])
        self.stack.callback(s.close)
        return s

    @staticmethod
    def run(*command, patience=4 * PATIENCE):
        """In the client's namespace: whether it succeeds, what it says."""
        with inside("client"):
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL,
                                      capture_output=True, text=True,
                                      errors="replace", timeout=patience,
                                      check=False)
            except subprocess.TimeoutExpired:
                return False, f"no end in {patience} s"
        return done.returncode == 0, done.stdout + done.stderr


class Peer(socket.socket):
    """A UDP socket that gives up some time."""

    def __init__(self, ip):
        super().__init__(socket.AF_INET6 if ":" in ip else socket.AF_INET,
                         socket.SOCK_DGRAM)
        self.bind((ip, 0))
        self.settimeout(PATIENCE)
        self.addr = self.getsockname()[:2]

    def next(self):
        """(data, from whom)"""
        data, source = self.recvfrom(65536)
        return data, source[:2]

    def gets(self, data, relayed=None):
        """This is the next that comes."""
        got, source = self.next()
        if got != data or relayed and source != relayed:
            raise AssertionError(f"the peer got {got[:40]!r} from {source}, "
                                 f"expected {data[:40]!r} from {relayed}")
        return source

    def gets_nothing(self):
        self.settimeout(SILENCE)
        try:
            raise AssertionError(f"the peer got {self.next()}")
        except TimeoutError:
            self.settimeout(PATIENCE)


# Requests.

def signed(c, method, build=None):
    """An authenticated request, not yet sent."""
    msg = Message(method, REQUEST)
    if build:
        build(msg)
    c.authenticate(msg)
    return msg


def ask(c, msg):
    """The answer to a message, which must come."""
    answer = c.transact(msg.bytes(), msg.tid)
    if answer is None:
        raise AssertionError("no answer")
    return answer


def send_all(c, method, *attributes, auth=True):
    """A request with these attributes, pairs; its answer."""
    def build(msg):
        for kind, value in attributes:
            msg.add(kind, value)
    answer = c.request(method, build, auth=auth)
    if answer is None:
        raise AssertionError("no answer")
    return answer


def is_error(answer, code):
    if answer is None or (answer.cls, answer.code) != (ERROR, code):
        got = "no answer" if answer is None else answer.code or "success"
        raise AssertionError(f"got {got}, expected the error {code}")


def is_success(answer):
    if answer is None or answer.cls == ERROR:
        got = "no answer" if answer is None else answer.error
        raise AssertionError(f"got {got}, expected a success")


def lacks(answer, *kinds):
    for kind in kinds:
        if answer.get(kind) is not None:
            raise AssertionError(f"there is an attribute {kind:#06x}")


def has(answer, *kinds):
    for kind in kinds:
        if answer.get(kind) is None:
            raise AssertionError(f"there is no attribute {kind:#06x}")


def unanswered(c, *raws):
    """None of them is answered, and what comes behind is."""
    for raw in raws:
        c.raw_send(raw)
    probe = Message(BINDING, REQUEST)
    c.raw_send(probe.bytes())
    got = c.raw_recv()
    if got is None or got[8:20] != probe.tid:
        raise AssertionError(f"it was answered: {got and got.hex()}")


def random_data(n=24):
    return os.urandom(n)
