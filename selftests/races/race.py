# SPDX-License-Identifier: GPL-2.0-or-later
"""What the races share: traffic on all CPUs, repeating, and what is left.

What a test does again and again, while others send packets as fast as they
can, is done for RACE_SECONDS, at least MIN_ROUNDS times: for 30 seconds with
FULL=1 in the environment.
"""

import contextlib
import ctypes
import glob
import os
import socket
import struct
import subprocess
import time

from child import Child
from lab import V4, V6, ip
from libkturn import Addr, EXCLUSIVE, make_alloc
from packets import Failed, channel, expect, send_ind
from world import CHAN, LONG, World, kturn, wait_until

FULL = bool(os.environ.get("FULL"))
RACE_SECONDS = 30 if FULL else 2
MIN_ROUNDS = 4
CROWD = 300
FLOOD = 200                 # bytes; what a test itself sends is shorter
# A packet's or an entry's memory lost in each round comes to more than this.
LEAK = 1 << 20


def rounds(body):
    end, n = time.monotonic() + RACE_SECONDS, 0
    while n < MIN_ROUNDS or time.monotonic() < end:
        body(n)
        n += 1
    print(f"# {n} rounds", flush=True)


# --------------------------------------------------------------------- traffic

def deafen(s):
    """The socket does not hear the flood: a filter drops what is longer."""
    code = [(0x80, 0, 0, 0),                # the length, UDP header included
            (0x35, 0, 1, 8 + FLOOD),        # not less?
            (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF)]
    code = ctypes.create_string_buffer(
        b"".join(struct.pack("HBBI", *insn) for insn in code))
    # SO_ATTACH_FILTER
    s.setsockopt(socket.SOL_SOCKET, 26,
                 struct.pack("HP", 4, ctypes.addressof(code)))


def flooded_worlds():
    """One of each family, to be begun; none of their sockets hears floods."""
    worlds = [World(None, V4), World(None, V6)]
    for w in worlds:
        for s in (w.client, w.peer, w.plain):
            deafen(s)
    return worlds


def flood(packets):
    """Send (socket, data, address) in turn, whatever becomes of them."""
    while True:
        for s, data, to in packets:
            try:
                s.sendto(data, to)
            except OSError:
                pass


@contextlib.contextmanager
def flooding(worlds):
    """All four ways, one process for each direction."""
    to_peer, to_client = [], []
    for w in worlds:
        to_peer += [(w.client, channel(CHAN, b"c" * FLOOD), w.server),
                    (w.client, send_ind((w.side.peer, w.pport + 1),
                                        b"s" * FLOOD), w.server)]
        to_client += [(w.peer, b"p" * FLOOD, w.relay),
                      (w.plain, b"q" * FLOOD, w.relay)]
    children = [Child(flood, to_peer), Child(flood, to_client)]
    try:
        yield
    finally:
        for c in children:
            c.kill()


def flows(kt, packets=100):
    """Wait until so many were relayed in each direction."""
    start = kt.stats()

    def enough():
        st = kt.stats()
        return (st.to_peer.packets > start.to_peer.packets + packets and
                st.to_client.packets > start.to_client.packets + packets)
    wait_until("packets flow", enough, 60)


def crowd(kt):
    """Many allocations, each with a permission and a channel: their ids."""
    news = [("alloc_new", make_alloc(f"198.51.100.2:{1000 + n}",
                                     "198.51.100.1:3478",
                                     [f"203.0.113.1:{1000 + n}"], LONG,
                                     EXCLUSIVE, f"label of number {n}"))
            for n in range(CROWD)]
    expect("failures", any(kt.batch(news)), False)
    ids = kt.batch_ids
    peer, rest = Addr("203.0.113.2:7"), []
    for id in ids:
        rest += [("perm_new", id, Addr("203.0.113.2"), LONG),
                 ("chan_new", id, CHAN, peer, LONG)]
    expect("failures", any(kt.batch(rest)), False)
    return set(ids)


# ---------------------------------------------------------------- what is left

def nothing_left(kt):
    """Without entries and owners, nothing needs the hooks."""
    kt.flush()
    kt.close()
    kt = kturn()

    def clean():
        st = kt.stats()
        return (st.allocs, st.perms, st.chans, st.owners, st.hooks) == \
            (0, 0, 0, 0, False)
    wait_until("nothing is left", clean)
    kt.close()


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


# ------------------------------------------------------------------ the module

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


# ------------------------------------------------------------------ the network

def ip_lines(where, text):
    subprocess.run(["ip", "-n", os.environ[where], "-batch", "-"],
                   input=text, text=True, check=True)


def link_up(n):
    """A veth pair of the topology of lib.sh, as it makes it."""
    where, (far4, near4, far6, near6) = (
        ("client", (V4.client, V4.server, V6.client, V6.server)),
        ("peer", (V4.peer, V4.relay, V6.peer, V6.relay)))[n]
    ip_lines(where, f"""\
link add {where}0 type veth peer name relay{n} netns {os.environ["relay"]}
addr add {far4}/24 dev {where}0
addr add {far6}/64 dev {where}0 nodad
link set {where}0 up
""")
    ip_lines("relay", f"""\
addr add {near4}/24 dev relay{n}
addr add {near6}/64 dev relay{n} nodad
link set relay{n} up
""")


def relay_up():
    """The relay's part of the topology, as lib.sh makes it."""
    subprocess.run(["ip", "netns", "add", os.environ["relay"]], check=True)
    ip("relay", "link", "set", "lo", "up")
    for n in (0, 1):
        link_up(n)


def has_device(where, name):
    out = subprocess.run(["ip", "-n", os.environ[where], "-br", "link"],
                         capture_output=True, text=True, check=True).stdout
    return name in out


def joined(cookie, grace_ms, label):
    """A socket that belongs to an owner."""
    kt = kturn()
    kt.join(cookie, grace_ms, label)
    return kt
