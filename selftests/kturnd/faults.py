#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What kturnd runs out of, or loses: faults.py TEST [ARGUMENT...]

Each test has a session of before, which must go on.
"""

import contextlib
import itertools
import os
import subprocess
import sys

from checks import refused, same, silent
from lab import inside
from requests import PEER, client
from turnclient import TurnError

SPARE = "203.0.113.5"
NUMBER = itertools.count()


def ip(*command):
    with inside("relay"):
        subprocess.run(("ip", *command), check=True)


def session():
    """With a permission and a channel."""
    c = client(timeout=10)
    c.relayed = c.allocate().relay
    c.permit(PEER[4][0])
    c.bind(0x4000, PEER[4])
    return c


def goes_on(c):
    """Data of both kinds, and each request that keeps it."""
    data = b"%d" % next(NUMBER)
    c.channel_send(0x4000, data)
    same(c.recv_data(), (0x4000, None, data), "ChannelData")
    c.refresh(600)
    c.permit(PEER[4][0])
    c.bind(0x4000, PEER[4])


def test_service():
    with session() as c:
        goes_on(c)


def test_relay_address():
    """One of two relayed addresses is taken from the host, and comes back."""
    sessions = {}
    while len(sessions) < 2:
        c = session()
        sessions.setdefault(c.relayed[0], c)
        same(next(NUMBER) < 100, True, "both addresses are used")
    stays = next(c for a, c in sessions.items() if a != SPARE)
    ip("addr", "del", f"{SPARE}/24", "dev", "relay1")
    for _ in range(20):
        goes_on(stays)
        with session() as c:
            same(c.relayed[0], stays.relayed[0], "the address that is left")
    gone = sessions[SPARE]
    gone.channel_send(0x4000, b"lost")
    silent(gone)
    gone.refresh(600)
    ip("addr", "add", f"{SPARE}/24", "dev", "relay1")
    goes_on(gone)
    goes_on(stays)


def test_server_address():
    """The address that clients come to is taken from the host, and back."""
    with session() as c:
        ip("addr", "del", "198.51.100.1/24", "dev", "relay0")
        c.channel_send(0x4000, b"lost")
        ip("addr", "add", "198.51.100.1/24", "dev", "relay0")
        goes_on(c)
        test_service()


def test_descriptors(pid):
    """There is none left for another relayed address."""
    with session() as c:
        used = len(os.listdir(f"/proc/{pid}/fd"))
        subprocess.run(["prlimit", "--pid", pid, f"--nofile={used + 3}"],
                       check=True)
        more = []
        with contextlib.suppress(TurnError):
            while len(more) < 20:
                more.append(client(timeout=10))
                more[-1].allocate()
        refused(508, more[-1].allocate)
        goes_on(c)
        more[0].refresh(0)
        with session():
            goes_on(c)


if __name__ == "__main__":
    globals()["test_" + sys.argv[1]](*sys.argv[2:])
