#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A STUN server or a PCP gateway that does what it is told, and forges.

    nat_servers.py stun|pcp ADDRESS STATE [OTHER]

The file STATE has a JSON object, which is read for every request:

    public    the external address that is told
    lifetime  of mappings, seconds (pcp)
    epoch     when its clock began, seconds before now, at first (pcp)
    result    of every request, 0 by default (pcp)
    shift     added to the ports that are asked for, 0 by default (pcp)
    forge     an address that forged answers tell, which come before the
              right one: another transaction id or nonce, and from OTHER,
              an address and the port

Each request is a line of the output.
"""

import ipaddress
import json
import socket
import struct
import sys
import time

from turnmessage import (BINDING, REQUEST, SUCCESS, XOR_MAPPED_ADDRESS,
                         Message, xor_addr_pack)

STARTED = time.monotonic()


def bound(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind((address, port))
    return sock


def stun_answer(request, public, port, tid=None):
    answer = Message(BINDING, SUCCESS, tid or request.tid)
    answer.add(XOR_MAPPED_ADDRESS, xor_addr_pack((public, port), answer.tid))
    return answer.bytes()


def stun(raw, source, state):
    request = Message.parse(raw)
    if (request.method, request.cls) != (BINDING, REQUEST):
        return
    print("Binding", source[0], flush=True)
    forge = state.get("forge")
    if forge:
        yield False, stun_answer(request, forge, source[1], b"forged-tid-x")
        yield True, stun_answer(request, forge, source[1])
    yield False, stun_answer(request, state["public"], source[1])


def map_answer(raw, state, public, nonce):
    """RFC 6887 sections 7.2 and 11.1."""
    lifetime = min(struct.unpack_from("!I", raw, 4)[0], state["lifetime"])
    result = state.get("result", 0)
    if result:
        lifetime = state["lifetime"]
    epoch = int(time.monotonic() - STARTED) + state.get("epoch", 0)
    port = struct.unpack_from("!H", raw, 40)[0]
    return (struct.pack("!BBBBII12x", 2, 0x81, 0, result, lifetime, epoch) +
            nonce + raw[36:40] +
            struct.pack("!HH", port, port + state.get("shift", 0)) +
            ipaddress.ip_address(f"::ffff:{public}").packed)


def pcp(raw, source, state):
    if len(raw) < 60 or raw[:2] != b"\x02\x01":
        return
    same_client = raw[8:24] == ipaddress.ip_address(
        f"::ffff:{source[0]}").packed
    lifetime, protocol = struct.unpack_from("!I", raw, 4)[0], raw[36]
    port, suggested = struct.unpack_from("!HH", raw, 40)
    print("MAP", {6: "tcp", 17: "udp"}[protocol], port, suggested, lifetime,
          raw[24:36].hex(), "" if same_client else "ADDRESS_MISMATCH",
          flush=True)
    forge = state.get("forge")
    if forge:
        yield False, map_answer(raw, state, forge, b"forged-nonce")
        yield True, map_answer(raw, state, forge, raw[24:36])
    yield False, map_answer(raw, state, state["public"], raw[24:36])


def main(kind, address, state_file, other=None):
    serve, port = {"stun": (stun, 3478), "pcp": (pcp, 5351)}[kind]
    sock = bound(address, port)
    forger = bound(other, port) if other else None
    print("ready", flush=True)
    while True:
        raw, source = sock.recvfrom(2048)
        with open(state_file, encoding="utf-8") as f:
            state = json.load(f)
        for forged, answer in serve(raw, source, state):
            (forger if forged else sock).sendto(answer, source)


main(*sys.argv[1:])
