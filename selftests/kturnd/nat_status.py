#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the control socket says of an address that is learnt.

    nat_status.py CONTROL SECONDS FIELD VALUE...

Ends when all fields have these values, or fails after that time.
"""

import json
import socket
import sys
import time


def status(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(10)
        sock.connect(path)
        text = b""
        while more := sock.recv(65536):
            text += more
    return json.loads(text)["external"][0]


def main(path, seconds, *wanted):
    end = time.monotonic() + float(seconds)
    while True:
        got = status(path)
        if all(str(got[field]) == value
               for field, value in zip(wanted[::2], wanted[1::2])):
            return
        if time.monotonic() >= end:
            sys.exit(f"expected {' '.join(wanted)}, got {got}")
        time.sleep(0.03)


main(*sys.argv[1:])
