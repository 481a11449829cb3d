#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Everything at once, while packets flow; see load.sh.

FULL=1 in the environment repeats what is done five times a hundred times.
"""

import errno
import glob
import os
import random
import signal
import subprocess
import sys
import time

from ktap import Tests
from lab import V4, V6, ip, netns, receive, udp
from libkturn import (Addr, EXCLUSIVE, Limit, Listener, MODULE_GONE, Refused,
                      make_alloc)
from packets import Failed, channel, expect, send_ind
from world import ALL, CHAN, LONG, World, kturn, refused, wait_until, waiting

ROUNDS = 100 if os.environ.get("FULL") else 5
CHURN_SECONDS = 60 if os.environ.get("FULL") else 6
ENTRIES = 2000
PACKETS = 200
# A packet's or an entry's memory lost in each round comes to more than this.
LEAK = 1 << 20


class Child:
    """A process that calls a function until it is stopped."""

    def __init__(self, function, *args):
        self.pid = os.fork()
        if self.pid:
            return
        status = 1
        try:
            os.sched_setaffinity(0, range(os.cpu_count()))
            function(*args)
            status = 0
        except Exception as e:
            print("#", function.__name__, repr(e), file=sys.stderr)
        finally:
            os._exit(status)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)

    def wait(self):
        expect("exit status", os.waitpid(self.pid, 0)[1], 0)


def flood(packets):
    """Send (socket, data, address) in turn, whatever becomes of them."""
    while True:
        for s, data, to in packets:
            try:
                s.sendto(data, to)
            except OSError:
                pass


def floods(worlds):
    to_peer, to_client = [], []
    for w in worlds:
        to_peer += [(w.client, channel(CHAN, b"c" * 200), w.server),
                    (w.client, send_ind((w.side.peer, w.pport + 1),
                                        b"s" * 200), w.server)]
        to_client += [(w.peer, b"p" * 200, w.relay),
                      (w.plain, b"q" * 201, w.relay)]
    return [Child(flood, to_peer), Child(flood, to_client)]


def passes(worlds):
    for w, other in (worlds, worlds[::-1]):
        expect("passes", w.passes(other), ALL)


def flows(kt):
    """Wait until packets have been relayed in both directions."""
    start = kt.stats()

    def enough():
        st = kt.stats()
        return (st.to_peer.packets > start.to_peer.packets + PACKETS and
                st.to_client.packets > start.to_client.packets + PACKETS)
    wait_until("packets flow", enough, 60)


def crowd(kt):
    """Many allocations, each with a permission and a channel."""
    news = [("alloc_new", make_alloc(f"198.51.100.2:{1000 + n}",
                                     "198.51.100.1:3478",
                                     [f"203.0.113.1:{1000 + n}"], LONG,
                                     EXCLUSIVE, f"label of number {n}"))
            for n in range(ENTRIES)]
    expect("failures", any(kt.batch(news)), False)
    peer = Addr("203.0.113.2:7")
    rest = []
    for id in kt.batch_ids:
        rest += [("perm_new", id, Addr("203.0.113.2"), LONG),
                 ("chan_new", id, CHAN, peer, LONG)]
    expect("failures", any(kt.batch(rest)), False)


def unreclaimable():
    """Bytes of slabs and per-CPU memory, without slabs that are empty."""
    for file in glob.glob("/sys/kernel/slab/*/shrink"):
        try:
            with open(file, "w") as f:
                f.write("1")
        except OSError:
            pass
    with open("/proc/meminfo") as f:
        kb = {line.split(":")[0]: int(line.split()[1]) for line in f}
    return (kb["SUnreclaim"] + kb["Percpu"]) * 1024


class Leaks:
    """The first round is left out: it fills all kinds of caches."""

    def __init__(self):
        self.after = []

    def round_over(self):
        self.after.append(unreclaimable())

    def check(self):
        grown = self.after[-1] - self.after[0]
        print(f"# memory grew by {grown >> 10} KiB in "
              f"{len(self.after) - 1} rounds")
        expect("memory was lost", grown > LEAK, False)


# ------------------------------------------------------------------- unloading

def loaded():
    return os.path.exists("/sys/module/kturn")


def unload():
    """A dump that is under way keeps the module."""
    def done():
        r = subprocess.run(["rmmod", "kturn"], capture_output=True, text=True)
        # The latter: a dump has begun since rmmod looked.
        if r.returncode and "in use" not in r.stderr and \
                "temporarily unavailable" not in r.stderr:
            raise Failed("rmmod: " + r.stderr)
        return not r.returncode
    wait_until("the module is unloaded", done, 60)
    expect("module", loaded(), False)


def load():
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)


def hold():
    """Keep a socket joined."""
    kt = kturn()
    kt.join(77, 60_000, "holder")
    signal.pause()


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


def unloaded_under_load(worlds):
    leaks = Leaks()
    for n in range(ROUNDS):
        if not loaded():
            load()
        kt, listener = kturn(), Listener()
        kt.join(78, 60_000, "main")
        holder = Child(hold)
        for w in worlds:
            w.begin(kt)
        crowd(kt)
        wait_until("two owners", lambda: kt.stats().owners == 2)
        children = floods(worlds)
        if n % 2:
            children.append(Child(reader))
        flows(kt)
        with open("/sys/module/kturn/refcnt") as f:
            if n % 2 == 0:
                expect("references to the module", f.read().strip(), "0")
        unload()
        refused(errno.ENOENT, kt.allocs)
        expect("told", [e.type for e in listener.take(1)], [MODULE_GONE])
        # Sockets that had joined close when there is nobody left to hear it.
        for c in (*children, holder):
            c.kill()
        kt.close()
        listener.close()
        for w in worlds:
            w.empty()
        leaks.round_over()
    load()
    leaks.check()
    kt = kturn()
    expect("nothing is left", (kt.stats().allocs, kt.stats().owners), (0, 0))
    for w in worlds:
        w.begin(kt)
    passes(worlds)
    kt.flush()
    kt.close()


# ------------------------------------------------------------------- namespace

def ip_lines(where, text):
    subprocess.run(["ip", "-n", os.environ[where], "-batch", "-"],
                   input=text, text=True, check=True)


def devices(where):
    return subprocess.run(["ip", "-n", os.environ[where], "-br", "link"],
                          capture_output=True, text=True,
                          check=True).stdout.split()


def relay_up():
    """The relay's part of the topology, as lib.sh makes it."""
    relay = os.environ["relay"]
    subprocess.run(["ip", "netns", "add", relay], check=True)
    ip_lines("relay", "link set lo up\n")
    for where, n, a in (("client", "0", (V4.client, V4.server, V6.client,
                                         V6.server)),
                        ("peer", "1", (V4.peer, V4.relay, V6.peer,
                                       V6.relay))):
        far4, near4, far6, near6 = a
        ip_lines(where, f"""\
link add {where}0 type veth peer name relay{n} netns {relay}
addr add {far4}/24 dev {where}0
addr add {far6}/64 dev {where}0 nodad
link set {where}0 up
""")
        ip_lines("relay", f"""\
addr add {near4}/24 dev relay{n}
addr add {near6}/64 dev relay{n} nodad
link set relay{n} up
""")


def relay_down():
    """Delete the namespace; its devices and the module's state go later."""
    netns("client")
    subprocess.run(["ip", "netns", "del", os.environ["relay"]], check=True)


def gone():
    return "client0" not in " ".join(devices("client"))


def deleted_under_load(worlds):
    children = floods(worlds)
    leaks = Leaks()
    relay_down()
    wait_until("it is gone", gone)
    for n in range(ROUNDS):
        relay_up()
        kt = kturn()
        kt.join(79, 60_000, "main")
        for w in worlds:
            w.begin(kt)
        crowd(kt)
        holder = Child(hold)
        wait_until("two owners", lambda: kt.stats().owners == 2)
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
                receive(worlds[0].peer)
            expect("the namespace is gone", gone(), False)
            holder.kill()
        wait_until("it is gone", gone, 60)
        leaks.round_over()
    for c in children:
        c.kill()
    relay_up()
    kt = kturn()
    expect("nothing is left", (kt.stats().allocs, kt.stats().hooks),
           (0, False))
    for w in worlds:
        w.begin(kt)
        w.empty()
    passes(worlds)
    kt.flush()
    kt.close()
    # Waits for the last namespace to end in all its parts.
    unload()
    leaks.round_over()
    leaks.check()
    load()


# --------------------------------------------------------------------- changes

def attempt(call, *args):
    """Others change the same entries, so it may fail for these reasons."""
    try:
        return call(*args)
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
                     rnd.choice((1, 20, LONG)), EXCLUSIVE)
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


def dumps(kt):
    """What a dump shows fits together."""
    ids = [a.id for a in kt.allocs()]
    expect("ids ascend", ids, sorted(set(ids)))
    keys = [(c.alloc_id, c.number) for c in kt.chans()]
    expect("channels once", len(keys), len(set(keys)))
    keys = [(p.alloc_id, str(p.peer)) for p in kt.perms()]
    expect("permissions once", len(keys), len(set(keys)))


def changes(worlds):
    """Flows whose entries stay lose nothing meanwhile."""
    kt = kturn()
    for w in worlds:
        w.begin(kt)
        w.empty()
    until = time.monotonic() + CHURN_SECONDS
    children = [Child(churn, 1, until), Child(churn, 2, until),
                Child(flusher, until), Child(comer, until),
                Child(limiter, [w.id for w in worlds], until),
                Child(shots, until)]
    n = 0
    while time.monotonic() < until:
        for w in worlds:
            w.client.sendto(channel(CHAN, b"%d" % n), w.server)
            expect("to the peer", receive(w.peer)[0], b"%d" % n)
            w.peer.sendto(b"%d" % n, w.relay)
            expect("to the client", receive(w.client)[0],
                   channel(CHAN, b"%d" % n))
        dumps(kt)
        n += 1
    for c in children:
        c.wait()
    print(f"# {n} times")
    wait_until("the others' entries are gone",
               lambda: kt.stats().owners == 0)
    st = kt.stats()
    expect("entries", (st.allocs, st.perms, st.chans), (2, 2, 2))
    passes(worlds)
    kt.flush()
    kt.close()


# ------------------------------------------------------------------- devices

def device_goes(worlds):
    """Remembered routes do not keep a device that is deleted."""
    kt = kturn()
    for w in worlds:
        w.begin(kt)
    passes(worlds)
    ip("relay", "link", "del", "relay1")
    expect("device", "peer0" in " ".join(devices("peer")), False)
    before = kt.stats()
    for w in worlds:
        w.client.sendto(channel(CHAN, b"where?"), w.server)
    wait_until("they are punted", lambda: sum(kt.stats().punt) ==
               sum(before.punt) + 2)
    netns("client")
    kt.flush()
    kt.close()
    relay_down()
    wait_until("it is gone", gone)
    relay_up()


def main():
    tests = Tests()
    worlds = [World(None, V4), World(None, V6)]
    tests.add("changes from all sides", changes, worlds)
    tests.add(f"unloaded {ROUNDS} times under load", unloaded_under_load,
              worlds)
    tests.add("a device that goes", device_goes, worlds)
    tests.add(f"namespace deleted {ROUNDS} times under load",
              deleted_under_load, worlds)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
