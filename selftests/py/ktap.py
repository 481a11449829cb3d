# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs tests that are functions, and prints KTAP."""

import os
import re
import traceback

from lab import empty, kturn, sockets


class Tests:
    def __init__(self):
        self.tests = []

    def add(self, name, function, *args):
        self.tests.append((name, function, args))

    def run(self):
        """ONLY in the environment says which: those it finds in the name."""
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
