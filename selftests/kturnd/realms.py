#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients for the tests of realms:
realms.py TEST [ARGUMENT...] [/ TEST [ARGUMENT...]]...

Each function test_... is a test; it runs in the client's namespace, see the
picture in ../lib.sh, and fails with an exception. An origin "-" is none.
"""

import sys

from checks import refused, same
from turnclient import TurnClient
from turnmessage import ALLOCATE, REALM, rest_credential

RELAY = "198.51.100.1"
PEER = ("203.0.113.2", 9999)
def client(port=3478, origin=None, **options):
    return TurnClient((RELAY, int(port)),
                      origin=None if origin == "-" else origin, **options)


def challenge(c):
    answer = c.request(ALLOCATE, c.build_allocate, auth=False)
    same(answer.code, 401, "the challenge")
    return answer


def test_challenge(realm, origin="-", port=3478):
    with client(port, origin) as c:
        same(challenge(c).get(REALM).decode(), realm, "realm")


def test_user(realm, user, password, origin="-", code="0"):
    with client(origin=origin, user=user, password=password) as c:
        if code == "0":
            c.allocate()
            same(c.realm, realm, "realm")
            c.permit(PEER[0])
            c.refresh(0)
        else:
            refused(int(code), c.allocate)


def test_secret(secret, realm, origin="-", code="0"):
    test_user(realm, *rest_credential(secret, "carol", 60), origin, code)


def test_quota(origin, user, password, code, allowed, other):
    """So many of one user, or of the realm; @other still has room."""
    clients = [client(origin=origin, user=user, password=password)
               for _ in range(int(allowed) + 1)]
    for c in clients[:-1]:
        c.allocate()
    refused(int(code), clients[-1].allocate)
    with client(user="alice", password=other) as c:
        c.allocate()
        c.refresh(0)
    for c in clients[:-1]:
        c.refresh(0)
        c.close()


def test_bandwidth(origin, user, password, most):
    """Of 100 datagrams of 1000 bytes @most come back."""
    with client(origin=origin, user=user, password=password) as c:
        c.allocate()
        c.bind(0x4000, PEER)
        for _ in range(100):
            c.channel_send(0x4000, bytes(1000))
        got = 0
        while c.recv_data(0.5):
            got += 1
        same(0 < got <= int(most), True, f"{got} datagrams came back, limited")
        c.refresh(0)


def main(words):
    while words:
        end = words.index("/") if "/" in words else len(words)
        globals()[f"test_{words[0]}"](*words[1:end])
        words = words[end + 1:]


if __name__ == "__main__":
    main(sys.argv[1:])
