#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets from unusual places, and policies about them; see links.sh."""

import fcntl
import json
import os
import socket
import struct
import subprocess
import sys

from ktap import Tests
from lab import (Capture, Raw, SERVER_PORT, Side, V4, V6, ip, netns,
                 quiet, receive, sysctl, text, udp)
from libkturn import EXCLUSIVE
from packets import (Packet, channel, expect, ones, parse_data_ind, pattern,
                     send_ind)
from scene import Setup, TO_CLIENT, TO_PEER, run
from world import ALL, CHAN, INGRESS, LONG, World, waiting

# Links that tests add have these addresses.
EXTRA = Side("192.0.2.2", "192.0.2.1", V4.relay, V4.peer)


# -------------------------------------------------------------- virtual links

class Tun:
    """A device of the relay whose packets the test reads and writes."""

    NEEDS_CSUM, DATA_VALID, GSO_UDP = 1, 2, 3

    def __init__(self):
        subprocess.run(["modprobe", "tun"], check=True)
        netns("relay")
        self.fd = os.open("/dev/net/tun", os.O_RDWR)
        # TUNSETIFF: IFF_TUN, IFF_NO_PI, IFF_VNET_HDR
        fcntl.ioctl(self.fd, 0x400454CA,
                    struct.pack("16sH22x", b"odd0", 0x0001 | 0x1000 | 0x4000))

    def write(self, packet, flags=0, gso=0, gso_size=0, start=0, offset=0):
        os.write(self.fd, struct.pack("=BBHHHH", flags, gso, 0, gso_size,
                                      start, offset) + packet)

    def read(self):
        while True:
            p = Packet(os.read(self.fd, 65536)[10:])
            if p.proto == 17:
                return p

    def close(self):
        os.close(self.fd)


def udp4(src, dst, sport, dport, data, check=None):
    s, d = socket.inet_aton(src), socket.inet_aton(dst)
    ulen = 8 + len(data)
    head = struct.pack("!HHHH", sport, dport, ulen, 0)
    if check is None:
        check = 0xFFFF ^ ones(s + d + struct.pack("!II", ulen, 17) + head +
                              data)
    elif check == "pseudo":
        check = ones(s + d + struct.pack("!II", ulen, 17))
    iph = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + ulen, 0, 0, 64, 17, 0, s,
                      d)
    iph = iph[:10] + struct.pack("!H", 0xFFFF ^ ones(iph)) + iph[12:]
    return iph + head[:6] + struct.pack("!H", check) + data


def tunnel(s):
    """A device without link headers, which says what was checked."""
    tun = Tun()
    ip("relay", "addr", "add", EXTRA.server + "/24", "dev", "odd0")
    ip("relay", "link", "set", "odd0", "up")
    peer = udp("peer", V4.peer, 7000)
    server = udp("relay", EXTRA.server, SERVER_PORT)
    cap = Capture("peer", "peer0", 4)
    netns("relay")
    id = s.kt.alloc_new(text(EXTRA.client, 5000), text(EXTRA.server,
                                                       SERVER_PORT),
                        [text(V4.relay, 57000)], LONG, EXCLUSIVE)
    s.kt.perm_new(id, V4.peer, LONG)
    s.kt.chan_new(id, CHAN, text(V4.peer, 7000), LONG)

    def client_packet(data, check=None):
        return udp4(EXTRA.client, EXTRA.server, 5000, SERVER_PORT, data, check)

    for n in (0, 1, 6, 1000):
        for args, check in (((), None),
                            ((tun.DATA_VALID,), None),
                            ((tun.NEEDS_CSUM, 0, 0, 20, 6), "pseudo")):
            cap.drain()
            with s.counted(TO_PEER):
                tun.write(client_packet(channel(CHAN, pattern(n), b"padding"),
                                        check), *args)
                expect(f"{n} bytes", receive(peer)[0], pattern(n))
            p = cap.next()
            expect("sum", p.udp_partial() if check else p.udp_ok(), True)
        with s.counted(TO_CLIENT):
            peer.sendto(pattern(n), (V4.relay, 57000))
            p = tun.read()
        expect("to the client", (p.payload, p.udp_ok()),
               (channel(CHAN, pattern(n)), True))
    msg = channel(CHAN, pattern(40))
    # A sum that is due elsewhere than in the UDP header.
    with s.counted(("punt", "malformed")):
        tun.write(client_packet(msg, "pseudo"), tun.NEEDS_CSUM, 0, 0, 28, 6)
        receive(server)
    big = channel(CHAN, pattern(3000))
    with s.counted(("punt", "gso")):
        tun.write(client_packet(big, "pseudo"), tun.NEEDS_CSUM, tun.GSO_UDP,
                  1000, 20, 6)
        expect("at the daemon", receive(server)[0], big)
    s.kt.alloc_del(id)
    for each in (tun, peer, server, cap):
        each.close()


def extra_veth(where, far, near, addresses=()):
    ip(where, "link", "add", far, "type", "veth", "peer", "name", near,
       "netns", os.environ["relay"])
    for address in addresses:
        ip(where, "addr", "add", address, "dev", far)
    ip(where, "link", "set", far, "up")
    ip("relay", "link", "set", near, "up")


def vlan(s):
    for where, device in (("client", "client0"), ("relay", "relay0")):
        ip(where, "link", "add", "link", device, "name", "odd.5", "type",
           "vlan", "id", "5")
        ip(where, "addr", "add",
           (EXTRA.client if where == "client" else EXTRA.server) + "/24",
           "dev", "odd.5")
        ip(where, "link", "set", "odd.5", "up")
    try:
        w = World(s.kt, EXTRA)
        with s.counted(*[TO_PEER] * 3 + [TO_CLIENT] * 3):
            expect("passes", w.passes(s.worlds["IPv4"]), ALL)
        s.kt.alloc_del(w.id)
        w.close()
    finally:
        ip("relay", "link", "del", "odd.5")
        ip("client", "link", "del", "odd.5")


def bridge(s):
    """A bridge port's packets come from the bridge, unless netfilter sees
    them in it: then it is not yet clear whose they are.
    """
    def call_netfilter(value):
        sysctl("relay", f"net.bridge.bridge-nf-call-iptables={value}")

    # It may be built in, and calls by default then.
    if os.path.exists("/proc/sys/net/bridge"):
        call_netfilter(0)
    extra_veth("client", "odd0", "odd1", [EXTRA.client + "/24"])
    ip("relay", "link", "add", "br0", "type", "bridge")
    ip("relay", "link", "set", "odd1", "master", "br0")
    ip("relay", "addr", "add", EXTRA.server + "/24", "dev", "br0")
    ip("relay", "link", "set", "br0", "up")
    w = World(s.kt, EXTRA)
    server = udp("relay", *w.server)
    netns("relay")
    try:
        with s.counted(*[TO_PEER] * 3 + [TO_CLIENT] * 3):
            expect("passes", w.passes(s.worlds["IPv4"]), ALL)
        subprocess.run(["modprobe", "br_netfilter"], check=True)
        call_netfilter(1)
        with s.counted(("punt", "link")):
            w.say("chan-out", b"bridged")
            expect("at the daemon", receive(server)[0],
                   channel(CHAN, b"bridged"))
        # Not even what would be dropped otherwise.
        with s.counted(("punt", "link")):
            w.client.sendto(channel(0x4123, b"unbound"), w.server)
            expect("at the daemon", receive(server)[0],
                   channel(0x4123, b"unbound"))
    finally:
        call_netfilter(0)
        subprocess.run(["rmmod", "br_netfilter"], capture_output=True)
        ip("relay", "link", "del", "br0")
        ip("relay", "link", "del", "odd1")
    s.kt.alloc_del(w.id)
    w.close()
    server.close()


def vrf(s):
    """Entries of a VRF are apart from others with the same addresses."""
    side = Side(EXTRA.client, EXTRA.server, "198.18.0.1", "198.18.0.2")
    ip("relay", "link", "add", "blue", "type", "vrf", "table", "10")
    ip("relay", "link", "set", "blue", "up")
    for where, far, near, there, here in (
            ("client", "odd0", "odd1", side.client, side.server),
            ("peer", "odd2", "odd3", side.peer, side.relay)):
        extra_veth(where, far, near, [there + "/24"])
        ip("relay", "link", "set", near, "master", "blue")
        ip("relay", "addr", "add", here + "/24", "dev", near)
    try:
        index = json.loads(run("relay", "ip", "-j", "link", "show",
                               "blue").stdout)[0]["ifindex"]
        w = World(None, side)
        outside = World(s.kt, side, perm=0, chan=0)
        s.kt.alloc_del(outside.id)
        outside.close()
        netns("relay")
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"blue")
        server.settimeout(5)
        server.bind(w.server)
        # Not in the VRF: no entry for these packets.
        w.begin(s.kt)
        with s.counted():
            w.say("chan-out", b"outside")
            expect("at the daemon", receive(server)[0],
                   channel(CHAN, b"outside"))
        s.kt.alloc_del(w.id)
        w.id = s.kt.alloc_new(text(side.client, w.cport), text(*w.server),
                              [text(*w.relay)], LONG, EXCLUSIVE, l3mdev=index)
        s.kt.perm_new(w.id, side.peer, LONG)
        s.kt.chan_new(w.id, CHAN, w.to_chan, LONG)
        expect("shown", s.kt.allocs(w.id)[0].l3mdev, index)
        with s.counted(*[TO_PEER] * 3 + [TO_CLIENT] * 3):
            expect("passes", w.passes(s.worlds["IPv4"]), ALL)
        with s.counted(("drop", "no-channel")):
            w.client.sendto(channel(0x4123, b"unbound"), w.server)
        with s.counted(("punt", "control")):
            w.client.sendto(b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), w.server)
            receive(server)
        s.kt.alloc_del(w.id)
        w.close()
        server.close()
    finally:
        for device in ("odd1", "odd3", "blue"):
            ip("relay", "link", "del", device)


# ------------------------------------------------------------------- policies

def ipsec(s, w):
    """Policy is the stack's: the module would go round it."""
    family = w.side.family
    every = "0.0.0.0/0" if family == 4 else "::/0"
    for direction, reason in (("in", "policy"), ("out", "route")):
        policy = ["xfrm", "policy", "add", "src", every, "dst",
                  w.side.peer if direction == "out" else every, "dir",
                  direction]
        if direction == "out":
            policy += ["action", "block"]
        ip("relay", *policy)
        try:
            with s.counted(("punt", reason)):
                w.say("chan-out", b"policy")
                expect("at the daemon", receive(s.daemon(w))[0],
                       channel(CHAN, b"policy"))
            expect("to the peer", quiet(w.peer), True)
        finally:
            ip("relay", "xfrm", "policy", "flush")
        expect("without", w.passes(s.steady(w)), ALL)


MARKS = """
table inet marks {
 counter marked { }
 counter tracked { }
 counter came_in { }
 counter passed { }
 chain in { type filter hook prerouting priority -310; meta mark set 7; }
 chain out {
  type filter hook postrouting priority 0;
  meta l4proto != udp accept
  meta mark 7 counter name marked
  ct state != untracked counter name tracked
  meta iif != 0 counter name came_in
  counter name passed
 }
}
"""


def marks(s, w):
    """What came along with a packet does not go out with it."""
    run("relay", "nft", "-f", "-", input=MARKS)
    try:
        expect("passes", w.passes(s.steady(w)), ALL)
        found = {c["counter"]["name"]: c["counter"]["packets"] for c in
                 json.loads(run("relay", "nft", "-j", "list", "counters")
                            .stdout)["nftables"] if "counter" in c}
        # Four, and two of the other world's.
        expect("counters", found, {"marked": 0, "tracked": 0, "came_in": 0,
                                   "passed": 0 if INGRESS else 6})
    finally:
        run("relay", "nft", "delete table inet marks")


def rules_by_port(s, w):
    """A routing rule can tell peers' ports apart; the route is one's."""
    family = ["-4"] if w.side.peer_family == 4 else ["-6"]
    port = str(w.pport + 1)
    rule = ["ipproto", "udp", "dport", port, "blackhole"]
    run("relay", "ip", *family, "rule", "add", *rule)
    try:
        for _ in range(2):
            with s.counted(("punt", "route"), TO_PEER):
                w.say("send-out", b"no way")
                receive(s.daemon(w))
                w.client.sendto(send_ind((w.side.peer, w.pport), b"a way"),
                                w.server)
                expect("another port", receive(w.peer)[0], b"a way")
    finally:
        run("relay", "ip", *family, "rule", "del", *rule)
    expect("without", w.passes(s.steady(w)), ALL)


def queues(s, w):
    """A queue that looks at times and priorities gets clean packets.

    What somebody watches has the time of its arrival in it, which fq would
    take for one to be sent at, in the future or long past.
    """
    caps = []
    for device in ("relay0", "relay1"):
        run("relay", "tc", "qdisc", "replace", "dev", device, "root", "fq",
            "horizon", "1s", "horizon_drop")
        caps.append(Capture("relay", device, 4))
        caps[-1].s.setsockopt(socket.SOL_SOCKET, 35, 1)     # SO_TIMESTAMPNS
    netns("relay")
    try:
        for _ in range(50):
            expect("passes", w.passes(s.steady(w)), ALL)
        for device in ("relay0", "relay1"):
            q, = json.loads(run("relay", "tc", "-j", "-s", "qdisc", "show",
                                "dev", device).stdout)
            expect("queue", (q["kind"], q["drops"], q.get("throttled", 0)),
                   ("fq", 0, 0))
    finally:
        for device in ("relay0", "relay1"):
            run("relay", "tc", "qdisc", "del", "dev", device, "root")
        for cap in caps:
            cap.close()


def neighbours(s, w):
    """Until the next hop's address is known, packets wait."""
    ip("relay", "neigh", "flush", "all")
    for n in range(3):
        w.say("chan-out", b"%d" % n)
    for n in range(3):
        expect("to the peer", receive(w.peer)[0], b"%d" % n)
    ip("relay", "neigh", "flush", "all")
    for n in range(3):
        w.say("data-in", b"%d" % n)
    for n in range(3):
        expect("to the client", parse_data_ind(receive(w.client)[0])[1],
               b"%d" % n)


def martians(s, w):
    """No peer is behind an address of the loopback, or on the wrong link."""
    raw = Raw("peer", 4)
    for source in ("127.0.0.9", V4.server):
        s.kt.perm_new(w.id, source, LONG)
        with s.counted(("punt", "source")):
            raw.send(source, V4.relay, 1234, w.rport, b"martian")
        s.kt.perm_del(w.id, source)
    s.kt.perm_new(w.id, "192.0.2.77", LONG)
    ip("relay", "route", "add", "192.0.2.77", "via", V4.client)
    for value, wanted in (("0", TO_CLIENT), ("2", TO_CLIENT),
                          ("1", ("punt", "source"))):
        sysctl("relay", f"net.ipv4.conf.relay1.rp_filter={value}")
        with s.counted(wanted):
            raw.send("192.0.2.77", V4.relay, 1234, w.rport, b"strayed")
    ip("relay", "route", "del", "192.0.2.77")
    sysctl("relay", "net.ipv4.conf.relay1.rp_filter=0")
    s.kt.perm_del(w.id, "192.0.2.77")
    s.steady(w).barrier()
    expect("relayed", len(waiting(w.client)), 2)
    raw.close()


def gateway(s):
    """The next hop may be of another family than the packet."""
    w = s.worlds["IPv4"]
    routes = [(V4.peer, V6.peer, "relay1"), (V4.client, V6.client, "relay0")]
    for to, via, device in routes:
        ip("relay", "route", "add", to, "via", "inet6", via, "dev", device)
    try:
        with s.counted(*[TO_PEER] * 3 + [TO_CLIENT] * 3):
            expect("passes", w.passes(s.worlds["IPv6"]), ALL)
    finally:
        for to, _, _ in routes:
            ip("relay", "route", "del", to)


def encapsulated(s):
    """A route that wraps what takes it: here in segment routing."""
    w = s.worlds["IPv6"]
    cap = Capture("peer", "peer0", 6)
    segment = "2001:db8:2::77"
    ip("peer", "addr", "add", segment + "/64", "dev", "peer0", "nodad")
    ip("relay", "route", "add", V6.peer, "encap", "seg6", "mode", "encap",
       "segs", segment, "dev", "relay1")
    try:
        for size in (10, 1000):
            with s.counted(TO_PEER):
                w.client.sendto(channel(CHAN, pattern(size)), w.server)
                p = cap.next(43)                # a routing header
            # It says how many more times 8 bytes it has, and what follows.
            expect("IPv6 within", p.l4[0], 41)
            inner = Packet(p.l4[8 + 8 * p.l4[1]:])
            expect("relayed", (inner.payload, inner.udp_partial(),
                               (inner.sport, inner.dport)),
                   (pattern(size), True, (w.rport, w.pport)))
    finally:
        ip("relay", "route", "del", V6.peer)
        ip("peer", "addr", "del", segment + "/64", "dev", "peer0")
        cap.close()
    w.empty()
    expect("passes", w.passes(s.worlds["IPv4"]), ALL)


def client_on_host(s):
    """A process of the host is a client; what is for it is the stack's."""
    client = udp("relay", V4.server, 5001)
    peer = udp("peer", V4.peer, 7001)
    relay = udp("relay", V4.relay, 57001)
    netns("relay")
    id = s.kt.alloc_new(text(V4.server, 5001), text(V4.server, SERVER_PORT),
                        [text(V4.relay, 57001)], LONG, EXCLUSIVE)
    s.kt.perm_new(id, V4.peer, LONG)
    s.kt.chan_new(id, CHAN, text(V4.peer, 7001), LONG)
    with s.counted(TO_PEER):
        client.sendto(channel(CHAN, b"local"), (V4.server, SERVER_PORT))
        expect("to the peer", receive(peer), (b"local", (V4.relay, 57001)))
    with s.counted(("punt", "local-peer")):
        peer.sendto(b"back", (V4.relay, 57001))
        expect("at the daemon", receive(relay)[0], b"back")
    s.kt.alloc_del(id)
    for sock in (client, peer, relay):
        sock.close()


def main():
    tests, s = Tests(), Setup()
    for name in ("IPv4", "IPv6"):
        w = s.worlds[name]
        tests.add(f"{name}: IPsec policy", ipsec, s, w)
        tests.add(f"{name}: marks", marks, s, w)
        tests.add(f"{name}: rules by port", rules_by_port, s, w)
        tests.add(f"{name}: unknown neighbours", neighbours, s, w)
        tests.add(f"{name}: fair queueing", queues, s, w)
    tests.add("IPv4: martians", martians, s, s.worlds["IPv4"])
    tests.add("a client on the host", client_on_host, s)
    tests.add("a gateway of the other family", gateway, s)
    tests.add("a route that encapsulates", encapsulated, s)
    tests.add("tunnel", tunnel, s)
    tests.add("VLAN", vlan, s)
    tests.add("bridge", bridge, s)
    tests.add("VRF", vrf, s)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
