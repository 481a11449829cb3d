#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""libnice as two clients that may only use relays.

    nice.py udp|tcp SERVER LOCAL

Datagrams of all sizes go both ways. LOCAL is the clients' own address.
"""

import ctypes
import sys

import gi

gi.require_version("Nice", "0.1")
from gi.repository import GLib, Nice        # noqa: E402 its version is above

USER, PASSWORD, PORT = "alice", "secret", 3478
SECONDS = 30
SIZES = 1, 2, 3, 4, 100, 333, 1200
DATAGRAMS = [bytes((n + i) % 256 for i in range(SIZES[n % len(SIZES)]))
             for n in range(70)]
RELAY = {"udp": Nice.RelayType.UDP, "tcp": Nice.RelayType.TCP}

# What introspection leaves out, or takes for text.
libnice = ctypes.CDLL("libnice.so.10")
Received = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint,
                            ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p,
                            ctypes.c_void_p)
libnice.nice_agent_attach_recv.argtypes = (
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_void_p, Received,
    ctypes.c_void_p)
libnice.nice_agent_send.argtypes = (
    ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint,
    ctypes.c_char_p)


class Client:
    """An agent with one stream of one component."""

    def __init__(self, controlling, transport, server, local):
        self.got = []
        self.gathered = self.ready = self.closed = False
        self.agent = Nice.Agent.new(GLib.MainContext.default(),
                                    Nice.Compatibility.RFC5245)
        for name, value in (("controlling-mode", controlling),
                            ("force-relay", True), ("upnp", False),
                            ("ice-tcp", False)):
            self.agent.set_property(name, value)
        # That of the GObject, which is what libnice's functions take.
        self.pointer = hash(self.agent)
        address = Nice.Address.new()
        address.set_from_string(local)
        self.agent.add_local_address(address)
        self.agent.connect("candidate-gathering-done", self.on_gathered)
        self.agent.connect("component-state-changed", self.on_state)
        self.stream = self.agent.add_stream(1)
        self.agent.set_stream_name(self.stream, "application")
        self.agent.set_relay_info(self.stream, 1, server, PORT, USER,
                                  PASSWORD, RELAY[transport])
        self.receive = Received(self.on_data)
        libnice.nice_agent_attach_recv(self.pointer, self.stream, 1, None,
                                       self.receive, None)
        self.agent.gather_candidates(self.stream)

    def on_gathered(self, *_):
        self.gathered = True

    def on_state(self, _agent, _stream, _component, state):
        self.ready = state == Nice.ComponentState.READY

    def on_data(self, _agent, _stream, _component, size, data, _user):
        self.got.append(ctypes.string_at(data, size))

    def send(self, data):
        sent = libnice.nice_agent_send(self.pointer, self.stream, 1,
                                       len(data), data)
        if sent != len(data):
            sys.exit(f"sent {sent} of {len(data)} bytes")

    def close(self):
        """Deletes the allocation."""
        self.agent.close_async(self.on_closed)

    def on_closed(self, *_):
        self.closed = True


def until(condition, what):
    """Runs the main loop until then."""
    late = []
    GLib.timeout_add_seconds(SECONDS, late.append, 1)
    while not condition():
        if late:
            sys.exit(f"gave up waiting for {what}")
        GLib.MainContext.default().iteration(True)


def main():
    transport, server, local = sys.argv[1:]
    clients = [Client(first, transport, server, local)
               for first in (True, False)]
    until(lambda: all(c.gathered for c in clients), "candidates")
    for one, other in (clients, clients[::-1]):
        sdp = one.agent.generate_local_sdp()
        if "typ relay" not in sdp or "typ host" in sdp:
            sys.exit(f"other candidates than relays: {sdp}")
        other.agent.parse_remote_sdp(sdp)
    until(lambda: all(c.ready for c in clients), "a connection")
    # One at a time: nothing sends lost datagrams again.
    for n, data in enumerate(DATAGRAMS):
        for one, other in (clients, clients[::-1]):
            one.send(data)
            until(lambda c=other, n=n: len(c.got) > n, f"datagram {n}")
    if any(c.got != DATAGRAMS for c in clients):
        sys.exit("other datagrams came")
    for client in clients:
        client.close()
    until(lambda: all(c.closed for c in clients), "the end")


if __name__ == "__main__":
    main()
