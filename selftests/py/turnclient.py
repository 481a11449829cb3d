#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A TURN client over UDP, TCP, TLS or DTLS (RFC 8489, RFC 8656) for tests.

It does what a test tells it, also what no real client would do; nothing
beyond Python's own library is needed. A test looks like this:

    from turnclient import TurnClient

    with TurnClient("198.51.100.1", user="alice", password="secret") as c:
        relay = c.allocate().relay
        c.permit("203.0.113.2")
        c.bind(0x4000, ("203.0.113.2", 9))
        c.send(("203.0.113.2", 9), b"by Send indication")
        c.channel_send(0x4000, b"by ChannelData")
        print(c.recv_data())

allocate(), refresh(), permit() and bind() raise TurnError unless the answer
is a success; request() returns any answer. Addresses are (text, port) pairs.
Credentials are taken up as RFC 8489 section 9.2 says: the first request has
none, the 401 tells realm, nonce and algorithms.
"""

import base64
import collections
import os
import socket
import ssl
import struct
import subprocess
import time

from turnmessage import (ACCESS_TOKEN, ADDITIONAL_ADDRESS_FAMILY, ALLOCATE,
                         BINDING,
                         CHANNEL_BIND, CHANNEL_NUMBER, CREATE_PERMISSION,
                         DATA, DATA_METHOD, DONT_FRAGMENT, ERROR, EVEN_PORT,
                         FEATURE_USERNAME_ANONYMITY, HEADER_LEN,
                         INDICATION, LIFETIME, MD5, MOBILITY_TICKET, NONCE,
                         NONCE_COOKIE, ORIGIN,
                         PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM,
                         REFRESH, REQUEST, REQUESTED_ADDRESS_FAMILY,
                         REQUESTED_TRANSPORT, RESERVATION_TOKEN, SEND, SHA256,
                         SUCCESS, UDP, USERHASH, USERNAME, XOR_PEER_ADDRESS,
                         Message, TurnError, long_term_key, pad, userhash)


# RFC 7635: its key's name is the user.
AccessToken = collections.namedtuple("AccessToken", "mac_key token")

# What recv_data() returns: channel is None for a Data indication, peer is
# None for ChannelData.
Received = collections.namedtuple("Received", "channel peer data")


def any_certificate():
    """TLS that checks nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def dtls_pipe(udp, server_name, timeout):
    """A process that speaks DTLS at @udp, and a socket to it."""
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    program = os.path.join(os.path.dirname(__file__),
                           "../../build/selftests/stream/dtls_pipe")
    with udp, its:
        process = subprocess.Popen(
            [program, str(udp.fileno()), str(its.fileno()),
             server_name or ""], pass_fds=(udp.fileno(), its.fileno()))
    ours.settimeout(timeout)
    try:
        if ours.recv(16) != b"ready":
            raise ConnectionError("DTLS could not be begun")
    except BaseException:
        process.kill()
        process.wait()
        ours.close()
        raise
    return process, ours


def frame_len(raw):
    """Bytes of the message at the start of a stream; 0: not enough is there."""
    if len(raw) < 4:
        return 0
    length = struct.unpack_from("!H", raw, 2)[0]
    if raw[0] >> 6 == 1:
        return 4 + length + -length % 4
    return HEADER_LEN + length


class TurnClient:
    """A client on its own socket.

    @server: (address, port), or an address alone for port 3478
    @local: address (and port) to bind
    @transport: "udp", "tcp", "tls" or "dtls"
    @before: what a stream begins with, a PROXY header say
    @tls: an ssl.SSLContext; without it no certificate is checked
    @server_name: that TLS asks for
    @integrity: "sha1", "sha256", or "auto": the best that the server offers
    @anonymous: USERHASH in place of USERNAME; None: if the server asks for it
    @timeout: seconds that request() and recv_data() wait
    @origin: where a browser would come from
    @token: an AccessToken in place of a password
    """

    def __init__(self, server, user=None, password=None, local=None,
                 integrity="auto", anonymous=None, timeout=5.0,
                 transport="udp", before=b"", tls=None, server_name=None,
                 origin=None, token=None):
        self.server = (server, 3478) if isinstance(server, str) else server
        self.user = user
        self.password = password
        self.integrity = integrity
        self.anonymous = anonymous
        self.timeout = timeout
        self.origin = origin
        self.token = token
        self.realm = None
        self.nonce = None
        self.algorithms = None
        self.data = collections.deque()
        self.family = (socket.AF_INET6 if ":" in self.server[0]
                       else socket.AF_INET)
        self.stream = transport in ("tcp", "tls")
        self.received = b""
        self.dtls = None
        self.sock = socket.socket(self.family, socket.SOCK_STREAM if
                                  self.stream else socket.SOCK_DGRAM)
        if local:
            self.sock.bind((local, 0) if isinstance(local, str) else local)
        if self.stream:
            self.sock.settimeout(timeout)
        try:
            self.sock.connect(self.server)
            if before:
                self.sock.sendall(before)
            if transport == "tls":
                self.sock = (tls or any_certificate()).wrap_socket(
                    self.sock, server_hostname=server_name)
            self.address = self.sock.getsockname()[:2]
            if transport == "dtls":
                self.dtls, self.sock = dtls_pipe(self.sock, server_name,
                                                 timeout)
        except BaseException:
            self.sock.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.sock.close()
        if self.dtls:
            self.dtls.wait()

    @property
    def local(self):
        return self.address

    # Credentials.

    @property
    def sha256(self):
        if self.token:
            return False
        if self.integrity == "auto":
            return self.chosen_algorithm() is not None
        return self.integrity == "sha256"

    def offered_algorithms(self):
        """Numbers out of the server's PASSWORD-ALGORITHMS."""
        numbers, pos = [], 0
        value = self.algorithms or b""
        while pos + 4 <= len(value):
            number, length = struct.unpack_from("!HH", value, pos)
            numbers.append(number)
            pos += 4 + length + -length % 4
        return numbers

    def chosen_algorithm(self):
        """The first that we know; None without PASSWORD-ALGORITHMS."""
        for number in self.offered_algorithms():
            if number in (MD5, SHA256):
                return number
        return None

    def features(self):
        """The nonce's security feature bits (RFC 8489 section 9.2)."""
        nonce = self.nonce or b""
        if not nonce.startswith(NONCE_COOKIE) or len(nonce) < 13:
            return 0
        return int.from_bytes(base64.b64decode(nonce[9:13]), "big")

    def key(self):
        if self.token:
            return self.token.mac_key
        algorithm = MD5
        if self.sha256:
            algorithm = self.chosen_algorithm() or SHA256
        return long_term_key(self.user, self.realm, self.password, algorithm)

    def learn(self, answer):
        """Take realm, nonce and algorithms out of a 401 or 438."""
        self.realm = answer.get(REALM).decode()
        self.nonce = answer.get(NONCE)
        self.algorithms = answer.get(PASSWORD_ALGORITHMS)

    def authenticate(self, msg):
        """Add what proves who we are; nothing may follow but FINGERPRINT."""
        if self.token and msg.method in (ALLOCATE, REFRESH):
            msg.add(ACCESS_TOKEN, self.token.token)
        anonymous = self.anonymous
        if anonymous is None:
            anonymous = bool(self.features() & FEATURE_USERNAME_ANONYMITY)
        if anonymous:
            msg.add(USERHASH, userhash(self.user, self.realm))
        else:
            msg.add(USERNAME, self.user.encode())
        msg.add(REALM, self.realm.encode())
        msg.add(NONCE, self.nonce)
        if self.sha256 and self.algorithms is not None:
            msg.add(PASSWORD_ALGORITHMS, self.algorithms)
            msg.add(PASSWORD_ALGORITHM,
                    struct.pack("!HH", self.chosen_algorithm(), 0))
        return msg.add_integrity(self.key(), self.sha256)

    # Messages.

    def raw_send(self, data):
        if self.stream:
            self.sock.settimeout(self.timeout)
            self.sock.sendall(data)
        else:
            self.sock.send(data)

    def raw_recv(self, timeout=None):
        """The next message, or None when none comes in time.

        A connection that has ended raises ConnectionResetError.
        """
        timeout = self.timeout if timeout is None else timeout
        self.sock.settimeout(timeout)
        try:
            if self.stream:
                return self.frame_recv(timeout)
            got = self.sock.recv(65535)
        except (TimeoutError, BlockingIOError, ssl.SSLWantReadError):
            return None
        if self.dtls and not got:
            raise ConnectionResetError("the server has closed it")
        return got

    def frame_recv(self, timeout):
        end = time.monotonic() + timeout
        while True:
            n = frame_len(self.received)
            if n and len(self.received) >= n:
                frame, self.received = self.received[:n], self.received[n:]
                return frame
            self.sock.settimeout(max(end - time.monotonic(), 0.001))
            more = self.sock.recv(65536)
            if not more:
                raise ConnectionResetError("the server has closed it")
            self.received += more

    def has_ended(self):
        """Does the server close the connection, before @timeout?"""
        try:
            while self.raw_recv():
                pass
        except (ConnectionError, ssl.SSLError):
            return True
        return False

    def transact(self, raw, tid, timeout=None):
        """Send a request, return the answer to it, or None.

        Over UDP it is sent again every half second, as it may be lost. Data that
        comes meanwhile is kept for recv_data().
        """
        end = time.monotonic() + (self.timeout if timeout is None
                                  else timeout)
        resend = 0
        while True:
            now = time.monotonic()
            if now >= end:
                return None
            if now >= resend:
                self.raw_send(raw)
                # RFC 8489 section 6.2.2: a stream loses nothing.
                resend = end if self.stream else now + 0.5
            try:
                got = self.raw_recv(max(min(resend, end) - now, 0.001))
            except ConnectionRefusedError:
                continue
            if got is None:
                continue
            if self.keep_data(got):
                continue
            answer = Message.parse(got)
            if answer.tid == tid and answer.cls in (SUCCESS, ERROR):
                return answer

    def keep_data(self, raw):
        received = self.parse_data(raw)
        if received:
            self.data.append(received)
        return received is not None

    @staticmethod
    def parse_data(raw):
        """A Received, or None when it is neither kind of data."""
        if raw and raw[0] >> 6 == 1:
            number, length = struct.unpack_from("!HH", raw)
            if length > len(raw) - 4:
                raise ValueError("ChannelData longer than its datagram")
            return Received(number, None, raw[4:4 + length])
        msg = Message.parse(raw)
        if (msg.method, msg.cls) != (DATA_METHOD, INDICATION):
            return None
        return Received(None, msg.get_addr(XOR_PEER_ADDRESS), msg.get(DATA))

    # Requests.

    def request(self, method, build=None, auth=True, fingerprint=False,
                tid=None, timeout=None):
        """Any request; @build(message) adds its attributes.

        Without @auth no credentials are added. Else they are, asking the
        server for a nonce first where there is none yet, and a stale nonce
        is renewed. Returns the answer, None when there was none.
        """
        for _ in range(3):
            msg = Message(method, REQUEST, tid)
            if self.origin:
                msg.add(ORIGIN, self.origin.encode())
            if build:
                build(msg)
            with_auth = auth and self.user is not None and self.nonce
            if with_auth:
                self.authenticate(msg)
            if fingerprint:
                msg.add_fingerprint()
            answer = self.transact(msg.bytes(), msg.tid, timeout)
            if answer is None or not auth or self.user is None:
                return answer
            again = answer.code == 438 or answer.code == 401 and not with_auth
            if not again:
                return answer
            self.learn(answer)
            tid = None
        return answer

    def expect(self, what, answer):
        if answer is None:
            raise TurnError(f"{what}: no answer")
        if answer.cls != SUCCESS:
            raise TurnError(what, *answer.error, answer)
        if self.user is not None and self.nonce:
            if not answer.integrity_ok(self.key(), self.sha256):
                raise TurnError(f"{what}: the answer's integrity is wrong")
        return answer

    def binding(self):
        """STUN Binding: our transport address as the server sees it."""
        answer = self.request(BINDING, auth=False)
        if answer is None or answer.cls != SUCCESS:
            raise TurnError("Binding", *(answer.error if answer else ()))
        return answer.mapped

    @staticmethod
    def build_allocate(msg, transport=UDP, lifetime=None, family=None,
                       even_port=None, token=None, dont_fragment=False,
                       additional_family=None, ticket=None):
        """Attributes of Allocate; None leaves one out.

        @family, @additional_family: 4 or 6; @even_port: the R bit; @ticket:
        an empty one asks for one
        """
        if transport is not None:
            msg.add(REQUESTED_TRANSPORT, bytes([transport, 0, 0, 0]))
        if lifetime is not None:
            msg.add_u32(LIFETIME, lifetime)
        if family is not None:
            msg.add(REQUESTED_ADDRESS_FAMILY,
                    bytes([1 if family == 4 else 2, 0, 0, 0]))
        if additional_family is not None:
            msg.add(ADDITIONAL_ADDRESS_FAMILY,
                    bytes([1 if additional_family == 4 else 2, 0, 0, 0]))
        if even_port is not None:
            msg.add(EVEN_PORT, bytes([0x80 if even_port else 0]))
        if token is not None:
            msg.add(RESERVATION_TOKEN, token)
        if dont_fragment:
            msg.add(DONT_FRAGMENT)
        if ticket is not None:
            msg.add(MOBILITY_TICKET, ticket)

    def allocate(self, **attributes):
        """See build_allocate(). The answer has .relay, .mapped, .token."""
        return self.expect("Allocate", self.request(
            ALLOCATE, lambda m: self.build_allocate(m, **attributes)))

    def refresh(self, lifetime=None, family=None, ticket=None, tid=None):
        """With a ticket the answer has .ticket, the next one."""
        return self.expect("Refresh", self.request(
            REFRESH, lambda m: self.build_allocate(
                m, transport=None, lifetime=lifetime, family=family,
                ticket=ticket), tid=tid))

    def permit(self, *peers):
        """CreatePermission; a peer is an address, or a pair."""
        def build(msg):
            for peer in peers:
                msg.add_peer((peer, 0) if isinstance(peer, str) else peer)
        return self.expect("CreatePermission",
                           self.request(CREATE_PERMISSION, build))

    def bind(self, number, peer):
        def build(msg):
            msg.add(CHANNEL_NUMBER, struct.pack("!HH", number, 0))
            msg.add_peer(peer)
        return self.expect("ChannelBind", self.request(CHANNEL_BIND, build))

    # Data.

    def send(self, peer, data, dont_fragment=False):
        """A Send indication."""
        msg = Message(SEND, INDICATION).add_peer(peer)
        if dont_fragment:
            msg.add(DONT_FRAGMENT)
        self.raw_send(msg.add(DATA, data).bytes())

    def channel_send(self, number, data, padded=False):
        """ChannelData; in a stream it is padded always (section 12.5)."""
        raw = struct.pack("!HH", number, len(data)) + data
        self.raw_send(pad(raw) if padded or self.stream else raw)

    def recv_data(self, timeout=None):
        """The next Data indication or ChannelData, or None."""
        end = time.monotonic() + (self.timeout if timeout is None
                                  else timeout)
        while not self.data:
            left = end - time.monotonic()
            raw = self.raw_recv(left) if left > 0 else None
            if raw is None:
                return None
            self.keep_data(raw)
        return self.data.popleft()
