#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Send every case through one plane, and write down what comes out.

    record.py CONTROL >RECORD

CONTROL is kturnd's control socket. After each case come markers, which take
every way that the case may have taken, so that what has not come out then
never will.
"""

import json
import os
import select
import socket
import sys
import time

import cases
import headers
from lab import SERVER_PORT, TIMEOUT, V4, V4_TO_V6, V6, V6_TO_V4
from lab import careless, empty, ip, netns, udp
from libkturn import DROP, PUNT, Kturn
from outputs import Reader, Tap
from packets import Failed, channel, stun
from turnclient import TurnClient
from turnmessage import DONT_FRAGMENT, Message

# One CPU, the daemon's too: packets stay in their order.
os.sched_setaffinity(0, {0})

CLIENT_PORT = 40000
OTHER = {4: "203.0.113.3", 6: "2001:db8:2::3"}
# The socket options that let the host fragment what it sends.
FRAGMENTING = {4: (socket.IPPROTO_IP, 10, 0), 6: (socket.IPPROTO_IPV6, 23, 0)}


def dont_fragment(data):
    """Has this that attribute?"""
    try:
        return Message.parse(data).get(DONT_FRAGMENT) is not None
    except ValueError:
        return False


class Client:
    """A client with an allocation, and its peer."""

    count = 0

    def __init__(self, name, side):
        self.name, self.side = name, side
        self.family, self.peer_family = side.family, side.peer_family
        self.port = CLIENT_PORT + Client.count
        Client.count += 1
        netns("client")
        self.turn = TurnClient(side.server, "alice", "secret",
                               (side.client, self.port))
        self.turn.sock.setsockopt(*FRAGMENTING[self.family])
        self.relay = self.turn.allocate(family=self.peer_family).relay
        self.peer, self.other = side.peer, OTHER[self.peer_family]
        self.permitted = (self.peer, cases.PERMITTED)
        self.wrong_peer = (V6 if self.peer_family == 4 else V4).peer
        self.server_other = (V4 if self.family == 4 else V6).relay
        # Permissions for the server's own addresses, of which this is one.
        self.knows_server = not name.startswith("third")
        self.own_other = (V4 if self.peer_family == 4 else V6).server

    def bind(self):
        """Make permissions and channels, or make them last."""
        empty(self.turn.sock)
        self.turn.permit(self.peer)
        if self.knows_server:
            self.turn.permit(self.relay[0], self.own_other)
        self.turn.bind(cases.BOUND, (self.peer, cases.PORT))
        self.turn.bind(cases.BOUND_LAST, (self.peer, cases.PORT_LAST))


class Scene:
    def __init__(self, control):
        self.control = control
        for family in 4, 6:
            ip("peer", "addr", "replace", OTHER[family] +
               ("/24" if family == 4 else "/64"), "dev", "peer0",
               *(["nodad"] if family == 6 else []))
        netns("relay")
        self.kt = Kturn()
        netns("client")
        self.at_client = Tap("client0")
        netns("peer")
        self.at_peer = Tap("peer0")
        self.taps = {"client": self.at_client, "peer": self.at_peer}
        self.raw = {(where, family): careless(where, family)
                    for where in ("client", "peer") for family in (4, 6)}
        self.peers = {(a, port): udp("peer", a, port)
                      for a, port in self.peer_sockets()}
        for s in self.peers.values():
            family = 6 if s.family == socket.AF_INET6 else 4
            s.setsockopt(*FRAGMENTING[family])
        self.clients = {}
        for name, side in (
                ("IPv4", V4), ("IPv6", V6), ("IPv4 to IPv6", V4_TO_V6),
                ("IPv6 to IPv4", V6_TO_V4), ("second IPv4", V4),
                ("second IPv6", V6), ("third IPv4", V4), ("third IPv6", V6)):
            self.clients[name] = Client(name, side)
        self.reader = Reader({c.relay: f"relay of {name}"
                              for name, c in self.clients.items()})
        self.number = 0
        self.found = {}
        self.mtu = {"client": 1500, "peer": 1500}

    @staticmethod
    def peer_sockets():
        for side in V4, V6:
            for port in cases.PORT, cases.PERMITTED, cases.PORT_LAST:
                yield side.peer, port
            yield OTHER[side.peer_family], cases.PERMITTED

    def hairpin(self, family, across):
        """Channels between the relayed addresses."""
        name = f"IPv{family}"
        first, second, third, across = (self.clients[n] for n in (
            name, "second " + name, "third " + name, across))
        for c in first, second, third, across:
            c.bind()
        first.turn.bind(cases.TO_SECOND, second.relay)
        first.turn.bind(cases.TO_THIRD, third.relay)
        first.turn.bind(cases.TO_SELF, first.relay)
        second.turn.bind(cases.TO_FIRST, first.relay)
        across.turn.bind(cases.TO_SECOND, second.relay)
        return first, second, third, across

    # Counters.

    def module(self):
        """{name: packets} of what is not zero."""
        st = self.kt.stats()
        found = {cases.TO_PEER: st.to_peer.packets,
                 cases.TO_CLIENT: st.to_client.packets}
        for kind, numbers, counts in (("drop", DROP, st.drop),
                                      ("punt", PUNT, st.punt)):
            for name, n in numbers.items():
                found[f"{kind} {name}"] = counts[n]
        return found

    def daemon(self):
        """Packets that kturnd has relayed, and that could be sent."""
        s = socket.socket(socket.AF_UNIX)
        s.settimeout(TIMEOUT)
        s.connect(self.control)
        text = b""
        while more := s.recv(65536):
            text += more
        s.close()
        counters = json.loads(text)["counters"]
        return (counters["to_peer"]["packets"] +
                counters["to_client"]["packets"] -
                counters["send_errors"] - counters["send_full"])

    # Markers.

    def tap(self, where):
        self.found[where] += self.taps[where].read()

    def wait(self, where, marker):
        """Forgets nothing of what comes before it."""
        end = time.monotonic() + TIMEOUT
        while True:
            self.tap(where)
            if any(p.proto == 17 and marker in p.payload
                   for p in self.found[where]):
                return
            if not select.select([self.taps[where]], [], [],
                                 max(0, end - time.monotonic()))[0]:
                raise Failed(f"no marker at the {where}")

    def marker(self):
        self.number += 1
        return b"mark%08d" % self.number

    def settle(self, c, way, loops, other=None):
        """Until everything that came before has gone through the server.

        @other: another address of it, with a listener of its own
        """
        if other:
            marker = self.marker()
            self.raw["client", c.family].send(
                c.side.client, other, c.port, SERVER_PORT,
                stun(0x0001, tid=marker))
            self.wait("client", marker)
        # What the daemon's listener got: it answers in order.
        marker = self.marker()
        c.turn.raw_send(stun(0x0001, tid=marker))
        self.wait("client", marker)
        # What its sockets of relayed addresses got.
        for number, a, b in loops:
            marker = self.marker()
            a.turn.raw_send(channel(number, marker))
            self.wait("client", marker)
        if way == "from the peer":
            # Options make it the daemon's.
            marker = self.marker()
            odd = {"options": b"\1" * 4} if c.peer_family == 4 else \
                {"ext": (60, b"\1\4" + bytes(4))}
            self.raw["peer", c.peer_family].send(
                c.peer, c.relay[0], cases.PORT, c.relay[1], marker, **odd)
            self.wait("client", marker)
        # What was on its way.
        marker = self.marker()
        c.turn.raw_send(channel(cases.BOUND, marker))
        self.wait("peer", marker)

    # Cases.

    def send(self, c, case, way):
        header = case.header
        if way == "from the client":
            port = case.port or c.port
            to = case.to or SERVER_PORT
            whole = len(case.data) <= cases.FULL[c.family]
            if header or whole:
                self.raw["client", c.family].send(
                    c.side.client, case.server or c.side.server, port, to,
                    case.data, **header)
            else:
                c.turn.raw_send(case.data)
            return
        port, source = case.port or cases.PORT, case.ip or c.peer
        to = (c.relay[0], case.to or c.relay[1])
        if header or len(case.data) <= cases.FULL[c.peer_family]:
            self.raw["peer", c.peer_family].send(
                source, to[0], port, to[1], case.data, **header)
        else:
            self.peers[source, port].sendto(case.data, to)

    def one(self, c, case, way, loops):
        """Returns (what came out, what the module counted)."""
        for tap in self.taps.values():
            tap.read()
        self.found = {"client": [], "peer": []}
        before = self.module()
        if case:
            self.send(c, case, way)
        self.settle(c, way, loops, case and case.server)
        after = self.module()
        sent = {"data": case.data if case else b"",
                "label": case.header.get("label", 0) if case else 0}
        out = [self.reader.record(where, p, sent)
               for where in ("client", "peer") for p in self.found[where]
               if not (p.proto == 17 and b"mark0" in p.payload)]
        return out, {k: after[k] - before[k] for k in after
                     if after[k] != before[k]}

    def group(self, c, table, way, loops=()):
        """A record of the cases of a table."""
        # What the markers alone do.
        start = self.daemon()
        out, markers = self.one(c, None, way, loops)
        if out:
            raise Failed(f"came out of nothing: {out}")
        each = self.daemon() - start
        records = []
        for case in table:
            sender = case.sender or c
            out, counted = self.one(sender, case, way, loops)
            counted = {k: counted.get(k, 0) - markers.get(k, 0)
                       for k in counted | markers}
            records.append({
                "name": case.name, "out": out, "expected": case.counted,
                "way": way, "looped": case.looped,
                "mtu": self.mtu["peer" if way == "from the client" and
                                not case.looped else "client"],
                "header": {k: case.header[k] for k in (
                    "ttl", "tos", "df", "check") if k in case.header},
                "dont_fragment": dont_fragment(case.data),
                "counted": {k: n for k, n in counted.items() if n},
                "families": [sender.family, sender.peer_family]})
        relayed = self.daemon() - start - each * (1 + len(records))
        return {"cases": records, "daemon": relayed, "way": way}


TABLES = (("ChannelData", "from the client", cases.channel_data),
          ("Send sizes", "from the client", cases.send_sizes),
          ("Send peers", "from the client", cases.send_peers),
          ("Send attributes", "from the client", cases.send_attributes),
          ("malformed Send", "from the client", cases.send_malformed),
          ("STUN and garbage", "from the client", cases.control),
          ("headers", "from the client", lambda c: headers.headers(c, True)),
          ("data", "from the peer", cases.peer_data),
          ("headers", "from the peer", lambda c: headers.headers(c, False)))


def main():
    scene = Scene(sys.argv[1])
    record = {}
    for name in "IPv4", "IPv6", "IPv4 to IPv6", "IPv6 to IPv4":
        c = scene.clients[name]
        for what, way, table in TABLES:
            c.bind()
            record[f"{name}, {way}: {what}"] = scene.group(c, table(c), way)
        ip("relay", "link", "set", "relay1", "mtu", "1300")
        scene.mtu["peer"] = 1300
        record[f"{name}, from the client: MTU"] = scene.group(
            c, headers.mtu(c), "from the client")
        ip("relay", "link", "set", "relay1", "mtu", "1500")
        scene.mtu["peer"] = 1500
    for family, across in ((4, "IPv6 to IPv4"), (6, "IPv4 to IPv6")):
        first, second, third, across = scene.hairpin(family, across)
        both = [(cases.TO_SECOND, first, second),
                (cases.TO_FIRST, second, first)]
        record[f"IPv{family}, hairpin"] = scene.group(
            first, cases.hairpin(first, second, third, across),
            "from the client", both)
    for c in scene.clients.values():
        c.turn.close()
    json.dump(record, sys.stdout)


if __name__ == "__main__":
    main()
