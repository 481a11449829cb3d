# SPDX-License-Identifier: GPL-2.0-or-later
"""Which chains of netfilter see packets, and what rules there do."""

import contextlib
import json

from nftables import Nftables

from lab import inside, receive
from packets import Failed, channel, expect, send_ind
from scene import TO_CLIENT, TO_PEER
from world import CHAN

HOOKS = {"before": ("prerouting", -260), "behind": ("prerouting", -240),
         "input": ("input", 0), "forward": ("forward", 0),
         "output": ("output", 0), "postrouting": ("postrouting", 0)}


def nft(commands):
    """As nft(8) in the relay, without reading its libraries each time.

    One that is kept would show the counters as it saw them first.
    """
    with inside("relay"):
        nftables = Nftables()
        nftables.set_json_output(True)
        status, out, err = nftables.cmd(commands)
    if status:
        raise Failed(f"nft: {err}")
    return out


@contextlib.contextmanager
def table(verdicts=()):
    """Counts UDP in each hook; where a verdict is given, it follows."""
    verdicts = dict(verdicts)
    text = "table inet seen {\n" + "".join(
        f"counter {name} {{ }}\nchain {name} {{ type filter hook {hook} "
        f"priority {prio}; meta l4proto udp counter name {name} "
        f"{verdicts.get(name, '')}; }}\n"
        for name, (hook, prio) in HOOKS.items()) + "}\n"
    nft(text)
    try:
        yield
    finally:
        nft("delete table inet seen")


def seen():
    """{chain: packets}, and from zero again."""
    found = {c["counter"]["name"]: c["counter"]["packets"]
             for c in json.loads(nft("reset counters"))["nftables"]
             if "counter" in c}
    return {k: n for k, n in found.items() if n}


@contextlib.contextmanager
def local_out(s):
    s.kt.set_config(local_out=1)
    try:
        yield
    finally:
        s.kt.set_config(local_out=0)


def passed(s, w, wanted, context=contextlib.nullcontext):
    """What is relayed, one packet after another, is seen there."""
    with table(), context():
        seen()
        for say, hear, way in each_way(w):
            with s.counted(way):
                say()
                receive(hear)
            expect("seen", seen(), wanted)


def each_way(w):
    """(say, hear, counted): one packet in each of the four ways."""
    other = (w.side.peer, w.pport + 1)
    yield (lambda: w.client.sendto(channel(CHAN, b"a"), w.server), w.peer,
           TO_PEER)
    yield (lambda: w.client.sendto(send_ind(other, b"b"), w.server), w.plain,
           TO_PEER)
    yield lambda: w.peer.sendto(b"c", w.relay), w.client, TO_CLIENT
    yield lambda: w.plain.sendto(b"d", w.relay), w.client, TO_CLIENT
