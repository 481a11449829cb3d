#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""How a packet came by its link; see frames.sh."""

import json
import os
import socket
import subprocess
import sys

from ktap import Tests
from lab import Raw, SERVER_PORT, ip, netns, receive
from packets import channel, expect
from scene import Setup, TO_PEER
from world import CHAN, waiting

ETHERTYPE = {4: b"\x08\x00", 6: b"\x86\xdd"}
BROADCAST = b"\xff" * 6
MULTICAST = {4: bytes.fromhex("01005e000001"), 6: bytes.fromhex("333300000001")}
STRANGER = bytes.fromhex("020000000077")
LINK = ("punt", "link")


def mac(where, device):
    out = subprocess.run(["ip", "-n", os.environ[where], "-j", "link", "show",
                          device], check=True, capture_output=True).stdout
    return bytes.fromhex(json.loads(out)[0]["address"].replace(":", ""))


def tag(vlan):
    """IEEE 802.1Q, priority 3"""
    return b"\x81\x00" + (3 << 13 | vlan).to_bytes(2, "big")


def frames(s, w):
    """Only frames for this host and without a tag are relayed at once."""
    family = w.side.family
    raw = Raw("client", family)
    netns("client")
    link = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    link.bind(("client0", 0))
    own, near = mac("relay", "relay0"), mac("client", "client0")
    netns("relay")
    packet = raw.packet(w.side.client, w.side.server, w.cport, SERVER_PORT,
                        channel(CHAN, b"frame"))
    relayed, daemons, nothing = ([TO_PEER], True), ([LINK], False), ([], None)
    ip("relay", "link", "set", "relay0", "promisc", "on")
    try:
        for to, tags, (counted, relays) in (
                (own, b"", relayed),
                # A tag without a VLAN is only a priority.
                (own, tag(0), relayed),
                (own, tag(7), nothing),
                (STRANGER, b"", nothing),
                (BROADCAST, b"", daemons),
                (MULTICAST[family], b"", daemons)):
            with s.counted(*counted, TO_PEER):
                link.send(to + near + tags + ETHERTYPE[family] + packet)
                if relays:
                    expect("at the peer", receive(w.peer)[0], b"frame")
                w.marker()
                if relays is False:
                    expect("at the daemon", receive(s.daemon(w))[0],
                           channel(CHAN, b"frame"))
            expect("nothing else", (waiting(w.peer), waiting(s.daemon(w))),
                   ([], []))
    finally:
        ip("relay", "link", "set", "relay0", "promisc", "off")
        link.close()
        raw.close()


def main():
    tests, s = Tests(), Setup()
    for name in ("IPv4", "IPv6"):
        tests.add(f"{name}: frames", frames, s, s.worlds[name])
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
