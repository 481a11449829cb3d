#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told, and when not all of it is; see dump.sh."""

import errno
import os
import re
import socket
import struct
import sys

from child import Child
from ktap import Tests
from lab import netns
from libkturn import EXCLUSIVE, make_alloc
from packets import expect
from world import LONG, kturn, wait_until

REQUEST, DUMP, DUMP_INTR = 0x1, 0x300, 0x10
ERROR, DONE = 2, 3
ENTRIES = 500
HEADER = os.path.join(os.path.dirname(__file__),
                      "../../include/uapi/linux/kturn.h")


def number_of(name):
    """The value of an enumerator that counts from 1."""
    with open(HEADER, encoding="ascii") as f:
        body = next(e for e in re.findall(r"enum \{(.*?)\}", f.read(), re.S)
                    if re.search(rf"\b{name}\b", e))
    return re.findall(r"\bKTURN_\w+", body).index(name) + 1


def attributes(data):
    found = {}
    while data:
        length, kind = struct.unpack("=HH", data[:4])
        found[kind & 0x3FFF] = data[4:length]
        data = data[(length + 3) & ~3:]
    return found


class Netlink:
    def __init__(self):
        netns("relay")
        self.s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 16)
        self.s.settimeout(5)
        # CTRL_CMD_GETFAMILY by CTRL_ATTR_FAMILY_NAME
        name = b"kturn\0"
        self.send(16, REQUEST, 3, struct.pack("=HH", 4 + len(name), 2) + name +
                  bytes(-len(name) % 4))
        (_, _, attrs), = self.parts()[:1]
        self.family, = struct.unpack("=H", attrs[1])

    def send(self, kind, flags, command, body=b""):
        self.s.send(struct.pack("=IHHIIBBH", 20 + len(body), kind, flags, 1, 0,
                                command, 1, 0) + body)

    def parts(self):
        """One buffer's messages: (type, flags, attributes)."""
        data, found = self.s.recv(1 << 20), []
        while data:
            length, kind, flags = struct.unpack("=IHH", data[:8])
            found.append((kind, flags, attributes(data[20:length])
                          if kind > 15 else {}))
            data = data[(length + 3) & ~3:]
        return found


def dump(nl, meanwhile):
    """The ids, and whether it says that it was interrupted."""
    id = number_of("KTURN_A_ALLOC_ID")
    nl.send(nl.family, REQUEST | DUMP, number_of("KTURN_CMD_ALLOC_GET"))
    parts = nl.parts()
    expect("interrupted", any(flags & DUMP_INTR for _, flags, _ in parts),
           False)
    expect("done", any(kind == DONE for kind, _, _ in parts), False)
    meanwhile()
    while not any(kind in (DONE, ERROR) for kind, _, _ in parts):
        parts += nl.parts()
    expect("an error", [p for p in parts if p[0] == ERROR], [])
    return ([struct.unpack("=I", attrs[id])[0] for kind, _, attrs in parts
             if kind == nl.family],
            any(flags & DUMP_INTR for _, flags, _ in parts))


def fill(kt):
    expect("failures", any(kt.batch([
        ("alloc_new", make_alloc(f"198.51.100.2:{1000 + n}",
                                 "198.51.100.1:3478",
                                 [f"203.0.113.1:{1000 + n}"], LONG, EXCLUSIVE))
        for n in range(ENTRIES)])), False)


def changes():
    kt, nl = kturn(), Netlink()
    fill(kt)
    ids = sorted(kt.batch_ids)
    expect("undisturbed", dump(nl, lambda: None), (ids, False))
    expect("refreshed", dump(nl, lambda: kt.alloc_set(ids[0], LONG)),
           (ids, False))
    gone = ids.pop()
    expect("deleted", dump(nl, lambda: kt.alloc_del(gone)), (ids, True))
    # One that was shown already
    shown = ids[0]
    expect("deleted", dump(nl, lambda: kt.alloc_del(shown)), (ids, True))
    ids.remove(shown)

    def make():
        ids.append(kt.alloc_new("198.51.100.2:900", "198.51.100.1:3478",
                                ["203.0.113.1:900"], LONG))
    expect("made", dump(nl, make), (ids, True))
    kt.flush()


def attribute(name, value, nested=0):
    return struct.pack("=HH", 4 + len(value), number_of(name) | nested) + \
        value + bytes(-len(value) % 4)


def endpoint(name, ip, port):
    return attribute(name, attribute("KTURN_A_ENDPOINT_ADDR4",
                                     socket.inet_aton(ip)) +
                     attribute("KTURN_A_ENDPOINT_PORT",
                               struct.pack("!H", port)), 0x8000)


def lost_answers():
    """Who is not told of an allocation's id does not have the allocation."""
    kt, nl = kturn(), Netlink()
    nl.s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for n in range(ENTRIES):
        nl.send(nl.family, REQUEST, number_of("KTURN_CMD_ALLOC_NEW"),
                endpoint("KTURN_A_ALLOC_CLIENT", "198.51.100.2", 2000 + n) +
                endpoint("KTURN_A_ALLOC_SERVER", "198.51.100.1", 3478) +
                endpoint("KTURN_A_ALLOC_RELAY4", "203.0.113.1", 2000 + n) +
                attribute("KTURN_A_ALLOC_LIFETIME_MS",
                          struct.pack("=I", LONG)))
    id, ids = number_of("KTURN_A_ALLOC_ID"), []
    nl.s.setblocking(False)
    while True:
        try:
            ids += [struct.unpack("=I", attrs[id])[0]
                    for kind, _, attrs in nl.parts() if kind == nl.family]
        except BlockingIOError:
            break
        except OSError as e:
            expect("error", e.errno, errno.ENOBUFS)
    expect(f"{len(ids)} of {ENTRIES}, some were lost",
           0 < len(ids) < ENTRIES, True)
    expect("there", [a.id for a in kt.allocs()], ids)
    kt.flush()


def add_and_delete():
    kt = kturn()
    while True:
        kt.alloc_del(kt.alloc_new("198.51.100.2:900", "198.51.100.1:3478",
                                  ["203.0.113.1:900"], LONG))


def nothing_to_show():
    """Others get the lock before it has looked at everything."""
    kt, nl = kturn(), Netlink()
    fill(kt)

    def interrupted():
        nl.send(nl.family, REQUEST | DUMP, number_of("KTURN_CMD_ALLOC_GET"),
                attribute("KTURN_A_ALLOC_OWNER_ID",
                          struct.pack("=I", 0xFFFFFFFF)))
        (kind, flags, _), = nl.parts()
        expect("all there is", kind, DONE)
        return flags & DUMP_INTR

    expect("undisturbed", interrupted(), 0)
    child = Child(add_and_delete)
    try:
        wait_until("a dump is interrupted", interrupted)
    finally:
        child.kill()
    kt.flush()


def main():
    tests = Tests()
    tests.add("nothing to show", nothing_to_show)
    tests.add("entries that change", changes)
    tests.add("answers that are lost", lost_answers)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
