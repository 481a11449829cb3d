# SPDX-License-Identifier: GPL-2.0-or-later
"""Sockets, captures and entries for the tests of the data path.

Three network namespaces, whose names are in the environment (client, relay,
peer; see ../lib.sh). Entries are made with the kturn command.
"""

import ctypes
import json
import os
import re
import socket
import struct
import subprocess
import time
import traceback

CLONE_NEWNET = 0x40000000
MAGIC = 0x2112A442
SEND, DATA = 0x0016, 0x0017
A_PEER, A_DATA, A_DF, A_FINGERPRINT = 0x12, 0x13, 0x1A, 0x8028
A_LIFETIME, A_SOFTWARE, A_INTEGRITY = 0x0D, 0x8022, 0x0008
CLIENT_PORT, SERVER_PORT, RELAY_PORT, PEER_PORT = 40000, 3478, 50000, 9000
TIMEOUT = 5

libc = ctypes.CDLL(None, use_errno=True)


class Side:
    """Addresses of one family."""

    def __init__(self, family, client, server, relay, peer):
        self.family, self.client, self.server = family, client, server
        self.relay, self.peer = relay, peer


V4 = Side(4, "198.51.100.2", "198.51.100.1", "203.0.113.1", "203.0.113.2")
V6 = Side(6, "2001:db8:1::2", "2001:db8:1::1", "2001:db8:2::1",
          "2001:db8:2::2")


class Failed(Exception):
    pass


def expect(what, got, wanted):
    if got != wanted:
        raise Failed(f"{what}: got {got!r}, wanted {wanted!r}")


def netns(name):
    """Move this thread into a namespace: sockets made next are in it."""
    fd = os.open("/run/netns/" + os.environ[name], os.O_RDONLY)
    try:
        if libc.setns(fd, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + name)
    finally:
        os.close(fd)


def af(ip):
    return socket.AF_INET6 if ":" in ip else socket.AF_INET


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


def waiting(s):
    """The datagram that is waiting, or None."""
    return None if quiet(s) else receive(s)


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
    r = subprocess.run(
        ["ip", "netns", "exec", os.environ["relay"], "kturn", *map(str, args)],
        capture_output=True, text=True)
    if check and r.returncode:
        raise Failed(f"kturn {args}: {r.stderr.strip()}")
    return r.stdout.strip() if check else r


def sysctl(where, *settings):
    subprocess.run(["ip", "netns", "exec", os.environ[where], "sysctl", "-qw",
                    *settings], check=True)


def ip(where, *args):
    subprocess.run(["ip", "-n", os.environ[where], *args], check=True)


def stats():
    return json.loads(kturn("stats", "--all", "--json"))


def alloc(client, server, relays, *flags, lifetime="600s"):
    args = []
    for r in relays:
        args += ["relay", r]
    return kturn("alloc", "add", "client", client, "server", server, *args,
                 "lifetime", lifetime, *flags)


# ------------------------------------------------------------------ messages

def channel(number, data, pad=b""):
    return struct.pack("!HH", number, len(data)) + data + pad


def attr(kind, value, pad=b"\0"):
    return struct.pack("!HH", kind, len(value)) + value + \
        pad * (-len(value) % 4)


def xor(ip_text, port, tid):
    raw = socket.inet_pton(af(ip_text), ip_text)
    mask = struct.pack("!I", MAGIC) + tid
    return struct.pack("!BBH", 0, 1 if len(raw) == 4 else 2,
                       port ^ (MAGIC >> 16)) + \
        bytes(a ^ b for a, b in zip(raw, mask))


def unxor(value, tid):
    mask = struct.pack("!I", MAGIC) + tid
    raw = bytes(a ^ b for a, b in zip(value[4:], mask))
    port = struct.unpack("!H", value[2:4])[0] ^ (MAGIC >> 16)
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else
                            socket.AF_INET6, raw), port


TID = bytes(range(12))


def stun(kind, *attrs, tid=TID):
    body = b"".join(attrs)
    return struct.pack("!HHI", kind, len(body), MAGIC) + tid + body


def send_ind(peer, data, before=(), after=()):
    return stun(SEND, *before, attr(A_PEER, xor(*peer, TID)),
                attr(A_DATA, data), *after)


def parse_data_ind(msg):
    """(peer, data) of a Data indication that is exactly as it should be."""
    kind, length, magic = struct.unpack("!HHI", msg[:8])
    expect("type, cookie", (kind, magic), (DATA, MAGIC))
    expect("length", length, len(msg) - 20)
    tid, pos, seen = msg[8:20], 20, []
    while pos < len(msg):
        a, n = struct.unpack("!HH", msg[pos:pos + 4])
        value = msg[pos + 4:pos + 4 + n]
        padding = msg[pos + 4 + n:pos + 4 + n + -n % 4]
        expect("padding", padding, bytes(-n % 4))
        seen.append((a, value))
        pos += 4 + n + -n % 4
    expect("attributes", [a for a, _ in seen], [A_PEER, A_DATA])
    return unxor(seen[0][1], tid), seen[1][1]


# ------------------------------------------------------------------- packets

def ones(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class Packet:
    """An IP packet with UDP in it, taken apart."""

    def __init__(self, raw):
        self.raw = raw
        if raw[0] >> 4 == 4:
            n = (raw[0] & 15) * 4
            self.tos, self.total, self.id, frag = struct.unpack(
                "!xBHHH", raw[:8])
            self.df, self.frag = bool(frag & 0x4000), frag & 0x3FFF
            self.ttl, self.proto = raw[8], raw[9]
            self.src, self.dst = raw[12:16], raw[16:20]
            self.ip_ok = ones(raw[:n]) == 0xFFFF
            raw = raw[:self.total]
        else:
            n = 40
            word, length = struct.unpack("!IH", raw[:6])
            self.tos, self.label = word >> 20 & 255, word & 0xFFFFF
            self.proto, self.ttl = raw[6], raw[7]
            self.src, self.dst = raw[8:24], raw[24:40]
            self.ip_ok, self.df, self.frag = True, None, 0
            raw = raw[:40 + length]
        self.l4 = raw[n:]
        if self.proto == 17:
            self.sport, self.dport, self.ulen, self.check = struct.unpack(
                "!HHHH", self.l4[:8])
            self.payload = self.l4[8:]

    def pseudo(self):
        return self.src + self.dst + struct.pack("!II", self.ulen, 17)

    def udp_ok(self):
        return ones(self.pseudo() + self.l4) == 0xFFFF

    def udp_partial(self):
        """The sum that is there when the device is to do the rest."""
        return self.check == ones(self.pseudo())


class Capture:
    """Every UDP packet of a family that comes in at a device."""

    def __init__(self, where, device, family):
        netns(where)
        proto = 0x0800 if family == 4 else 0x86DD
        self.s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM,
                               socket.htons(proto))
        self.s.bind((device, proto))
        self.s.settimeout(TIMEOUT)

    def next(self, want=17):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            raw, addr = self.s.recvfrom(65536)
            if addr[2] == socket.PACKET_OUTGOING:
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

    def send(self, src, dst, sport, dport, payload, tos=0, ttl=64, df=False,
             check=None, label=0, ident=0, options=b"", frag=0):
        s, d = (socket.inet_pton(af(a), a) for a in (src, dst))
        ulen = 8 + len(payload)
        head = struct.pack("!HHHH", sport, dport, ulen, 0)
        if check is None:
            check = 0xFFFF ^ ones(s + d + struct.pack("!II", ulen, 17) +
                                  head + payload)
            check = check or 0xFFFF
        udp_part = head[:6] + struct.pack("!H", check) + payload
        if self.family == 4:
            hl = 20 + len(options)
            iph = struct.pack("!BBHHHBBH4s4s", 0x40 | hl // 4, tos,
                              hl + ulen, ident, (0x4000 if df else 0) | frag,
                              ttl, 17, 0, s, d) + options
        else:
            iph = struct.pack("!IHBB16s16s", 6 << 28 | tos << 20 | label,
                              ulen, 17, ttl, s, d)
        self.s.sendto(iph + udp_part, (dst, 0))

    def close(self):
        self.s.close()


# ---------------------------------------------------------------------- KTAP

class Tests:
    def __init__(self):
        self.tests = []

    def add(self, name, function, *args):
        self.tests.append((name, function, args))

    def run(self):
        """ONLY in the environment: the tests whose name this expression finds."""
        only = os.environ.get("ONLY", "")
        self.tests = [t for t in self.tests if re.search(only, t[0])]
        print("TAP version 13")
        print(f"1..{len(self.tests)}", flush=True)
        bad = 0
        for n, (name, function, args) in enumerate(self.tests, 1):
            try:
                # What one test has left must not fail the next.
                for s in sockets:
                    if s.fileno() >= 0:
                        empty(s)
                function(*args)
                print(f"ok {n} - {name}", flush=True)
            except Exception as e:      # whatever it is, the others go on
                bad += 1
                where = traceback.extract_tb(e.__traceback__)
                print(f"# {type(e).__name__}: {e}, in lines",
                      [f.lineno for f in where[1:]])
                print("# " + kturn("stats").replace("\n", "\n# "))
                print(f"not ok {n} - {name}", flush=True)
        print(f"# Totals: pass:{len(self.tests) - bad} fail:{bad} xfail:0 "
              "xpass:0 skip:0 error:0")
        return 1 if bad else 0
