#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare what came out of the two planes; prints KTAP.

    compare.py KERNEL-RECORD USER-RECORD

The differences that there are to be are the table DIFFERENCES: each other one
fails the cases' test, and one that does not occur fails a test of its own.
"""

import collections
import json
import sys

CASES_MIN = 200

# What the host writes into the packets of its sockets.
DEFAULT_TTL = 64
# RFC 7915 section 5.1
DF_ABOVE = 1260

RELAYED = {"relayed to-peer", "relayed to-client"}

# @field of the IP or UDP header may differ where the kernel relays and
# @applies(case, output) holds: then @kernel(case, output) is there from the
# kernel plane and @user from the userspace plane.
Difference = collections.namedtuple(
    "Difference", "name field applies kernel user why")


def sent(case, field, default):
    """Of the header that the kernel got to relay."""
    # Over a hairpin's first hop, that was a packet of the daemon's.
    return default if case["looped"] else case["header"].get(field, default)


def translated(case, output):
    """The IP versions of what came in and what went out."""
    families = case["families"]
    if case["looped"]:
        return families[1], families[0]
    return tuple(families if output["at"] == "peer" else families[::-1])


def is_hairpin(case, _):
    return case["looped"]


def not_hairpin(case, _):
    return not case["looped"]


DIFFERENCES = (
    Difference(
        "TTL and hop limit", "TTL", not_hairpin,
        lambda c, o: sent(c, "ttl", 64) - 1, lambda c, o: DEFAULT_TTL,
        "one less, as a router; a socket's default "
        "(RFC 8656 sections 13.1 to 13.3, 21.1.7)"),
    Difference(
        "TTL and hop limit, hairpin", "TTL", is_hairpin,
        lambda c, o: DEFAULT_TTL - 1, lambda c, o: DEFAULT_TTL,
        "the daemon sends, the kernel takes it from there (section 21.1.7)"),
    Difference(
        "DSCP", "DSCP", not_hairpin,
        lambda c, o: sent(c, "tos", 0) >> 2, lambda c, o: 0,
        "copied; a socket's default (sections 13.1, 13.3 and 14)"),
    Difference(
        "ECN", "ECN", not_hairpin,
        lambda c, o: sent(c, "tos", 0) & 3, lambda c, o: 0,
        "copied; not ECN-capable (sections 13.1, 13.3 and 14)"),
    Difference(
        "DF, IPv4 to IPv4", "DF",
        lambda c, o: not c["looped"] and translated(c, o) == (4, 4),
        lambda c, o: sent(c, "df", False), lambda c, o: False,
        "copied; as if it had not been set (section 14)"),
    Difference(
        "DF, IPv6 to IPv4", "DF",
        lambda c, o: translated(c, o) == (6, 4),
        lambda c, o: o["bytes"] + 28 > DF_ABOVE, lambda c, o: False,
        "by the length; a socket's default "
        "(section 13.3, so RFC 7915 section 5.1)"),
    Difference(
        "DF, hairpin with DONT-FRAGMENT", "DF",
        lambda c, o: c["looped"] and "DONT-FRAGMENT" in c["name"] and
        translated(c, o) == (4, 4),
        lambda c, o: True, lambda c, o: False,
        "the daemon sets it, the kernel copies it; as if it had not been set "
        "(section 14)"),
    Difference(
        "no UDP checksum", "checksum",
        lambda c, o: sent(c, "check", None) == 0 and
        translated(c, o) == (4, 4),
        lambda c, o: "none", lambda c, o: "right",
        "none stays none; a socket's own (RFC 768)"),
)

# The outputs differ as a whole: @applies(case, kernel's, user's outputs).
TTL_OVER = "TTL and hop limit of 1 or less"
WRONG_SUM = "wrong UDP checksum"
WHOLE = {
    TTL_OVER: "dropped, with an ICMP error to the sender; relayed "
              "(RFC 8656 sections 13.2 and 21.1.7)",
    WRONG_SUM: "goes on, wrong as it is, to where it is dropped; dropped at "
               "once (a relay changes sums, it does not make them good)",
}


def time_exceeded(case, output):
    """At the sender; of ICMP, or of ICMPv6."""
    at = case["way"].split()[-1]
    family = case["families"][0 if at == "client" else 1]
    return (output["at"], output.get("icmp")) == (
        at, [11, 0] if family == 4 else [3, 0])


def whole(case, kernel, user):
    """The name in WHOLE of how these differ, or None."""
    if case["expected"] == ["drop ttl"] and len(kernel) == 1 and \
            case["header"].get("ttl", 64) <= 1 and \
            time_exceeded(case, kernel[0]) and \
            len(user) == 1 and "data" in user[0]:
        return TTL_OVER
    if case["header"].get("check") and len(kernel) == 1 and not user and \
            kernel[0].get("fields", {}).get("checksum") == "wrong" and \
            RELAYED.intersection(case["expected"]):
        return WRONG_SUM
    return None


def listed(case, output, field, kernel, user):
    """The Difference that this is, or None."""
    if not RELAYED.intersection(case["expected"]):
        return None
    for d in DIFFERENCES:
        if d.field == field and d.applies(case, output) and \
                (d.kernel(case, output), d.user(case, output)) == \
                (kernel, user):
            return d
    return None


def short(value):
    text = json.dumps(value)
    return text if len(text) < 240 else text[:160] + " … " + text[-60:]


def compare_fields(case, k, u, seen):
    """Problems of one pair of outputs that are otherwise the same."""
    problems = []
    fields = k["fields"].keys() | u["fields"].keys()
    for field in sorted(fields):
        a, b = k["fields"].get(field), u["fields"].get(field)
        if a == b:
            continue
        d = listed(case, k, field, a, b)
        if d:
            seen[d.name] += 1
        else:
            problems.append(f"{field}: kernel {a}, user {b}")
    return problems


def compare_case(case, other, seen):
    """What is wrong, as text."""
    kernel, user = case["out"], other["out"]
    name = whole(case, kernel, user)
    if name:
        seen[name] += 1
        return []
    bare = [[{f: v for f, v in o.items() if f != "fields"} for o in out]
            for out in (kernel, user)]
    if bare[0] != bare[1]:
        return [f"kernel: {short(bare[0])}", f"user:   {short(bare[1])}"]
    problems = []
    for k, u in zip(kernel, user):
        if "fields" in k:
            problems += compare_fields(case, k, u, seen)
    return problems


def data_of(case):
    """Datagrams that were relayed; what the server itself says is none."""
    return [o for o in case["out"] if "data" in o and (
        o["at"] == "peer" and o["from"].startswith("relay of") or
        o["at"] == "client" and (isinstance(o["data"], str) or
                                 o["data"][0].startswith("0017")))]


def compare_group(group, other, seen):
    problems = []
    names = [c["name"] for c in group["cases"]]
    if names != [c["name"] for c in other["cases"]]:
        return ["the cases are not the same"]
    for name in {n for n in names if names.count(n) > 1}:
        problems.append(f"two cases are called '{name}'")
    for case, user in zip(group["cases"], other["cases"]):
        problems += [f"'{case['name']}': {p}"
                     for p in compare_case(case, user, seen)]
    return problems


def counted_in_kernel(group):
    """The kernel counted what the cases say, the daemon relayed the rest."""
    problems, by_daemon = [], 0
    for case in group["cases"]:
        expected = {name: 1 for name in case["expected"]}
        if case["counted"] != expected:
            problems.append(f"'{case['name']}': the module counted "
                            f"{case['counted']}, not {expected}")
        relayed = RELAYED.intersection(case["expected"])
        if case["looped"]:
            by_daemon += 1
        elif not relayed:
            by_daemon += len(data_of(case))
        elif len(data_of(case)) != 1:
            problems.append(f"'{case['name']}': relayed, but "
                            f"{len(data_of(case))} came out")
    if group["daemon"] != by_daemon:
        problems.append(f"the daemon relayed {group['daemon']} packets, not "
                        f"the {by_daemon} that are punted")
    return problems


def counted_in_daemon(group):
    problems = [f"'{c['name']}': the module counted {c['counted']}"
                for c in group["cases"] if c["counted"]]
    relayed = sum(len(data_of(c)) + c["looped"] for c in group["cases"])
    if group["daemon"] != relayed:
        problems.append(f"the daemon relayed {group['daemon']} packets of "
                        f"{relayed}")
    return problems


class Results:
    def __init__(self, planned):
        self.number = self.failed = 0
        print("TAP version 13")
        print(f"1..{planned}")

    def result(self, name, problems):
        for p in problems:
            print("# " + p)
        self.number += 1
        self.failed += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.number} - {name}")


def tests(record):
    """{test: names of groups}: a pair of families and a direction each."""
    found = collections.defaultdict(list)
    for name in record:
        found[name.split(":")[0]].append(name)
    return found


def main():
    kernel, user = (json.load(open(name, encoding="utf-8"))
                    for name in sys.argv[1:])
    seen, groups = collections.Counter(), tests(kernel)
    n_cases = sum(len(g["cases"]) for g in kernel.values())
    n_relayed = sum(bool(data_of(c)) for g in kernel.values()
                    for c in g["cases"])
    results = Results(len(groups) + 4)

    for test, names in groups.items():
        problems = []
        for name in names:
            problems += [f"{name}: {p}" for p in compare_group(
                kernel[name], user.get(name, {"cases": []}), seen)]
        print("# " + ", ".join(f"{name.split(': ')[-1]}: "
                               f"{len(kernel[name]['cases'])} cases"
                               for name in names))
        results.result(f"planes: {test}, the same comes out", problems)

    why = {d.name: d.why for d in DIFFERENCES} | WHOLE
    for name, reason in why.items():
        print(f"# {seen[name]} times {name}: kernel, then user: {reason}")
    results.result("planes: the listed differences, each of them occurs",
                   [f"does not occur: {name}" for name in why
                    if not seen[name]])
    results.result("planes: the kernel plane's counters", [
        f"{name}: {p}" for name, g in kernel.items()
        for p in counted_in_kernel(g)])
    results.result("planes: the userspace plane's counters", [
        f"{name}: {p}" for name, g in user.items()
        for p in counted_in_daemon(g)])
    print(f"# {n_cases} cases, of {n_relayed} data came out")
    results.result(f"planes: at least {CASES_MIN} cases", [] if
                   CASES_MIN <= n_cases and user.keys() == kernel.keys() and
                   n_relayed > n_cases / 4 else
                   ["too few cases, or they have no result"])
    print(f"# Totals: pass:{results.number - results.failed} "
          f"fail:{results.failed} xfail:0 xpass:0 skip:0 error:0")
    return 1 if results.failed else 0


if __name__ == "__main__":
    sys.exit(main())
