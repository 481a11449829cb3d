#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Owners of entries and what becomes of those; see owner.sh."""

import errno
import os
import subprocess
import sys

from ktap import Tests
from lab import Capture, V4, V6, netns, receive, udp
from libkturn import (ALLOC, DELETED, DROP, EXCLUSIVE, Kturn, Listener,
                      OWNER_GONE, PUNT)
from packets import Packet, expect, stun
from world import (ALL, CHAN, LONG, Holder, World, kturn, refused,
                   wait_until)

COOKIE = 0xC0FFEE0000000001
GRACE = 60_000


class Setup:
    def __init__(self):
        self.kt = kturn()
        self.listener = Listener()
        self.steady = {4: World(self.kt, V4), 6: World(self.kt, V6)}

    def passes(self, w):
        return w.passes(self.steady[w.side.family])

    def told(self, *wanted):
        """Exactly these allocations went, (id, reason) each."""
        events = self.listener.take(len(wanted))
        expect("kinds of events", {e.type for e in events} - {ALLOC}, set())
        expect("told", sorted((e.alloc.id, e.alloc.gone) for e in events),
               sorted(wanted))

    def owner(self, allocs=None):
        """The only owner there is, or None."""
        owners = self.kt.owners()
        if not owners:
            return None
        expect("owners", len(owners), 1)
        if allocs is not None:
            expect("its allocations", owners[0].allocs, allocs)
        return owners[0]


class Unreachable:
    """Whether the host tells a client "port unreachable"."""

    def __init__(self, s, side):
        self.s, self.side = s, side
        self.proto, self.type = (1, (3, 3)) if side.family == 4 else \
            (58, (1, 4))
        self.cap = Capture("client", "client0", side.family)

    def answers(self, world):
        """Send a request, which no relay in the kernel answers."""
        self.cap.drain()
        world.client.sendto(stun(0x0001), world.server)
        self.s.steady[self.side.family].barrier()
        # What answers came before that of the barrier.
        found = []
        while True:
            p = Packet(self.cap.s.recv(65536))
            if p.proto == 17:
                return self.type in found
            if p.proto == self.proto:
                found.append((p.l4[0], p.l4[1]))


def not_local(s, w):
    """Another host has the server's address now: what goes there is its."""
    server = w.server[0]

    def local(*args):
        return subprocess.run(["ip", "-n", os.environ["relay"], "route",
                               *args], check=True, capture_output=True,
                              text=True).stdout
    route = local("show", "table", "local", server).split()
    local("del", "table", "local", *route)
    before = s.kt.stats().punt[PUNT["control"]]
    w.client.sendto(stun(0x0001), w.server)
    wait_until("it was left alone", lambda: s.kt.stats().punt[PUNT["control"]]
               > before)
    local("add", "table", "local", *route)


def killed(s, side):
    """RFC 8656 knows no servers that die; clients see nothing of it."""
    w, ask = World(None, side), Unreachable(s, side)
    h = Holder(COOKIE, GRACE, w, "daemon")
    owner = s.owner(1)
    expect("shown", (owner.grace_ms, owner.sockets, owner.left_ms,
                     owner.label), (GRACE, 1, -1, b"daemon"))
    expect("allocation's owner", s.kt.allocs(w.id)[0].owner_id, owner.id)
    expect("none", s.kt.allocs(s.steady[4].id)[0].owner_id, 0)
    expect("of the owner", [a.id for a in s.kt.allocs(0, owner.id)], [w.id])
    expect("before", s.passes(w), ALL)
    expect("a port without a socket is unreachable", ask.answers(w), True)
    h.kill()
    owner = s.owner(1)
    expect("sockets", owner.sockets, 0)
    expect("the grace period runs", 0 < owner.left_ms <= GRACE, True)
    expect("in the grace period", s.passes(w), ALL)
    before = s.kt.stats().drop[DROP["orphan"]]
    expect("unreachable in the grace period", ask.answers(w), False)
    expect("orphans", s.kt.stats().drop[DROP["orphan"]] - before, 1)
    if side.family == 4:
        not_local(s, w)
        expect("only of the host's", s.kt.stats().drop[DROP["orphan"]] - before,
               1)
    # Somebody has the port again, but not the entries: what is punted
    # reaches that.
    server = udp("relay", *w.server)
    netns("relay")
    w.client.sendto(stun(0x0001), w.server)
    expect("at the new socket", receive(server)[0], stun(0x0001))
    server.close()
    expect("no more orphans", s.kt.stats().drop[DROP["orphan"]] - before, 1)

    # The same cookie adopts, and sets the grace period anew.
    kt = kturn()
    owner = kt.join(COOKIE, 1, "daemon's heir")
    expect("adopted", (owner.allocs, owner.sockets, owner.left_ms,
                       owner.grace_ms, owner.label),
           (1, 1, -1, 1, b"daemon's heir"))
    expect("the same allocation", [a.id for a in kt.allocs(0, owner.id)],
           [w.id])
    expect("adopted", s.passes(w), ALL)
    expect("a port without a socket is unreachable", ask.answers(w), True)
    s.told()
    kt.close()
    s.told((w.id, OWNER_GONE))
    wait_until("the owner is gone", lambda: s.owner() is None)
    expect("its entries", (s.kt.stats().perms, s.kt.stats().chans), (2, 2))
    expect("after its end", ask.answers(w), True)
    w.close()


def grace_ends(s):
    """Traffic passes until then and no longer."""
    w = World(None, V4)
    h = Holder(COOKIE, 1500, w)
    h.kill()
    expect("in the grace period", s.passes(w), ALL)
    left = s.owner(1).left_ms
    expect("it runs", 0 < left < 1500, True)
    wait_until("the owner is gone", lambda: s.owner() is None, 3)
    s.told((w.id, OWNER_GONE))
    expect("after it", s.passes(w), set())
    w.close()


def no_grace(s):
    w = World(None, V4)
    h = Holder(COOKIE, 0, w)
    expect("before", s.passes(w), ALL)
    h.kill()
    expect("at once", (s.kt.alive(w.id), s.owner()), (False, None))
    s.told((w.id, OWNER_GONE))
    w.close()


def last_socket(s):
    """A daemon has several workers; the last one counts."""
    w, worlds = World(None, V4), []
    a, b = Holder(COOKIE, GRACE, w), Holder(COOKIE, 0)
    expect("sockets", s.owner(1).sockets, 2)
    a.kill()
    owner = s.owner(1)
    expect("one is left", (owner.sockets, owner.left_ms), (1, -1))
    expect("passes", s.passes(w), ALL)
    # What one made, another may delete.
    worlds.append(World(None, V4))
    c = Holder(COOKIE, 0, worlds[0])
    s.kt.alloc_del(w.id)
    s.told((w.id, DELETED))
    b.kill()
    expect("passes", s.passes(worlds[0]), ALL)
    c.kill()
    s.told((worlds[0].id, OWNER_GONE))
    expect("owners", s.owner(), None)
    for each in (w, *worlds):
        each.close()


def two_owners(s):
    """None of them has to do with what is the other's, or nobody's."""
    w, v, nobodys = World(None, V4), World(None, V4), World(s.kt, V4)
    a, b = Holder(COOKIE, 0, w, "one"), Holder(COOKIE + 1, 0, v, "other")
    expect("owners", sorted(o.label for o in s.kt.owners()),
           [b"one", b"other"])
    expect("ids differ", len({o.id for o in s.kt.owners()}), 2)
    a.kill()
    s.told((w.id, OWNER_GONE))
    expect("the other's", s.passes(v), ALL)
    expect("nobody's", s.passes(nobodys), ALL)
    refused(errno.ENOENT, s.kt.flush, 0x7FFFFFFF)
    s.kt.flush(s.owner(1).id)
    s.told((v.id, DELETED))
    expect("an owner without entries", s.owner(0).sockets, 1)
    expect("nobody's", s.passes(nobodys), ALL)
    b.kill()
    expect("owners", s.owner(), None)
    s.kt.alloc_del(nobodys.id)
    s.told((nobodys.id, DELETED))
    for each in (w, v, nobodys):
        each.close()


def port_id(s):
    """A process's first netlink socket gets its pid, again and again."""
    s.kt.close()                # it has that port id
    s.listener.close()
    a = kturn()
    a.join(COOKIE, GRACE, "first")
    w = World(a, V4)
    a.close()
    b = kturn()
    owner, = b.owners()
    expect("first", (owner.sockets, owner.left_ms > 0), (0, True))
    v = World(b, V4)
    expect("joined nothing", b.allocs(v.id)[0].owner_id, 0)
    b.close()
    c = kturn()
    expect("still there", (c.alive(v.id), c.alive(w.id)), (True, True))
    c.join(COOKIE + 1, 0, "second")
    u = World(c, V4)
    expect("owners", sorted((o.label, o.sockets, o.allocs)
                            for o in c.owners()),
           [(b"first", 0, 1), (b"second", 1, 1)])
    refused(errno.EBUSY, c.join, COOKIE, 0)
    c.join(COOKIE + 1, 0, "again")
    expect("sockets", sorted((o.label, o.sockets) for o in c.owners()),
           [(b"again", 1), (b"first", 0)])
    c.close()
    s.kt, s.listener = kturn(), Listener()
    expect("what is left", (s.kt.alive(w.id), s.kt.alive(v.id),
                            s.kt.alive(u.id)), (True, True, False))
    expect("passes", s.passes(w), ALL)
    s.kt.alloc_del(v.id)
    s.kt.flush(s.owner(1).id)
    s.told((v.id, DELETED), (w.id, DELETED))
    # In its grace period an owner without entries has nothing to wait for.
    wait_until("the owner is gone", lambda: s.owner() is None, 3)
    for each in (u, v, w):
        each.close()


def refusals(s):
    refused(errno.EINVAL, s.kt.join, 0, 0)
    refused(errno.ERANGE, s.kt.join, COOKIE, 3_600_001)
    expect("owners", s.owner(), None)
    s.kt.set_config(max_owners=1)
    try:
        h = Holder(COOKIE, 0)
        refused(errno.ENOSPC, s.kt.join, COOKIE + 1, 0)
        h.kill()
    finally:
        s.kt.set_config(max_owners=1024)


def namespaces(s):
    """Entries and owners are those of a namespace."""
    netns("peer")
    kt = Kturn()
    st = kt.stats()
    expect("peer's", (st.allocs, st.perms, st.chans, st.owners, st.hooks,
                      st.to_peer.packets), (0, 0, 0, 0, False, 0))
    kt.join(COOKIE, 0)
    expect("with an owner", kt.stats().hooks, True)
    expect("owners of the relay", s.owner(), None)
    id = kt.alloc_new("203.0.113.9:1", "203.0.113.2:3478",
                      ["203.0.113.2:50000"], LONG, EXCLUSIVE)
    kt.chan_new(id, CHAN, "203.0.113.9:2", LONG)
    expect("relay's", [a.id for a in s.kt.allocs()],
           [w.id for w in s.steady.values()])
    s.kt.flush()
    expect("peer's", kt.stats().allocs, 1)
    s.told(*((w.id, DELETED) for w in s.steady.values()))
    kt.close()
    kt = Kturn()
    expect("owners", kt.stats().owners, 0)
    wait_until("there are no hooks", lambda: not kt.stats().hooks)
    kt.close()
    netns("relay")


def main():
    tests, s = Tests(), Setup()
    for name, side in (("IPv4", V4), ("IPv6", V6)):
        tests.add(f"{name}: killed, and adopted", killed, s, side)
    tests.add("a grace period ends", grace_ends, s)
    tests.add("no grace period", no_grace, s)
    tests.add("the last socket counts", last_socket, s)
    tests.add("two owners", two_owners, s)
    tests.add("a port id is used again", port_id, s)
    tests.add("what is refused", refusals, s)
    tests.add("namespaces are apart", namespaces, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
