#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The network changes under the flood; see stack.sh."""

import os
import select
import subprocess
import sys

from child import Child
from ktap import Tests
from lab import V4, V6, ip, netns, receive
from packets import Failed, expect
from race import (Leaks, flooded_worlds, flooding, flows, has_device,
                  ip_lines, joined, link_up, load, nothing_left,
                  relay_up, rounds, unload)
from world import (ALL, Holder, kturn, nothing_lost, wait_until,
                   waiting)

GRACE = 60_000


def begun(worlds, grace=0):
    kt = joined(1, grace, "stays")
    for w in worlds:
        w.begin(kt)
        w.empty()
    return kt


def open_again(worlds):
    """What was open is so again, once links and neighbours are there."""
    def passes():
        try:
            for w in worlds:
                w.empty()
                for s in (w.client, w.peer):
                    s.settimeout(0.2)
            nothing_lost(worlds, 0)
            return True
        except (TimeoutError, Failed):
            return False
        finally:
            for w in worlds:
                for s in (w.client, w.peer):
                    s.settimeout(5)

    wait_until("packets pass again", passes, 60)
    # What had waited for a neighbour when it was given up on may come late.
    while select.select([s for w in worlds for s in (w.client, w.peer)], [], [],
                        0.3)[0]:
        for w in worlds:
            w.empty()
    for w, other in (worlds, worlds[::-1]):
        w.empty()
        other.empty()
        expect("passes", w.passes(other), ALL)


# ---------------------------------------------------------------------- routes

HOSTS = (("203.0.113.2/32", "relay1"), ("198.51.100.2/32", "relay0"),
         ("2001:db8:2::2/128", "relay1"), ("2001:db8:1::2/128", "relay0"))


def flap():
    """Routes come, change and go; each leads where the others do."""
    while True:
        for mtu in (1500, 1400):
            for host, device in HOSTS:
                ip("relay", "route", "replace", host, "dev", device, "mtu",
                   str(mtu))
        for host, device in HOSTS:
            ip("relay", "route", "del", host, "dev", device)


def routes(worlds):
    kt = begun(worlds)
    with flooding(worlds):
        flapper = Child(flap)
        rounds(lambda n: nothing_lost(worlds, n))
        flapper.kill()
        for host, device in HOSTS:
            subprocess.run(["ip", "-n", os.environ["relay"], "route", "del",
                            host, "dev", device], capture_output=True,
                           check=False)

        def unreachable(n):
            """One of the ways out is closed; then it is open again."""
            host = HOSTS[n % 4][0]
            w = worlds[":" in host]
            ip("relay", "route", "add", "unreachable", host, "metric", "1")
            expect("open", w.passes(worlds[":" not in host]),
                   {"chan-in", "data-in"} if n % 2 == 0 else
                   {"chan-out", "send-out"})
            ip("relay", "route", "del", "unreachable", host, "metric", "1")
            nothing_lost(worlds, n)
        rounds(unreachable)
    nothing_left(kt)


# ------------------------------------------------------------------- addresses

ADDRESSES = ((V4.relay, 24, 1), (V4.server, 24, 0), (V6.relay, 64, 1),
             (V6.server, 64, 0))


def addresses(worlds):
    """What is for an address that is gone is none of the module's business."""
    kt = begun(worlds)
    with flooding(worlds):
        def once(n):
            address, length, link = ADDRESSES[n % 4]
            w = worlds[":" in address]
            ip("relay", "addr", "del", f"{address}/{length}", "dev",
               f"relay{link}")
            expect("open", w.passes(worlds[":" not in address]), set())
            ip_lines("relay", f"addr add {address}/{length} dev relay{link}" +
                     (" nodad" if ":" in address else "") + "\n")
            open_again(worlds)
        rounds(once)
    nothing_left(kt)


# --------------------------------------------------------------------- devices

def devices(worlds):
    """Remembered routes do not keep a device that is deleted."""
    kt = begun(worlds)
    with flooding(worlds):
        def once(n):
            where = ("client", "peer")[n % 2]
            flows(kt)
            ip("relay", "link", "del", f"relay{n % 2}")
            expect("device", has_device(where, where + "0"), False)
            link_up(n % 2)
            open_again(worlds)
        rounds(once)
    nothing_left(kt)


# ------------------------------------------------------------------ namespaces

def relay_down():
    """Delete the namespace; its devices and the module's state go later."""
    netns("client")
    subprocess.run(["ip", "netns", "del", os.environ["relay"]], check=True)


def gone():
    return not has_device("client", "client0")


def namespaces(worlds):
    leaks = Leaks()
    relay_down()
    wait_until("it is gone", gone)

    def once(n):
        relay_up()
        kt = begun(worlds, GRACE)
        holder = Holder(2, GRACE)
        flows(kt)
        if n % 2:
            # Without sockets, in the grace period.
            holder.kill()
            kt.close()
            relay_down()
        else:
            # A socket keeps the namespace, and the traffic in it.
            kt.close()
            relay_down()
            waiting(worlds[0].peer)
            for _ in range(10):
                worlds[0].say("chan-out", b"still")
                receive(worlds[0].peer)
            expect("the namespace is gone", gone(), False)
            holder.kill()
        wait_until("it is gone", gone, 60)
        leaks.round_over()

    with flooding(worlds):
        rounds(once)
    relay_up()
    kt = kturn()
    expect("nothing is left", (kt.stats().allocs, kt.stats().hooks),
           (0, False))
    kt.close()
    kt = begun(worlds)
    open_again(worlds)
    nothing_left(kt)
    # Waits for the last namespace to end in all its parts.
    unload()
    leaks.round_over()
    leaks.check()
    load()


def main():
    tests, worlds = Tests(), flooded_worlds()
    for test in (routes, addresses, devices, namespaces):
        tests.add(test.__name__, test, worlds)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
