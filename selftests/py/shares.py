# SPDX-License-Identifier: GPL-2.0-or-later
"""What clients of a few users relay together, all sending at the same time.

    from shares import CHANNEL, Share, check_shares

    check_shares([Share([a, b], offered=3e5, rate=1e5, burst=2e4),
                  Share([c], offered=5e4)], seconds=2)

The clients have channel CHANNEL bound to a peer that sends everything back,
and all that is not limited has to come back.
"""

import collections
import select
import time

from checks import same

CHANNEL = 0x4000
SIZE = 1000
STEP = 0.005

# What some clients offer together, bytes a second of data; what may pass, and
# what may pass at once; without a rate all of it does.
Share = collections.namedtuple("Share", "clients offered rate burst",
                               defaults=(None, None))


def drain(clients, got, timeout):
    """Count what has come; False when nothing did in time."""
    by_sock = {c.sock: c for c in clients}
    ready = select.select(list(by_sock), [], [], timeout)[0]
    for sock in ready:
        c = by_sock[sock]
        while True:
            data = c.recv_data(0.001)
            if data is None:
                break
            got[c] += len(data.data)
    return bool(ready)


def relay(shares, seconds):
    """Send for so long; what came back to each client, and for how long."""
    clients = [c for s in shares for c in s.clients]
    got, sent = collections.Counter(), collections.Counter()
    begun = time.monotonic()
    now = 0
    while now < seconds:
        now = time.monotonic() - begun
        for s in shares:
            each = s.offered / len(s.clients)
            for c in s.clients:
                while sent[c] < each * min(now, seconds):
                    c.channel_send(CHANNEL, bytes(SIZE))
                    sent[c] += SIZE
        drain(clients, got, STEP)
    took = time.monotonic() - begun
    while drain(clients, got, 0.3):
        pass
    return sent, got, took


def check_shares(shares, seconds=2.0, least=0.9):
    """Each gets what it may have: no more, and @least of that or more."""
    sent, got, took = relay(shares, seconds)
    for s in shares:
        offered = sum(sent[c] for c in s.clients)
        passed = sum(got[c] for c in s.clients)
        if s.rate is None:
            same(passed, offered, "bytes that came back, not limited")
            continue
        may = s.burst + s.rate * took
        same(offered > 1.5 * may, True, "more is offered than may pass")
        same(least * (s.burst + s.rate * seconds) <= passed <= may + SIZE,
             True, f"{passed} of {may:.0f} bytes came back")
        for c in s.clients:
            same(got[c] > 0, True, "each client gets some")
