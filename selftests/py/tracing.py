# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel's tracepoints say, of this test alone.

    with Trace("kturn/kturn_drop", "skb/kfree_skb") as trace:
        ...
        events = trace.take()

An event is a dictionary of the words NAME=VALUE and NAME: VALUE in its line;
its "event" is its name.
"""

import os
import re

ROOT = "/sys/kernel/tracing"


def event_format(event):
    with open(f"{ROOT}/events/{event}/format", encoding="ascii") as f:
        return f.read()


class Trace:
    def __init__(self, *events):
        self.dir = f"{ROOT}/instances/kturn-{os.getpid()}"
        self.events = events

    def write(self, file, text):
        with open(f"{self.dir}/{file}", "w", encoding="ascii") as f:
            f.write(text)

    def __enter__(self):
        os.mkdir(self.dir)
        for event in self.events:
            self.write(f"events/{event}/enable", "1")
        return self

    def __exit__(self, *error):
        # What is enabled would keep the instance and the module.
        self.write("events/enable", "0")
        os.rmdir(self.dir)

    def take(self):
        """The events since it was called last."""
        with open(f"{self.dir}/trace", encoding="ascii") as f:
            lines = [line for line in f if not line.startswith("#")]
        self.write("trace", "")
        found = []
        for line in lines:
            name, text = re.match(r".*?: (\w+): (.*)", line).groups()
            found.append({"event": name, **dict(
                re.findall(r"(\w+)(?:=|: )(\S+)", text))})
        return found
