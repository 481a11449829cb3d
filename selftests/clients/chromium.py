#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium as two clients: chromium.py CHROMIUM NAME=URL...

Both peers of webrtc.html are in one page; each URL is a server for both. HOME
is Chromium's, with the certificates that it trusts. Prints KTAP.
"""

import json
import os
import subprocess
import sys

USER, PASSWORD = "alice", "secret"
PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "webrtc.html")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-sync",
           "--disable-background-networking", "--disable-component-update",
           "--use-fake-device-for-media-stream",
           "--use-fake-ui-for-media-stream", "--remote-debugging-pipe",
           "--password-store=basic")
BYTES, FRAMES = 50000, 20


class Browser:
    """Speaks the DevTools protocol over the pipes 3 and 4: messages that end in
    a zero byte."""

    def __init__(self, program, log):
        its_in, self.out = os.pipe()
        self.inn, its_out = os.pipe()
        self.process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&"$IN" 4>&"$OUT"', "sh", program,
             *OPTIONS, f"--user-data-dir={os.environ['HOME']}/profile",
             "about:blank"],
            pass_fds=(its_in, its_out), stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, env={**os.environ, "IN": str(its_in),
                             "OUT": str(its_out)})
        os.close(its_in)
        os.close(its_out)
        self.number, self.received = 0, b""

    def message(self):
        while b"\0" not in self.received:
            more = os.read(self.inn, 65536)
            if not more:
                raise EOFError("Chromium has ended")
            self.received += more
        text, self.received = self.received.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, session=None, **params):
        self.number += 1
        text = {"id": self.number, "method": method, "params": params}
        if session:
            text["sessionId"] = session
        os.write(self.out, json.dumps(text).encode() + b"\0")
        while True:
            got = self.message()
            if got.get("id") == self.number:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]

    def page(self, url):
        """A session with a page, which has been loaded."""
        target = self.call("Target.createTarget", url="about:blank")
        session = self.call("Target.attachToTarget", flatten=True,
                            targetId=target["targetId"])["sessionId"]
        self.call("Page.enable", session)
        self.call("Page.navigate", session, url=url)
        while self.message().get("method") != "Page.loadEventFired":
            pass
        return session

    def evaluate(self, session, expression):
        got = self.call("Runtime.evaluate", session, expression=expression,
                        awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in got:
            raise RuntimeError(got["exceptionDetails"])
        return got["result"].get("value")

    def close(self):
        try:
            self.call("Browser.close")
            self.process.wait(5)
        except (OSError, EOFError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()


def wrong(got, protocol):
    """What is the matter with a result, or None."""
    wanted = {"local": "relay", "remote": "relay", "protocol": protocol,
              "bytes": BYTES}
    if {k: got.get(k) for k in wanted} != wanted:
        return f"expected {wanted}"
    if got["frames"] < FRAMES or got["sent"] < BYTES:
        return "too little"
    return None


def main():
    program, *tests = sys.argv[1:]
    print(f"TAP version 13\n1..{len(tests)}", flush=True)
    bad = 0
    with open(os.path.join(os.environ["HOME"], "log"), "wb") as log:
        browser = Browser(program, log)
        try:
            for n, test in enumerate(tests, 1):
                name, url = test.split("=", 1)
                session = browser.page(f"file://{PAGE}")
                arguments = ", ".join(json.dumps(a)
                                      for a in (url, USER, PASSWORD))
                got = browser.evaluate(session, f"relayed({arguments})")
                why = wrong(got, name.split()[0])
                bad += why is not None
                print(f"# {url}: {json.dumps(got)}")
                if why:
                    print(f"# {why}")
                print(f"{'not ok' if why else 'ok'} {n} - Chromium: data and "
                      f"video, {name}", flush=True)
        finally:
            browser.close()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
