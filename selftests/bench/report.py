#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures from standard input as a table, and as JSON in the file named.

Ratios are made here, and compared with what they must be. Exits with 1 where
one is not.
"""

import json
import operator
import sys

COMPARE = {"<=": operator.le, ">=": operator.ge}
IN, OUT = "ChannelData in, IPv4, 200 B", "ChannelData out, IPv4, 200 B"
# (figure, what of, by what, must, aim); sums of what has a + between
RATIOS = [
    ("PRE_ROUTING, ChannelData in / ip_forward", IN, "forwarding, IPv4",
     "<= 0.90", "<= 0.80"),
    ("ChannelData out / ChannelData in", OUT, IN, "<= 1.10", "<= 1.03"),
    ("Send indication / ChannelData in", "Send indication, IPv4, 200 B", IN,
     "<= 1.25", "<= 1.10"),
    ("Data indication / ChannelData out", "Data indication, IPv4, 200 B", OUT,
     "<= 1.25", "<= 1.10"),
    ("hairpin / two relayed hops", "hairpin, IPv4, 200 B", f"{IN}+{OUT}",
     "<= 0.60", "<= 0.50"),
    ("ChannelData in, IPv6 / IPv4", "ChannelData in, IPv6, 200 B", IN,
     "<= 1.15", "<= 1.05"),
    ("ChannelData out, IPv6 / IPv4", "ChannelData out, IPv6, 200 B", OUT,
     "<= 1.15", "<= 1.05"),
    ("ChannelData in, IPv4 to IPv6 / IPv4",
     "ChannelData in, IPv4 to IPv6, 200 B", IN, "<= 1.30", "<= 1.15"),
    ("ChannelData in, IPv6 to IPv4 / IPv4",
     "ChannelData in, IPv6 to IPv4, 200 B", IN, "<= 1.30", "<= 1.15"),
    ("100,000 allocations / 1",
     "ChannelData in, IPv4, 200 B, 100000 allocations",
     "ChannelData in, IPv4, 200 B, 1 allocations", "<= 1.10", "<= 1.03"),
    ("1200 B / 120 B", "ChannelData in, IPv4, 1200 B",
     "ChannelData in, IPv4, 120 B", "<= 1.05", "<= 1.01"),
    ("forwarding, IPv4, beside the module / without it",
     "forwarding, IPv4, beside the module", "forwarding, IPv4",
     "<= 1.05", "<= 1.02"),
    ("forwarding, IPv6, beside the module / without it",
     "forwarding, IPv6, beside the module", "forwarding, IPv6",
     "<= 1.05", "<= 1.02"),
]


def holds(value, bound):
    comparator, limit = bound.split()
    return COMPARE[comparator](value, float(limit))


def ratio(values, of, by):
    """None where one of them was not measured."""
    def total(names):
        names = names.split("+")
        return sum(values[n] for n in names) if set(names) <= set(values) \
            else None
    a, b = total(of), total(by)
    return a / b if a and b else None


def main():
    values = {}
    for line in sys.stdin:
        name, value = line.rstrip("\n").split("\t")
        values[name] = float(value)
    figures = [{"figure": n, "value": v, "unit": "instructions per packet"}
               for n, v in values.items()]
    missed = 0
    for f in figures:
        print(f"{f['value']:10,.0f}  {f['figure']}")
    print()
    for name, of, by, must, aim in RATIOS:
        value = ratio(values, of, by)
        if value is None:
            continue
        figures.append({"figure": name, "value": round(value, 3),
                        "unit": "ratio", "must": must, "aim": aim})
        verdict = "" if holds(value, aim) else f"aim {aim}"
        if not holds(value, must):
            verdict = f"MISSED: must be {must}"
            missed += 1
        print(f"{value:10.3f}  {name:50} {verdict}".rstrip())
    with open(sys.argv[1], "w", encoding="ascii") as f:
        json.dump(figures, f, indent=1)
        f.write("\n")
    if missed:
        print(f"{missed} figures are not what they must be", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
