#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""libkturn's examples; see examples.sh."""

import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../py"))

from beside import (Process, Session, client, echo, entries, running, until)
from ktap import Tests
from lab import V4, inside
from packets import expect
from turnmessage import TurnError

EXAMPLES = os.path.join(os.path.dirname(__file__), "../../build/examples/")


def serving(_):
    with inside("relay"):
        return subprocess.run(["ss", "-Huan", "sport = :3478"], check=True,
                              capture_output=True, text=True).stdout


def toy():
    return Process([EXAMPLES + "toy_server", V4.server + ":3478", V4.relay],
                   serving)


def watch():
    return Process(["stdbuf", "-oL", EXAMPLES + "watch"],
                   lambda p: os.path.exists(f"/proc/{p.p.pid}/fd/3"))


def relays():
    with running(toy(), watch()) as (server, w):
        with client(user=None) as c:
            s = Session(c)
            expect("entries", entries(), (1, 1, 1))
            s.passes(20)
            for request, code in ((c.allocate, 437),
                                  (lambda: c.bind(0x3fff, s.peer), 400)):
                try:
                    request()
                    raise AssertionError("was granted")
                except TurnError as e:
                    expect("error", e.code, code)
            c.refresh()
            s.passes()
            c.refresh(0)
            until(0, 0, 0)
            relay = f"{V4.relay}:{s.relay[1]}"
        with client(user=None) as c:
            Session(c)
            server.stop(signal.SIGKILL)
            until(0, 0, 0)
        w.stop(signal.SIGINT)
        for reason in ("deleted", "owner-gone"):
            expect(reason, bool(w.says(
                rf"{reason}: \d+ client 198.51.100.2:\d+ relay {relay} ")),
                True)


def main():
    tests = Tests()
    peer = echo()
    tests.add("toy server: the kernel relays", relays)
    status = tests.run()
    peer.kill()
    return status


if __name__ == "__main__":
    sys.exit(main())
