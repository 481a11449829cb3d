#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients whose daemon or module is taken away: sessions.py TEST [ARGUMENT...]

They run in the client's namespace. Where the shell script has to do
something, wait() says what is waited for and goes on when there is a file of
that name in the directory $STEPS.
"""

import os
import sys
import threading
import time

from checks import refused, same, silent
from turnclient import TurnClient

RELAY = {4: "198.51.100.1", 6: "2001:db8:1::1"}
PEER = {4: ("203.0.113.2", 9999), 6: ("2001:db8:2::2", 9999)}


def client(family=4, user="alice", password="secret"):
    return TurnClient(RELAY[family], user=user, password=password,
                      timeout=10)


def wait(step):
    print(f"waiting for {step}", flush=True)
    end = time.monotonic() + 120
    while not os.path.exists(os.path.join(os.environ["STEPS"], step)):
        if time.monotonic() > end:
            raise AssertionError(f"nobody did {step}")
        time.sleep(0.01)


def check_channel(c, number, data):
    c.channel_send(number, data)
    same(c.recv_data(), (number, None, data), "ChannelData")


def check_send(c, peer, data):
    c.send(peer, data)
    same(c.recv_data(), (None, peer, data), "Data indication")


class Session:
    """Allocation, permission and channel, with data going round."""

    def __init__(self, family, channel, **attributes):
        self.c = client(family)
        self.peer = PEER[family]
        self.channel = channel
        self.c.allocate(**attributes or {"family": family})
        self.c.permit(self.peer[0])
        if channel:
            self.c.bind(0x4000, self.peer)
        self.sent = 0
        self.back = set()
        self.stop = False
        self.thread = threading.Thread(target=self.run)

    def send_one(self):
        data = b"%d" % self.sent
        self.sent += 1
        if self.channel:
            self.c.channel_send(0x4000, data)
        else:
            self.c.send(self.peer, data)

    def receive(self, timeout):
        got = self.c.recv_data(timeout)
        if got is None:
            return False
        same(tuple(got[:2]), self.expected(int(got.data)),
             "where data came from")
        self.back.add(int(got.data))
        return True

    def expected(self, _number):
        return (0x4000, None) if self.channel else (None, self.peer)

    def run(self):
        while not self.stop:
            self.send_one()
            while self.receive(0.02):
                pass

    def start(self):
        self.thread.start()
        return self

    def finish(self):
        """Nothing was lost."""
        self.stop = True
        self.thread.join()
        while len(self.back) < self.sent and self.receive(3):
            pass
        lost = sorted(set(range(self.sent)) - self.back)
        if lost or not self.sent:
            raise AssertionError(f"{len(lost)} of {self.sent} lost: {lost}")
        print(f"{self.sent} sent, none lost", flush=True)


class DualSession(Session):
    """Of a relayed address of each family, with channels and without."""

    # By what a datagram's number leaves: family, port, channel.
    WAYS = [(4, 9999, 0x4000), (6, 9999, 0x4001), (4, 10000, None),
            (6, 10000, None)]

    def __init__(self):
        super().__init__(4, None, additional_family=6)
        self.c.permit(PEER[6][0])
        for family, port, channel in self.WAYS:
            if channel:
                self.c.bind(channel, (PEER[family][0], port))

    def send_one(self):
        family, port, channel = self.WAYS[self.sent % 4]
        data = b"%d" % self.sent
        self.sent += 1
        if channel:
            self.c.channel_send(channel, data)
        else:
            self.c.send((PEER[family][0], port), data)

    def expected(self, number):
        family, port, channel = self.WAYS[number % 4]
        return ((channel, None) if channel
                else (None, (PEER[family][0], port)))


def start_sessions():
    return [Session(family, channel).start()
            for family in (4, 6) for channel in (True, False)]


def go_on(session):
    """Everything works that a client does with an allocation of its own."""
    c = session.c
    c.refresh(700)
    c.permit(session.peer[0], "203.0.113.7" if ":" not in session.peer[0]
             else "2001:db8:2::7")
    # A channel goes on, and there can be new ones.
    if session.channel:
        c.bind(0x4000, session.peer)
    else:
        c.bind(0x4001, (session.peer[0], 9998))
    user, password, key = c.user, c.password, c.key
    c.user, c.password = "bob", "stored"
    refused(441, c.refresh)
    c.user, c.password, c.key = user, password, key
    c.refresh(0)
    refused(437, c.refresh)


def test_taken(step):
    """Clients go on while something happens to the daemon or the module."""
    sessions = start_sessions()
    wait(step)
    for session in sessions:
        session.finish()
    for session in sessions:
        go_on(session)


def test_dual(number):
    """As many datagrams of each kind for each family; then one ends."""
    with client() as c:
        c.allocate(additional_family=6)
        for family in (4, 6):
            c.permit(PEER[family][0])
            for i in range(int(number)):
                check_send(c, PEER[family], b"%d" % i)
            c.bind(0x4000 + family, PEER[family])
            for i in range(int(number)):
                check_channel(c, 0x4000 + family, b"%d" % i)
        wait("end")
        c.refresh(0, family=6)
        wait("ended")
        check_channel(c, 0x4004, b"the other one")
        c.send(PEER[6], b"not permitted")
        silent(c)
        refused(443, c.permit, PEER[6][0])
        c.bind(0x4005, (PEER[4][0], 10000))
        check_channel(c, 0x4005, b"a new one")
        wait("over")


def test_dual_taken(step):
    """Of two clients one has an IPv6 address that ends first."""
    sessions = [DualSession().start() for _ in range(2)]
    sessions[0].c.refresh(1000, family=4)
    wait(step)
    for session in sessions:
        session.finish()
    wait("lifetimes")
    for session in sessions:
        c = session.c
        c.refresh(700, family=4)
        c.refresh(700, family=6)
        c.permit("203.0.113.7", "2001:db8:2::7")
        refused(400, c.bind, 0x4000, PEER[6])
        c.refresh(0, family=4)
        refused(443, c.refresh, family=4)
        check_channel(c, 0x4001, b"the other one")
        c.refresh(0, family=6)
        refused(437, c.refresh)


def test_dual_lost():
    """The successor has no IPv6 address."""
    session = DualSession().start()
    wait("restart")
    session.stop = True
    session.thread.join()
    refused(443, session.c.refresh, family=6)
    session.c.channel_send(0x4001, b"to nobody")
    while session.c.recv_data(1):
        pass
    check_channel(session.c, 0x4000, b"the other one")
    session.c.refresh()
    wait("over")


def test_unadopted():
    """The successor has other addresses."""
    session = Session(4, True).start()
    wait("restart")
    session.stop = True
    session.thread.join()
    refused(437, session.c.refresh)
    session.c.allocate()


def test_deleted():
    """An administrator deletes things."""
    with client() as a:
        a.allocate()
        a.permit(PEER[4][0])
        a.bind(0x4000, PEER[4])
        check_channel(a, 0x4000, b"before")
        wait("no-channel")
        a.channel_send(0x4000, b"unbound")
        silent(a)
        check_send(a, PEER[4], b"permitted")
        # Its number and its peer are free for others.
        a.bind(0x4001, PEER[4])
        check_channel(a, 0x4001, b"another")
        wait("no-permission")
        # The channel still sends; nothing comes back.
        a.channel_send(0x4001, b"one way")
        silent(a)
        a.send(PEER[4], b"not permitted")
        silent(a)
        a.permit(PEER[4][0])
        check_channel(a, 0x4001, b"permitted again")
        wait("no-allocation")
        refused(437, a.refresh)
        a.allocate()


def test_lost():
    """The same, while the daemon does not hear of it."""
    with client() as a, client() as b, client() as c:
        for one in (a, b, c):
            one.allocate()
            one.permit(PEER[4][0])
            one.bind(0x4000, PEER[4])
        wait("lost")
        refused(437, a.refresh)
        b.channel_send(0x4000, b"unbound")
        silent(b)
        b.bind(0x4001, PEER[4])
        check_channel(b, 0x4001, b"another")
        check_channel(c, 0x4000, b"as if nothing had happened")
        c.refresh()


def test_limit(code="0"):
    """The kernel's table is full."""
    with client() as a, client() as b:
        a.allocate()
        a.permit(PEER[4][0])
        check_send(a, PEER[4], b"by the kernel")
        if code != "0":
            refused(int(code), b.allocate)
            return
        b.allocate()
        b.permit(PEER[4][0])
        b.bind(0x4000, PEER[4])
        check_channel(b, 0x4000, b"by the daemon")
        b.refresh()


def test_part_limit(code="0"):
    """Its tables of permissions and channels are full."""
    with client() as c:
        c.allocate()
        c.permit("203.0.113.7")
        if code != "0":
            refused(int(code), c.permit, "203.0.113.8", PEER[4][0])
            refused(int(code), c.bind, 0x4000, PEER[4])
            # Nothing of it was granted.
            c.send(PEER[4], b"not permitted")
            silent(c)
            return
        c.permit("203.0.113.8", PEER[4][0])
        check_send(c, PEER[4], b"by the daemon")
        c.bind(0x4000, PEER[4])
        check_channel(c, 0x4000, b"by the daemon")


def test_unreachable():
    """It takes a while until the daemon can tell the kernel."""
    with client() as c:
        c.timeout = 60
        c.allocate()
        wait("unreachable")
        c.permit(PEER[4][0])
        check_send(c, PEER[4], b"by the kernel")
        c.bind(0x4000, PEER[4])
        check_channel(c, 0x4000, b"by the kernel")


def test_kernel_refuses(peer):
    """A peer that the operator opened and the kernel does not take."""
    with client() as c:
        c.allocate()
        c.permit(PEER[4][0])
        c.permit(peer)
        check_send(c, (peer, 9999), b"by the daemon")
        check_send(c, PEER[4], b"by the kernel")


def test_count(number):
    """As many datagrams of each kind; how they got round shows elsewhere."""
    number = int(number)
    for family in (4, 6):
        with client(family) as c:
            c.allocate(family=family)
            c.permit(PEER[family][0])
            for i in range(number):
                check_send(c, PEER[family], b"%d" % i)
            c.bind(0x4000, PEER[family])
            for i in range(number):
                check_channel(c, 0x4000, b"%d" % i)
            # Whom nothing permits is dropped by the kernel.
            c.send(("203.0.113.9", 9) if family == 4
                   else ("2001:db8:2::9", 9), b"not permitted")
            c.refresh()


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
