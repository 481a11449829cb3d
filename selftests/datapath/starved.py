#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Super-packets when memory is short; see starved.sh."""

import contextlib
import sys

from gso import offloads, segmented
from ktap import Tests
from lab import Capture, receive
from packets import channel, pattern
from scene import Setup
from world import CHAN, wait_until, waiting

FAILSLAB = "/sys/kernel/debug/failslab/"
PERCENT = 15            # of what is allocated while packets are handled


def failslab(name, value):
    with open(FAILSLAB + name, "w", encoding="ascii") as f:
        f.write(str(value))


@contextlib.contextmanager
def short_of_memory():
    for name, value in (("verbose", 0), ("ignore-gfp-wait", "Y"),
                        ("interval", 1), ("space", 0), ("times", -1)):
        failslab(name, value)
    failslab("probability", PERCENT)
    try:
        yield
    finally:
        failslab("probability", 0)


def starved(s, w):
    """What lost its segments is dropped, and nobody else sees it."""
    msg = channel(CHAN, pattern(796))
    # Who watches has a reference to each segment, so that they are copied.
    cap = Capture("relay", "relay0", w.side.family)
    before = s.counters()["drop", "no-memory"]

    def lost():
        with short_of_memory():
            for _ in range(10):
                with contextlib.suppress(OSError):
                    w.client.sendto(msg * 6, w.server)
        for sock in (cap.s, w.peer, s.daemon(w)):
            waiting(sock)
        return s.counters()["drop", "no-memory"] >= before + 5

    offloads("list offload")
    with segmented(w.client, len(msg)):
        wait_until("segments were lost", lost, 60)
    offloads("segments")
    cap.close()
    # Those that were relayed may still be on their way.
    w.client.sendto(channel(CHAN, b"marker"), w.server)
    while receive(w.peer)[0] != b"marker":
        pass


def main():
    tests, s = Tests(), Setup()
    for name in ("IPv4", "IPv6"):
        tests.add(f"{name}: starved", starved, s, s.worlds[name])
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
