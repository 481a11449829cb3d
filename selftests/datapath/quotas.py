#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Quotas; see quotas.sh."""

import contextlib
import errno
import itertools
import json
import sys

from ktap import Tests
from lab import V4, V6, kturn as cli, netns, text
from libkturn import EXCLUSIVE, Limit, Quota, Refused
from limited import LIMIT, NONE, bits, packets, passed, quickly
from packets import Failed, channel, expect
from scene import Setup, TO_CLIENT, TO_PEER
from world import ALL, LONG, World, kturn, wait_until

QUOTA = ("drop", "quota")
U64 = (1 << 64) - 1
# What one test has spent, the next one's quota is not to lack.
IDS = itertools.count(1000)


@contextlib.contextmanager
def worlds(s, *quotas, side=V4, flags=EXCLUSIVE):
    """A world with each of these quotas, as long as the block lasts."""
    netns("relay")
    made = [World(s.kt, side, flags=flags, quotas=q) for q in quotas]
    try:
        yield made
    finally:
        for w in made:
            if s.kt.alive(w.id):
                s.kt.alloc_del(w.id)
            w.close()


def shown(s, w):
    """{id: (allocations, to peers, to clients)}"""
    a, = s.kt.allocs(w.id)
    return {q.id: (q.allocs, q.to_peer, q.to_client)
            for q in a.quota[:a.n_quotas]}


# ---------------------------------------------------------- what they let pass

def shared(s, side):
    """What one allocation takes, another one has no more; both ways out."""
    quota = [Quota(next(IDS), bits(1000), bits(500))]
    with worlds(s, quota, quota, side=side) as (one, other):
        expect("one", passed(s, one, "chan-out", [100] * 4), 4)
        expect("other", passed(s, other, "send-out", [100] * 4), 4)
        before = [s.kt.allocs(w.id)[0].dropped for w in (one, other)]
        with s.counted(*[TO_PEER] * 2, *[QUOTA] * 4, TO_PEER, TO_CLIENT,
                       TO_PEER, TO_CLIENT):
            expect("one", passed(s, one, "chan-out", [100] * 4), 2)
            expect("other", passed(s, other, "chan-out", [100] * 2), 0)
        after = [s.kt.allocs(w.id)[0].dropped for w in (one, other)]
        expect("dropped", [a - b for a, b in zip(after, before)], [2, 2])
        # To the client there is another bucket.
        expect("one", passed(s, one, "data-in", [100] * 3), 3)
        expect("other", passed(s, other, "chan-in", [100] * 3), 2)
        # Without data they cost nothing.
        expect("empty", passed(s, other, "chan-out", [0] * 5), 5)


def by_packets(s):
    def test():
        quota = [Quota(next(IDS), packets(6))]
        with worlds(s, quota, quota) as (one, other):
            expect("one", passed(s, one, "chan-out", [9] * 4), 4)
            expect("other", passed(s, other, "chan-out", [0] * 4), 2)
    quickly(test)


def with_own(s):
    """What the one refuses takes nothing out of the other."""
    id = next(IDS)
    quota = [Quota(id, Limit(8, 1000, 1, 1000))]
    with worlds(s, quota, quota) as (one, other):
        s.kt.alloc_set_limits(one.id, bits(300))
        with s.counted(*[TO_PEER] * 3, *[LIMIT] * 4, TO_PEER, TO_CLIENT):
            expect("one", passed(s, one, "chan-out", [100] * 7), 3)
        expect("other", passed(s, other, "chan-out", [100] * 9), 7)
        s.kt.alloc_set_limits(one.id, Limit(8, 300, 1, 300))
        with s.counted(*[QUOTA] * 5, TO_PEER, TO_CLIENT):
            expect("one", passed(s, one, "chan-out", [100] * 5), 0)
        # The quota has room again, and the allocation's own was not touched.
        with worlds(s, [Quota(id, bits(2000))]):
            expect("one", passed(s, one, "chan-out", [100] * 5), 3)
        # The limit goes, the quota stays.
        s.kt.alloc_set_limits(one.id, NONE)
        expect("one", passed(s, one, "chan-out", [100] * 9), 7)


def two(s):
    """A user's and that of all: both must have enough."""
    mine, all_of_us = Quota(next(IDS), bits(500)), Quota(0, bits(800))
    theirs = Quota(next(IDS), bits(500))
    with worlds(s, [mine, all_of_us], [theirs, all_of_us],
                [all_of_us]) as (one, other, third):
        expect("one", passed(s, one, "chan-out", [100] * 7), 5)
        expect("other", passed(s, other, "chan-out", [100] * 7), 3)
        expect("third", passed(s, third, "chan-out", [100] * 2), 0)
        # More for all: the other's own quota has what is left of it.
        with worlds(s, [Quota(0, bits(5000))]):
            expect("other", passed(s, other, "chan-out", [100] * 7), 2)
            expect("one", passed(s, one, "chan-out", [100] * 7), 0)
            expect("third", passed(s, third, "chan-out", [100] * 7), 7)


def punted(s):
    """What goes to the server counts, too, and data are refused there."""
    quota = [Quota(next(IDS), bits(1000), bits(1000))]
    with worlds(s, quota, quota, flags=0) as (one, other):
        s.kt.chan_del(other.id, 0x4000)
        # With its header: 104 bytes each.
        with s.counted(*[("punt", "no-channel")] * 9, *[QUOTA] * 3,
                       TO_PEER, TO_CLIENT):
            passed(s, other, "chan-out", [100] * 12)
        expect("what is left", passed(s, one, "chan-out", [65, 64]), 1)
        # Anybody could send that.
        s.kt.perm_del(other.id, V4.peer)
        with s.counted(*[("punt", "no-permission")] * 12, TO_PEER, TO_CLIENT):
            passed(s, other, "data-in", [100] * 12)
        expect("all is left", passed(s, one, "chan-in", [100] * 12), 10)


def hairpin(s):
    """What the other's quota refuses takes nothing out of one's own."""
    spent, mine = Quota(next(IDS), None, bits(100)), Quota(next(IDS),
                                                           bits(500))
    with worlds(s, [mine], [spent]) as (one, other):
        s.kt.perm_new(one.id, V4.relay, LONG)
        s.kt.perm_new(other.id, V4.relay, LONG)
        s.kt.chan_new(one.id, 0x4001, text(*other.relay), LONG)
        s.kt.chan_new(other.id, 0x4001, text(*one.relay), LONG)
        expect("spent", passed(s, other, "chan-in", [100]), 1)
        with s.counted(*[QUOTA] * 9, TO_PEER, TO_CLIENT):
            for _ in range(9):
                one.client.sendto(channel(0x4001, bytes(100)), one.server)
            s.steady(one).barrier()
        expect("all is left", passed(s, one, "chan-out", [100] * 9), 5)


# ----------------------------------------------------------------- their lives

def lives(s):
    """The newest allocation decides; what was spent is spent."""
    id = next(IDS)
    first, more = [Quota(id, bits(500))], [Quota(id, bits(900), packets(9))]
    with worlds(s, first) as (one,):
        expect("shown", shown(s, one), {id: (1, bits(500), NONE)})
        expect("one", passed(s, one, "chan-out", [100] * 9), 5)
        with worlds(s, first) as (other,):
            expect("shown", shown(s, one), {id: (2, bits(500), NONE)})
            expect("the same", passed(s, other, "chan-out", [100] * 2), 0)
        with worlds(s, more) as (other,):
            expect("shown", shown(s, one), {id: (2, bits(900), packets(9))})
            expect("new", passed(s, one, "chan-out", [100] * 14), 4)
        expect("shown", shown(s, one), {id: (1, bits(900), packets(9))})
        with worlds(s, [Quota(id, keep=True)]):
            expect("kept", shown(s, one), {id: (2, bits(900), packets(9))})
        with worlds(s, [Quota(id)]):
            expect("none", passed(s, one, "chan-out", [100] * 20), 20)
            expect("shown", shown(s, one), {id: (2, NONE, NONE)})
    with worlds(s, [Quota(next(IDS), keep=True)]) as (one,):
        expect("none to keep", passed(s, one, "chan-out", [100] * 9), 9)


def outlives(s):
    """It is not filled by ending an allocation and making another one."""
    id = next(IDS)
    quota = [Quota(id, bits(500))]
    with worlds(s, quota, quota) as (one, other):
        expect("spent", passed(s, one, "chan-out", [100] * 9), 5)
        s.kt.alloc_set(one.id, 1)
        wait_until("it has expired", lambda: not s.kt.alive(one.id))
        wait_until("it does not count",
                   lambda: shown(s, other) == {id: (1, bits(500), NONE)})
        expect("the other", passed(s, other, "chan-out", [100] * 2), 0)
    for _ in range(2):
        with worlds(s, quota) as (one,):
            expect("another", passed(s, one, "chan-out", [100] * 2), 0)
    # When there is no more to be remembered, it is not.
    quick = [Quota(id, Limit(bit_rate=8000, burst_bytes=500))]
    with worlds(s, quick) as (one,):
        wait_until("there is room",
                   lambda: passed(s, one, "chan-out", [100]) == 1)


def refused_changes_nothing(s):
    id, new = next(IDS), next(IDS)
    with worlds(s, [Quota(id, bits(500))]) as (one,):
        try:
            s.kt.alloc_new(text(V4.client, one.cport), text(*one.server),
                           [text(*one.relay)], LONG, EXCLUSIVE,
                           quotas=[Quota(id, bits(900)), Quota(new, bits(1))])
        except Refused as e:
            expect("error", e.errno, errno.EEXIST)
        else:
            raise Failed("was not refused")
        expect("shown", shown(s, one), {id: (1, bits(500), NONE)})
        quotas = json.loads(cli("--json", "show", "quota"))["quotas"]
        expect("quotas", [q["id"] for q in quotas], [str(id)])


def owners(s):
    """Each has its own."""
    id = next(IDS)
    with worlds(s, [Quota(id, bits(500))]) as (one,):
        w = World(None)
        kt = kturn()
        kt.join(78, 0)
        w.begin(kt, quotas=[Quota(id, bits(300))])
        expect("one", passed(s, one, "chan-out", [100] * 9), 5)
        expect("the owner's", passed(s, w, "chan-out", [100] * 9), 3)
        expect("shown", (shown(s, one), shown(s, w)),
               ({id: (1, bits(500), NONE)}, {id: (1, bits(300), NONE)}))
        kt.close()
        wait_until("it is gone", lambda: not s.kt.alive(w.id))
        w.close()


def refusals(s):
    ends = ("198.51.100.2:7", "198.51.100.1:3478", ["203.0.113.1:7"], LONG)
    for quotas, error, words in (
            ([Quota(7), Quota(7)], errno.EINVAL,
             "quota: the same quota a second time"),
            ([Quota(7, Limit(burst_bytes=1))], errno.EINVAL,
             "quota.limit-to-peer.burst-bytes: a burst without a rate"),
            ([Quota(7), Quota(8, None, Limit(1, U64))], errno.ERANGE,
             "quota.limit-to-client.burst-bytes: at this rate"),
            ([Quota(n) for n in range(3)], errno.EINVAL,
             "more than two quotas")):
        try:
            s.kt.alloc_new(*ends, quotas=quotas)
        except Refused as e:
            expect("error", e.errno, error)
            expect(e.text, words in e.text, True)
        else:
            raise Failed(f"not refused: {words}")
    expect("allocations", s.kt.stats().allocs, len(s.worlds))


def command_line(s):
    add = ("alloc", "add", "server", "198.51.100.1:3478", "lifetime", "1h")
    ids = [cli(*add, "client", f"198.51.100.2:{n}", "relay",
               f"203.0.113.1:{n}", "quota", "5", "quota-to-client", "500pps",
               "quota", str(U64), "quota-to-peer", "2Mbit/64kB")
           for n in (7, 8)]
    limit = {"bit_rate": 2_000_000, "burst_bytes": 64_000}
    wanted = [{"id": "5", "allocs": 2, "limit_to_client":
               {"packet_rate": 500, "burst_packets": 125}},
              {"id": str(U64), "allocs": 2, "limit_to_peer": limit}]
    expect("JSON", json.loads(cli("--json", "show", "quota"))["quotas"],
           wanted)
    a, = json.loads(cli("--json", "show", "alloc", ids[1]))["allocs"]
    expect("of an allocation", a["quotas"], wanted)
    rows = [r.split() for r in cli("show", "quota", ids[0]).split("\n")]
    id = cli(*add, "client", "198.51.100.2:9", "relay", "203.0.113.1:9",
             "quota", str(U64), "quota-to-client", "none")
    expect("what is not named stays", cli("show", "quota", id).split()[-4:],
           ["-", "3", "2Mbit/64kB", "-"])
    ids.append(id)
    expect("table", rows[1:], [["5", "-", "2", "-", "500pps/125"],
                               [str(U64), "-", "2", "2Mbit/64kB", "-"]])
    for id in ids:
        cli("alloc", "del", id)
    expect("gone", json.loads(cli("--json", "show", "quota"))["quotas"], [])
    for words, message in (
            (("quota", "x"), "not a number"),
            (("quota", "18446744073709551616"), "not a number"),
            (("quota-to-peer", "1pps"), "no quota is named"),
            (("quota", "1", "quota", "2", "quota", "3"), "more than 2")):
        r = cli(*add, *words, check=False)
        expect(message, (r.returncode, message in r.stderr), (2, True))


def main():
    tests, s = Tests(), Setup()
    tests.add("IPv4: allocations share a quota", shared, s, V4)
    tests.add("IPv6: allocations share a quota", shared, s, V6)
    tests.add("packets", by_packets, s)
    tests.add("an own limit and a quota", with_own, s)
    tests.add("two quotas", two, s)
    tests.add("what is punted", punted, s)
    tests.add("hairpins", hairpin, s)
    tests.add("the newest decides", lives, s)
    tests.add("what was spent is spent", outlives, s)
    tests.add("a refused request changes nothing", refused_changes_nothing, s)
    tests.add("owners are apart", owners, s)
    tests.add("refusals", refusals, s)
    tests.add("command line", command_line, s)
    w = s.worlds["IPv4"]
    tests.add("others pass", lambda: expect("passes", w.passes(s.steady(w)),
                                            ALL))
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
