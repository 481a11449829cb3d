#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Bandwidth of users and of all: bandwidth.py TEST RATE BURST

RATE and BURST are bytes of data, as kturnd was told; see shares.py of
selftests/py for what is measured.
"""

import contextlib
import sys

from shares import CHANNEL, Share, check_shares
from turnclient import TurnClient

RELAY = "198.51.100.1"
PEER = ("203.0.113.2", 9999)


def ready(stack, transport="udp", user="alice", password="secret"):
    """A client with a channel to the echo."""
    c = stack.enter_context(TurnClient(RELAY, user=user, password=password,
                                       transport=transport))
    c.allocate()
    c.bind(CHANNEL, PEER)
    return c


def test_user(rate, burst, *transports):
    """alice's clients together, and bob's beside them, who offers less."""
    with contextlib.ExitStack() as stack:
        alices = [ready(stack, transport) for transport in transports]
        bob = ready(stack, user="bob", password="stored")
        check_shares([Share(alices, 3 * rate, rate, burst),
                      Share([bob], 0.8 * rate)], seconds=1.2)


def test_total(rate, burst, *transports):
    """alice's clients and bob's together."""
    with contextlib.ExitStack() as stack:
        clients = [ready(stack, transport) for transport in transports]
        clients.append(ready(stack, user="bob", password="stored"))
        check_shares([Share(clients, 3 * rate, rate, burst)], seconds=1.2)


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](int(sys.argv[2]), int(sys.argv[3]),
                                     *sys.argv[4:])
