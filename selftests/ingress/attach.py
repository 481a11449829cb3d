#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Ingress mode; see attach.sh."""

import contextlib
import errno
import json
import os
import socket
import subprocess
import sys
import tempfile

from chains import each_way, local_out, nft, passed, seen, table
from ktap import Tests
from lab import (Raw, SERVER_PORT, V4, V6, inside, ip, netns, receive,
                 sysctl)
from libkturn import Refused
from packets import Failed, channel, expect, pattern
from scene import Setup, TO_PEER, run
from world import CHAN, wait_until, waiting

USUAL = {"before": 1, "postrouting": 1}
LOCAL_OUT = {"output": 1, "postrouting": 1}


def index(device):
    with inside("relay"):
        return socket.if_nametoindex(device)


def names(s):
    return [d.ifname.decode() for d in s.kt.devices()]


def cli(*args):
    """Exit status, and what it prints."""
    with inside("relay"):
        r = subprocess.run(["kturn", *args], capture_output=True, text=True,
                           check=False)
    return r.returncode, r.stdout, r.stderr


@contextlib.contextmanager
def attached(s, *devices):
    for device in devices:
        s.kt.attach(index(device))
    try:
        yield
    finally:
        for device in devices:
            s.kt.detach(index(device))


def refused(error, words, call, *args):
    try:
        call(*args)
    except Refused as e:
        expect("error", e.errno, error)
        expect("words", words in str(e), True)
        return
    raise Failed("was not refused")


# ------------------------------------------------------------------- devices

def listed(s):
    expect("at first", names(s), [])
    # In the order of their interface indexes.
    with attached(s, "relay1", "relay0"):
        expect("listed", names(s), sorted(("relay0", "relay1"), key=index))
        expect("indexes", [d.ifindex for d in s.kt.devices()],
               [index(n) for n in names(s)])
    expect("at last", names(s), [])


def command(s):
    expect("attach", cli("attach", "relay0", "relay1"), (0, "", ""))
    expect("names", names(s), sorted(("relay0", "relay1"), key=index))
    status, out, _ = cli("attach")
    expect("list", (status, [line.split() for line in out.splitlines()]),
           (0, [["IFINDEX", "DEVICE"]] + [[str(index(n)), n]
                                          for n in names(s)]))
    status, out, _ = cli("attach", "--json")
    expect("JSON", json.loads(out), [{"ifindex": index(n), "ifname": n}
                                     for n in names(s)])
    # What can be done is done.
    status, _, err = cli("detach", "none0", "relay0")
    expect("detach", (status, "none0: No such device" in err), (1, True))
    expect("names", names(s), ["relay1"])
    status, _, err = cli("attach", "relay1")
    expect("twice", (status, "relay1" in err and "is attached" in err),
           (1, True))
    expect("detach", cli("detach", "relay1"), (0, "", ""))
    expect("nothing", cli("detach")[0], 2)
    expect("names", names(s), [])


def refusals(s):
    refused(errno.ENODEV, "no such device", s.kt.attach, 1 << 20)
    refused(errno.EINVAL, "loopback", s.kt.attach, index("lo"))
    with attached(s, "relay0"):
        refused(errno.EEXIST, "attached", s.kt.attach, index("relay0"))
    refused(errno.ENOENT, "no such device is attached", s.kt.detach,
            index("relay0"))
    refused(errno.ERANGE, "ifindex", s.kt.attach, 0)


@contextlib.contextmanager
def link(name, kind, *more):
    ip("relay", "link", "add", name, "type", kind, *more)
    try:
        yield
    finally:
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("relay", "link", "del", name)


def groups(s):
    """Ports of other devices, and those."""
    with link("br0", "bridge"), link("port0", "veth", "peer", "port1"):
        ip("relay", "link", "set", "port0", "master", "br0")
        refused(errno.EINVAL, "port of a bridge", s.kt.attach, index("port0"))
        with attached(s, "br0"):
            expect("names", names(s), ["br0"])
    with link("red", "vrf", "table", "99"):
        refused(errno.EINVAL, "VRF", s.kt.attach, index("red"))


def device_goes(s):
    with link("here0", "veth", "peer", "there0"):
        s.kt.attach(index("here0"))
        s.kt.attach(index("there0"))
    expect("gone with the devices", names(s), [])
    with link("here0", "veth", "peer", "there0"):
        s.kt.attach(index("here0"))
        ip("relay", "link", "set", "here0", "netns",
           os.path.basename(os.environ["peer"]))
        expect("in another namespace", names(s), [])
        ip("peer", "link", "del", "here0")


def namespace_goes(s):
    """With a device that is attached, and entries or not."""
    del s
    for entries in (False, True):
        run("relay", "ip", "netns", "add", "kturn-brief")
        run("relay", "ip", "-n", "kturn-brief", "link", "add", "a0", "type",
            "veth", "peer", "a1")
        command_in = ("ip", "netns", "exec", "kturn-brief", "kturn")
        run("relay", *command_in, "attach", "a0", "a1")
        if entries:
            run("relay", *command_in, "alloc", "add", "client",
                "192.0.2.9:1000", "server", "192.0.2.1:3478", "relay",
                "192.0.2.1:50000", "lifetime", "600s")
        run("relay", "ip", "netns", "del", "kturn-brief")


# ----------------------------------------------------------------- the paths

def modes(s, w):
    """Attached, detached, and what is configured to pass LOCAL_OUT."""
    passed(s, w, USUAL)
    with attached(s, "relay0", "relay1"):
        passed(s, w, {})
        passed(s, w, LOCAL_OUT, lambda: local_out(s))
    passed(s, w, USUAL)


def one_side(s, w):
    """The mode is one of the device that a packet comes in by."""
    with attached(s, "relay0"), table():
        seen()
        for (say, hear, way), wanted in zip(each_way(w),
                                            ({}, {}, USUAL, USUAL)):
            with s.counted(way):
                say()
                receive(hear)
            expect("seen", seen(), wanted)


def filtered(s, w):
    """By a chain at the device's ingress, which comes first."""
    with attached(s, "relay0", "relay1"):
        nft("table netdev guard { chain in { type filter hook ingress device "
            "relay0 priority 0; meta l4proto udp drop; }\n}\n")
        try:
            with s.counted():
                w.client.sendto(channel(CHAN, b"a"), w.server)
        finally:
            nft("delete table netdev guard")
        with s.counted(TO_PEER):
            w.client.sendto(channel(CHAN, b"b"), w.server)
            expect("relayed", receive(w.peer)[0], b"b")


def left_alone(s, w):
    """What is not relayed is counted once, by the hook that comes next."""
    with attached(s, "relay0", "relay1"), table():
        seen()
        with s.counted(("drop", "no-channel")):
            w.client.sendto(channel(CHAN + 9, b"a"), w.server)
            wait_until("it is seen", lambda: seen() == {"before": 1})
        with s.counted(("punt", "other")):
            w.client.sendto(b"\x01what", w.server)
            expect("punted", s.daemon(w).recvfrom(64)[0], b"\x01what")


def received(device):
    found, = json.loads(run("relay", "ip", "-s", "-j", "link", "show",
                            device).stdout)
    return found["stats64"]["rx"]["packets"]


def becomes_port(s, w):
    """A bridge gets what comes in by its ports, attached before or not."""
    with attached(s, "relay0", "relay1"), link("br0", "bridge"), table():
        # Else the hooks would see a bridged packet.
        if os.path.isdir("/proc/sys/net/bridge"):
            sysctl("relay", "net.bridge.bridge-nf-call-iptables=0",
                   "net.bridge.bridge-nf-call-ip6tables=0")
        ip("relay", "link", "set", "br0", "up")
        ip("relay", "link", "set", "relay0", "master", "br0")
        seen()
        w.client.sendto(channel(CHAN, b"a"), w.server)
        expect("relayed from there", receive(w.peer)[0], b"a")
        expect("seen", seen(), USUAL)
        expect("the bridge had it", received("br0") > 0, True)
        ip("relay", "link", "set", "relay0", "nomaster")
    w.client.sendto(channel(CHAN, b"b"), w.server)
    expect("as before", receive(w.peer)[0], b"b")


def flushed(s, w):
    """The hooks go with the last entry, and come with the first."""
    with attached(s, "relay0", "relay1"):
        s.kt.flush()
        wait_until("the hooks are gone", lambda: not s.kt.stats().hooks)
        expect("still attached", len(names(s)), 2)
        for v in s.worlds.values():
            v.begin(s.kt)
        passed(s, w, {})


def bad_headers(s):
    """What the IP stack would have checked."""
    w = s.worlds["IPv4"]
    raw = Raw("client", 4)
    data = channel(CHAN, pattern(8))
    good = raw.packet(V4.client, V4.server, w.cport, SERVER_PORT, data)
    with attached(s, "relay0", "relay1"):
        for at, value in ((0, 0x55), (0, 0x44), (10, good[10] ^ 1),
                          (9, 6), (3, good[3] + 4), (3, good[3] - 4)):
            bad = bytearray(good)
            bad[at] = value
            frame(bytes(bad))
        # Behind the packet, an Ethernet frame can have anything.
        with s.counted(TO_PEER):
            frame(good + b"\xff" * 12)
            expect("relayed", receive(w.peer)[0], pattern(8))
        expect("nothing else", waiting(w.peer), [])
    raw.close()


def frame(packet):
    """From the client, at the link layer: nothing is put right."""
    proto = 0x0800 if packet[0] >> 4 == 4 else 0x86DD
    there = link_address("relay0")
    netns("client")
    with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM) as s:
        s.sendto(packet, ("client0", proto, 0, 0, there))
    netns("relay")


def disabled(s):
    """IPv6 on the device, not on the one that has the address; the last test."""
    w = s.worlds["IPv6 to IPv4"]
    raw = Raw("client", 6)
    packet = raw.packet(V6.client, V6.server, w.cport, SERVER_PORT,
                        channel(CHAN, pattern(8)))
    raw.close()
    netns("relay")
    with attached(s, "relay0"):
        frame(packet)
        expect("relayed", receive(w.peer)[0], pattern(8))
        sysctl("relay", "net.ipv6.conf.relay0.disable_ipv6=1")
        ip("relay", "addr", "add", V6.server + "/128", "dev", "lo")
        with s.counted():
            frame(packet)
        sysctl("relay", "net.ipv6.conf.relay0.disable_ipv6=0")
        with s.counted(TO_PEER):
            frame(packet)
            expect("relayed", receive(w.peer)[0], pattern(8))


def link_address(device):
    return bytes.fromhex(json.loads(run("relay", "ip", "-j", "link", "show",
                                        device).stdout)[0]["address"]
                         .replace(":", ""))


# ---------------------------------------------------------------- the daemon

def daemon(s):
    """Attaches what is there, and what comes later; leaves it when it ends."""
    with tempfile.TemporaryDirectory() as state, link("dummy0", "dummy"):
        with inside("relay"):
            kturnd = subprocess.Popen(
                ["kturnd", "--listen", V4.relay + ":3499", "--user", "a:b",
                 "--ingress", "relay0", "--ingress", "later0", "--state-dir",
                 state, "--relay-ports", "40000-40010"],
                stderr=subprocess.PIPE, text=True)
        try:
            log = []
            while not any("event=ready" in line for line in log):
                log.append(kturnd.stderr.readline())
                expect("it runs: " + "".join(log), log[-1] != "", True)
            expect("attached", names(s), ["relay0"])
            expect("failed", [line for line in log if "ingress-failed" in line
                              and "device=later0" in line] != [], True)
            with link("later0", "dummy"):
                ip("relay", "addr", "add", "198.51.100.200/32", "dev", "later0")
                wait_until("it is attached", lambda: len(names(s)) == 2)
            wait_until("it is gone", lambda: names(s) == ["relay0"])
        finally:
            kturnd.terminate()
            kturnd.communicate()
        expect("status", kturnd.returncode, 0)
        expect("left", names(s), ["relay0"])
        s.kt.detach(index("relay0"))


def main():
    tests, s = Tests(), Setup()
    for f in (listed, command, refusals, groups, device_goes, namespace_goes,
              bad_headers, daemon):
        tests.add(f.__name__.replace("_", " "), f, s)
    for name, w in s.worlds.items():
        for f in (modes, one_side, filtered, left_alone, becomes_port,
                  flushed):
            tests.add(f"{name}: " + f.__name__.replace("_", " "), f, s, w)
    tests.add("IPv6 is disabled", disabled, s)
    netns("relay")
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
