# SPDX-License-Identifier: GPL-2.0-or-later
"""What the tests of limits share.

Bits are limited to eight a second: what comes back is a byte a second, less
than any packet here while a test runs. Packets can't be limited to less than
one a second, so a test of them is repeated until it took less than that.
"""

from libkturn import Limit
from packets import Failed, pattern
from world import now, waiting

NONE = Limit()
LIMIT = ("drop", "limit")


def bits(burst):
    """A limit of so many bytes, and then nothing for a long time."""
    return Limit(bit_rate=8, burst_bytes=burst)


def packets(burst):
    return Limit(packet_rate=1, burst_packets=burst)


def no_limits(s, w):
    s.kt.alloc_set_limits(w.id, NONE, NONE)


def quickly(test):
    """Repeat until it took less than the second that a packet takes."""
    for _ in range(20):
        start = now()
        try:
            test()
        except Failed:
            if now() - start < 1:
                raise
        if now() - start < 1:
            return
    raise Failed("too slow to tell")


def passed(s, w, way, sizes):
    """How many of the packets of these sizes pass."""
    w.empty()
    for n in sizes:
        w.say(way, pattern(n))
    s.steady(w).barrier()
    sink = {"chan-out": w.peer, "send-out": w.plain}.get(way, w.client)
    return len(waiting(sink))
