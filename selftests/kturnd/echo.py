#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A peer that sends every datagram back: echo.py PORT ADDRESS..."""

import select
import socket
import sys

socks = []
for address in sys.argv[2:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    # SO_RCVBUFFORCE: what is lost here looks as if the relay had lost it.
    sock.setsockopt(socket.SOL_SOCKET, 33, 16 << 20)
    if family == socket.AF_INET:
        # IP_MTU_DISCOVER, IP_PMTUDISC_DONT: without DF, so that what gets
        # longer on its way to the client is cut there, not refused.
        sock.setsockopt(socket.IPPROTO_IP, 10, 0)
    sock.bind((address, int(sys.argv[1])))
    socks.append(sock)
print("ready", flush=True)
while True:
    for sock in select.select(socks, [], [])[0]:
        data, source = sock.recvfrom(65535)
        sock.sendto(data, source)
