#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Dual allocations: dual.py TEST [ARGUMENT...], as requests.py.

A client that has a relayed address of each family (RFC 8656 section 7.2).
"""

import sys

from checks import refused, same, silent
from requests import PEER, check_echo, client

# Who has no permission.
STRANGER = {4: ("203.0.113.9", 9), 6: ("2001:db8:2::9", 9)}
CHANNEL = {4: 0x4004, 6: 0x4006}


def allocate(c):
    """With both, or it is an error."""
    got = c.allocate(additional_family=6)
    same(sorted(got.relays), [4, 6], "families")
    same(got.address_error, None, "ADDRESS-ERROR-CODE")
    return got.relays


def check_channel(c, family, data):
    c.channel_send(CHANNEL[family], data)
    same(c.recv_data(), (CHANNEL[family], None, data), "ChannelData")


def test_echo(family):
    """Peers of both families, of a client of either."""
    with client(int(family)) as c:
        allocate(c)
        c.permit(PEER[4][0], PEER[6][0])
        for size in (0, 1, 1200):
            for to in (4, 6):
                check_echo(c, to, bytes(size))
        for to in (4, 6):
            c.bind(CHANNEL[to], PEER[to])
        for size in (0, 1, 1200):
            for to in (4, 6):
                check_channel(c, to, bytes(size))
        for to in (4, 6):
            c.send(STRANGER[to], b"not permitted")
        silent(c)


def test_hairpin():
    """What comes from a relayed address comes from that of its family."""
    with client(4) as a, client(6) as b:
        at, bt = allocate(a), allocate(b)
        for family in (4, 6):
            a.permit(bt[family][0])
            b.permit(at[family][0])
        for family in (4, 6):
            a.send(bt[family], b"to b")
            same(b.recv_data(), (None, at[family], b"to b"), "at b")
            b.send(at[family], b"to a")
            same(a.recv_data(), (None, bt[family], b"to a"), "at a")


def test_refused():
    with client() as c:
        refused(400, c.allocate, additional_family=4)
        refused(400, c.allocate, additional_family=6, family=4)
        refused(400, c.allocate, additional_family=6, even_port=True)
        refused(400, c.allocate, additional_family=6, token=bytes(8))
        got = c.allocate(additional_family=6, even_port=False)
        same([port % 2 for _, port in got.relays.values()], [0, 0], "parity")


def test_part(family, code):
    """Only @family can be had; of the other one is told why not."""
    family = int(family)
    with client(family) as c:
        got = c.allocate(additional_family=6)
        same(list(got.relays), [family], "families")
        same(got.address_error, (10 - family, int(code)),
             "ADDRESS-ERROR-CODE")
        c.permit(PEER[family][0])
        check_echo(c, family, b"by the only one")
        refused(443, c.permit, PEER[10 - family][0])
        refused(443, c.permit, PEER[family][0], PEER[10 - family][0])
        refused(443, c.bind, 0x4000, PEER[10 - family])
        c.refresh(0)


def end_one(c, family):
    """That of @family; all of the other one goes on."""
    other = 10 - family
    for to in (4, 6):
        c.bind(CHANNEL[to], PEER[to])
    same(c.refresh(0, family=family).lifetime, 0, "lifetime")
    refused(443, c.refresh, family=family)
    refused(443, c.permit, PEER[family][0])
    refused(443, c.bind, CHANNEL[family], PEER[family])
    c.send(PEER[family], b"to nobody")
    c.channel_send(CHANNEL[family], b"to nobody")
    silent(c)
    check_channel(c, other, b"the other one")
    same(c.refresh(900, family=other).lifetime, 900, "lifetime")
    # The number is free, of a peer of the other family too.
    c.permit(PEER[other][0])
    refused(400, c.bind, CHANNEL[family], PEER[other])
    c.bind(CHANNEL[family], (PEER[other][0], 9998))


def test_end(family):
    family = int(family)
    with client() as c:
        allocate(c)
        end_one(c, family)


def test_all_ports(low, high):
    """Of both families; one that ends is free for others at once."""
    number = int(high) - int(low) + 1
    clients = [client() for _ in range(number)]
    first = allocate(clients[0])
    for c in clients[1:]:
        allocate(c)
    with client() as c:
        refused(508, c.allocate, additional_family=6)
        clients[0].refresh(0, family=6)
        got = c.allocate(additional_family=6)
        same(got.relays, {6: first[6]}, "the port freed")
        same(got.address_error, (4, 508), "ADDRESS-ERROR-CODE")
        refused(443, c.permit, PEER[4][0])
        c.permit(PEER[6][0])
        check_echo(c, 6, b"through the port freed")
        c.refresh(0)
    for c in clients:
        c.refresh(0)


def test_quota(quota):
    """A dual allocation is one."""
    clients = [client() for _ in range(int(quota))]
    for c in clients:
        allocate(c)
    with client() as c:
        refused(486, c.allocate)
        clients[0].refresh(0, family=4)
        refused(486, c.allocate)
        clients[0].refresh(0, family=6)
        c.allocate()
        c.refresh(0)
    for c in clients[1:]:
        c.refresh(0)


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
