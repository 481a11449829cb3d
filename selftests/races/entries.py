#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries come and go while packets flow; see entries.sh."""

import errno
import random
import sys
import time

from child import Child
from ktap import Tests
from lab import V4, udp
from libkturn import EXCLUSIVE, Limit, Quota, Refused
from packets import channel, expect, send_ind
from race import (RACE_SECONDS, crowd, flooded_worlds, flooding,
                  joined, nothing_left, rounds)
from world import (ALL, CHAN, LONG, Holder, kturn, nothing_lost,
                   wait_until)

GRACE = 60_000


class Setup:
    """Worlds whose entries change, and such as lose nothing meanwhile."""

    def __init__(self):
        self.flooded = flooded_worlds()
        self.steady = flooded_worlds()

    def __enter__(self):
        self.kt = joined(1, 0, "steady")
        for w in self.steady:
            w.begin(self.kt)
            w.empty()
        return self

    def __exit__(self, error, *_):
        if error:
            self.kt.flush()
            self.kt.close()
        else:
            nothing_lost(self.steady, 0)
            nothing_left(self.kt)

    def open(self, w, ways):
        """From now on, for every packet."""
        expect("open", w.passes(self.steady[0]), ways)


def race(s, body):
    with s, flooding(s.flooded + s.steady):
        def once(n):
            body(s, s.flooded[n % 2], n)
            nothing_lost(s.steady, n)
        rounds(once)


# ------------------------------------------------------------------ one by one

def add_and_delete(s, w, n):
    del n
    s.open(w, set())
    w.begin(s.kt)
    s.open(w, ALL)
    s.kt.chan_del(w.id, CHAN)
    s.open(w, {"send-out", "chan-in as data", "data-in"})
    s.kt.perm_del(w.id, w.side.peer)
    s.open(w, set())
    s.kt.chan_new(w.id, CHAN, w.to_chan, LONG)
    s.kt.perm_new(w.id, w.side.peer, LONG)
    s.open(w, ALL)
    s.kt.alloc_del(w.id)
    s.open(w, set())


def expire(s, w, n):
    """Each kind of entry, by itself or with its allocation."""
    w.begin(s.kt)
    s.open(w, ALL)
    if n % 4 < 2:
        s.kt.chan_new(w.id, CHAN, w.to_chan, 1)
        wait_until("the channel ends", lambda: not s.kt.chans(w.id))
        s.open(w, {"send-out", "chan-in as data", "data-in"})
        s.kt.perm_new(w.id, w.side.peer, 1)
        wait_until("the permission ends", lambda: not s.kt.perms(w.id))
        s.open(w, set())
    s.kt.alloc_set(w.id, 1)
    wait_until("the allocation ends", lambda: not s.kt.alive(w.id))
    s.open(w, set())


def flush(s, w, n):
    """All of an owner, and nothing of another."""
    del n
    kt = joined(2, 0, "flushed")
    w.begin(kt)
    s.open(w, ALL)
    kt.flush(kt.join(2, 0).id)
    s.open(w, set())
    expect("allocations", kt.stats().allocs, len(s.steady))
    kt.close()


# ---------------------------------------------------------------------- owners

def adopt(s):
    """kill -9 of the owner's process, before another takes over or after."""
    with s, flooding(s.flooded + s.steady):
        old = Holder(3, GRACE, s.flooded[0])
        kt = joined(3, GRACE, "adopts")
        s.flooded[1].begin(kt)
        owner = kt.join(3, GRACE).id
        kt.close()

        def once(n):
            nonlocal old
            if n % 2:
                new = Holder(3, GRACE)
                nothing_lost(s.flooded, n)
                old.kill()
            else:
                old.kill()
                nothing_lost(s.flooded, n)
                new = Holder(3, GRACE)
            nothing_lost(s.flooded + s.steady, n)
            old = new
            expect("the owner", [(o.id, o.allocs) for o in s.kt.owners()
                                 if o.id == owner], [(owner, 2)])
        rounds(once)
        joined(3, 0, "ends").close()
        old.kill()


def kill(s, w, n):
    """kill -9 of the owner's process, and nobody comes."""
    owner = Holder(4, (0, 10)[n // 2 % 2], w)
    s.open(w, ALL)
    owner.kill()
    wait_until("the owner is gone", lambda: len(s.kt.owners()) == 1)
    expect("the entry is there", s.kt.alive(w.id), False)
    s.open(w, set())


# ----------------------------------------------------------------- all together

def attempt(call, *args, **kwargs):
    """Others change the same entries, so it may fail for these reasons."""
    try:
        return call(*args, **kwargs)
    except Refused as e:
        if e.errno not in (errno.ENOENT, errno.EEXIST):
            raise
        return None


def churn(seed, until):
    """Make, change and delete entries among few, some of them short-lived."""
    rnd = random.Random(seed)
    kt = kturn()
    kt.join(80, 10, "churn")
    while time.monotonic() < until:
        n = rnd.randrange(20)
        id = attempt(kt.alloc_new, f"198.51.100.2:{2000 + n}",
                     "198.51.100.1:3478", [f"203.0.113.1:{2000 + n}"],
                     rnd.choice((1, 20, LONG)), EXCLUSIVE,
                     quotas=[Quota(i, Limit(bit_rate=rnd.randrange(3) << 10))
                             for i in rnd.sample(range(4), n % 3)])
        ids = [a.id for a in kt.allocs(0, kt.join(80, 10).id)]
        for id in rnd.sample(ids, min(len(ids), 5)):
            port, ms = rnd.randrange(1, 4), rnd.choice((1, 20, LONG))
            peer = f"203.0.113.{rnd.randrange(2, 5)}"
            attempt(kt.perm_new, id, peer, ms)
            attempt(kt.chan_new, id, CHAN + rnd.randrange(4),
                    f"{peer}:{port}", ms)
            rnd.choice((
                lambda: attempt(kt.perm_del, id, peer),
                lambda: attempt(kt.chan_del, id, CHAN + rnd.randrange(4)),
                lambda: attempt(kt.alloc_set, id, ms),
                lambda: attempt(kt.alloc_set_limits, id,
                                Limit(packet_rate=rnd.randrange(3)),
                                Limit(bit_rate=rnd.randrange(2000))),
                lambda: attempt(kt.alloc_del, id)))()
    kt.close()


def flusher(until):
    kt = kturn()
    while time.monotonic() < until:
        for owner in kt.owners():
            if owner.label == b"churn":
                attempt(kt.flush, owner.id)
        time.sleep(0.2)
    kt.close()


def limiter(ids, until):
    """Limits come, change and go; none that a few packets would find."""
    kt = kturn()
    while time.monotonic() < until:
        for n in range(3):
            limit = Limit(bit_rate=n << 40, packet_rate=n << 30)
            for id in ids:
                kt.alloc_set_limits(id, limit, limit)
    kt.close()


def comer(until):
    """Join and leave at once, with entries and without."""
    n = 0
    while time.monotonic() < until:
        kt = kturn()
        kt.join(90 + n % 3, (0, 5)[n % 2], "comer")
        if n % 3:
            attempt(kt.alloc_new, f"198.51.100.2:{3000 + n % 7}",
                    "198.51.100.1:3478", [f"203.0.113.1:{3000 + n % 7}"],
                    LONG)
        kt.close()
        n += 1


def shots(until):
    """Packets for all the entries that come and go."""
    packets, peer, server = [], udp("peer", V4.peer, 1), (V4.server, 3478)
    for n in range(20):
        s = udp("client", V4.client, 2000 + n)
        packets += [(s, channel(CHAN + c, b"c"), server) for c in range(4)]
        packets += [(s, send_ind((V4.peer, 1), b"s"), server),
                    (peer, b"p", (V4.relay, 2000 + n))]
    while time.monotonic() < until:
        for s, data, to in packets:
            try:
                s.sendto(data, to)
            except OSError:
                pass


def dumps(kt, there):
    """What a dump shows fits together; what stays is in each."""
    ids = [a.id for a in kt.allocs()]
    expect("ids ascend", ids, sorted(set(ids)))
    expect("missing", there - set(ids), set())
    keys = [(c.alloc_id, c.number) for c in kt.chans()]
    expect("channels once", len(keys), len(set(keys)))
    expect("their channels", there - {id for id, _ in keys}, set())
    keys = [(p.alloc_id, str(p.peer)) for p in kt.perms()]
    expect("permissions once", len(keys), len(set(keys)))
    expect("their permissions", there - {id for id, _ in keys}, set())


def changes(s):
    """From all sides, with dumps; what stays loses nothing meanwhile."""
    with s:
        there = crowd(s.kt)
        until = time.monotonic() + RACE_SECONDS
        children = [Child(churn, 1, until), Child(churn, 2, until),
                    Child(flusher, until), Child(comer, until),
                    Child(limiter, [w.id for w in s.steady], until),
                    Child(shots, until)]

        def once(n):
            nothing_lost(s.steady, n)
            dumps(s.kt, there)
        rounds(once)
        for c in children:
            c.wait()
        wait_until("the others' entries are gone",
                   lambda: len(s.kt.owners()) == 1)
        n = len(there) + len(s.steady)
        st = s.kt.stats()
        expect("entries", (st.allocs, st.perms, st.chans), (n, n, n))


def main():
    tests, s = Tests(), Setup()
    for body in (add_and_delete, expire, flush, kill):
        tests.add(body.__name__.replace("_", " "), race, s, body)
    tests.add("adopt", adopt, s)
    tests.add("changes from all sides", changes, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
