#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The sentences of an RFC's text that hold a key word of RFC 2119.

    sentences.py rfc8489.txt rfc8656.txt

prints them, each with its RFC and section, as requirements.txt has them; MAY
and OPTIONAL oblige nobody and are left out.
"""

import os
import re
import sys

KEYWORD = re.compile(r"\b(?:(?:MUST|SHALL|SHOULD)(?: NOT)?|"
                     r"(?:NOT )?RECOMMENDED|REQUIRED)\b")
SECTION = re.compile(r"(\d+(?:\.\d+)*)\.\s+\S")
# The foot of a page and the head of the next.
PAGE = re.compile(r"RFC \d+ .*\d{4}$|\S.*\[Page \d+\]$")
ITEM = re.compile(r"(?:\*|o|-|\d+\.)\s+\S")


def unpaged(text):
    """Lines without heads and feet; what a page divides is whole again."""
    kept = []
    for page in text.split("\f"):
        lines = [line.rstrip() for line in page.split("\n")
                 if not PAGE.match(line.rstrip())]
        while lines and not lines[0]:
            lines.pop(0)
        while lines and not lines[-1]:
            lines.pop()
        divided = (kept and lines and not re.search(r"[.:;>|]$", kept[-1]) and
                   lines[0].startswith(" ") and
                   not ITEM.match(lines[0].strip()))
        if not divided:
            kept.append("")
        kept += lines
    return kept


def paragraphs(text):
    """Pairs of a section's number and a paragraph's words."""
    section, words = "", []
    for line in unpaged(text) + [""]:
        body = line.strip()
        title = SECTION.match(line)
        if words and (not body or not line.startswith(" ") or
                      ITEM.match(body)):
            yield section, " ".join(words)
            words = []
        if title:
            section = title[1]
        elif body:
            words += body.split()


def sentences(path):
    """(RFC, section, sentence), in the text's order."""
    rfc = re.search(r"(\d+)\.txt$", path)[1]
    with open(path, encoding="utf-8") as f:
        for section, words in paragraphs(f.read()):
            for one in re.split(r"(?<=[.:;?])\s+(?=[A-Z(o\"*])", words):
                if KEYWORD.search(one):
                    yield rfc, section, one


if __name__ == "__main__":
    for name in sys.argv[1:]:
        for found in sentences(os.path.abspath(name)):
            print(*found)
