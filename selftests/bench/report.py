#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures from standard input as a table, and as JSON in the file named.

They come as "FIGURE VALUE" or "FIGURE VALUE UNIT", with tabs between.

Ratios are made here, and compared with what they must be. Exits with 1 where
one is not.
"""

import json
import operator
import sys

COMPARE = {"<=": operator.le, ">=": operator.ge}
IN, OUT = "ChannelData in, IPv4, 200 B", "ChannelData out, IPv4, 200 B"
INGRESS = ", ingress"
BESIDE = ", beside the module"
IDLE = ", module idle"
OTHERS = ("forwarding, IPv4", "forwarding, IPv6", "local delivery, IPv4",
          "local delivery, IPv6")


def all_flows(relay, how=""):
    """What a relay in userspace takes for one and for many, in and out."""
    return "+".join(f"{relay}, IPv4, 200 B, {flows}{way}{how}"
                    for flows in ("1 flow", "8 flows") for way in ("", ", out"))


def mode_ratios(mode):
    """What is held to the same in both modes."""
    into, out = IN + mode, OUT + mode
    many = f"ChannelData in, IPv4, 200 B, %d allocations{mode}"
    # What does not match passes two hooks in ingress mode; netfilter's own part
    # of that is more than 5 % of forwarding, so it is only told.
    return [
        (f"Send indication / ChannelData in{mode}",
         f"Send indication, IPv4, 200 B{mode}", into, "<= 1.25", "<= 1.10"),
        (f"Data indication / ChannelData out{mode}",
         f"Data indication, IPv4, 200 B{mode}", out, "<= 1.25", "<= 1.10"),
        (f"hairpin / two relayed hops{mode}", f"hairpin, IPv4, 200 B{mode}",
         f"{into}+{out}", "<= 0.60", "<= 0.50"),
        (f"ChannelData in, IPv6 / IPv4{mode}",
         f"ChannelData in, IPv6, 200 B{mode}", into, "<= 1.15", "<= 1.05"),
        (f"ChannelData out, IPv6 / IPv4{mode}",
         f"ChannelData out, IPv6, 200 B{mode}", out, "<= 1.15", "<= 1.05"),
        (f"ChannelData in, IPv6 to IPv4 / IPv4{mode}",
         f"ChannelData in, IPv6 to IPv4, 200 B{mode}", into, "<= 1.30",
         "<= 1.15"),
        (f"100,000 allocations / 1{mode}", many % 100_000, many % 1,
         "<= 1.10", "<= 1.03"),
        (f"1200 B / 120 B{mode}", f"ChannelData in, IPv4, 1200 B{mode}",
         f"ChannelData in, IPv4, 120 B{mode}", "<= 1.05", "<= 1.01"),
    ] + [(f"{what}{BESIDE}{mode} / without it", f"{what}{BESIDE}{mode}", what,
          None if mode else "<= 1.05", None if mode else "<= 1.02")
         for what in OTHERS]


# (figure, what of, by what, must, aim); sums of what has a + between; what has
# no second part is a figure itself
RATIOS = [
    ("ingress, ChannelData in / tc redirect", IN + INGRESS, "tc redirect",
     "<= 1.30", "<= 1.12"),
    ("ingress, ChannelData in / ip_forward", IN + INGRESS, "forwarding, IPv4",
     "<= 0.75", "<= 0.64"),
    ("PRE_ROUTING, ChannelData in / ip_forward", IN, "forwarding, IPv4",
     "<= 0.90", "<= 0.80"),
    # A device that is not attached leaves no room for four bytes more.
    ("ChannelData out / ChannelData in, ingress", OUT + INGRESS, IN + INGRESS,
     "<= 1.10", "<= 1.03"),
    ("ChannelData in, IPv4 to IPv6 / IPv4, ingress",
     f"ChannelData in, IPv4 to IPv6, 200 B{INGRESS}", IN + INGRESS,
     "<= 1.30", "<= 1.15"),
    ("coturn / kturn's ingress mode", "coturn, IPv4, 200 B, 1 flow",
     f"{IN}, ingress", ">= 8", ">= 11"),
    ("coturn batching / kturn's ingress mode",
     "coturn batching, IPv4, 200 B, 1 flow", f"{IN}, ingress", ">= 5",
     ">= 6.5"),
    ("coturn / kturnd userspace plane", all_flows("coturn"),
     all_flows("kturnd userspace plane"), ">= 1.3", ">= 2"),
    ("coturn / kturnd userspace plane, in turns",
     all_flows("coturn", ", in turns"),
     all_flows("kturnd userspace plane", ", in turns"), ">= 1.3", ">= 2"),
    ("coturn / coturn with kturn-pair", all_flows("coturn"),
     all_flows("coturn with kturn-pair"), None, None),
    ("refused request, coturn with kturn-pair / coturn",
     "refused request, coturn with kturn-pair", "refused request, coturn",
     None, None),
    ("allocations per second and core, kturnd / coturn",
     "allocations per second, kturnd", "allocations per second, coturn",
     ">= 3", ">= 10"),
    ("memory per allocation, coturn / kturnd",
     "memory per allocation, coturn, daemon+"
     "memory per allocation, coturn, kernel",
     "memory per allocation, kturnd, daemon+"
     "memory per allocation, kturnd, kernel", ">= 2", ">= 5"),
    ("netlink entries per second", "netlink entries per second", None,
     ">= 20000", ">= 100000"),
] + [(name, name, None, ">= 0.90", ">= 1.00") for name in (
    f"scaling from 1 to 2 CPUs, {path} / ip_forward"
    for path in ("PRE_ROUTING", "ingress"))
] + [(f"{what}{IDLE} / without it", f"{what}{IDLE}", what, "<= 1.05", "<= 1.02")
     for what in OTHERS] + mode_ratios("") + mode_ratios(INGRESS)


def holds(value, bound):
    if bound is None:
        return True
    comparator, limit = bound.split()
    return COMPARE[comparator](value, float(limit))


def ratio(values, of, by):
    """None where one of them was not measured."""
    def total(names):
        names = names.split("+")
        return sum(values[n] for n in names) if set(names) <= set(values) \
            else None
    a, b = total(of), total(by) if by else 1
    return a / b if a and b else None


def read_figures():
    """{figure: what is known of it}; other lines are for people."""
    found = {}
    for line in sys.stdin:
        if "\t" not in line:
            print(line, end="")
            continue
        name, value, *unit = line.rstrip("\n").split("\t")
        found[name] = {"figure": name, "value": float(value),
                       "unit": unit[0] if unit else "instructions per packet"}
    return found


def main():
    read = read_figures()
    values = {n: f["value"] for n, f in read.items()}
    figures = list(read.values())
    missed = 0
    for f in figures:
        unit = "" if f["unit"].startswith("instr") else f" ({f['unit']})"
        value = f"{f['value']:10,.{3 if f['unit'] == 'ratio' else 0}f}"
        print(f"{value}  {f['figure']}{unit}")
    print()
    for name, of, by, must, aim in RATIOS:
        value = ratio(values, of, by)
        if value is None:
            continue
        if by:
            figures.append({"figure": name, "value": round(value, 3),
                            "unit": "ratio"})
        if must:
            (figures[-1] if by else read[name]).update(must=must, aim=aim)
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
