#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Charts of build/bench.json: plot.py BENCH.JSON DIRECTORY."""

import json
import os
import sys
from xml.sax.saxutils import escape

WIDTH, LABELS, BAR, GAP, TOP = 720, 300, 18, 7, 48
MODES = {"": "#4878a8", ", ingress": "#58a068"}

# (file, title, [(label, figure, colour)])
PACKET = "IPv4, 200 B"
CHARTS = [
    ("paths", "A packet of 200 bytes, IPv4, on each path", [
        ("tc redirect (the floor)", "tc redirect", "#b0b0b0"),
        ("kturn, ingress mode", f"ChannelData in, {PACKET}, ingress",
         MODES[", ingress"]),
        ("nftables flowtable", "nftables flowtable", "#b0b0b0"),
        ("kturn, PRE_ROUTING", f"ChannelData in, {PACKET}", MODES[""]),
        ("ip_forward", "forwarding, IPv4", "#b0b0b0"),
        ("DNAT and SNAT", "DNAT and SNAT with conntrack", "#b0b0b0"),
        ("kturnd without the module",
         f"kturnd userspace plane, {PACKET}, 1 flow", "#c08040"),
        ("coturn, batching", f"coturn batching, {PACKET}, 1 flow", "#a05050"),
        ("coturn", f"coturn, {PACKET}, 1 flow", "#a05050")]),
    ("ways", "What kturn does with a packet of 200 bytes", [
        (f"{way}, {family}{mode}", f"{way}, {family}, 200 B{mode}", colour)
        for way, family in (
            ("ChannelData in", "IPv4"), ("ChannelData out", "IPv4"),
            ("Send indication", "IPv4"), ("Data indication", "IPv4"),
            ("hairpin", "IPv4"), ("ChannelData in", "IPv6"),
            ("ChannelData in", "IPv4 to IPv6"),
            ("ChannelData in", "IPv6 to IPv4"))
        for mode, colour in MODES.items()]),
]


def text(x, y, what, anchor="start", size=13):
    return (f'<text x="{x}" y="{y}" text-anchor="{anchor}" '
            f'font-size="{size}">{escape(what)}</text>')


def chart(title, bars):
    """SVG; what was not measured is left out."""
    scale = (WIDTH - LABELS - 80) / max(value for _, value, _ in bars)
    height = TOP + len(bars) * (BAR + GAP) + 10
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
             f'height="{height}" font-family="sans-serif">',
             "<!--", "SPDX-License-Identifier: GPL-2.0-or-later", "-->",
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             text(10, 20, title, size=15),
             text(10, 38, "Instructions per packet; less is better.", size=11)]
    for i, (label, value, colour) in enumerate(bars):
        y = TOP + i * (BAR + GAP)
        length = max(1, round(value * scale))
        lines += [text(LABELS - 8, y + 14, label, "end"),
                  f'<rect x="{LABELS}" y="{y}" width="{length}" '
                  f'height="{BAR}" fill="{colour}"/>',
                  text(LABELS + length + 6, y + 14, f"{value:,.0f}")]
    return "\n".join(lines + ["</svg>", ""])


def main():
    if len(sys.argv) != 3:
        print("usage: plot.py BENCH.JSON DIRECTORY", file=sys.stderr)
        return 2
    with open(sys.argv[1], encoding="ascii") as f:
        values = {x["figure"]: x["value"] for x in json.load(f)}
    status = 0
    for name, title, wanted in CHARTS:
        bars = [(label, values[figure], colour)
                for label, figure, colour in wanted if figure in values]
        if not bars:
            print(f"plot.py: nothing was measured for {name}",
                  file=sys.stderr)
            status = 1
            continue
        path = os.path.join(sys.argv[2], f"bench-{name}.svg")
        with open(path, "w", encoding="ascii") as f:
            f.write(chart(title, bars))
        print(path)
    return status


if __name__ == "__main__":
    sys.exit(main())
