#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Rate limits of what is relayed; see limits.sh."""

import errno
import json
import sys

from ktap import Tests
from lab import V4, kturn, netns, text
from libkturn import EXCLUSIVE, Limit, Refused
from limited import LIMIT, NONE, bits, no_limits, packets, passed, quickly
from packets import Failed, expect
from scene import Setup, TO_CLIENT, TO_PEER
from world import ALL, CHAN, LONG, World, now, wait_until

TO_PEER_WAYS, TO_CLIENT_WAYS = ("chan-out", "send-out"), ("chan-in", "data-in")
U32, U64 = (1 << 32) - 1, (1 << 64) - 1


def set_limit(s, w, ways, limit):
    s.kt.alloc_set_limits(w.id, limit if ways is TO_PEER_WAYS else None,
                          limit if ways is TO_CLIENT_WAYS else None)


def counts(s, w):
    a, = s.kt.allocs(w.id)
    return a.to_peer.bytes + a.to_client.bytes, a.dropped, a.punted


# ------------------------------------------------------------- what is relayed

def by_bits(s, w):
    """Application data count, whatever they are wrapped in."""
    for ways, counted in ((TO_PEER_WAYS, TO_PEER), (TO_CLIENT_WAYS,
                                                    TO_CLIENT)):
        for way in ways:
            set_limit(s, w, ways, bits(1000))
            before = counts(s, w)
            # The other world's barrier is one packet each way.
            with s.counted(*[counted] * 10, *[LIMIT] * 4, TO_PEER, TO_CLIENT):
                expect(way, passed(s, w, way, [100] * 14), 10)
            after = counts(s, w)
            expect("of the allocation", [a - b for a, b in
                                         zip(after, before)], [1000, 4, 0])
            # Without data they cost nothing.
            expect("empty", passed(s, w, way, [0] * 5), 5)
            # A packet that is refused costs nothing either.
            set_limit(s, w, ways, bits(1000))
            expect("too big", passed(s, w, way, [1001] * 3), 0)
            expect("the rest", passed(s, w, way, [400, 400, 300, 200]), 3)
    no_limits(s, w)


def by_packets(s, w):
    """Each counts the same."""
    for ways in (TO_PEER_WAYS, TO_CLIENT_WAYS):
        for way in ways:
            def test(ways=ways, way=way):
                set_limit(s, w, ways, packets(5))
                expect(way, passed(s, w, way, [0, 1, 1200, 20, 0, 3, 9]), 5)
            quickly(test)
    no_limits(s, w)


def both(s, w):
    """What one bucket refuses takes nothing out of the other."""
    def few_bytes():
        s.kt.alloc_set_limits(w.id, Limit(8, 1000, 1, 30))
        expect("bytes", passed(s, w, "chan-out", [100] * 30), 10)
        expect("packets", passed(s, w, "chan-out", [0] * 30), 20)

    def few_packets():
        s.kt.alloc_set_limits(w.id, Limit(8, 1000, 1, 5))
        expect("packets", passed(s, w, "send-out", [100] * 9), 5)
        wait_until("a packet may pass",
                   lambda: passed(s, w, "send-out", [500]) == 1)

    quickly(few_bytes)
    few_packets()
    no_limits(s, w)


def directions(s, w):
    """The two ways out share a limit, those in another."""
    s.kt.alloc_set_limits(w.id, bits(300))
    expect("by channel", passed(s, w, "chan-out", [100] * 2), 2)
    expect("by indication", passed(s, w, "send-out", [100] * 2), 1)
    for way in TO_CLIENT_WAYS:
        expect(way, passed(s, w, way, [100] * 20), 20)
    # Nothing is told about the other direction, so that stays.
    s.kt.alloc_set_limits(w.id, None, bits(100))
    expect("still", passed(s, w, "chan-out", [100] * 2), 0)
    expect("from a channel", passed(s, w, "chan-in", [60] * 2), 1)
    expect("from elsewhere", passed(s, w, "data-in", [60, 40]), 1)
    s.kt.alloc_set_limits(w.id, NONE)
    expect("none any more", passed(s, w, "chan-out", [100] * 20), 20)
    expect("still", passed(s, w, "chan-in", [60] * 2), 0)
    # Other changes are none of the limits.
    s.kt.alloc_set(w.id, LONG)
    s.kt.alloc_set_flags(w.id, EXCLUSIVE)
    expect("still", passed(s, w, "chan-in", [60] * 2), 0)
    s.kt.alloc_set_limits(w.id, None, NONE)
    expect("passes", w.passes(s.steady(w)), ALL)


def others(s, w):
    """Each allocation has its own."""
    other = s.steady(w)
    s.kt.alloc_set_limits(w.id, bits(100), bits(100))
    s.kt.alloc_set_limits(other.id, bits(5000), bits(5000))
    # The barrier is a packet of seven bytes of the first, each way.
    expect("the other", passed(s, other, "chan-out", [100] * 20), 20)
    expect("one", passed(s, w, "chan-out", [93] * 3), 1)
    no_limits(s, w)
    no_limits(s, other)


def comes_back(s, w):
    """The rate is what passes in the long run."""
    start = now()
    s.kt.alloc_set_limits(w.id, Limit(bit_rate=80_000, burst_bytes=1000))
    got = 0
    while got < 30:
        got += passed(s, w, "chan-out", [500] * 5)
    seconds = now() - start
    # 10,000 bytes a second, and what was there at first.
    if got * 500 > 1000 + 10_000 * seconds:
        raise Failed(f"{got} packets in {seconds} s")
    s.kt.alloc_set_limits(w.id, Limit(packet_rate=20, burst_packets=2))
    start, got = now(), 0
    while got < 10:
        got += passed(s, w, "chan-in", [0])
    no_limits(s, w)


def from_the_start(s):
    """An allocation can be made with limits, and shows them."""
    id = s.kt.alloc_new("198.51.100.2:7", "198.51.100.1:3478",
                        ["203.0.113.1:7"], LONG, to_peer=bits(70),
                        to_client=Limit(packet_rate=7))
    a, = s.kt.allocs(id)
    expect("to the peer", a.limit_to_peer, bits(70))
    expect("to the client", a.limit_to_client, Limit(0, 0, 7, 16))
    s.kt.alloc_del(id)
    w = World(None, V4)
    netns("relay")
    w.id = s.kt.alloc_new(text(V4.client, w.cport), text(*w.server),
                          [text(*w.relay)], LONG, EXCLUSIVE,
                          to_peer=bits(70))
    s.kt.perm_new(w.id, V4.peer, LONG)
    s.kt.chan_new(w.id, CHAN, w.to_chan, LONG)
    expect("passed", passed(s, w, "chan-out", [35] * 3), 2)
    s.kt.alloc_del(w.id)
    w.close()


def extremes(s, w):
    """What is shown is what holds."""
    # The largest datagram passes, by default.
    for given, shown in (
            (Limit(bit_rate=1), Limit(1, 65535, 0, 0)),
            (Limit(bit_rate=U64), Limit(U64, U64 // 32, 0, 0)),
            (Limit(bit_rate=400_000_000_000),
             Limit(400_000_000_000, 12_500_000_000, 0, 0)),
            (Limit(bit_rate=U64, burst_bytes=U64), Limit(U64, U64, 0, 0)),
            (Limit(bit_rate=1, burst_bytes=4_000_000),
             Limit(1, 4_000_000, 0, 0)),
            (Limit(packet_rate=1), Limit(0, 0, 1, 16)),
            (Limit(packet_rate=U32), Limit(0, 0, U32, U32 // 4)),
            (Limit(packet_rate=U32, burst_packets=U32),
             Limit(0, 0, U32, U32)),
            (Limit(bit_rate=U64, packet_rate=U32),
             Limit(U64, U64 // 32, U32, U32 // 4))):
        s.kt.alloc_set_limits(w.id, given, given)
        a, = s.kt.allocs(w.id)
        expect("shown", (a.limit_to_peer, a.limit_to_client), (shown, shown))
        expect("passes", w.passes(s.steady(w)), ALL)
    # A byte at least, and no packet is without any.
    s.kt.alloc_set_limits(w.id, Limit(bit_rate=1, burst_bytes=1))
    expect("a byte", passed(s, w, "chan-out", [1, 1]), 1)
    s.kt.alloc_set_limits(w.id, Limit(bit_rate=1))
    expect("65535 bytes", passed(s, w, "chan-out", [1000] * 70), 65)
    no_limits(s, w)
    a, = s.kt.allocs(w.id)
    expect("shown", (a.limit_to_peer, a.limit_to_client), (NONE, NONE))


def refusals(s, w):
    s.kt.alloc_set_limits(w.id, bits(100), bits(100))
    expect("spent", passed(s, w, "chan-out", [100] * 2), 1)
    for limit, error, attribute, words in (
            (Limit(burst_bytes=1), errno.EINVAL, "burst-bytes",
             "a burst without a rate"),
            (Limit(burst_packets=1, bit_rate=1), errno.EINVAL,
             "burst-packets", "a burst without a rate"),
            (Limit(packet_rate=1, burst_bytes=1), errno.EINVAL, "burst-bytes",
             "a burst without a rate"),
            (Limit(bit_rate=1, burst_bytes=5_000_000), errno.ERANGE,
             "burst-bytes", "longer than 417 days"),
            (Limit(bit_rate=1, burst_bytes=U64), errno.ERANGE, "burst-bytes",
             "longer than 417 days"),
            (Limit(packet_rate=1, burst_packets=U32), errno.ERANGE,
             "burst-packets", "longer than 417 days")):
        for name, args in (("limit-to-peer", (limit, NONE)),
                           ("limit-to-client", (NONE, limit))):
            for call in (
                    lambda: s.kt.alloc_set_limits(w.id, *args),
                    lambda: s.kt.alloc_new(
                        "198.51.100.2:7", "198.51.100.1:3478",
                        ["203.0.113.1:7"], LONG, to_peer=args[0],
                        to_client=args[1])):
                try:
                    call()
                except Refused as e:
                    expect("error", e.errno, error)
                    expect("attribute", e.text.split(":")[0],
                           f"{name}.{attribute}")
                    expect(words, words in e.text, True)
                else:
                    raise Failed(f"{limit} was not refused")
    # Nothing has changed, not even what could have been.
    a, = s.kt.allocs(w.id)
    expect("limits", (a.limit_to_peer, a.limit_to_client),
           (bits(100), bits(100)))
    expect("passed", passed(s, w, "chan-out", [100] * 2), 0)
    expect("allocations", s.kt.stats().allocs, len(s.worlds))
    no_limits(s, w)


# ---------------------------------------------------- settings, command line

def settings(s):
    """Each by itself; a rate that comes alone has its own burst."""
    def shown():
        c = s.kt.config()
        return (c.punt_rate, c.punt_burst, c.icmp_rate, c.icmp_burst,
                c.icmp_ind_rate, c.icmp_ind_burst)

    first = (0, 0, 1000, 250, 1000, 250)
    expect("defaults", shown(), first)
    s.kt.set_config(icmp_ind_rate=5)
    expect("a rate", shown(), (0, 0, 1000, 250, 5, 16))
    s.kt.set_config(icmp_ind_burst=7, punt_rate=U32 - 1)
    expect("a burst", shown(), (U32 - 1, U32 // 4, 1000, 250, 5, 7))
    s.kt.set_config(icmp_ind_rate=6)
    expect("a rate", shown()[4:], (6, 16))
    s.kt.set_config(punt_rate=0)
    expect("none", shown()[:2], (0, 0))
    for values, error, attribute, words in (
            ({"punt_burst": 1}, errno.EINVAL, "punt-burst",
             "a burst without a rate"),
            ({"icmp_rate": 0, "icmp_burst": 1}, errno.EINVAL, "icmp-burst",
             "a burst without a rate"),
            ({"icmp_ind_rate": 1, "icmp_ind_burst": U32 - 1}, errno.ERANGE,
             "icmp-ind-burst", "longer than 417 days")):
        try:
            s.kt.set_config(max_owners=3, punt_rate=values.get("punt_rate",
                            0), **{k: v for k, v in values.items()
                                   if k != "punt_rate"})
        except Refused as e:
            expect("error", (e.errno, e.text.split(":")[0], words in e.text),
                   (error, attribute, True))
        else:
            raise Failed(f"{values} were not refused")
    expect("nothing else", shown(), (0, 0, 1000, 250, 6, 16))
    expect("owners", s.kt.config().max_owners > 3, True)
    s.kt.set_config(icmp_ind_rate=1000)
    expect("defaults", shown(), first)


def command_line(s):
    """What it shows it also takes."""
    id = kturn("alloc", "add", "client", "198.51.100.2:7", "server",
               "198.51.100.1:3478", "relay", "203.0.113.1:7", "lifetime",
               "1h", "limit-to-peer", "2Mbit/64kB,500pps/50")

    def shown():
        a, = json.loads(kturn("--json", "show", "alloc", id))["allocs"]
        return a.get("limit_to_peer"), a.get("limit_to_client")

    two = {"bit_rate": 2_000_000, "burst_bytes": 64_000, "packet_rate": 500,
           "burst_packets": 50}
    expect("to the peer", shown(), (two, None))
    kturn("alloc", "set", id, "limit-to-client", "3Gbit", "lifetime", "2h")
    expect("to the client", shown(),
           (two, {"bit_rate": 3_000_000_000, "burst_bytes": 93_750_000}))
    expect("lifetime", s.kt.allocs(int(id))[0].lifetime_ms > 7_000_000, True)
    table = kturn("show", "alloc", id).split("\n")
    for name, wanted in (("LIMIT TO PEER", "2Mbit/64kB,500pps/50"),
                         ("LIMIT TO CLIENT", "3Gbit/93750kB")):
        at = table[0].index(name)
        expect(name, table[1][at:].split()[0], wanted)
        kturn("alloc", "set", id, name.lower().replace(" ", "-"), wanted)
    expect("the same", shown(),
           (two, {"bit_rate": 3_000_000_000, "burst_bytes": 93_750_000}))
    r = kturn("alloc", "set", id, "limit-to-peer", "1bit/5MB", "lifetime",
              "3h", check=False)
    expect("status", r.returncode, 1)
    expect("words", "limit-to-peer.burst-bytes: at this rate" in r.stderr,
           True)
    expect("lifetime", s.kt.allocs(int(id))[0].lifetime_ms < 7_200_001, True)
    kturn("alloc", "set", id, "limit-to-peer", "none", "limit-to-client",
          "1pps")
    expect("limits", shown(), (None, {"packet_rate": 1,
                                      "burst_packets": 16}))
    kturn("alloc", "del", id)
    kturn("limits", "set", "punt-rate", "100", "punt-burst", "40",
          "icmp-rate", "0")
    lines = dict(line.split() for line in kturn("limits").split("\n"))
    expect("limits", [lines[n] for n in ("punt-rate", "punt-burst",
                                         "icmp-rate", "icmp-ind-rate")],
           ["100", "40", "0", "1000"])
    expect("as JSON", json.loads(kturn("limits", "--json"))["punt_burst"], 40)
    kturn("limits", "set", "punt-rate", "0", "icmp-rate", "1000")


def main():
    tests, s = Tests(), Setup()
    tests.add("a namespace's rates", settings, s)
    for name, w in s.worlds.items():
        tests.add(f"{name}: bits", by_bits, s, w)
        tests.add(f"{name}: packets", by_packets, s, w)
    for name in ("IPv4", "IPv6"):
        w = s.worlds[name]
        tests.add(f"{name}: bits and packets", both, s, w)
        tests.add(f"{name}: directions", directions, s, w)
    w = s.worlds["IPv4"]
    tests.add("allocations are apart", others, s, w)
    tests.add("tokens come back", comes_back, s, w)
    tests.add("made with limits", from_the_start, s)
    tests.add("extreme values", extremes, s, w)
    tests.add("refusals", refusals, s, w)
    tests.add("command line", command_line, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
