#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Is each sentence of requirements.txt accounted for? Prints KTAP.

    requirements.py [RFC8489.txt RFC8656.txt]

With the RFCs' texts it also says whether the list is complete.
"""

import collections
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "../py"))

import conformance
from sentences import sentences

TOP = os.path.join(HERE, "../..")
# Reasons that need no words; see the table's head.
REASONS = "client", "operator", "document", "short-term", "explains"
Requirement = collections.namedtuple("Requirement",
                                     "line rfc section words kind rest")


def read(path=os.path.join(HERE, "requirements.txt")):
    """A sentence in a line, what is done about it in the next, with a tab."""
    found, sentence = [], None
    with open(path, encoding="utf-8") as f:
        for n, line in enumerate(f, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            if not line.startswith("\t"):
                if sentence:
                    raise ValueError(f"line {sentence[0]} has no answer")
                sentence = (n, *line.split(" ", 2))
                continue
            if not sentence:
                raise ValueError(f"line {n} answers nothing")
            kind, _, rest = line.strip().partition(" ")
            found.append(Requirement(*sentence, kind, rest))
            sentence = None
    if sentence:
        raise ValueError(f"line {sentence[0]} has no answer")
    return found


def wrong(r, tests):
    """What is the matter with a line's answer, or None."""
    if r.kind == "test":
        missing = [t for t in r.rest.split() if t not in tests]
        return f"no such tests: {missing}" if missing or not r.rest else None
    if r.kind == "elsewhere":
        path, _, name = r.rest.partition(": ")
        try:
            with open(os.path.join(TOP, path), encoding="utf-8") as f:
                if name and name in f.read():
                    return None
        except FileNotFoundError:
            pass
        return f"there is no {name!r} in {path}"
    if r.kind == "none":
        return None if len(r.rest) > 10 else "no reason"
    return None if r.kind in REASONS and not r.rest else "no answer"


def answered(table, tests):
    return [f"line {r.line}: {why}" for r in table if (why := wrong(r, tests))]


def named(table, tests):
    """Each test is for something, and in its section or another's."""
    used = {t for r in table if r.kind == "test" for t in r.rest.split()}
    return [f"{t} is for nothing" for t in tests if t not in used]


def distinct(_, tests):
    """Functions of one name would be one test for two requirements."""
    return [f"{t} is there twice" for t, n in tests.items() if n > 1]


def complete(table, paths):
    """Sentence by sentence, in the RFCs' order."""
    table = [r for r in table if r.words != "-"]
    texts = [s for path in paths for s in sentences(path)]
    bad = [f"line {r.line}: {r.rfc} {r.section} is not "
           f"'{' '.join(s)[:70]}'" for r, s in zip(table, texts)
           if (r.rfc, r.section) != s[:2] or not s[2].startswith(r.words)]
    if len(table) != len(texts):
        bad.append(f"{len(table)} of {len(texts)} sentences")
    return bad[:5]


def main():
    table = read()
    tests = collections.Counter(c.function.__name__
                                for c in conformance.suite.cases)
    checks = [("each sentence has a test, or a reason", answered, tests),
              ("each test is for a sentence", named, tests),
              ("each test has a name of its own", distinct, tests)]
    if sys.argv[1:]:
        checks.append(("all sentences of the RFCs", complete, sys.argv[1:]))
    print(f"TAP version 13\n1..{len(checks)}")
    failed = 0
    for n, (name, check, argument) in enumerate(checks, 1):
        why = check(table, argument)
        failed += bool(why)
        for line in why:
            print("#", line)
        print(f"{'not ok' if why else 'ok'} {n} - requirements: {name}")
    kinds = collections.Counter(r.kind for r in table)
    print("#", ", ".join(f"{n} {kind}" for kind, n in kinds.most_common()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
