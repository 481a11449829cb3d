#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that take their allocation along: mobility.py TEST [ARGUMENT...],
as requests.py.

Each place that a client moves to is a socket of its own, so it is another
worker's more often than not.
"""

import socket
import sys
import threading

from checks import refused, same
from requests import PEER, client
from turnmessage import REFRESH, REQUEST, Message

# The client's second address, which mobility.sh gives it.
ADDRESSES = ["198.51.100.2", "198.51.100.3"]
CHANNEL = 0x4000


class Mover:
    """An allocation, with a permission and a channel, and where it is."""

    def __init__(self, transport="udp", local=None, **options):
        self.at = client(transport=transport, local=local, **options)
        got = self.at.allocate(ticket=b"")
        self.relay, self.ticket = got.relay, got.ticket
        self.at.permit(PEER[4][0])
        self.at.bind(CHANNEL, PEER[4])

    def announce(self, transport="udp", local=None, **options):
        """Another place: it has the next ticket, but no data yet."""
        c = client(transport=transport, local=local, **options)
        got = c.refresh(900, ticket=self.ticket)
        same(got.lifetime, 900, "lifetime")
        if got.ticket in (None, self.ticket):
            raise AssertionError("the ticket is not a new one")
        self.ticket = got.ticket
        return c

    def move(self, *place, **options):
        old, self.at = self.at, self.announce(*place, **options)
        self.check(self.at)
        return old

    @staticmethod
    def check(c):
        """By the channel, both ways, at once."""
        c.channel_send(CHANNEL, b"by channel")
        same(c.recv_data(), (CHANNEL, None, b"by channel"), "ChannelData")

    def close(self):
        self.at.refresh(0)
        self.at.close()


def test_moves(*transports):
    """All that RFC 8016 section 3.2.2 says of the two places."""
    mover = Mover(transports[-1])
    for step, transport in enumerate(transports * 2):
        old = mover.at
        new = mover.announce(transport, ADDRESSES[step % 2])
        mover.check(old)
        new.permit("8.8.8.8")
        old.permit(PEER[4][0])
        refused(437, new.allocate)
        mover.check(old)
        new.send((PEER[4][0], 10000), b"first by indication")
        same(new.recv_data(),
             (None, (PEER[4][0], 10000), b"first by indication"), "data")
        mover.check(new)
        refused(437, old.refresh)
        if old.stream:
            old.close()
        else:
            # Whatever came of it would be there before what follows.
            old.channel_send(CHANNEL, b"from where it was")
            mover.check(new)
            same(old.recv_data(0.01), None, "data where it was")
            old.close()
        mover.at = new
    mover.close()


def test_load(moves):
    """Data all the time, which is lost nowhere."""
    mover = Mover()
    places, back = [mover.at], set()
    sent, stop = 0, threading.Event()

    def receive():
        while not stop.is_set():
            for c in list(places):
                while got := c.raw_recv(0.001):
                    back.add(int(c.parse_data(got).data))

    def send(n):
        """All at once; what is under way when the client goes on is lost."""
        nonlocal sent
        for _ in range(n):
            places[-1].channel_send(CHANNEL, b"%d" % sent)
            sent += 1
        for _ in range(2000):
            if len(back) == sent:
                break
            stop.wait(0.005)

    thread = threading.Thread(target=receive)
    thread.start()
    try:
        for _ in range(int(moves)):
            new = mover.announce()
            send(10)
            # Nobody else reads there before it is a place.
            places.append(new)
            # Most of it has to wait for the allocation.
            send(40)
    finally:
        stop.set()
        thread.join()
    lost = sorted(set(range(sent)) - back)
    same(lost, [], f"lost of {sent}")
    places[-1].refresh(0)


def test_repeated():
    """The answer was lost: the same request has to work, for a while."""
    for _ in range(4):
        mover = Mover()
        old, first = mover.at, mover.ticket
        new = mover.announce()
        tid = bytes(range(12))
        for _ in range(3):
            again = new.refresh(ticket=first, tid=tid)
            same(again.ticket, mover.ticket, "ticket")
        mover.check(old)
        mover.check(new)
        mover.ticket = new.refresh(ticket=first).ticket
        # Of no use to anybody else.
        with client() as other:
            refused(400, other.refresh, ticket=first)
        refused(400, old.refresh, ticket=first)
        mover.at = new
        mover.move().close()
        mover.close()


def test_late():
    """A repeated Refresh and data at the same time: none of it gets lost."""
    for _ in range(8):
        mover = Mover()
        first = mover.ticket
        new = mover.announce()
        for i in range(16):
            again = Message(REFRESH, REQUEST)
            new.build_allocate(again, transport=None, ticket=first)
            new.raw_send(new.authenticate(again).bytes())
            new.channel_send(CHANNEL, b"%d" % i)
        for i in range(16):
            same(new.recv_data(), (CHANNEL, None, b"%d" % i), "ChannelData")
        mover.at.close()
        mover.at = new
        mover.close()


def test_refused():
    for _ in range(4):
        mover = Mover()
        refused(400, mover.at.refresh, ticket=mover.ticket)
        with client(user="bob", password="stored") as bob:
            refused(441, bob.refresh, ticket=mover.ticket)
            refused(441, bob.refresh, 0, ticket=mover.ticket)
        with client(password="wrong") as nobody:
            refused(401, nobody.refresh, ticket=mover.ticket)
        with client() as c:
            for i in range(0, len(mover.ticket), 7):
                wrong = bytearray(mover.ticket)
                wrong[i] ^= 1
                refused(400, c.refresh, ticket=bytes(wrong))
            refused(400, c.refresh, ticket=b"")
            refused(400, c.allocate, ticket=mover.ticket)
        mover.check(mover.at)
        # Its end, from elsewhere.
        with client() as c:
            same(c.refresh(0, ticket=mover.ticket).ticket, None, "ticket")
            refused(437, c.refresh, ticket=mover.ticket)
        refused(437, mover.at.refresh)
        mover.at.close()


def test_off():
    with client() as c:
        refused(405, c.allocate, ticket=b"")
        c.allocate()
        refused(405, c.refresh, ticket=bytes(32))
        same(c.refresh().ticket, None, "ticket")


def test_break(transport):
    """The connection ends before there is another: break before make."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((ADDRESSES[0], 0))
        for _ in range(3):
            mover = Mover(transport)
            mover.at.permit(ADDRESSES[0])
            mover.at.close()
            # Its place in the quota is taken.
            with client() as other:
                refused(486, other.allocate)
            new = mover.announce()
            # It need not send anything to get what comes.
            peer.sendto(b"from a peer", mover.relay)
            same(new.recv_data(),
                 (None, peer.getsockname(), b"from a peer"), "data")
            mover.check(new)
            # And on, where the end of the old connection says so.
            mover.at = new
            mover.move(transport)
            new = mover.announce(transport)
            mover.at.close()
            for _ in range(500):
                peer.sendto(b"on", mover.relay)
                got = new.recv_data(0.02)
                if got:
                    break
            same(got, (None, peer.getsockname(), b"on"), "data")
            # Others of the same may still be on their way.
            new.channel_send(CHANNEL, b"there")
            while got and got.data == b"on":
                got = new.recv_data()
            same(got, (CHANNEL, None, b"there"), "ChannelData")
            mover.at = new
            mover.close()


def test_next_ends(transport):
    """The new connection ends before data has come by it: all as it was."""
    for _ in range(4):
        mover = Mover()
        new = mover.announce(transport)
        new.close()
        mover.check(mover.at)
        third = mover.announce()
        mover.check(mover.at)
        mover.at = third
        mover.check(third)
        mover.close()


def test_changes(count):
    """From one place to the next, before data has come by any of them."""
    mover = Mover()
    old = mover.at
    places = [mover.announce() for _ in range(int(count))]
    mover.check(old)
    for c in places[:-1]:
        refused(437, c.refresh)
        c.channel_send(CHANNEL, b"from nowhere")
    mover.check(old)
    mover.check(places[-1])
    mover.at = places[-1]
    mover.close()


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
