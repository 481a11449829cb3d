# SPDX-License-Identifier: GPL-2.0-or-later
"""Permissions, channels and data: RFC 8656 sections 9 to 18."""

import os
import socket
import struct

from checks import refused, same
from suite import (BEYOND, PEER, SILENCE, STRANGER, STREAMS, case, is_error,
                   is_success, send_all)
from turnmessage import (CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION,
                         DATA, DATA_METHOD, ICMP, INDICATION, SEND,
                         XOR_PEER_ADDRESS, Message, xor_addr_pack,
                         xor_addr_parse)

OTHER = {4: 6, 6: 4}
# Python lacks it.
IP_RECVTOS = 13


def permitted(w, family=4):
    """A client with a permission for a peer."""
    peer = w.peer(family)
    c = w.allocated(family)
    c.permit(PEER[family])
    return c, peer


def bound(w, family=4):
    peer = w.peer(family)
    c = w.allocated(family)
    c.bind(0x4000, peer.addr)
    return c, peer


def number(value, rest=0):
    return CHANNEL_NUMBER, struct.pack("!HH", value, rest)


def settle(c):
    """What was sent has been seen to."""
    c.binding()


@case("8656 10.2")
def no_peer(w):
    """400 for CreatePermission without XOR-PEER-ADDRESS"""
    is_error(send_all(w.allocated(), CREATE_PERMISSION), 400)


@case("8656 10.2")
def several_peers(w):
    """CreatePermission for several peers"""
    peer = w.peer()
    c = w.allocated()
    c.permit("203.0.113.77", PEER[4], "203.0.113.78")
    c.send(peer.addr, b"permitted")
    peer.gets(b"permitted", c.relayed)


@case("8656 10.2")
def permission_family(w):
    """443 for a permission of another address family, and none is made"""
    for family in (4, 6):
        c, peer = w.allocated(family), w.peer(family)
        refused(443, c.permit, PEER[OTHER[family]])
        refused(443, c.permit, PEER[family], PEER[OTHER[family]])
        c.send(peer.addr, b"not permitted")
        settle(c)
        c.permit(PEER[family])
        c.send(peer.addr, b"permitted")
        peer.gets(b"permitted", c.relayed)


@case("8656 9")
def permission_for_address(w):
    """a permission is for an address, whatever the port"""
    c, peer = permitted(w)
    other = w.peer()
    for one in (peer, other):
        c.send(one.addr, b"out")
        one.gets(b"out", c.relayed)
        one.sendto(b"back", c.relayed)
        same(c.recv_data(), (None, one.addr, b"back"), "Data indication")


@case("8656 9")
def no_permission(w):
    """without a permission nothing passes, either way"""
    c, peer = permitted(w)
    stranger = w.peer(address=STRANGER)
    c.send(stranger.addr, b"out")
    settle(c)
    c.send(peer.addr, b"permitted")
    peer.gets(b"permitted", c.relayed)
    stranger.gets_nothing()
    stranger.sendto(b"in", c.relayed)
    peer.sendto(b"permitted too", c.relayed)
    same(c.recv_data().data, b"permitted too", "what came")


@case("8656 11.2")
def send_incomplete(w):
    """a Send indication without peer or data is dropped"""
    c, peer = permitted(w)
    addr = (XOR_PEER_ADDRESS, peer.addr)
    for parts in ((), (addr,), ((DATA, b"data"),)):
        msg = Message(SEND, INDICATION)
        for kind, value in parts:
            msg.add(kind, value if kind == DATA else
                    xor_addr_pack(value, msg.tid))
        c.raw_send(msg.bytes())
    settle(c)
    c.send(peer.addr, b"complete")
    peer.gets(b"complete", c.relayed)


@case("8656 11.2")
def send_unknown(w):
    """a Send indication with an unknown required attribute is dropped"""
    c, peer = permitted(w)
    msg = Message(SEND, INDICATION).add_peer(peer.addr).add(0x0DDD, b"")
    c.raw_send(msg.add(DATA, b"data").bytes())
    settle(c)
    c.send(peer.addr, b"known")
    peer.gets(b"known", c.relayed)


@case("8656 11.2")
def send_refreshes_nothing(w):
    """a Send indication is not answered, and its data may be empty"""
    c, peer = permitted(w)
    c.send(peer.addr, b"")
    peer.gets(b"", c.relayed)
    same(c.recv_data(SILENCE), None, "an answer")


@case("8656 11.3")
def data_indication(w):
    """a Data indication: peer and data, and the header of any message"""
    for family in (4, 6):
        c, peer = permitted(w, family)
        for size in (0, 1, 2, 3, 4, 501):
            data = os.urandom(size)
            peer.sendto(data, c.relayed)
            raw = c.raw_recv()
            msg = Message.parse(raw)
            same((msg.method, msg.cls), (DATA_METHOD, INDICATION), "type")
            same(sorted(kind for kind, _, _ in msg.attrs
                        if kind < 0x8000), [XOR_PEER_ADDRESS, DATA],
                 "attributes")
            same(xor_addr_parse(msg.get(XOR_PEER_ADDRESS), msg.tid),
                 peer.addr, "peer")
            same(msg.get(DATA), data, "data")
            for _, value, pos in msg.attrs:
                end = pos + 4 + len(value)
                same(raw[end:end + -end % 4], bytes(-end % 4), "padding")


@case("8489 5")
def random_ids(w):
    """transaction ids that the server chooses are random"""
    c, peer = permitted(w)
    ids = []
    for _ in range(96):
        peer.sendto(b"data", c.relayed)
        ids.append(int.from_bytes(Message.parse(c.raw_recv()).tid, "big"))
    same(len(set(ids)), 96, "all different")
    # Each bit is set in half of them, give or take six deviations of 4.9.
    for bit in range(96):
        ones = sum(i >> bit & 1 for i in ids)
        same(18 < ones < 78, True, f"bit {bit} set {ones} times of 96")


@case("8656 11.5")
def icmp(w):
    """an ICMP error of who has no permission is told"""
    c = w.allocated()
    c.permit(BEYOND)
    c.send((BEYOND, 9), b"to nobody")
    msg = Message.parse(c.raw_recv())
    same((msg.method, msg.cls), (DATA_METHOD, INDICATION), "type")
    same(sorted(kind for kind, _, _ in msg.attrs if kind != 0x8022),
         [XOR_PEER_ADDRESS, ICMP], "attributes")
    same(xor_addr_parse(msg.get(XOR_PEER_ADDRESS), msg.tid), (BEYOND, 9),
         "peer")
    value = msg.get(ICMP)
    same((len(value), value[:2], value[2], value[4:]),
         (8, bytes(2), 3, bytes(4)), "reserved, type and error data")


@case("8656 12")
def channel_numbers(w):
    """channels are from 0x4000 to 0x4FFF"""
    c, peer = bound(w)
    for value in (0, 0x3FFF, 0x5000, 0x7FFF, 0x8000, 0xFFFF):
        is_error(send_all(c, CHANNEL_BIND, number(value), (
            XOR_PEER_ADDRESS, b"\0\1" + bytes(6))), 400)
        if value >> 14 == 1:
            c.channel_send(value, b"reserved")
    settle(c)
    c.bind(0x4FFF, (PEER[4], 9))
    c.channel_send(0x4000, b"bound")
    peer.gets(b"bound", c.relayed)


@case("8656 12")
def channel_unbound(w):
    """ChannelData for what is not bound is dropped"""
    c, peer = bound(w)
    c.channel_send(0x4001, b"not bound")
    c.channel_send(0x4000, b"bound")
    peer.gets(b"bound", c.relayed)


@case("8656 12.2")
def channel_family(w):
    """443 for a channel to another address family"""
    for family in (4, 6):
        c = w.allocated(family)
        refused(443, c.bind, 0x4000, (PEER[OTHER[family]], 9))


@case("8656 12.2")
def channel_conflicts(w):
    """400 for a channel or a peer that is bound to another"""
    c, peer = bound(w)
    refused(400, c.bind, 0x4001, peer.addr)
    refused(400, c.bind, 0x4000, (PEER[4], 9))
    c.bind(0x4000, peer.addr)


@case("8656 12.2")
def channel_incomplete(w):
    """400 for ChannelBind without number or peer"""
    c = w.allocated()
    is_error(send_all(c, CHANNEL_BIND, number(0x4000)), 400)
    is_error(c.request(CHANNEL_BIND, lambda m: m.add_peer((PEER[4], 9))), 400)


@case("8656 12.2")
def channel_permits(w):
    """ChannelBind makes the permission"""
    c, peer = bound(w)
    c.send(peer.addr, b"by indication")
    peer.gets(b"by indication", c.relayed)
    other = w.peer()
    other.sendto(b"in", c.relayed)
    same(c.recv_data(), (None, other.addr, b"in"), "Data indication")


@case("8656 12.5")
def channel_to_client(w):
    """what comes from the peer of a channel is ChannelData"""
    for family in (4, 6):
        c, peer = bound(w, family)
        for size in (0, 1, 2, 3, 4, 701):
            data = os.urandom(size)
            peer.sendto(data, c.relayed)
            same(c.recv_data(), (0x4000, None, data), "ChannelData")


@case("8656 12.5", STREAMS)
def channel_padded(w):
    """ChannelData in a stream is padded"""
    c, peer = bound(w)
    for size in (1, 2, 3, 5):
        peer.sendto(bytes([size]) * size, c.relayed)
    # TurnClient would not find the next without the padding.
    for size in (1, 2, 3, 5):
        raw = c.raw_recv()
        same((len(raw) % 4, raw[:4]), (0, struct.pack("!HH", 0x4000, size)),
             "ChannelData")
    # And so is what a client sends.
    for size in (1, 2, 3, 5):
        c.channel_send(0x4000, bytes([size]) * size)
        peer.gets(bytes([size]) * size, c.relayed)


@case("8656 12.6")
def channel_from_client(w):
    """ChannelData: so many bytes as its length says"""
    for family in (4, 6):
        c, peer = bound(w, family)
        for size in (0, 1, 2, 3, 4, 701):
            data = os.urandom(size)
            c.channel_send(0x4000, data, padded=True)
            peer.gets(data, c.relayed)
            if not c.stream:
                c.channel_send(0x4000, data)
                peer.gets(data, c.relayed)


@case("8656 18.1")
def channel_rest_ignored(w):
    """what follows a channel's number may be anything"""
    peer, c = w.peer(), w.allocated()
    is_success(c.request(CHANNEL_BIND, lambda m: m.add(*number(
        0x4000, 0xFFFF)).add_peer(peer.addr)))
    c.channel_send(0x4000, b"bound")
    peer.gets(b"bound", c.relayed)


@case("8656 13.1")
def translation_fragments(w):
    """DONT-FRAGMENT is ignored between IPv4 and IPv6, and IPv6 and IPv6"""
    for of, family in ((4, 6), (6, 4), (6, 6)):
        peer = w.peer(family)
        c = w.allocated(family, of)
        c.permit(PEER[family])
        c.send(peer.addr, b"fits", dont_fragment=True)
        peer.gets(b"fits", c.relayed)
        # Longer than what goes into one packet to the peer.
        data = os.urandom(2000)
        c.send(peer.addr, data, dont_fragment=True)
        peer.gets(data, c.relayed)


@case("8656 8.2")
def ends_with_allocation(w):
    """permissions and channels end with their allocation"""
    c, peer = bound(w)
    c.channel_send(0x4000, b"bound")
    relayed = peer.gets(b"bound")
    is_success(c.refresh(0))
    c.channel_send(0x4000, b"too late")
    c.send(peer.addr, b"too late")
    settle(c)
    peer.sendto(b"too late", relayed)
    again = c.allocate().relay
    c.channel_send(0x4000, b"still not bound")
    c.permit(PEER[4])
    c.send(peer.addr, b"permitted")
    peer.gets(b"permitted", again)


@case("8656 15", STREAMS)
def stream_fields(w):
    """the IP header of what came by TCP: a fixed DSCP and no ECN"""
    c, peer = bound(w)
    c.sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0xB9)
    peer.setsockopt(socket.IPPROTO_IP, IP_RECVTOS, 1)
    c.channel_send(0x4000, b"by channel")
    c.send(peer.addr, b"by indication")
    for _ in range(2):
        _, ancillary, _, _ = peer.recvmsg(100, socket.CMSG_SPACE(4))
        same([data[0] for _, _, data in ancillary], [0], "DSCP and ECN")
