#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients outside the NAT of nat.sh: nat_client.py TEST [ARGUMENT...]"""

import contextlib
import socket
import sys

from checks import refused, same
from turnclient import TurnClient
from turnmessage import REFRESH


@contextlib.contextmanager
def client(server, **options):
    """Leaves no allocation behind."""
    with TurnClient(server, user="alice", password="secret", **options) as c:
        yield c
        if c.nonce:
            c.request(REFRESH, lambda m: c.build_allocate(
                m, transport=None, lifetime=0))


def peer_of(server):
    """A peer outside, beside the client."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.connect((server, 9))
    own = sock.getsockname()[0]
    sock.close()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.settimeout(5)
    sock.bind((own, 0))
    return sock


def check_relay(c, public, server):
    """The address that was told is where peers see and reach the client."""
    relay = c.allocate().relay
    same(relay[0], public, "XOR-RELAYED-ADDRESS")
    with peer_of(server) as peer:
        at = peer.getsockname()
        c.permit(at[0])
        peer.sendto(b"in", relay)
        same(c.recv_data(), (None, at, b"in"), "Data indication")
        c.send(at, b"out")
        same(peer.recvfrom(100), (b"out", relay), "at the peer")


def test_relayed(server, public):
    """Through the gateway, which lets in only what it maps."""
    for transport in "udp", "tcp":
        with client(server, transport=transport) as c:
            check_relay(c, public, server)


def test_hairpin(server, public):
    with client(server) as a, client(server) as b:
        at, bt = a.allocate().relay, b.allocate().relay
        a.permit(public)
        b.permit(public)
        a.send(bt, b"to b")
        same(b.recv_data(), (None, at, b"to b"), "at b")
        refused(403, a.bind, 0x4000, (public, 3478))


def test_even_port(server):
    with client(server) as c:
        relay = c.allocate(even_port=False).relay
        same(relay[1] % 2, 0, "the port's last bit")


def test_served(server, public, ports):
    test_relayed(server, public)
    test_hairpin(server, public)
    test_even_port(server)
    test_all_of(server, ports)


def test_refused(server, code):
    with client(server) as c:
        refused(int(code), c.allocate)


def test_all_of(server, ports):
    """As many allocations as ports, and not one more."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(client(server))
                   for _ in range(int(ports) + 1)]
        told = {c.allocate().relay[1] for c in clients[:-1]}
        same(len(told), int(ports), "ports")
        refused(508, clients[-1].allocate)


def test_over(server, public, after, fifo):
    """An allocation of before the address became another."""
    with client(server) as c, client(server) as d:
        relay = c.allocate().relay
        same(relay[0], public, "XOR-RELAYED-ADDRESS")
        print("ready", flush=True)
        with open(fifo, encoding="utf-8") as f:
            f.read()
        c.refresh()
        same(d.allocate().relay[0], after, "XOR-RELAYED-ADDRESS after")


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
