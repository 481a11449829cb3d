#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What the control socket says of an address that is learnt.

    nat_status.py CONTROL SECONDS FIELD VALUE...

Ends when all fields have these values, or fails after that time.
"""

import json
import sys
import time

from values import said


def status(path):
    return json.loads(said(path))["external"][0]


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
