# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets, captures and entries for the tests of the data path.

Three network namespaces, whose names are in the environment (client, relay,
peer; see ../lib.sh). Entries are made with the kturn command.
"""

import contextlib
import ctypes
import fcntl
import os
import socket
import struct
import subprocess
import time

from packets import Failed, Packet, af, family_of, ones

CLONE_NEWNET = 0x40000000
CLIENT_PORT, SERVER_PORT, RELAY_PORT, PEER_PORT = 40000, 3478, 50000, 9000
TIMEOUT = 20
ETH_P_ALL = 3

libc = ctypes.CDLL(None, use_errno=True)


class Side:
    """Where client and server meet, and where relay and peer do."""

    def __init__(self, client, server, relay, peer):
        self.client, self.server = client, server
        self.relay, self.peer = relay, peer
        self.family, self.peer_family = family_of(client), family_of(peer)


V4 = Side("198.51.100.2", "198.51.100.1", "203.0.113.1", "203.0.113.2")
V6 = Side("2001:db8:1::2", "2001:db8:1::1", "2001:db8:2::1", "2001:db8:2::2")
V4_TO_V6 = Side(V4.client, V4.server, V6.relay, V6.peer)
V6_TO_V4 = Side(V6.client, V6.server, V4.relay, V4.peer)


def netns(name):
    """Move this thread into a namespace: sockets made next are in it."""
    fd = os.open("/run/netns/" + os.environ[name], os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + name)
    finally:
        os.close(fd)


@contextlib.contextmanager
def inside(where):
    """This thread is in a namespace meanwhile, and so is what it starts.

    "ip netns exec" mounts things, which takes longer than most commands.
    """
    before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        netns(where)
        yield
    finally:
        if libc.setns(before, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        os.close(before)


def text(ip, port):
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


sockets = []


def udp(where, ip, port):
    netns(where)
    s = socket.socket(af(ip), socket.SOCK_DGRAM)
    s.bind((ip, port))
    s.settimeout(TIMEOUT)
    sockets.append(s)
    return s


def receive(s):
    data, addr = s.recvfrom(65536)
    return data, addr[:2]


def quiet(s):
    """Nothing is waiting. select() would also tell of sent zero copies."""
    timeout = s.gettimeout()
    s.setblocking(False)
    try:
        s.recv(1, socket.MSG_PEEK)
        return False
    except BlockingIOError:
        return True
    finally:
        s.settimeout(timeout)


def empty(s):
    """Forget what is waiting; what has a wrong checksum only seems to be."""
    timeout = s.gettimeout()
    s.setblocking(False)
    try:
        while True:
            s.recv(65536)
    except BlockingIOError:
        s.settimeout(timeout)


def kturn(*args, check=True):
    with inside("relay"):
        r = subprocess.run(["kturn", *map(str, args)], capture_output=True,
                           text=True)
    if check and r.returncode:
        raise Failed(f"kturn {args}: {r.stderr.strip()}")
    return r.stdout.strip() if check else r


def sysctl(where, *settings):
    """Each "NAME=VALUE", as for sysctl(8)."""
    with inside(where):
        for setting in settings:
            name, value = setting.split("=")
            path = name.translate(str.maketrans("./", "/."))
            with open("/proc/sys/" + path, "w", encoding="ascii") as f:
                f.write(value)


def ip(where, *args):
    with inside(where):
        subprocess.run(["ip", *args], check=True)


def set_mtu(where, device, mtu):
    """Without the process that ip(8) would be."""
    with inside(where), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        fcntl.ioctl(s, 0x8922,          # SIOCSIFMTU
                    struct.pack("16si12x", device.encode(), mtu))


class Capture:
    """Every UDP packet of a family that comes in at a device."""

    def __init__(self, where, device, family):
        netns(where)
        self.proto = 0x0800 if family == 4 else 0x86DD
        # Sockets of one protocol are behind the ingress.
        proto = ETH_P_ALL if os.environ.get("INGRESS") else self.proto
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                               socket.htons(proto))
        self.s.bind((device, proto))
        self.s.settimeout(TIMEOUT)

    def next(self, want=17):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            raw, addr = self.s.recvfrom(65536)
            if addr[1] != self.proto or addr[2] == socket.PACKET_OUTGOING:
                continue
            p = Packet(raw)
            if p.proto == want:
                return p
        raise Failed("no such packet was captured")

    def drain(self):
        empty(self.s)

    def close(self):
        self.s.close()


class Raw:
    """Sends IP packets with headers as given."""

    def __init__(self, where, family):
        netns(where)
        self.family = family
        self.s = socket.socket(socket.AF_INET if family == 4 else
                               socket.AF_INET6, socket.SOCK_RAW,
                               socket.IPPROTO_RAW)
        if family == 6:
            self.s.setsockopt(socket.IPPROTO_IPV6, 36, 1)   # IPV6_HDRINCL

    def packet(self, src, dst, sport, dport, payload, tos=0, ttl=64, df=False,
               check=None, label=0, ident=0, options=b"", frag=0, ulen=None,
               ext=None):
        """Without @check the right one, without @ulen the true length.

        @ext: (number, what follows its length byte) of one IPv6 extension
        header, of 8 bytes
        """
        s, d = (socket.inet_pton(af(a), a) for a in (src, dst))
        full = 8 + len(payload)
        ulen = full if ulen is None else ulen
        head = struct.pack("!HHHH", sport, dport, ulen, 0)
        if check is None:
            check = 0xFFFF ^ ones(s + d + struct.pack("!II", ulen, 17) +
                                  head + payload)
            check = check or 0xFFFF
        udp_part = head[:6] + struct.pack("!H", check) + payload
        if self.family == 4:
            hl = 20 + len(options)
            iph = struct.pack("!BBHHHBBH4s4s", 0x40 | hl // 4, tos,
                              hl + full, ident, (0x4000 if df else 0) | frag,
                              ttl, 17, 0, s, d) + options
            # A raw socket would do it.
            iph = iph[:10] + struct.pack("!H", 0xFFFF ^ ones(iph)) + iph[12:]
        else:
            before = struct.pack("!BB6s", 17, 0, ext[1]) if ext else b""
            iph = struct.pack("!IHBB16s16s", 6 << 28 | tos << 20 | label,
                              len(before) + full, ext[0] if ext else 17, ttl,
                              s, d) + before
        return iph + udp_part

    def send(self, src, dst, *args, **kwargs):
        self.s.sendto(self.packet(src, dst, *args, **kwargs), (dst, 0))

    def close(self):
        self.s.close()


def careless(where, family):
    """A raw socket that does not care what its host learns of the path."""
    raw = Raw(where, family)
    level, option = (0, 10) if family == 4 else (41, 23)
    raw.s.setsockopt(level, option, 3)          # IP_PMTUDISC_PROBE
    return raw
