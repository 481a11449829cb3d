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

# Where the kernel relays and @applies(case, output) holds, @field of the IP or
# UDP header is @kernel(case, output) from the kernel plane and
# @user(case, output) from the userspace plane. Where none applies, it is the
# same from both.
Difference = collections.namedtuple(
    "Difference", "name field applies kernel user why")


def translated(case, output):
    """The IP versions of what the kernel got to relay and what it sent."""
    client, relay = case["families"]
    from_client = case["way"] == "from the client" and not case["looped"]
    return (client if from_client else relay,
            4 if "DF" in output["fields"] else 6)


def one_pass(case, _=None):
    """Both hops in the kernel."""
    return case["looped"] and RELAYED.issubset(case["expected"])


def straight(case, _):
    return not case["looped"]


def came_by_ipv4(case):
    return case["families"][case["way"] == "from the peer"] == 4


def header(field, default, change=lambda value: value):
    """What the kernel makes of a field of the case's own header."""
    return lambda case, _: change(case["header"].get(field, default))


def always(value):
    return lambda case, output: value


def sets_df(case, _):
    """A Send indication whose DONT-FRAGMENT counts."""
    return case["dont_fragment"] and case["families"] == [4, 4] and \
        case["way"] == "from the client"


DIFFERENCES = (
    Difference(
        "TTL and hop limit", "TTL", straight,
        header("ttl", 64, lambda ttl: ttl - 1), always(DEFAULT_TTL),
        "one less, as a router; a socket's default "
        "(RFC 8656 sections 13.1 to 13.3, 21.1.7)"),
    Difference(
        "TTL and hop limit, hairpin", "TTL", one_pass,
        header("ttl", 64, lambda ttl: ttl - 2), always(DEFAULT_TTL),
        "two less, as over two routers; a socket's default "
        "(section 21.1.7)"),
    Difference(
        "TTL and hop limit, hairpin by the daemon", "TTL",
        lambda c, _: c["looped"] and not one_pass(c),
        always(DEFAULT_TTL - 1), always(DEFAULT_TTL),
        "the daemon sends, the kernel takes it from there (section 21.1.7)"),
    Difference(
        "DSCP", "DSCP", straight,
        header("tos", 0, lambda tos: tos >> 2), always(0),
        "copied; a socket's default (sections 13.1, 13.3 and 14)"),
    Difference(
        "ECN", "ECN", straight,
        header("tos", 0, lambda tos: tos & 3), always(0),
        "copied; not ECN-capable (sections 13.1, 13.3 and 14)"),
    Difference(
        "DF, IPv4 to IPv4", "DF",
        lambda c, o: straight(c, o) and translated(c, o) == (4, 4),
        lambda c, o: c["header"].get("df", False) or sets_df(c, o), sets_df,
        "copied; as if it had not been set (section 14)"),
    Difference(
        "DF, IPv6 to IPv4", "DF", lambda c, o: translated(c, o) == (6, 4),
        lambda c, o: o["bytes"] + 28 > DF_ABOVE, always(False),
        "by the length; a socket's default "
        "(section 13.3, so RFC 7915 section 5.1)"),
    Difference(
        "DF, hairpin", "DF",
        lambda c, o: one_pass(c) and translated(c, o) == (4, 4),
        sets_df, always(False),
        "set for DONT-FRAGMENT, and copied; as if it had not been set "
        "(section 14)"),
    Difference(
        "fragments, IPv4 to IPv6", "fragments",
        lambda c, o: "DF" not in o["fields"] and not c["header"].get("df") and
        o["bytes"] + 48 > 1280 and came_by_ipv4(c),
        always("of 1280"),
        lambda c, o: "of more" if o["bytes"] + 48 > c["mtu"] else "none",
        "as routers of IPv4 might have to fragment it; as large as the link "
        "takes it (section 13.1, so RFC 7915 section 4)"),
    Difference(
        "no UDP checksum", "checksum",
        lambda c, o: c["header"].get("check") == 0 and
        translated(c, o) == (4, 4),
        always("none"), always("right"),
        "none stays none; a socket's own (RFC 768)"),
)

# The outputs differ as a whole: @applies(case, kernel's, user's outputs).
TTL_OVER = "TTL and hop limit of 1 or less"
WRONG_SUM = "wrong UDP checksum"
TOO_BIG = "too big, and not to be fragmented"
ASKED = "too big, and DONT-FRAGMENT"
WHOLE = {
    TTL_OVER: "dropped, with an ICMP error to the sender; relayed "
              "(RFC 8656 sections 13.2 and 21.1.7)",
    WRONG_SUM: "goes on, wrong as it is, to where it is dropped; dropped at "
               "once (a relay changes sums, it does not make them good)",
    TOO_BIG: "dropped, with an ICMP error to the sender; in fragments "
             "(sections 13.2, 13.3 and 14)",
    ASKED: "dropped, with an ICMP error to the sender; dropped (section 14)",
}


def error(case, output, icmp, icmpv6):
    """At the sender; of ICMP, or of ICMPv6."""
    at = case["way"].split()[-1]
    family = case["families"][0 if at == "client" else 1]
    return (output["at"], output.get("icmp")) == (
        at, icmp if family == 4 else icmpv6)


def too_big(case, kernel, user):
    """The name in WHOLE, or None."""
    fragments = [o["fields"]["fragments"] for o in user if "fields" in o]
    if len(kernel) != 1 or len(fragments) != len(user) or \
            "none" in fragments:
        return None
    if not error(case, kernel[0], [3, 4], [2, 0]):
        return None
    if sets_df(case, None):
        return ASKED if not user else None
    return TOO_BIG if len(user) == 1 else None


def bare(output):
    """Without the fields that may differ."""
    return {k: v for k, v in output.items() if k != "fields"}


def usual(output, case, group):
    """As it comes out of another case with the same data."""
    return any(bare(output) == bare(o) for other in group["cases"]
               if other["name"] != case["name"] for o in other["out"])


def whole(case, kernel, user, group):
    """The name in WHOLE of how these differ, or None. @group: the user's."""
    header = case["header"]
    if case["expected"] == ["drop ttl"] and header.get("ttl", 64) <= 1 and \
            (len(kernel), len(user)) == (1, 1) and \
            error(case, kernel[0], [11, 0], [3, 0]) and usual(user[0], case, group):
        return TTL_OVER
    if RELAYED.intersection(case["expected"]) and header.get("check") and \
            (len(kernel), len(user)) == (1, 0) and \
            usual(kernel[0], case, group) and \
            kernel[0]["fields"]["checksum"] == "wrong":
        return WRONG_SUM
    if "drop too-big" in case["expected"]:
        return too_big(case, kernel, user)
    return None


def short(value):
    text = json.dumps(value)
    return text if len(text) < 240 else text[:160] + " … " + text[-60:]


def tells_of_error(output):
    """It is the server's own, with an ICMP attribute: nothing was relayed."""
    return output["at"] == "client" and isinstance(output["data"], list) and \
        output["data"][-1][0] == "0x8004"


def compare_fields(case, k, u, seen):
    """Problems of one pair of outputs that are otherwise the same."""
    problems = []
    fields = k["fields"].keys() | u["fields"].keys()
    by_kernel = RELAYED.intersection(case["expected"]) and \
        not tells_of_error(k)
    for field in sorted(fields):
        got = k["fields"].get(field), u["fields"].get(field)
        listed = [d for d in DIFFERENCES if by_kernel and d.field == field and
                  d.applies(case, k)]
        if listed:
            d, = listed
            wanted = d.kernel(case, k), d.user(case, k)
            seen[d.name] += wanted[0] != wanted[1]
            if got != wanted:
                problems.append(f"{field}: kernel {got[0]}, user {got[1]}, "
                                f"wanted {wanted[0]} and {wanted[1]}")
        elif got[0] != got[1]:
            problems.append(f"{field}: kernel {got[0]}, user {got[1]}")
    return problems


def compare_case(case, other, group, seen):
    """What is wrong, as text."""
    kernel, user = case["out"], other["out"]
    name = whole(case, kernel, user, group)
    if name:
        seen[name] += 1
        return []
    a, b = ([bare(o) for o in out] for out in (kernel, user))
    if a != b:
        return [f"kernel: {short(a)}", f"user:   {short(b)}"]
    problems = []
    for k, u in zip(kernel, user):
        if "fields" in k:
            problems += compare_fields(case, k, u, seen)
    return problems


def data_of(case):
    """Datagrams that were relayed; what the server itself says is none."""
    return [o for o in case["out"] if "data" in o and (
        o["at"] == "peer" and o["from"].startswith("relay of") or
        o["at"] == "client" and not tells_of_error(o) and (
            isinstance(o["data"], str) or o["data"][0].startswith("0017")))]


def compare_group(group, other, seen):
    problems = []
    names = [c["name"] for c in group["cases"]]
    if names != [c["name"] for c in other["cases"]]:
        return ["the cases are not the same"]
    for name in {n for n in names if names.count(n) > 1}:
        problems.append(f"two cases are called '{name}'")
    for case, user in zip(group["cases"], other["cases"]):
        problems += [f"'{case['name']}': {p}"
                     for p in compare_case(case, user, other, seen)]
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
            by_daemon += any(e.startswith("punt") for e in case["expected"])
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
