#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets of unusual shape; see shapes.sh."""

import fcntl
import os
import socket
import sys

from ktap import Tests
from lab import V4, netns, receive, udp
from packets import (A_FINGERPRINT, A_SOFTWARE, attr, channel, expect,
                     parse_data_ind, pattern, send_ind)
from scene import IP_HEADER, Setup, TO_CLIENT, TO_PEER, run
from world import CHAN

MTU = 1500


# ----------------------------------------------------------------------- sizes

def mtu(s, w):
    """The last size that fits; sizes.py goes on from there."""
    a, b = w.side.family, w.side.peer_family
    # From the client: what goes out is smaller, but for a larger header.
    n = MTU - 8 - max(IP_HEADER[a] + 4, IP_HEADER[b])
    with s.counted(TO_PEER):
        w.client.sendto(channel(CHAN, pattern(n)), w.server)
        expect("to the peer", receive(w.peer)[0], pattern(n))
    for sock, overhead, port in ((w.peer, 4, w.pport),
                                 (w.plain, 36 if b == 4 else 48, w.pport + 1)):
        n = min(MTU - 8 - IP_HEADER[a] - overhead, MTU - 8 - IP_HEADER[b])
        if overhead > 4:
            n &= ~3
        with s.counted(TO_CLIENT):
            sock.sendto(pattern(n), w.relay)
            got = receive(w.client)[0]
        if overhead == 4:
            expect("ChannelData", got, channel(CHAN, pattern(n)))
        else:
            expect("Data indication", parse_data_ind(got),
                   ((w.side.peer, port), pattern(n)))


# ---------------------------------------------------------------------- memory

def from_file(sock, parts):
    """sendfile(): the payload lies in pages of the page cache."""
    fd = os.memfd_create("payload")
    data = b"".join(parts)
    os.write(fd, data)
    expect("sent", os.sendfile(sock.fileno(), fd, 0, len(data)), len(data))
    os.close(fd)


def from_pipe(sock, parts):
    """splice(): each part is a page fragment. IPv4's only, up to Linux 6.4."""
    if sock.family == socket.AF_INET6:
        from_file(sock, parts)
        return
    r, w = os.pipe2(os.O_DIRECT)        # what is written is not put together
    fcntl.fcntl(r, fcntl.F_SETPIPE_SZ, 32 * os.sysconf("SC_PAGESIZE"))
    for part in parts:
        os.write(w, part)
    n = sum(map(len, parts))
    expect("sent", os.splice(r, sock.fileno(), n), n)
    os.close(r)
    os.close(w)


def most_pieces():
    """As many as a packet can have, or as the kernel can be made to send.

    Since Linux 6.5 a pipe is emptied 16 pieces at a time; 6.12 loses packets
    that are put together of several times.
    """
    sender, receiver = udp("client", V4.client, 5555), udp("relay", V4.server,
                                                           5555)
    sender.connect((V4.server, 5555))
    from_pipe(sender, [b"x"] * 17)
    receiver.settimeout(0.5)
    try:
        receive(receiver)
        return 17
    except socket.timeout:
        print("# no packet of more than 16 pieces can be sent")
        return 16
    finally:
        sender.close()
        receiver.close()


def cut(data, pieces):
    """As many pieces as that, or as there are bytes."""
    size = max(1, len(data) // pieces)
    starts = [k * size for k in range(min(pieces, len(data)))]
    return [data[a:b] for a, b in zip(starts, [*starts[1:], len(data)])]


def in_fragments(s, w, send, pieces):
    """A packet whose linear part ends with the UDP header."""
    for n in (1, 2, 3, 4, 66, 1000, 1333):
        data = pattern(n)
        for sender, to, receiver, msg, wanted in (
                (w.client, w.server, w.peer, channel(CHAN, data), data),
                (w.client, w.server, w.peer, channel(CHAN, data, b"garbage"),
                 data),
                (w.client, w.server, w.plain,
                 send_ind((w.side.peer, w.pport + 1), data, [],
                          [attr(A_FINGERPRINT, b"1234")]), data),
                (w.peer, w.relay, w.client, data, channel(CHAN, data)),
                (w.plain, w.relay, w.client, data, None)):
            sender.connect(to)
            with s.counted(TO_CLIENT if receiver is w.client else TO_PEER):
                send(sender, cut(msg, pieces))
                got = receive(receiver)[0]
            if wanted is None:
                got, wanted = parse_data_ind(got)[1], data
            expect(f"{n} bytes", got, wanted)


def around_fragments(s, w, send, pieces):
    """What stands around the data decides too, wherever in memory it is."""
    w.client.connect(w.server)
    to = (w.side.peer, w.pport + 1)
    # More than the module reads at first.
    msg = send_ind(to, pattern(999), [attr(0xC0DE, pattern(150))])
    with s.counted(TO_PEER):
        send(w.client, cut(msg, pieces))
        expect("at the peer", receive(w.plain)[0], pattern(999))
    for name, after in (("attribute", attr(0x7ABC, b"required")),
                        ("malformed", b"\x80\x22\0\x09"),
                        # Few clients have so much to say there.
                        ("attribute", attr(A_SOFTWARE, b"s" * 61))):
        msg = send_ind(to, pattern(999), [], [after])
        with s.counted(("punt", name)):
            send(w.client, cut(msg, pieces))
            expect("at the daemon", receive(s.daemon(w))[0], msg)


def take_notes(sock):
    """The kernel's, that it is done with the memory."""
    timeout = sock.gettimeout()
    sock.settimeout(0)
    try:
        while True:
            sock.recvmsg(1, 1000, socket.MSG_ERRQUEUE)
    except BlockingIOError:
        sock.settimeout(timeout)


def in_pages(s, w):
    """MSG_ZEROCOPY: the payload lies in pages of the sender."""
    for sock in (w.client, w.plain):
        sock.setsockopt(socket.SOL_SOCKET, 60, 1)       # SO_ZEROCOPY
    for n in (1, 2, 3, 64, 1300):
        with s.counted(TO_CLIENT, TO_PEER):
            w.plain.sendto(pattern(n), 0x4000000, w.relay)
            expect("Data indication", parse_data_ind(receive(w.client)[0])[1],
                   pattern(n))
            w.client.sendto(channel(CHAN, pattern(n)), 0x4000000, w.server)
            expect("ChannelData", receive(w.peer)[0], pattern(n))
    for sock in (w.client, w.plain):
        sock.setsockopt(socket.SOL_SOCKET, 60, 0)
        take_notes(sock)


def fragments(s, w):
    """With conntrack they come reassembled; without, as they are."""
    msg = channel(CHAN, pattern(4000))
    with s.counted():
        w.client.sendto(msg, w.server)
        expect("as they are", receive(s.daemon(w))[0], msg)
    run("relay", "nft", "add table inet odd; add chain inet odd c "
        "{ type filter hook prerouting priority 0; }; "
        "add rule inet odd c ct state invalid counter")
    try:
        with s.counted(("punt", "fragment")):
            w.client.sendto(msg, w.server)
            expect("reassembled", receive(s.daemon(w))[0], msg)
    finally:
        run("relay", "nft", "delete table inet odd")


def main():
    tests, s, most = Tests(), Setup(), most_pieces()
    for name, w in s.worlds.items():
        tests.add(f"{name}: as large as the MTU", mtu, s, w)
        tests.add(f"{name}: payload in user pages", in_pages, s, w)
        tests.add(f"{name}: fragments", fragments, s, w)
    netns("relay")
    # Last: their sockets are connected from then on.
    for name, w in s.worlds.items():
        tests.add(f"{name}: payload in files", in_fragments, s, w, from_file,
                  1)
        for n in (2, most):
            tests.add(f"{name}: payload in {n} pieces", in_fragments, s, w,
                      from_pipe, n)
            if w.side.family == 4:
                tests.add(f"{name}: attributes in {n} pieces",
                          around_fragments, s, w, from_pipe, n)
    return tests.run()


if __name__ == "__main__":
    sys.exit(main())
