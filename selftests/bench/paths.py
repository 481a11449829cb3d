#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a packet costs on each path, in instructions; see run and guest.

Prints "FIGURE VALUE" lines. All is net: with the path, less the same packet
when the relay's ingress drops it.
"""

import contextlib
import json
import os
import re
import socket
import struct
import subprocess
import sys

from lab import Raw, V4, V4_TO_V6, V6, V6_TO_V4, ip, netns, sysctl, udp
from libkturn import EXCLUSIVE, Addr, Limit, make_alloc
from packets import Failed, channel, pattern, send_ind
from scene import run
from world import CHAN, World, attach, kturn

QUICK = bool(os.environ.get("QUICK"))
ONLY = os.environ.get("ONLY", "")
COUNT = 8000 if QUICK else 20_000
SIDES = {"IPv4": V4, "IPv6": V6, "IPv4 to IPv6": V4_TO_V6,
         "IPv6 to IPv4": V6_TO_V4}
SINK_PORT = 9
LOCAL_PORT = 53
NEIGHBOURS = 1000
SO_RCVBUFFORCE = 33
# In ms. While the VM waits for its host, its clock runs from timer to timer.
ENDLESS = 0x7fffffff
INGRESS = {"client": "relay0", "peer": "relay1"}
EGRESS = {"client": "client0", "peer": "peer0"}


def nft(where, commands):
    run(where, "nft", "-f", "-", input=commands)


def address(where, device):
    link, = json.loads(run(where, "ip", "-j", "link", "show", device).stdout)
    return link["address"]


def make_room():
    """The tables of neighbours grow, and stay so: with as few places as they
    begin with, which neighbours share one is chance."""
    addresses = [a for n in range(NEIGHBOURS) for a in
                 (f"198.18.{n >> 8}.{n & 255}", f"2001:db8:ffff::{n:x}")]
    for what in "add", "del":
        run("relay", "ip", "-batch", "-",
            input="".join(f"neighbour {what} {a} lladdr 02:00:00:00:00:01 "
                          "nud permanent dev relay0\n" for a in addresses))


def know_each_other():
    """Nobody asks for a neighbour meanwhile: what is dropped is not only UDP."""
    for where, here, there in (
            ("client", (V4.client, V6.client), (V4.server, V6.server)),
            ("peer", (V4.peer, V6.peer), (V4.relay, V6.relay))):
        near, far = INGRESS[where], EGRESS[where]
        for ours, theirs in zip(here, there):
            ip("relay", "neigh", "replace", ours, "dev", near, "lladdr",
               address(where, far), "nud", "permanent")
            ip(where, "neigh", "replace", theirs, "dev", far, "lladdr",
               address("relay", near), "nud", "permanent")


def count_arrivals():
    """Where packets end: counted, and no socket sees them."""
    for where, device in EGRESS.items():
        nft(where, f"""table netdev sink {{
            counter arrived {{ }}
            chain in {{
                type filter hook ingress device {device} priority 0;
                meta l4proto udp counter name arrived drop;
            }}
            }}""")


def arrived(where):
    counters = json.loads(run(where, "nft", "-j", "reset",
                              "counters").stdout)["nftables"]
    return sum(c["counter"]["packets"] for c in counters if "counter" in c)


@contextlib.contextmanager
def dropped(where):
    """What comes from there is dropped by the relay, as early as can be."""
    nft("relay", f"""table netdev early {{
        chain in {{
            type filter hook ingress device {INGRESS[where]} priority -500;
            policy drop;
        }}
        }}""")
    try:
        yield
    finally:
        nft("relay", "delete table netdev early")


def warm(packets):
    """So many before it counts: each entry has its route then."""
    return max(COUNT // 4, len(packets))


def flood(sock, packets):
    data = b"".join(struct.pack("=H", len(p)) + p for p in packets)
    fd = sock.fileno()
    r = subprocess.run([os.environ["FLOOD"], str(fd), str(warm(packets)),
                        str(COUNT)], input=data, pass_fds=[fd],
                       capture_output=True, check=False)
    if r.returncode:
        raise Failed(r.stderr.decode())
    return float(r.stdout)


class Path:
    """What one sender sends, and what it costs when nothing is done with it."""

    def __init__(self, sender, sock, packets):
        self.sender, self.sock, self.packets = sender, sock, packets
        with dropped(sender):
            self.base = flood(sock, packets)

    def cost(self, receiver=None):
        receiver = receiver or ("peer" if self.sender == "client" else
                                "client")
        arrived(receiver)
        value = flood(self.sock, self.packets)
        n = arrived(receiver)
        sent = warm(self.packets) + COUNT
        if n != sent:
            raise Failed(f"{n} of {sent} packets arrived")
        return value - self.base


def wanted(name):
    return re.search(ONLY, name)


def figure(name, cost):
    if wanted(name):
        print(f"{name}\t{cost():.1f}", flush=True)


def connected(sock, to):
    sock.connect(to)
    return sock


def forwarding(side, size):
    """From the client straight to the peer."""
    s = connected(udp("client", side.client, 0), (side.peer, SINK_PORT))
    return Path("client", s, [pattern(size)])


def redirect():
    """The least that can be done with a packet."""
    # It comes before what drops.
    path = forwarding(V4, 204)
    run("relay", "tc", "qdisc", "add", "dev", "relay0", "clsact")
    run("relay", "tc", "filter", "add", "dev", "relay0", "ingress", "protocol",
        "ip", "matchall", "action", "mirred", "egress", "redirect", "dev",
        "relay1")
    figure("tc redirect", path.cost)
    run("relay", "tc", "qdisc", "del", "dev", "relay0", "clsact")


def flowtable():
    nft("relay", """table inet fast {
        flowtable ft {
            hook ingress priority 0; devices = { relay0, relay1 };
        }
        chain forward {
            type filter hook forward priority 0;
            ip protocol udp flow add @ft;
        }
        }""")
    path = forwarding(V4, 204)
    # It takes flows that have been answered.
    client = path.sock.getsockname()
    s = udp("peer", V4.peer, SINK_PORT)
    path.sock.send(b"there")
    s.sendto(b"and back", client)
    figure("nftables flowtable", path.cost)
    s.close()
    nft("relay", "delete table inet fast")


def translation():
    """As a relay would be made of NAT."""
    nft("relay", f"""table ip nat {{
        chain pre {{
            type nat hook prerouting priority -100;
            udp dport 3478 dnat to {V4.peer}:{SINK_PORT};
        }}
        chain post {{
            type nat hook postrouting priority 100;
            oif relay1 masquerade;
        }}
        }}""")
    s = connected(udp("client", V4.client, 0), (V4.server, 3478))
    figure("DNAT and SNAT with conntrack",
           lambda: Path("client", s, [pattern(204)]).cost())
    nft("relay", "delete table ip nat")


class Delivery(Path):
    """To a socket of the relay's, that nobody reads from meanwhile."""

    def __init__(self, side):
        self.socket = udp("relay", side.server, LOCAL_PORT)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 28)
        self.socket.setblocking(False)
        super().__init__("client", connected(udp("client", side.client, 0),
                                             (side.server, LOCAL_PORT)),
                         [pattern(204)])

    def cost(self, receiver=None):
        value = flood(self.sock, self.packets)
        n = 0
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(2048):
                n += 1
        self.socket.close()
        self.sock.close()
        if n != warm(self.packets) + COUNT:
            raise Failed(f"{n} packets were delivered")
        return value - self.base


def others(beside):
    """Those who are not relayed."""
    for name, side in (("IPv4", V4), ("IPv6", V6)):
        figure(f"forwarding, {name}{beside}",
               lambda side=side: forwarding(side, 204).cost())
        figure(f"local delivery, {name}{beside}",
               lambda side=side: Delivery(side).cost())


def without_module():
    redirect()
    others("")


def endless_world(kt, side):
    return World(kt, side, ENDLESS, ENDLESS, ENDLESS)


class Bench:
    def __init__(self):
        self.kt = kturn()

    @contextlib.contextmanager
    def world(self, side):
        """The only one: that another is found in the same place of a table is
        chance, and costs what the figures of many allocations tell."""
        w = endless_world(self.kt, side)
        for s, to in ((w.client, w.server), (w.peer, w.relay),
                      (w.plain, w.relay)):
            s.connect(to)
        try:
            yield w
        finally:
            w.close()
            self.kt.flush()

    def path(self, w, way, size):
        data = pattern(size)
        if way == "ChannelData in":
            return Path("client", w.client, [channel(CHAN, data)])
        if way == "Send indication":
            return Path("client", w.client,
                        [send_ind((w.side.peer, w.pport + 1), data)])
        return Path("peer", w.peer if way == "ChannelData out" else w.plain,
                    [data])

    def ways(self, w, name, mode):
        for way in ("ChannelData in", "ChannelData out", "Send indication",
                    "Data indication"):
            for size in (120, 200, 1200):
                if size != 200 and name != "IPv4":
                    continue
                args = w, way, size
                figure(f"{way}, {name}, {size} B{mode}",
                       lambda args=args: self.path(*args).cost())

    def hairpin(self, mode):
        """To another client's relayed address, by channels."""
        a = endless_world(self.kt, V4)
        b = endless_world(self.kt, V4)
        self.kt.perm_new(b.id, V4.relay, ENDLESS)
        self.kt.perm_new(a.id, V4.relay, ENDLESS)
        self.kt.chan_new(a.id, CHAN + 1, f"{V4.relay}:{b.rport}", ENDLESS)
        self.kt.chan_new(b.id, CHAN + 1, f"{V4.relay}:{a.rport}", ENDLESS)
        path = Path("client", connected(a.client, a.server),
                    [channel(CHAN + 1, pattern(200))])
        figure(f"hairpin, IPv4, 200 B{mode}", lambda: path.cost("client"))
        self.kt.flush()

    def limits(self, mode):
        limit = Limit(10 ** 12, 10 ** 9, 10 ** 9, 10 ** 9)
        with self.world(V4) as w:
            self.kt.alloc_set_limits(w.id, to_peer=limit, to_client=limit)
            figure(f"ChannelData in, IPv4, 200 B, limits{mode}",
                   lambda: self.path(w, "ChannelData in", 200).cost())

    def make(self, what, requests):
        for n, err in enumerate(self.kt.batch(requests)):
            if err:
                raise Failed(f"can't make the {what}: {n}: "
                             f"{os.strerror(-err)} {self.kt.batch_texts[n]}")

    def many(self, number, mode):
        """Each packet of another client."""
        name = f"ChannelData in, IPv4, 200 B, {number} allocations{mode}"
        if not wanted(name):
            return
        payload, packets = channel(CHAN, pattern(200)), []
        self.kt.flush()
        raw = Raw("client", 4)
        raw.s.connect((V4.server, 0))
        for base in range(0, number, 1000):
            news = []
            for n in range(base, min(base + 1000, number)):
                port, host = 2000 + n % 50_000, n // 50_000
                client = f"198.51.100.{3 + host}"
                news.append(("alloc_new", make_alloc(
                    f"{client}:{port}", f"{V4.server}:3478",
                    [f"203.0.113.{3 + host}:{port}"], ENDLESS, EXCLUSIVE)))
                packets.append(raw.packet(client, V4.server, port, 3478,
                                          payload))
            self.make("allocations", news)
            ids, rest = self.kt.batch_ids, []
            for id in ids:
                rest += [("perm_new", id, Addr(V4.peer), ENDLESS),
                         ("chan_new", id, CHAN,
                          Addr(f"{V4.peer}:{SINK_PORT}"), ENDLESS)]
            self.make("channels", rest)
        figure(name, Path("client", raw.s, packets).cost)
        raw.close()

    def relayed(self, mode, numbers):
        for name, side in SIDES.items():
            with self.world(side) as w:
                self.ways(w, name, mode)
        self.hairpin(mode)
        self.limits(mode)
        for number in numbers:
            self.many(number, mode)
        others(f", beside the module{mode}")
        self.kt.flush()


def main():
    netns("relay")
    sysctl("relay", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1")
    for n in (3, 4):
        ip("client", "addr", "add", f"198.51.100.{n}/24", "dev", "client0")
        ip("relay", "addr", "add", f"203.0.113.{n}/24", "dev", "relay1")
    make_room()
    know_each_other()
    count_arrivals()
    without_module()
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)
    others(", module idle")
    b = Bench()
    numbers = (1, 1000) if QUICK else (1, 1000, 100_000)
    b.relayed("", numbers)
    attach(b.kt)
    b.relayed(", ingress", numbers)
    b.kt.close()
    subprocess.run(["rmmod", "kturn"], check=True)
    # These come last: conntrack, once there, weighs on everything.
    flowtable()
    translation()
    return 0


if __name__ == "__main__":
    sys.exit(main())
