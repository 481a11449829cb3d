# SPDX-License-Identifier: GPL-2.0-or-later
"""An allocation with its sockets, and what passes through it."""

import contextlib
import os
import signal
import socket
import time

from lab import (CLIENT_PORT, PEER_PORT, RELAY_PORT, SERVER_PORT, V4, inside,
                 netns, receive, text, udp)
from libkturn import EXCLUSIVE, Kturn, Refused
from packets import Failed, channel, expect, parse_data_ind, send_ind

CHAN = 0x4000
LONG = 600_000
# All is to be the same in ingress mode, but for what does not pass netfilter.
INGRESS = bool(os.environ.get("INGRESS"))
# How long an entry may outlive its end: the clock's tick is 4 ms, the rest is
# for a machine that is emulated on another. Expiry's own work, which must not
# be what ends an entry, is done once a second.
LATE = 0.1

# One CPU, so that packets stay in their order.
os.sched_setaffinity(0, {0})


def now():
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def wait_until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s until {what}")
        time.sleep(0.01)


def kturn():
    netns("relay")
    kt = Kturn()
    if INGRESS:
        attach(kt)
    return kt


def attach(kt):
    """Each of the relay's devices."""
    with inside("relay"):
        for device in ("relay0", "relay1"):
            with contextlib.suppress(Refused):
                kt.attach(socket.if_nametoindex(device))


def detach(kt):
    with inside("relay"):
        for device in ("relay0", "relay1"):
            kt.detach(socket.if_nametoindex(device))


def refused(error, call, *args):
    try:
        call(*args)
    except Refused as e:
        expect("error", e.errno, error)
        return
    raise Failed("was not refused")


def waiting(s):
    """What has arrived."""
    found, timeout = [], s.gettimeout()
    s.settimeout(0)
    while True:
        try:
            found.append(s.recv(65536))
        except BlockingIOError:
            s.settimeout(timeout)
            return found
        except OSError:         # an ICMP error
            pass


class World:
    """One channel to the peer's first port, a permission for all of them."""

    count = 0

    def __init__(self, kt, side=V4, lifetime=LONG, perm=LONG, chan=LONG,
                 flags=EXCLUSIVE, label="", quotas=()):
        self.side, n = side, World.count
        World.count += 1
        self.cport, self.rport = CLIENT_PORT + n, RELAY_PORT + n
        self.pport = PEER_PORT + 2 * n
        self.server, self.relay = ((side.server, SERVER_PORT),
                                   (side.relay, self.rport))
        self.client = udp("client", side.client, self.cport)
        self.peer = udp("peer", side.peer, self.pport)
        self.plain = udp("peer", side.peer, self.pport + 1)
        self.tag, self.flags = 0, flags
        self.to_chan = text(side.peer, self.pport)
        if kt:
            self.begin(kt, lifetime, perm, chan, label, quotas)

    def begin(self, kt, lifetime=LONG, perm=LONG, chan=LONG, label="",
              quotas=()):
        self.id = kt.alloc_new(
            text(self.side.client, self.cport), text(*self.server),
            [text(*self.relay)], lifetime, self.flags, label,
            quotas=quotas)
        if perm:
            kt.perm_new(self.id, self.side.peer, perm)
        if chan:
            kt.chan_new(self.id, CHAN, self.to_chan, chan)

    def close(self):
        for s in (self.client, self.peer, self.plain):
            s.close()

    def empty(self):
        for s in (self.client, self.peer, self.plain):
            waiting(s)

    def say(self, way, data):
        """Send one packet in one of the four ways."""
        if way == "chan-out":
            self.client.sendto(channel(CHAN, data), self.server)
        elif way == "send-out":
            self.client.sendto(send_ind((self.side.peer, self.pport + 1),
                                        data), self.server)
        elif way == "chan-in":
            self.peer.sendto(data, self.relay)
        else:
            self.plain.sendto(data, self.relay)

    def heard(self):
        """{(way, data)} of all that has arrived."""
        found = {("chan-out", d) for d in waiting(self.peer)} | \
            {("send-out", d) for d in waiting(self.plain)}
        for d in waiting(self.client):
            if d[0] & 0xC0:
                found.add(("chan-in", d[4:]))
                continue
            peer, data = parse_data_ind(d)
            found.add(("data-in" if peer[1] == self.pport + 1 else
                       "chan-in as data", data))
        return found

    def marker(self):
        """What the client sent to the peer's first port has arrived."""
        self.client.sendto(channel(CHAN, b"marker"), self.server)
        expect("marker", receive(self.peer), (b"marker", self.relay))

    def peer_marker(self):
        """What was sent to the client has arrived."""
        self.peer.sendto(b"marker", self.relay)
        expect("marker", receive(self.client),
               (channel(CHAN, b"marker"), self.server))

    def barrier(self):
        """What was sent before on this CPU has arrived, or never will."""
        self.client.sendto(channel(CHAN, b"barrier"), self.server)
        receive(self.peer)
        self.peer.sendto(b"barrier", self.relay)
        receive(self.client)

    def passes(self, barrier):
        """The ways that are open, once each was tried."""
        self.empty()
        self.tag += 1
        data = b"%d" % self.tag
        for way in ("chan-out", "send-out", "chan-in", "data-in"):
            self.say(way, data)
        barrier.barrier()
        found = self.heard()
        if {d for _, d in found} - {data}:
            raise Failed(f"what came was not what was sent: {found}")
        return {way for way, _ in found}


ALL = {"chan-out", "send-out", "chan-in", "data-in"}


class Holder:
    """A process that joins an owner and makes the entries of a world."""

    def __init__(self, cookie, grace, world=None, label=""):
        self.world = world
        ready, told = os.pipe()
        stay, self.stop = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            try:
                os.close(self.stop)
                kt = kturn()
                kt.join(cookie, grace, label)
                if world:
                    world.begin(kt)
                os.write(told, b"%d" % (world.id if world else 0))
                os.read(stay, 1)
            finally:
                os._exit(0)
        os.close(told)
        os.close(stay)
        id = int(os.read(ready, 100))
        os.close(ready)
        if world:
            world.id = id

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.stop)


def nothing_lost(worlds, n):
    """There and back by the channel: each packet arrives."""
    data = b"%d" % n
    for w in worlds:
        w.client.sendto(channel(CHAN, data), w.server)
        expect("to the peer", receive(w.peer)[0], data)
        w.peer.sendto(data, w.relay)
        expect("to the client", receive(w.client)[0], channel(CHAN, data))


def open_until(world, way, change, barrier):
    """Send as fast as possible while an entry ends.

    change() gives it that many milliseconds from now and returns them. Fails
    unless packets pass before the end and none LATE seconds after it.
    """
    world.empty()
    begin = now()
    ms = change()
    first, last = begin + ms / 1000, now() + ms / 1000 + LATE
    sent, got, n, after = [], set(), 0, 0
    while now() < last + 0.2 or after < 3:
        data = b"%d" % n
        start = now()
        world.say(way, data)
        sent.append((start, now(), data))
        n += 1
        after += start > last
        got |= world.heard()
    barrier.barrier()
    got = {d for w, d in got | world.heard() if w == way}
    early = [d for _, end, d in sent if end < first - LATE]
    late = [d for start, _, d in sent if start > last]
    if not early:
        raise Failed("too slow to tell")
    if not got.issuperset(early):
        raise Failed(f"{len(set(early) - got)} of {len(early)} packets that "
                     "were sent before the end did not pass")
    if got.intersection(late):
        raise Failed(f"passed though sent too late: {got & set(late)}")


