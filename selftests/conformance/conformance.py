#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the cases over transports, many at a time, and prints KTAP.

    conformance.py [--main-only] [--relays-only TRANSPORT,...]
                   [--differences FILE] TRANSPORT...

In the relay's namespace of ../lib.sh a server listens, or, without --main-only,
all that suite.PORT names. What is in FILE differs in that server, on purpose or
not: lines of a transport, or "all", a case's name, and why; these cases have to
fail. --relays-only is for machines that are slow at handshakes: over these
transports run the cases about allocations and what is relayed, and no others.
ONLY in the environment is an expression that tests' names have to match.
"""

import argparse
import concurrent.futures
import contextlib
import importlib
import os
import pkgutil
import re
import sys
import time
import traceback

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "../py"))

import cases as package
import suite

for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
    importlib.import_module("cases." + module)

AT_A_TIME = 12
RELAYS = "cases.allocations", "cases.peers"


def differences(path):
    """{(transport, case): why}"""
    found = {}
    if not path:
        return found
    with open(path, encoding="utf-8") as f:
        for line in f:
            if not line.strip() or line.startswith("#"):
                continue
            transports, name, why = line.rstrip("\n").split(None, 2)
            for transport in (suite.ALL if transports == "all"
                              else transports.split(",")):
                found[transport, name] = why
    return found


def attempt(one, transport):
    """Why the case fails, or None; and the seconds it took."""
    begin, why = time.monotonic(), None
    try:
        with suite.World(transport, one.server) as w:
            one.function(w)
    except Exception as e:      # whatever it is, the others go on
        lines = [f"{f.filename.rsplit('/', 1)[-1]}:{f.lineno}" for f in
                 traceback.extract_tb(e.__traceback__)[1:]]
        why = f"{type(e).__name__}: {e}, in {' '.join(lines)}"
    return why, time.monotonic() - begin


@contextlib.contextmanager
def full_server():
    """The server that sends clients on has all that it takes itself."""
    with suite.World("udp", "away") as w:
        w.allocated()
        yield


def wanted(options):
    """[(case, transport)]"""
    only = os.environ.get("ONLY", "")
    return [(one, transport) for transport in options.transports
            for one in suite.cases if transport in one.transports and
            (one.server == "main" or not options.main_only) and
            (one.function.__module__ in RELAYS or
             transport not in options.relays_only) and
            re.search(only, suite.title(one, transport))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--main-only", action="store_true")
    parser.add_argument("--relays-only", default=(),
                        type=lambda names: names.split(","))
    parser.add_argument("--differences")
    parser.add_argument("transports", nargs="+", choices=suite.ALL)
    options = parser.parse_args()
    known = differences(options.differences)
    strange = {name for _, name in known} - {
        one.function.__name__ for one in suite.cases}
    if strange:
        sys.exit(f"{options.differences}: no such cases: {strange}")

    tests = wanted(options)
    print("TAP version 13")
    print(f"1..{len(tests)}", flush=True)
    bad, slowest = 0, (0, "")
    with (contextlib.nullcontext() if options.main_only else full_server(),
          concurrent.futures.ThreadPoolExecutor(AT_A_TIME) as pool):
        results = pool.map(lambda test: attempt(*test), tests)
        for n, ((one, transport), (why, seconds)) in enumerate(
                zip(tests, results), 1):
            name = suite.title(one, transport)
            slowest = max(slowest, (seconds, name))
            differs = known.get((transport, one.function.__name__))
            if why:
                print("# " + why.replace("\n", "\n# "))
            if differs:
                print(f"# differs ({one.function.__name__}): {differs}")
            failed = bool(why) != bool(differs)
            bad += failed
            print(f"{'not ok' if failed else 'ok'} {n} - {name}", flush=True)
    print("# slowest: %.1f s, %s" % slowest)
    print(f"# Totals: pass:{len(tests) - bad} fail:{bad} xfail:0 xpass:0 "
          "skip:0 error:0")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
