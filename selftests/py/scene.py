# SPDX-License-Identifier: GPL-2.0-or-later
"""A world of each pair of families, and what is counted meanwhile."""

import contextlib
import subprocess

from lab import (SERVER_PORT, V4, V4_TO_V6, V6, V6_TO_V4, inside, netns,
                 udp)
from libkturn import DROP, PUNT
from packets import Failed, expect, family_of
from world import World, kturn, wait_until

TO_PEER, TO_CLIENT = ("relayed", "to-peer"), ("relayed", "to-client")
IP_HEADER = {4: 20, 6: 40}


class Setup:
    """The relay is this thread's namespace; the daemon's sockets are open."""

    def __init__(self):
        self.kt = kturn()
        self.worlds = {"IPv4": World(self.kt, V4), "IPv6": World(self.kt, V6),
                       "IPv4 to IPv6": World(self.kt, V4_TO_V6),
                       "IPv6 to IPv4": World(self.kt, V6_TO_V4)}
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
        right = {k: wanted.count(k) for k in wanted}

        def since():
            after = self.counters()
            return {k: after[k] - before[k] for k in after
                    if after[k] != before[k]}

        yield
        # On a busy machine a packet is looked at some time after it was sent.
        with contextlib.suppress(Failed):
            wait_until("it is counted", lambda: since() == right, 5)
        expect("counted", since(), right)


def run(where, *args, **kwargs):
    with inside(where):
        return subprocess.run(args, check=True, capture_output=True, text=True,
                              **kwargs)
