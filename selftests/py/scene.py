# SPDX-License-Identifier: GPL-2.0-or-later
"""What shapes.py and links.py share: worlds and what is counted in them."""

import contextlib
import os
import subprocess

from lab import SERVER_PORT, Side, V4, V6, netns, udp
from libkturn import DROP, PUNT
from packets import expect
from world import World, kturn

CROSS46 = Side(4, V4.client, V4.server, V6.relay, V6.peer)
CROSS64 = Side(6, V6.client, V6.server, V4.relay, V4.peer)
TO_PEER, TO_CLIENT = ("relayed", "to-peer"), ("relayed", "to-client")
IP_HEADER = {4: 20, 6: 40}


def pattern(n):
    return bytes((i * 13 + n) & 255 for i in range(n))


def family_of(address):
    return 6 if ":" in address else 4


class Setup:
    def __init__(self):
        self.kt = kturn()
        self.worlds = {"IPv4": World(self.kt, V4), "IPv6": World(self.kt, V6),
                       "IPv4 to IPv6": World(self.kt, CROSS46),
                       "IPv6 to IPv4": World(self.kt, CROSS64)}
        # What is punted arrives here.
        self.server = {4: udp("relay", V4.server, SERVER_PORT),
                       6: udp("relay", V6.server, SERVER_PORT)}
        netns("relay")

    def daemon(self, w):
        return self.server[family_of(w.side.server)]

    def steady(self, w):
        """Another world with the same devices."""
        return next(v for v in self.worlds.values() if v is not w)

    def counters(self):
        st = self.kt.stats()
        found = {("relayed", "to-peer"): st.to_peer.packets,
                 ("relayed", "to-client"): st.to_client.packets}
        for kind, numbers, counts in (("drop", DROP, st.drop),
                                      ("punt", PUNT, st.punt)):
            for name, n in numbers.items():
                found[kind, name] = counts[n]
        return found

    @contextlib.contextmanager
    def counted(self, *wanted):
        """Each (kind, name) is counted once for each time it stands here."""
        before = self.counters()
        yield
        after = self.counters()
        expect("counted", {k: after[k] - before[k] for k in after
                           if after[k] != before[k]},
               {k: wanted.count(k) for k in wanted})


def run(where, *args, **kwargs):
    return subprocess.run(["ip", "netns", "exec", os.environ[where], *args],
                          check=True, capture_output=True, text=True, **kwargs)
