# SPDX-License-Identifier: GPL-2.0-or-later
"""kprobes on the module's own instructions."""

import contextlib
import os
import re
import subprocess

TRACING = "/sys/kernel/tracing"
EVENTS = f"{TRACING}/kprobe_events"


def write(path, text, flags=os.O_TRUNC):
    """Not by way of a file object, which would seek: tracefs can't."""
    fd = os.open(path, os.O_WRONLY | flags)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


@contextlib.contextmanager
def hurried():
    """RCU does not let others wait meanwhile; a probe that goes waits for it."""
    write("/sys/kernel/rcu_expedited", "1")
    try:
        yield
    finally:
        write("/sys/kernel/rcu_expedited", "0")


class Instruction:
    """@text: as objdump writes it, without what it adds; @first: of @function"""

    def __init__(self, section, offset, function, text, first):
        self.section, self.offset = section, offset
        self.function, self.text, self.first = function, text, first

    def __str__(self):
        return f"{self.function} at {self.section}+{self.offset:#x}: {self.text}"


def instructions():
    """Of what the module runs from, once it is loaded."""
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn",
                           os.environ["KTURN_KO"]], check=True,
                          capture_output=True, text=True).stdout
    section, function, first, found = "", None, False, []
    for line in text.splitlines():
        if m := re.match(r"Disassembly of section (\S+):", line):
            section = m[1]
        elif m := re.match(r"[0-9a-f]+ <(.*)>:", line):
            function, first = m[1], True
        elif m := re.match(r" *([0-9a-f]+):\t([^#<]*)", line):
            if not section.startswith((".init", ".exit")):
                found.append(Instruction(section, int(m[1], 16), function,
                                         m[2].strip(), first))
            first = False
    return found


class Probes:
    """One on each of some instructions.

    @fetch: what is to be recorded at an instruction, as kprobe_events has it
    """

    def __init__(self, wanted, fetch=lambda i: ""):
        self.at, self.blind = {}, []
        starts = {}
        for n, i in enumerate(wanted):
            if i.section not in starts:
                with open(f"/sys/module/kturn/sections/{i.section}",
                          encoding="ascii") as f:
                    starts[i.section] = int(f.read(), 16)
            try:
                write(EVENTS, f"p:kt/i{n} {starts[i.section] + i.offset:#x} "
                      f"{fetch(i)}\n", os.O_APPEND)
                self.at[f"i{n}"] = i
            except OSError:
                self.blind.append(i)
        with hurried():
            write(f"{TRACING}/events/kt/enable", "1")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with hurried():
            write(f"{TRACING}/events/kt/enable", "0")
            write(EVENTS, "")

    def hits(self):
        """{instruction: times}; a probe that is missed counts as well."""
        with open(f"{TRACING}/kprobe_profile", encoding="ascii") as f:
            lines = [line.split() for line in f]
        return {self.at[name]: int(n) + int(missed)
                for name, n, missed in lines if int(n) + int(missed)}
