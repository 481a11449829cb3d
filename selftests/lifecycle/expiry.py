#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How channels, permissions and allocations end; see expiry.sh.

Lifetimes are those of RFC 8656 sections 9 and 12 in thousandths.
"""

import errno
import sys

from ktap import Tests
from lab import V4, V6, netns, receive, text, udp
from libkturn import (ALLOC, CHAN as CHAN_EVENT, DELETED, DROP, EXPIRED,
                      Listener, PERM, PUNT)
from packets import channel, expect, send_ind
from world import (ALL, CHAN, LONG, World, kturn, open_until, refused,
                   wait_until)

LIFETIMES = (300, 550, 800)


class Setup:
    def __init__(self):
        self.kt = kturn()
        self.listener = Listener()
        self.steady = {4: World(self.kt, V4), 6: World(self.kt, V6)}

    def passes(self, w):
        return w.passes(self.steady[w.side.family])

    def until(self, w, way, change):
        open_until(w, way, change, self.steady[w.side.family])

    def drops(self, reason):
        return self.kt.stats().drop[DROP[reason]]

    def told(self, *wanted):
        """Exactly these (type, id, reason) were told; then what they said."""
        events = self.listener.take(len(wanted))
        got = []
        for e in events:
            entry = (e.alloc, e.perm, e.chan)[e.type]
            got.append((e.type, entry.id if e.type == ALLOC else
                        entry.alloc_id, entry.gone))
        expect("told", sorted(got), sorted(wanted))
        return events


def channel_ends(s, side):
    w = World(s.kt, side)
    expect("before", s.passes(w), ALL)
    s.kt.chan_new(w.id, CHAN, w.to_chan, 1)
    event, = s.told((CHAN_EVENT, w.id, EXPIRED))
    expect("number, peer", (event.chan.number, str(event.chan.peer)),
           (CHAN, w.to_chan))
    before = s.drops("no-channel")
    expect("after", s.passes(w), {"send-out", "chan-in as data", "data-in"})
    expect("ChannelData dropped", s.drops("no-channel") - before, 1)
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    w.close()


def permission_ends(s, side):
    """RFC 8656 section 9: the channel does not replace it."""
    w = World(s.kt, side)
    expect("before", s.passes(w), ALL)
    s.kt.perm_new(w.id, side.peer, 1)
    event, = s.told((PERM, w.id, EXPIRED))
    expect("peer", str(event.perm.peer), side.peer)
    before = s.drops("no-permission")
    expect("after", s.passes(w), {"chan-out"})
    expect("dropped", s.drops("no-permission") - before, 3)
    expect("shown", s.kt.perms(w.id), [])
    expect("channels shown", [c.number for c in s.kt.chans(w.id)], [CHAN])
    # The channel lives on, and with a new permission it is what it was.
    s.kt.perm_new(w.id, side.peer, LONG)
    expect("permission again", s.passes(w), ALL)
    s.kt.perm_del(w.id, side.peer)
    s.told((PERM, w.id, DELETED))
    expect("deleted", s.passes(w), {"chan-out"})
    s.kt.chan_del(w.id, CHAN)
    s.told((CHAN_EVENT, w.id, DELETED))
    expect("without either", s.passes(w), set())
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    w.close()


def channel_without_permission(s, side):
    """A channel may be there before its permission."""
    w = World(s.kt, side, perm=0)
    expect("no permission", s.passes(w), {"chan-out"})
    expect("shown", s.kt.perms(w.id), [])
    s.kt.perm_new(w.id, side.peer, LONG)
    expect("permission", s.passes(w), ALL)
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    w.close()


def allocation_ends(s, side):
    """Its packets are the host's again, and nobody's business."""
    w = World(s.kt, side)
    netns("relay")
    server, relay = udp("relay", *w.server), udp("relay", *w.relay)
    netns("relay")
    expect("before", s.passes(w), ALL)
    s.kt.alloc_set(w.id, 1)
    wait_until("it is gone", lambda: not s.kt.alive(w.id))
    before = bytes(s.kt.stats())
    w.say("chan-out", b"1")
    expect("ChannelData", receive(server)[0], channel(CHAN, b"1"))
    w.say("send-out", b"2")
    expect("Send indication", receive(server)[0],
           send_ind((side.peer, w.pport + 1), b"2"))
    w.say("chan-in", b"3")
    expect("from the peer", receive(relay)[0], b"3")
    w.say("data-in", b"4")
    expect("from the peer", receive(relay)[0], b"4")
    # Its channel and permission go without a word.
    event, = s.told((ALLOC, w.id, EXPIRED))
    expect("counted", event.alloc.to_peer.packets, 2)
    after = s.kt.stats()
    expect("entries", (after.allocs, after.perms, after.chans), (2, 2, 2))
    counters = type(after).allocs.offset
    expect("nothing counted", bytes(after)[:counters], before[:counters])
    for sock in (server, relay):
        sock.close()
    w.close()


def at_once_channel(s, side, ms):
    w = World(s.kt, side)

    def change():
        s.kt.chan_new(w.id, CHAN, w.to_chan, ms)
        return ms
    s.until(w, "chan-out", change)
    s.kt.alloc_del(w.id)
    s.listener.take(2)
    w.close()


def at_once_permission(s, side, ms, way):
    w = World(s.kt, side)

    def change():
        s.kt.perm_new(w.id, side.peer, ms)
        return ms
    s.until(w, way, change)
    s.kt.alloc_del(w.id)
    s.listener.take(2)
    w.close()


def at_once_allocation(s, side, ms, way):
    w = World(s.kt, side)

    def change():
        s.kt.alloc_set(w.id, ms)
        return ms
    s.until(w, way, change)
    s.told((ALLOC, w.id, EXPIRED))
    w.close()


def refreshed(s, side):
    """What is refreshed in time outlives its first end."""
    w = World(s.kt, side, 1000, 1000, 1000)
    short = World(s.kt, side, 1000)
    s.kt.alloc_set(w.id, LONG)
    s.kt.perm_new(w.id, side.peer, LONG)
    s.kt.chan_new(w.id, CHAN, w.to_chan, LONG)
    s.told((ALLOC, short.id, EXPIRED))
    expect("after the first end", s.passes(w), ALL)
    for what, found in (("allocation", s.kt.allocs(w.id)),
                        ("permission", s.kt.perms(w.id)),
                        ("channel", s.kt.chans(w.id))):
        expect(what + "'s time left is about ten minutes",
               LONG - 60000 < found[0].lifetime_ms <= LONG, True)
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    w.close()
    short.close()


def out_of_the_way(s, side):
    """What has ended makes room at once, though it is not yet freed."""
    w = World(s.kt, side)
    old = w.id
    refused(errno.EEXIST, w.begin, s.kt)
    # RFC 8656 section 12.2: a number has one peer, a peer one number.
    refused(errno.EEXIST, s.kt.chan_new, old, CHAN + 1, w.to_chan, LONG)
    s.kt.chan_new(old, CHAN, w.to_chan, 1)
    wait_until("the channel is gone", lambda: not s.kt.chans(old))
    s.kt.chan_new(old, CHAN + 1, w.to_chan, LONG)
    s.told((CHAN_EVENT, old, EXPIRED))
    other = text(side.peer, w.pport + 1)
    refused(errno.EEXIST, s.kt.chan_new, old, CHAN + 1, other, LONG)
    s.kt.chan_new(old, CHAN + 1, w.to_chan, 1)
    wait_until("the channel is gone", lambda: not s.kt.chans(old))
    s.kt.chan_new(old, CHAN + 1, other, LONG)
    s.told((CHAN_EVENT, old, EXPIRED))
    s.kt.alloc_set(old, 1)
    wait_until("it is gone", lambda: not s.kt.alive(old))
    w.begin(s.kt)
    s.told((ALLOC, old, EXPIRED))
    expect("another id", w.id != old, True)
    expect("the new one", s.passes(w), ALL)
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    w.close()


def not_exclusive(s, side):
    """What has ended is the owner's business, as what never was."""
    w = World(s.kt, side, flags=0)
    server, relay = udp("relay", *w.server), udp("relay", *w.relay)
    netns("relay")
    s.kt.chan_new(w.id, CHAN, w.to_chan, 1)
    s.kt.perm_new(w.id, side.peer, 1)
    s.told((CHAN_EVENT, w.id, EXPIRED), (PERM, w.id, EXPIRED))
    before = s.kt.stats()
    w.say("chan-out", b"1")
    expect("at the owner's", receive(server)[0], channel(CHAN, b"1"))
    w.say("send-out", b"2")
    receive(server)
    w.say("chan-in", b"3")
    expect("at the owner's", receive(relay)[0], b"3")
    after = s.kt.stats()
    for reason, n in (("no-channel", 1), ("no-permission", 2)):
        expect(reason, after.punt[PUNT[reason]] - before.punt[PUNT[reason]], n)
    s.kt.alloc_set_flags(w.id, 1)
    w.say("chan-in", b"4")
    s.steady[side.family].barrier()
    expect("made exclusive", s.drops("no-permission"),
           after.drop[DROP["no-permission"]] + 1)
    s.kt.alloc_del(w.id)
    s.told((ALLOC, w.id, DELETED))
    for sock in (server, relay):
        sock.close()
    w.close()


def hooks(s):
    """Registered while there are entries; the last test, it ends them all."""
    expect("with entries", s.kt.stats().hooks, True)
    s.kt.flush()
    s.told(*((ALLOC, w.id, DELETED) for w in s.steady.values()))
    wait_until("there are no hooks", lambda: not s.kt.stats().hooks)
    st = s.kt.stats()
    expect("entries", (st.allocs, st.perms, st.chans, st.owners),
           (0, 0, 0, 0))
    for w in s.steady.values():
        w.begin(s.kt)
    expect("with entries again", s.kt.stats().hooks, True)
    expect("passes", s.steady[4].passes(s.steady[6]), ALL)
    for w in s.steady.values():
        s.kt.alloc_set(w.id, 1)
    s.told(*((ALLOC, w.id, EXPIRED) for w in s.steady.values()))
    wait_until("there are no hooks", lambda: not s.kt.stats().hooks)
    # A failure takes them back as well.
    s.kt.set_config(max_perms=0)
    try:
        refused(errno.ENOSPC, w.begin, s.kt)
    finally:
        s.kt.set_config(max_perms=1000)
    expect("with an allocation alone", s.kt.stats().hooks, True)
    s.kt.flush()
    wait_until("there are no hooks", lambda: not s.kt.stats().hooks)


def main():
    netns("relay")
    empty = kturn()
    no_hooks = empty.stats().hooks
    empty.close()
    tests, s = Tests(), Setup()
    tests.add("no hooks without entries",
              lambda: expect("hooks", no_hooks, False))
    for name, side in (("IPv4", V4), ("IPv6", V6)):
        tests.add(f"{name}: a channel ends", channel_ends, s, side)
        tests.add(f"{name}: a permission ends under a channel",
                  permission_ends, s, side)
        tests.add(f"{name}: an allocation ends", allocation_ends, s, side)
        tests.add(f"{name}: entries that are refreshed", refreshed, s, side)
    tests.add("a channel without a permission", channel_without_permission, s,
              V4)
    tests.add("what has ended is not in the way", out_of_the_way, s, V4)
    tests.add("not exclusive", not_exclusive, s, V4)
    for ms in LIFETIMES:
        tests.add(f"at once: channel, {ms} ms", at_once_channel, s, V4, ms)
        tests.add(f"at once: permission, from the peer, {ms} ms",
                  at_once_permission, s, V6, ms, "chan-in")
    tests.add("at once: permission, Data", at_once_permission, s, V4,
              LIFETIMES[0], "data-in")
    tests.add("at once: permission, Send", at_once_permission, s, V4,
              LIFETIMES[1], "send-out")
    for ms, way in zip(LIFETIMES, ("chan-out", "chan-in", "send-out")):
        tests.add(f"at once: allocation, {way}, {ms} ms", at_once_allocation,
                  s, V4, ms, way)
    tests.add("hooks", hooks, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
