#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients for the tests of realms and access tokens:
realms.py TEST [ARGUMENT...] [/ TEST [ARGUMENT...]]...

Each function test_... is a test; it runs in the client's namespace, see the
picture in ../lib.sh, and fails with an exception. An origin "-" is none.
"""

import base64
import json
import os
import sqlite3
import subprocess
import sys
import time

from checks import refused, same, silent
from turnclient import AccessToken, TurnClient
from turnmessage import (ALLOCATE, REALM, THIRD_PARTY_AUTHORIZATION, TurnError,
                         rest_credential)

RELAY = "198.51.100.1"
PEER = ("203.0.113.2", 9999)
SERVER_NAME = "turn.example.org"

# coturn's examples, which its client has built in (-J).
KEYS = {
    "north": ("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEK", "A256GCM"),
    "union": ("MTIzNDU2Nzg5MDEyMzQ1Ngo=", "A128GCM"),
    "oldempire": ("MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIK", "A256GCM"),
}


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


def test_peers(origin, user, password, allowed, denied):
    """Which addresses a realm's users may have as peers; each a,b,..."""
    with client(origin=origin, user=user, password=password) as c:
        c.allocate()
        for peer in allowed.split(","):
            c.permit(peer)
        for peer in denied.split(","):
            refused(403, c.permit, peer)
            refused(403, c.bind, 0x4000, (peer, 9))
        c.refresh(0)


def wait_refused(c, peer):
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            c.permit(peer)
        except TurnError as error:
            same(error.code, 403, str(error))
            return
        time.sleep(0.1)
    raise AssertionError(f"{peer} is still allowed")


def test_peer_denied(db, origin, user, password):
    """In that realm, while a client of it and one of the other use it."""
    with client(origin=origin, user=user, password=password) as c, \
            client(user="alice", password="secret") as other:
        for one in c, other:
            one.allocate()
            one.permit(PEER[0])
            one.bind(0x4000, PEER)
            one.channel_send(0x4000, b"to the peer")
            same(one.recv_data().data, b"to the peer", "data")
        with sqlite3.connect(db, timeout=5) as store:
            store.execute("INSERT INTO denied_peer_ip VALUES (?, ?)",
                          (c.realm, f"{PEER[0]}-203.0.113.3"))
        wait_refused(c, PEER[0])
        c.channel_send(0x4000, b"not any more")
        c.send(PEER, b"nor this")
        silent(c)
        other.permit(PEER[0])
        other.channel_send(0x4000, b"still")
        same(other.recv_data().data, b"still", "data")
        c.refresh(0)
        other.refresh(0)


def make_token(kid="north", lifetime=600, age=0, name=SERVER_NAME, key=None):
    """As an authorization server would; made by coturn's tool."""
    mac_key = base64.b32encode(os.urandom(20))[:20]
    secret, algorithm = KEYS[key or kid]
    made = int(time.time()) - age
    out = subprocess.run(
        ["turnutils_oauth", "-e", "-i", name, "-j", kid, "-k", secret,
         "-l", str(made), "-m", "100000", "-n", algorithm,
         "-o", base64.b64encode(os.urandom(12)).decode(),
         "-p", base64.b64encode(mac_key).decode(),
         "-q", str(made << 16), "-r", str(lifetime)],
        check=True, capture_output=True, text=True)
    answer = json.loads(out.stdout)
    return AccessToken(mac_key, base64.b64decode(answer["access_token"]))


def test_advertised(name=SERVER_NAME):
    with client() as c:
        told = challenge(c).get(THIRD_PARTY_AUTHORIZATION)
        same(told and told.decode(), name if name != "-" else None, "name")


def test_token(kid, code="0", **options):
    with client(user=kid, token=make_token(kid, **options)) as c:
        if code == "0":
            c.allocate()
            c.permit(PEER[0])
            c.send(PEER, b"hello")
            same(c.recv_data().data, b"hello", "data")
            c.refresh(0)
        else:
            refused(int(code), c.allocate)


def test_token_quota(allowed):
    """So many allocations with one token, whichever key has encrypted it."""
    token = make_token()
    clients = [client(user="north", token=token)
               for _ in range(int(allowed) + 1)]
    for c in clients[:-1]:
        c.allocate()
    refused(486, clients[-1].allocate)
    # It stays the first one's when it is refreshed with another.
    clients[0].user, clients[0].token = "union", make_token("union")
    clients[0].refresh()
    refused(486, clients[-1].allocate)
    test_token("north")
    clients[0].refresh(0)
    clients[-1].allocate()
    for c in clients:
        c.close()


def test_bad_tokens():
    """Each gets a challenge again, with the server's name."""
    for options in ({"name": "other.example.org"}, {"age": 700},
                    {"age": -700}, {"key": "oldempire"}):
        with client(user="north", token=make_token(**options)) as c:
            answer = c.request(ALLOCATE, c.build_allocate)
            same(answer.code, 401, f"answer to {options}")
            same(answer.get(THIRD_PARTY_AUTHORIZATION).decode(), SERVER_NAME,
                 "name")
    test_token("north", lifetime=1000, age=1003)


def test_life():
    """An allocation ends with its token, unless another one comes."""
    with client(user="north", token=make_token(lifetime=100)) as c:
        c.allocate()
        lifetime = c.refresh(3600).lifetime
        same(100 <= lifetime <= 105, True, f"lifetime {lifetime}")
        c.user, c.token = "union", make_token("union", lifetime=2000)
        same(c.refresh(900).lifetime, 900, "lifetime")
        c.permit(PEER[0])
        # Somebody who has a password, and not the token.
        c.user, c.password, c.token = "alice", "secret", None
        refused(441, c.refresh, 0)
        refused(441, c.permit, PEER[0])


def test_unexpected():
    with client(user="north", token=make_token()) as c:
        answer = c.request(ALLOCATE, c.build_allocate)
        same(answer.code, 420, "answer")
        same(answer.unknown_attributes, [0x1b], "unknown attributes")


def main(words):
    while words:
        end = words.index("/") if "/" in words else len(words)
        globals()[f"test_{words[0]}"](*words[1:end])
        words = words[end + 1:]


if __name__ == "__main__":
    main(sys.argv[1:])
