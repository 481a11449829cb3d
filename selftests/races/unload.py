#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The module goes while packets flow, and comes back; see unload.sh."""

import errno
import sys
import time

from child import Child
from ktap import Tests
from libkturn import Listener, MODULE_GONE, Refused
from packets import expect
from race import (Leaks, crowd, flooded_worlds, flooding, flows, joined,
                  load, loaded, nothing_left, rounds, unload)
from world import Holder, kturn, nothing_lost, refused

GRACE = 60_000


def reader():
    """Read everything all the time, module or not."""
    while True:
        try:
            kt = kturn()
        except Refused:
            time.sleep(0.01)
            continue
        try:
            while True:
                kt.allocs()
                kt.chans()
        except Refused:
            kt.close()


def unloaded(worlds):
    leaks = Leaks()

    def once(n):
        if not loaded():
            load()
        kt, listener = joined(1, GRACE, "main"), Listener()
        holder = Holder(2, GRACE)
        for w in worlds:
            w.begin(kt)
        crowd(kt)
        with flooding(worlds):
            dumper = Child(reader) if n % 2 else None
            flows(kt)
            if not dumper:
                with open("/sys/module/kturn/refcnt") as f:
                    expect("references to the module", f.read().strip(), "0")
            unload()
        refused(errno.ENOENT, kt.allocs)
        expect("told", [e.type for e in listener.take(1)], [MODULE_GONE])
        # Sockets that had joined close when there is nobody left to hear it.
        holder.kill()
        if dumper:
            dumper.kill()
        kt.close()
        listener.close()
        leaks.round_over()

    rounds(once)
    load()
    leaks.check()
    kt = kturn()
    expect("nothing is left", (kt.stats().allocs, kt.stats().owners), (0, 0))
    for w in worlds:
        w.empty()
        w.begin(kt)
    nothing_lost(worlds, 0)
    nothing_left(kt)


def main():
    tests = Tests()
    tests.add("unloaded", unloaded, flooded_worlds())
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
