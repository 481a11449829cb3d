#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients that move, while the kernel relays: moves.py TEST [ARGUMENT...], as
sessions.py."""

import sys

from checks import refused, same
from sessions import PEER, RELAY, check_channel, check_send, wait
from turnclient import TurnClient

COUNT = 10


def place(transport="udp", local="198.51.100.2"):
    return TurnClient(RELAY[4], user="alice", password="secret", timeout=10,
                      transport=transport, local=local)


def allocate():
    """At a place, and a ticket."""
    c = place()
    ticket = c.allocate(ticket=b"").ticket
    c.permit(PEER[4][0])
    c.bind(0x4000, (PEER[4][0], 10000))
    return c, ticket


def relay(c, number=COUNT):
    """As many of each kind, none of which gets lost."""
    for i in range(number):
        check_send(c, PEER[4], b"%d" % i)
        check_channel(c, 0x4000, b"%d" % i)


def say(step, *places):
    """The script is told where the clients are."""
    print(step, *(f"{c.local[0]}:{c.local[1]}" for c in places), flush=True)
    wait(step)


def test_moves():
    old, ticket = allocate()
    relay(old)
    say("before", old)
    new = place(local="198.51.100.3")
    ticket = new.refresh(ticket=ticket).ticket
    relay(old)
    new.permit("203.0.113.7")
    say("announced", old, new)
    check_channel(new, 0x4000, b"the first")
    say("first", new)
    relay(new)
    old.channel_send(0x4000, b"from where it was")
    old.send(PEER[4], b"from where it was")
    check_channel(new, 0x4000, b"the last")
    same(old.recv_data(0.01), None, "data where it was")
    refused(437, old.refresh)
    say("moved", new)
    tcp = place("tcp")
    ticket = tcp.refresh(ticket=ticket).ticket
    relay(new)
    relay(tcp)
    same(new.recv_data(0.01), None, "data where it was")
    say("withdrawn", tcp)
    # And back, to a place that it has had before.
    old.refresh(ticket=ticket)
    relay(tcp, 1)
    check_channel(old, 0x4000, b"the first")
    relay(old)
    say("back", old)
    old.refresh(0)


def test_often(number):
    """From worker to worker."""
    c, ticket = allocate()
    relay(c, 1)
    for _ in range(int(number)):
        new = place()
        ticket = new.refresh(ticket=ticket).ticket
        relay(c, 1)
        check_channel(new, 0x4000, b"the first")
        relay(new, 1)
        c.close()
        c = new
    say("often", c)
    c.refresh(0)


def test_break():
    """The connection has ended; who comes back is the kernel's at once."""
    c, ticket = allocate()
    tcp = place("tcp")
    ticket = tcp.refresh(ticket=ticket).ticket
    relay(tcp, 1)
    tcp.close()
    say("away", c)
    new = place()
    new.refresh(ticket=ticket)
    relay(new)
    say("back", new)
    new.refresh(0)


def test_restart():
    """Before data has come from where it will be, and afterwards."""
    old, ticket = allocate()
    new = place(local="198.51.100.3")
    first = ticket
    ticket = new.refresh(ticket=ticket).ticket
    relay(old, 1)
    say("restart", old, new)
    relay(old, 1)
    same(new.refresh(ticket=first).ticket, ticket, "ticket")
    relay(new)
    refused(437, old.refresh)
    say("again", new)
    relay(new)
    old.refresh(ticket=ticket)
    relay(old, 1)
    old.refresh(0)


def test_deleted():
    """An administrator deletes it, wherever its client is or will be."""
    old, ticket = allocate()
    new = place()
    new.refresh(ticket=ticket)
    say("deleted", old, new)
    refused(437, new.refresh)
    refused(437, old.refresh)
    with place() as c:
        refused(437, c.refresh, ticket=ticket)
    new.allocate()
    new.refresh(0)


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
