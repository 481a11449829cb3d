#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Locked instructions and shared lines on the way of a packet; see locks.sh.

Instructions of the module get kprobes. Of those with a lock prefix, or that
exchange with memory, none may be hit while packets go their usual way. Of those
that write, the addresses are recorded, while one CPU and then another relays
packets of the same flow: what both of them write would be taken from one by the
other each time.
"""

import os
import re
import sys

from chains import each_way
from ktap import Tests
from lab import V4, V6, receive, text
from packets import Failed, channel, expect
from probes import Probes, TRACING, instructions, write
from scene import Setup
from world import CHAN, LONG, World, attach, detach, waiting

PACKETS = 50
ROUNDS = 3
LINE = 64
SIDES = ("IPv4", V4), ("IPv6", V6)

MEMORY = re.compile(r"(%\ws:)?(-?0x[0-9a-f]+)?"
                    r"\((%\w+)?(?:,(%\w+),([1248]))?\)$")
# What has memory as its last operand and does not write there.
READS = re.compile(r"(cmp|test|bt[bwlq]?$|nop|lea|prefetch|call|jmp|push|v?ptest"
                   r"|u?comis|div|idiv|mul|imul|cs nop|data16)")
FETCH = {"%rax": "%ax", "%rbx": "%bx", "%rcx": "%cx", "%rdx": "%dx",
         "%rsi": "%si", "%rdi": "%di", "%rbp": "%bp", "%rsp": "%sp"}


def there_and_back(w):
    for say, hear, _ in each_way(w):
        say()
        receive(hear)


class Flow:
    """Each way, by channel and without."""

    def __init__(self, s, side):
        self.s, self.w = s, World(s.kt, side)

    def once(self):
        there_and_back(self.w)

    def close(self):
        self.s.kt.alloc_del(self.w.id)
        self.w.close()


class Dropped(Flow):
    """And a packet by a channel that does not exist, before that."""

    def once(self):
        self.w.client.sendto(channel(CHAN + 1, b"to nobody"), self.w.server)
        there_and_back(self.w)


class Hairpin:
    """From one client to another's relayed address."""

    def __init__(self, s, side):
        self.s, self.a, self.b = s, World(s.kt, side), World(s.kt, side)
        for me, other in ((self.a, self.b), (self.b, self.a)):
            s.kt.perm_new(me.id, other.relay[0], LONG)
            s.kt.chan_new(me.id, CHAN + 1, text(*other.relay), LONG)

    def once(self):
        self.a.client.sendto(channel(CHAN + 1, b"across"), self.a.server)
        expect("from", receive(self.b.client)[1], self.b.server)

    def close(self):
        for w in self.a, self.b:
            self.s.kt.alloc_del(w.id)
            w.close()


# ----------------------------------------------------------------------- locks

def is_locked(i):
    return i.text.startswith("lock ") or \
        re.match(r"xchg .*\(", i.text)


def locked(probes, action):
    """What of it was hit meanwhile."""
    before = probes.hits()
    action()
    return {str(i): n - before.get(i, 0) for i, n in probes.hits().items()
            if n > before.get(i, 0)}


def blind(probes):
    """Of what can't have probes, nothing is for packets."""
    print(f"# {len(probes.at)} instructions")
    expect("without probes", [str(i) for i in probes.blind
                              if not i.function.startswith("__rhashtable_")],
           [])


def dropped(s, probes):
    """What is counted for all CPUs together is seen here."""
    f = Dropped(s, V4)
    hits = locked(probes, f.once)
    if not any("account_drop" in where for where in hits):
        raise Failed(f"dropping is not seen: {hits}")
    expect("arrived", waiting(f.w.peer), [])
    f.close()


def no_locks(s, probes, kind, side):
    """Routes and all else that is remembered are known from the first one."""
    f = kind(s, side)
    f.once()

    def packets():
        for _ in range(PACKETS):
            f.once()
    expect("locked", locked(probes, packets), {})
    f.close()


# ----------------------------------------------------------------------- lines

def operand(i):
    """What it writes to, as MEMORY has it; None if that is of this CPU alone."""
    op, _, args = i.text.partition(" ")
    if op == "lock":
        op, _, args = args.strip().partition(" ")
    if op.startswith("rep"):
        return MEMORY.search("(%rdi)") if "stos" in i.text or \
            "movs" in i.text else None
    if READS.match(op):
        return None
    m = MEMORY.search(args.strip())
    if not m or m[1] or m[3] in ("%rip", "%rsp"):
        return None
    return m


def registers(i):
    m = operand(i)
    return " ".join(f"{name}={FETCH.get(reg, reg)}:x64" for name, reg in
                    (("b", m[3]), ("i", m[4])) if reg)


def address(i, values):
    m = operand(i)
    at = int(m[2] or "0", 16)
    if m[3]:
        at += values["b"]
    if m[4]:
        at += values["i"] * int(m[5])
    return at % (1 << 64)


def trace(probes):
    """{line: one of the instructions that wrote there}, and forget it."""
    found = {}
    with open(f"{TRACING}/trace", encoding="ascii") as f:
        for record in f:
            m = re.search(r": (i\d+): \(.*?\)(.*)", record)
            if not m:
                continue
            values = {name: int(v, 16) for name, v in
                      re.findall(r"(\w)=(0x[0-9a-f]+)", m[2])}
            i = probes.at[m[1]]
            found[address(i, values) // LINE] = i
    write(f"{TRACING}/trace", "")
    return found


def writes(s):
    """Probes on what writes, of the functions that packets go through."""
    flows = [kind(s, side) for _, side in SIDES for kind in (Dropped, Hairpin)]
    with Probes([i for i in instructions() if i.first]) as probes:
        for way in (attach, detach):
            for f in flows:
                f.once()
            way(s.kt)
        functions = {i.function for i in probes.hits()}
    for f in flows:
        f.close()
    print(f"# {len(functions)} functions", flush=True)
    return Probes([i for i in instructions() if i.function in functions and
                   operand(i)], registers)


def written_by(f, probes, cpu):
    """Lines that were written each time."""
    os.sched_setaffinity(0, {cpu})
    f.once()
    trace(probes)
    always = None
    for _ in range(ROUNDS):
        f.once()
        found = trace(probes)
        always = {k: found[k] for k in found
                  if always is None or k in always}
    return always


def shared(f, probes):
    f.once()
    try:
        lines = [written_by(f, probes, cpu) for cpu in (0, 1)]
    finally:
        os.sched_setaffinity(0, {0})
    if not all(lines):
        raise Failed("nothing was written")
    print(f"# {len(lines[0])} lines", flush=True)
    return sorted({str(lines[0][k]) for k in lines[0].keys() & lines[1]})


def no_lines(s, probes, kind, side):
    f = kind(s, side)
    expect("lines that both CPUs write", shared(f, probes), [])
    f.close()


def dropped_shows(s, probes):
    """What is counted for all CPUs together is written by each."""
    f = Dropped(s, V4)
    found = shared(f, probes)
    if not any("account_drop" in where for where in found):
        raise Failed(f"dropping is not seen: {found}")
    f.close()


def to_ingress(s):
    attach(s.kt)
    expect("devices", len(s.kt.devices()), 2)


def each(tests, what, function, *args):
    for name, side in SIDES:
        tests.add(f"{name}{what}", function, *args, Flow, side)
        tests.add(f"{name}, hairpin{what}", function, *args, Hairpin, side)


def main():
    tests, s = Tests(), Setup()
    if sys.argv[1] == "locks":
        probes = Probes([i for i in instructions() if is_locked(i)])
        tests.add("a packet that is dropped shows", dropped, s, probes)
        what, function = ": no locked instructions", no_locks
    else:
        probes = writes(s)
        tests.add("a packet that is dropped shows", dropped_shows, s, probes)
        what, function = ": no line that another CPU writes", no_lines
    with probes:
        tests.add("all that packets may execute has probes", blind, probes)
        for mode in "", ", ingress":
            if mode:
                tests.add("devices are attached", to_ingress, s)
            each(tests, mode + what, function, s, probes)
        return tests.run()


if __name__ == "__main__":
    sys.exit(main())
