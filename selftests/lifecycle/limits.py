#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries that can't be made; see limits.sh."""

import ctypes
import errno
import mmap
import os
import struct
import sys

from ktap import Tests
from lab import V4, libc, netns
from libkturn import Limit, Quota, Refused
from packets import Failed, expect
from world import ALL, CHAN, LONG, World, kturn, refused, wait_until

MANY = 20_000
PERMS = 1024    # alloc-perms-max of the spec
GROUP = "/sys/fs/cgroup/kturn-test"


def alloc_args(n):
    """Distinct addresses for each n."""
    return (f"198.51.100.2:{1000 + n}", "198.51.100.1:3478",
            [f"203.0.113.1:{1000 + n}"], LONG)


def peer(n):
    return f"203.0.{n >> 8 & 255}.{n & 255}"


def counts(kt):
    st = kt.stats()
    return st.allocs, st.perms, st.chans


def defaults(kt):
    cfg = kt.config()
    for name in ("max_allocs", "max_perms", "max_chans", "max_owners"):
        expect(name + " is bounded", 0 < getattr(cfg, name) <= 1 << 20, True)


def namespace(kt, w, steady):
    """Each kind of entry has a limit of its own."""
    old = kt.config()
    kt.set_config(max_allocs=2, max_perms=3, max_chans=3)
    cfg = kt.config()
    expect("limits", (cfg.max_allocs, cfg.max_perms, cfg.max_chans,
                      cfg.max_owners), (2, 3, 3, old.max_owners))
    refused(errno.ENOSPC, kt.alloc_new, *alloc_args(1))
    kt.perm_new(w.id, peer(1), LONG)
    refused(errno.ENOSPC, kt.perm_new, w.id, peer(2), LONG)
    # A channel needs an object for the peer's permission.
    refused(errno.ENOSPC, kt.chan_new, w.id, CHAN + 1, peer(2) + ":1", LONG)
    expect("entries", counts(kt), (2, 3, 2))
    kt.chan_new(w.id, CHAN + 1, peer(1) + ":1", LONG)
    refused(errno.ENOSPC, kt.chan_new, w.id, CHAN + 2, peer(1) + ":2", LONG)
    expect("entries", counts(kt), (2, 3, 3))
    # At the limit what is there can be refreshed, and passes.
    kt.alloc_set(w.id, LONG)
    kt.perm_new(w.id, w.side.peer, LONG)
    kt.chan_new(w.id, CHAN, w.to_chan, LONG)
    expect("passes", w.passes(steady), ALL)
    # Below a lowered limit nothing is taken away.
    kt.set_config(max_allocs=0, max_perms=0, max_chans=0)
    expect("passes", w.passes(steady), ALL)
    kt.chan_del(w.id, CHAN + 1)
    kt.perm_del(w.id, peer(1))
    kt.set_config(max_allocs=3, max_perms=3, max_chans=3)
    kt.perm_new(w.id, peer(2), LONG)
    kt.chan_new(w.id, CHAN + 2, peer(2) + ":2", LONG)
    kt.alloc_del(kt.alloc_new(*alloc_args(1)))
    kt.chan_del(w.id, CHAN + 2)
    kt.perm_del(w.id, peer(2))
    kt.set_config(**{name: getattr(old, name) for name, _ in old._fields_})
    expect("entries", counts(kt), (2, 2, 2))


def allocation(kt):
    """One client can't have all permissions of the namespace."""
    id, other = kt.alloc_new(*alloc_args(1)), kt.alloc_new(*alloc_args(2))
    for n in range(PERMS):
        kt.perm_new(id, peer(n), LONG)
    refused(errno.ENOSPC, kt.perm_new, id, peer(PERMS), LONG)
    refused(errno.ENOSPC, kt.chan_new, id, CHAN, peer(PERMS) + ":1", LONG)
    expect("permissions", len(kt.perms(id)), PERMS)
    # What is there can be refreshed, and used.
    kt.perm_new(id, peer(0), LONG)
    kt.chan_new(id, CHAN, peer(0) + ":1", LONG)
    kt.perm_new(other, peer(PERMS), LONG)
    kt.perm_del(id, peer(1))
    kt.perm_new(id, peer(PERMS), LONG)
    kt.alloc_del(id)
    kt.alloc_del(other)
    expect("entries", counts(kt), (2, 2, 2))


def write(file, text):
    with open(os.path.join(GROUP, file), "w") as f:
        f.write(text)


def until_refused(call):
    """Call with 0, 1, … until that fails: how often it did not."""
    for n in range(MANY):
        try:
            call(n)
        except Refused as e:
            if e.errno != errno.ENOMEM or "no memory" not in e.text:
                raise
            return n
    raise Failed(f"{MANY} entries, and memory for all of them")


def starve(w, report):
    """In a process of its own: make entries until there is no memory."""
    kt = kturn()

    def make(n):
        return kt.alloc_new(*alloc_args(n), quotas=[
            Quota(i, Limit(packet_rate=9)) for i in (n, MANY)])

    def fill():
        n = until_refused(make)
        p = until_refused(lambda n: kt.perm_new(w.id, peer(n), LONG))
        c = until_refused(lambda n: kt.chan_new(
            w.id, CHAN + 1 + n, peer(0) + f":{n + 1}", LONG))
        return n, p, c

    # What Python needs for that it is to have beforehand.
    for n in range(100):
        kt.alloc_new(*alloc_args(MANY + n))
        refused(errno.EEXIST, kt.alloc_new, *alloc_args(MANY + n))
    for a in kt.allocs()[2:]:
        kt.alloc_del(a.id)
    kt.perm_new(w.id, peer(0), LONG)
    if libc.mlockall(1):
        raise OSError(ctypes.get_errno(), "mlockall")
    # Without a process that may be killed, an allocation just fails.
    with open("/proc/self/oom_score_adj", "w") as f:
        f.write("-1000")
    write("cgroup.procs", "0")
    report[:] = struct.pack("III", *fill())


def no_memory(kt, w, steady):
    """Entries are charged to the control group of who makes them."""
    os.makedirs(GROUP)
    try:
        with open("/sys/fs/cgroup/cgroup.subtree_control", "w") as f:
            f.write("+memory")
        write("memory.max", "4M")
        # Shared memory: without any, the child can't even write to a pipe.
        report = mmap.mmap(-1, 12)
        report[:] = bytes(12)
        pid = os.fork()
        if not pid:
            status = 1
            try:
                starve(w, report)
                status = 0
            except Exception as e:
                print("#", repr(e), file=sys.stderr)
            finally:
                os._exit(status)
        expect("exit status", os.waitpid(pid, 0)[1], 0)
        write("memory.max", "max")
        allocs, perms, chans = struct.unpack("III", report)
        expect("there was memory for some", allocs > 100, True)
        # One permission was there before the memory was short.
        expect("entries", counts(kt), (2 + allocs, 2 + max(perms, 1),
                                       2 + chans))
        expect("passes", w.passes(steady), ALL)
        # What failed has left nothing behind.
        kt.alloc_new(*alloc_args(allocs))
        kt.perm_new(w.id, peer(perms), LONG)
        kt.chan_new(w.id, CHAN + 1 + chans, peer(0) + f":{chans + 1}", LONG)
        for a in kt.allocs():
            if a.id not in (w.id, steady.id):
                kt.alloc_del(a.id)
        expect("allocations", kt.stats().allocs, 2)
        # A quota that was left behind would count who made it.
        for n in (allocs, MANY):
            id = kt.alloc_new(*alloc_args(0), quotas=[Quota(n)])
            a, = kt.allocs(id)
            expect("its quota's", a.quota[0].allocs, 1)
            kt.alloc_del(id)
        expect("passes", w.passes(steady), ALL)
    finally:
        wait_until("the group is empty", lambda: not open(
            os.path.join(GROUP, "cgroup.procs")).read())
        os.rmdir(GROUP)


def main():
    tests = Tests()
    kt = kturn()
    w, steady = World(kt, V4), World(kt, V4)
    netns("relay")
    tests.add("there are limits", defaults, kt)
    tests.add("a namespace's limits", namespace, kt, w, steady)
    tests.add("an allocation's limit", allocation, kt)
    tests.add("no memory", no_memory, kt, w, steady)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
