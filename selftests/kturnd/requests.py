#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients for the tests of kturnd: requests.py TEST [ARGUMENT...]

Each function test_... is a test; it runs in the client's namespace, see the
picture in ../lib.sh, and fails with an exception. TRANSPORT is udp, tcp or tls.
"""

import collections
import contextlib
import ipaddress
import os
import signal
import socket
import struct
import sys
import time

from checks import refused, same, silent
from turnclient import TurnClient
from turnmessage import (ALLOCATE, ALTERNATE_SERVER, BINDING, CHANGE_REQUEST,
                         DATA_METHOD, FEATURE_USERNAME_ANONYMITY, ICMP,
                         INDICATION, MAPPED_ADDRESS, OTHER_ADDRESS, PADDING,
                         REQUEST, RESPONSE_ORIGIN, RESPONSE_PORT, SHA256,
                         XOR_PEER_ADDRESS, Message, rest_credential,
                         xor_addr_parse)

RELAY = {4: "198.51.100.1", 6: "2001:db8:1::1"}
OTHER_RELAY = {4: "203.0.113.1", 6: "2001:db8:2::1"}
PEER = {4: ("203.0.113.2", 9999), 6: ("2001:db8:2::2", 9999)}


TRANSPORT = os.environ.get("TRANSPORT", "udp")


def client(family=4, user="alice", password="secret", transport=TRANSPORT,
           **options):
    return TurnClient(RELAY[family], user=user, password=password,
                      transport=transport, **options)


def check_echo(c, family, data):
    """Both ways in both forms; the channel is bound already or is made."""
    c.send(PEER[family], data)
    same(c.recv_data(), (None, PEER[family], data), "Data indication")


def test_echo(family):
    family = int(family)
    with client(family) as c:
        relay = c.allocate(family=family).relay
        same(":" in relay[0], family == 6, "the relay's family")
        c.permit(PEER[family][0])
        for size in (0, 1, 2, 3, 4, 100, 1200, 1472, 3000, 20000):
            check_echo(c, family, os.urandom(
                min(size, 16000) if TRANSPORT == "dtls" else size))
        c.bind(0x4000, PEER[family])
        for size in (0, 1, 2, 3, 4, 100, 1200, 1472, 3000, 65000):
            # What a record of DTLS holds.
            data = os.urandom(min(size, 16000) if TRANSPORT == "dtls"
                              else size)
            c.channel_send(0x4000, data)
            same(c.recv_data(), (0x4000, None, data), "ChannelData")
            c.channel_send(0x4000, data, padded=True)
            same(c.recv_data(), (0x4000, None, data), "padded ChannelData")
        same(c.refresh(0).lifetime, 0, "lifetime")


def test_refused(*peers):
    """None of them may be a peer, in any way."""
    for peer in peers:
        family = 6 if ":" in peer else 4
        with client(family) as c:
            c.allocate(family=family)
            refused(403, c.permit, peer)
            refused(403, c.bind, 0x4000, (peer, 9999))
            # And with others that would do: all or none.
            refused(403, c.permit, PEER[family][0], peer)
            c.send(PEER[family], b"not permitted")
            silent(c)


def test_hairpin(family):
    """Two clients of this relay, by indications and by channels."""
    family = int(family)
    with client(family) as a, client(family) as b:
        at = a.allocate(family=family).relay
        bt = b.allocate(family=family).relay
        a.permit(bt[0])
        b.permit(at[0])
        a.send(bt, b"to b")
        same(b.recv_data(), (None, at, b"to b"), "at b")
        b.send(at, b"to a")
        same(a.recv_data(), (None, bt, b"to a"), "at a")
        a.bind(0x4001, bt)
        b.bind(0x4002, at)
        a.channel_send(0x4001, b"channel to b")
        same(b.recv_data(), (0x4002, None, b"channel to b"), "at b")
        b.channel_send(0x4002, b"channel to a")
        same(a.recv_data(), (0x4001, None, b"channel to a"), "at a")
        # Once b is gone, its port is a port of the server like others.
        b.refresh(0)
        refused(403, a.bind, 0x4001, bt)
        a.channel_send(0x4001, b"to nobody")
        silent(a)


def test_own_ports(*addresses):
    """On the server's addresses only live relayed ports are peers."""
    for address in addresses:
        family = 6 if ":" in address else 4
        with client(family) as c:
            relay = c.allocate(family=family).relay
            c.permit(address)
            for port in (3478, 9, 50000 if relay[1] != 50000 else 50001):
                refused(403, c.bind, 0x4000, (address, port))
                c.send((address, port), b"to the server itself")
            silent(c)


def test_own_service(address, port):
    """Like it, with somebody who listens and would answer."""
    family = 6 if ":" in address else 4
    with client(family) as c:
        c.allocate(family=family)
        c.permit(address)
        c.send((address, int(port)), b"to a service")
        refused(403, c.bind, 0x4000, (address, int(port)))
        silent(c)


def test_external(public, private):
    """Behind a 1:1 NAT: clients know public addresses only."""
    with client() as a, client() as b:
        at, bt = a.allocate().relay, b.allocate().relay
        same((at[0], bt[0]), (public, public), "XOR-RELAYED-ADDRESS")
        a.permit(PEER[4][0])
        check_echo(a, 4, b"out through the relay")
        # Hairpin: neither the NAT nor its inside address shows.
        a.permit(public)
        b.permit(public)
        a.send(bt, b"to b")
        same(b.recv_data(), (None, at, b"to b"), "at b")
        a.bind(0x4001, bt)
        a.channel_send(0x4001, b"channel")
        same(b.recv_data(), (None, at, b"channel"), "at b")
        b.bind(0x4002, at)
        b.channel_send(0x4002, b"channel back")
        same(a.recv_data(), (0x4001, None, b"channel back"), "at a")
        refused(403, a.bind, 0x4005, (public, 3478))
        # The inside address is no relayed address for clients.
        refused(403, a.bind, 0x4006, (private, bt[1]))


def test_external_changes(state, log, after):
    """The public address becomes what was a peer elsewhere."""
    with client() as a, client() as b:
        a.allocate()
        a.permit(after)
        with open(state + ".new", "w", encoding="utf-8") as f:
            f.write(f'{{"public": "{after}"}}')
        os.rename(state + ".new", state)
        end = time.monotonic() + 20
        while f"public={after} " not in open(log, encoding="utf-8").read():
            same(time.monotonic() < end, True, "learnt in time")
            time.sleep(0.05)
        bt = b.allocate().relay
        same(bt[0], after, "XOR-RELAYED-ADDRESS after")
        b.permit(after)
        a.send(bt, b"to b")
        same(b.recv_data().data, b"to b", "at b")


def test_external_kept(fifo):
    """Over a restart, with one allocation."""
    with client() as c:
        c.allocate()
        c.permit(PEER[4][0])
        print("ready", flush=True)
        with open(fifo, encoding="utf-8") as f:
            f.read()
        c.refresh()
        check_echo(c, 4, b"after the restart")


def test_bandwidth(number, size, burst):
    """So many at once, and some more as time passes."""
    number, size, burst = int(number), int(size), int(burst)
    with client() as c:
        c.allocate()
        c.permit(PEER[4][0])
        for _ in range(number):
            c.send(PEER[4], bytes(size))
        got = 0
        while c.recv_data(0.5):
            got += 1
        same(burst <= got <= 2 * burst, True, f"{got} came")


def test_total_quota(number):
    with contextlib.ExitStack() as stack:
        many = [stack.enter_context(client(user=user, password=password))
                for user, password in 2 * [("alice", "secret"),
                                           ("bob", "stored")]]
        for c in many[:int(number)]:
            c.allocate()
        refused(508, many[-1].allocate)
        many[0].refresh(0)
        many[-1].allocate()


def plain_address(value):
    """Of an attribute like MAPPED-ADDRESS."""
    ip = ipaddress.ip_address(value[4:])
    return str(ip), struct.unpack_from("!H", value, 2)[0]


def told_to_go(c):
    """Where an Allocate is sent."""
    answer = c.request(ALLOCATE, c.build_allocate)
    same(answer.code, 300, "code")
    same(answer.integrity_ok(c.key(), c.sha256), True, "integrity")
    return plain_address(answer.get(ALTERNATE_SERVER))


def test_redirect(*servers):
    servers = {(s.rsplit(":")[0], int(s.rsplit(":")[1])) for s in servers}
    with client() as a, client(6) as b, client() as c:
        a.allocate()
        # There is none of its family.
        b.allocate(family=6)
        same({told_to_go(c) for _ in range(4)}, servers, "they have turns")
        with client(6) as d:
            d.allocate(family=6)
        a.refresh()
        a.permit(PEER[4][0])
        check_echo(a, 4, b"goes on")
        for one in (a, b):
            one.refresh(0)
        c.allocate()


def test_drain(pid, ip, port):
    with client() as a, client() as b, client(6) as c:
        a.allocate()
        os.kill(int(pid), signal.SIGUSR1)
        # The signal is the main thread's.
        end = time.monotonic() + 10
        while True:
            answer = c.request(ALLOCATE, c.build_allocate)
            if answer.code == 300 or time.monotonic() > end:
                break
            c.refresh(0)
        same(told_to_go(c), (ip, int(port)), "where")
        refused(508, b.allocate)
        os.kill(int(pid), signal.SIGUSR1)
        while time.monotonic() < end:
            answer = b.request(ALLOCATE, b.build_allocate)
            if answer.code != 508:
                break
        same(answer.code, 0, "it is served again")
        b.refresh(0)
        os.kill(int(pid), signal.SIGUSR1)
        a.permit(PEER[4][0])
        time.sleep(2.5)
        check_echo(a, 4, b"goes on")
        a.refresh(0)
    print("passed")


def test_discovery(*addresses):
    """Each of four addresses answers from each of them. RFC 5780 table 1."""
    pair = [(a.rsplit(":", 1)[0], int(a.rsplit(":", 1)[1]))
            for a in addresses]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("198.51.100.2", 0))
        s.settimeout(10)
        own = s.getsockname()

        def ask(server, change=None, attribute=None):
            msg = Message(BINDING, REQUEST)
            if change is not None:
                msg.add_u32(CHANGE_REQUEST, change)
            if attribute:
                msg.add(*attribute)
            s.sendto(msg.bytes(), server)
            return msg.tid

        def answer(sock, tid):
            data, source = sock.recvfrom(65535)
            got = Message.parse(data)
            same(got.tid, tid, "transaction id")
            same((got.mapped, plain_address(got.get(MAPPED_ADDRESS))),
                 (own, own), "who we are")
            same(plain_address(got.get(RESPONSE_ORIGIN)), source,
                 "RESPONSE-ORIGIN")
            return source, got

        for ip in (0, 1):
            for port in (0, 1):
                server = pair[ip][0], pair[port][1]
                other = pair[not ip][0], pair[not port][1]
                for change, wanted in ((None, server), (0, server),
                                       (4, (other[0], server[1])),
                                       (2, (server[0], other[1])),
                                       (6, other)):
                    source, got = answer(s, ask(server, change))
                    same(source, wanted, f"{server}, change {change}")
                    same(plain_address(got.get(OTHER_ADDRESS)), other,
                         "OTHER-ADDRESS")
        # To another port, and in fragments.
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as elsewhere:
            elsewhere.bind(("198.51.100.2", 0))
            elsewhere.settimeout(10)
            port = struct.pack("!HH", elsewhere.getsockname()[1], 0)
            tid = ask(pair[0], 6, (RESPONSE_PORT, port))
            same(answer(elsewhere, tid)[0], pair[1], "source")
        _, got = answer(s, ask(pair[0], None, (PADDING, bytes(1500))))
        same(len(got.get(PADDING)), 1500, "PADDING")


def test_limited(answers):
    """Who has credentials goes on, whatever others ask from the same address."""
    answers = int(answers)
    with client() as alice, client() as flood:
        alice.allocate()
        for _ in range(5 * answers):
            flood.raw_send(Message(BINDING, REQUEST).bytes())
        got = 0
        while flood.raw_recv(0.3):
            got += 1
        # Some of it comes back as time passes.
        same(answers - 10 <= got <= 1.5 * answers, True, f"{got} answers")
        alice.permit(PEER[4][0])
        check_echo(alice, 4, b"goes on")
        # Who is connected can't have another's address.
        with client(transport="tcp", user=None) as connected:
            for _ in range(2 * answers):
                same(connected.binding(), connected.local, "by TCP")
        with client(6, user=None) as other:
            same(other.binding(), other.local, "another address")


def test_families(*families):
    """These can be had, others get 440."""
    for family in (4, 6):
        with client(6 if families == ("6",) else 4) as c:
            if str(family) in families:
                c.allocate(family=family)
            else:
                refused(440, c.allocate, family=family)


def test_quota(quota):
    clients = [client() for _ in range(int(quota) + 1)]
    for c in clients[:-1]:
        c.allocate()
    refused(486, clients[-1].allocate)
    clients[0].refresh(0)
    clients[-1].allocate()
    for c in clients[1:]:
        c.refresh(0)


def test_ports(low, high):
    """All ports of a small range, then 508, then again."""
    low, high = int(low), int(high)
    clients = [client() for _ in range(high - low + 2)]
    ports = [c.allocate().relay[1] for c in clients[:-1]]
    same(sorted(ports), list(range(low, high + 1)), "ports")
    refused(508, clients[-1].allocate)
    clients[0].refresh(0)
    same(clients[-1].allocate().relay[1], ports[0], "the port freed")
    for c in clients[1:]:
        c.refresh(0)


def test_pairs(low, high):
    """EVEN-PORT with a reservation, claimed by another client."""
    low, high = int(low), int(high)
    for _ in range(20):
        with client() as a, client() as b:
            got = a.allocate(even_port=True)
            same(got.relay[1] % 2, 0, "parity")
            if not low <= got.relay[1] < high:
                raise AssertionError(f"port {got.relay[1]}")
            refused(508, b.allocate, token=os.urandom(8))
            relay = b.allocate(token=got.token).relay
            same(relay, (got.relay[0], got.relay[1] + 1), "reserved")
            with client() as c:
                refused(508, c.allocate, token=got.token)
            b.permit(PEER[4][0])
            check_echo(b, 4, b"from the reserved port")
            a.refresh(0)
            b.refresh(0)


def test_random_ports(count):
    """Ports have no order that one could guess."""
    ports = []
    for _ in range(int(count)):
        with client() as c:
            ports.append(c.allocate().relay[1])
            c.refresh(0)
    steps = collections.Counter((b - a) % 65536
                                for a, b in zip(ports, ports[1:]))
    if steps.most_common(1)[0][1] > 3 or len(set(ports)) < len(ports) - 5:
        raise AssertionError(f"not random: {ports}")
    if min(ports) < 49152:
        raise AssertionError(f"below the range: {min(ports)}")


def test_many(count):
    """Many clients at a time, over all workers; each gets its own data."""
    clients = [client() for _ in range(int(count))]
    for c in clients:
        c.allocate()
        c.permit(PEER[4][0])
        c.bind(0x4000, PEER[4])
    for number, c in enumerate(clients):
        c.channel_send(0x4000, struct.pack("!I", number))
        c.send(PEER[4], struct.pack("!I", number))
    for number, c in enumerate(clients):
        data = struct.pack("!I", number)
        for _ in range(2):
            same(c.recv_data(), (0x4000, None, data), f"client {number}")
    for c in clients:
        c.refresh(0)


def test_extension_headers(count):
    """IPv6 with destination options, which the steering can't see through."""
    for _ in range(int(count)):
        with client(6) as c:
            # PadN of four bytes.
            c.sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_DSTOPTS,
                              bytes([0, 0, 1, 4, 0, 0, 0, 0]))
            c.allocate(family=6)
            c.permit(PEER[6][0])
            check_echo(c, 6, b"around the corner")
            c.refresh(0)


def test_user(user, password, code="0"):
    with client(user=user, password=password) as c:
        if code == "0":
            c.allocate()
            c.refresh(0)
        else:
            refused(int(code), c.allocate)


def test_secret(secret, user="carol", ttl="60", code="0"):
    test_user(*rest_credential(secret, user, int(ttl)), code)


def test_features(sha256, anonymity):
    """What a 401 says that the realm can."""
    with client() as c:
        c.allocate()
        same(SHA256 in c.offered_algorithms(), sha256 == "yes", "SHA-256")
        same(bool(c.features() & FEATURE_USERNAME_ANONYMITY),
             anonymity == "yes", "anonymity")
        c.refresh(0)


def test_channel_number(number, code="0"):
    with client() as c:
        c.allocate()
        if code == "0":
            c.bind(int(number, 0), PEER[4])
        else:
            refused(int(code), c.bind, int(number, 0), PEER[4])


def test_fragment(size):
    """A datagram without and one with DONT-FRAGMENT."""
    with client() as c:
        c.allocate()
        c.permit(PEER[4][0])
        data = bytes(int(size))
        for dont_fragment in (False, True, False):
            c.send(PEER[4], data, dont_fragment=dont_fragment)
            same(c.recv_data(), (None, PEER[4], data), "Data indication")


def test_burst(pid, family):
    """Many at once, of all lengths: each arrives, in its channel's order.

    The daemon finds them all when it goes on. 3,000 bytes don't fit into one
    packet, however many are sent together.
    """
    pid, family = int(pid), int(family)
    sizes = [100, 100, 100, 40, 100, 0, 0, 7, 7, 7, 3000, 3000, 3000, 200, 200]
    with client(family) as c:
        c.allocate(family=family)
        sent = {}
        for number, port in ((0x4000, 9999), (0x4001, 10000)):
            c.bind(number, (PEER[family][0], port))
            sent[number] = [os.urandom(size) for size in sizes]
        os.kill(pid, signal.SIGSTOP)
        for number, packets in sent.items():
            for data in packets:
                c.channel_send(number, data)
        os.kill(pid, signal.SIGCONT)
        got = {number: [] for number in sent}
        for _ in range(2 * len(sizes)):
            number, _, data = c.recv_data()
            got[number].append(data)
        same(got, sent, "what came back")
        silent(c)


def test_too_big(size):
    """With DONT-FRAGMENT it is dropped, without it is fragmented."""
    with client() as c:
        c.allocate()
        c.permit(PEER[4][0])
        data = bytes(int(size))
        c.send(PEER[4], data, dont_fragment=True)
        c.send(PEER[4], data)
        same(c.recv_data(), (None, PEER[4], data), "Data indication")
        silent(c)


def told(c, family, to, kind, code, mtu=0):
    """The next that comes tells of this error (RFC 8656 section 11.5)."""
    msg = Message.parse(c.raw_recv(5))
    same((msg.method, msg.cls), (DATA_METHOD, INDICATION), "indication")
    same([kind for kind, _, _ in msg.attrs], [XOR_PEER_ADDRESS, ICMP],
         "attributes")
    same(xor_addr_parse(msg.get(XOR_PEER_ADDRESS), msg.tid), to, "peer")
    same(msg.get(ICMP), struct.pack("!HBBI", 0, kind, code, mtu),
         f"ICMP, IPv{family}")


def test_unreachable(family, port):
    """ICMP errors are told, and take no other datagram along."""
    family = int(family)
    kind = (3, 3) if family == 4 else (1, 4)
    to = (PEER[family][0], int(port))
    with client(family) as c:
        c.allocate(family=family)
        c.permit(to[0])
        for _ in range(8):
            c.send(to, b"to nobody")
            told(c, family, to, *kind)
            check_echo(c, family, b"to somebody")
        # At once, and mixed.
        for _ in range(8):
            c.send(to, b"to nobody")
            c.send(PEER[family], b"to somebody")
        got = [c.raw_recv(5) for _ in range(16)]
        same(sum(Message.parse(m).get(ICMP) is not None for m in got), 8,
             "errors told")
        silent(c)


def test_bad_name(name):
    """A user name that would spoil the log."""
    with client(user=name, password="x") as c:
        refused(401, c.allocate)


if __name__ == "__main__":
    globals()[f"test_{sys.argv[1]}"](*sys.argv[2:])
