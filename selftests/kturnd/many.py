#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Many allocations at once, refreshed as clients do; see bench/setup.c.

	many.py WHO PID CLIENT SERVER PEER COUNT ROUNDS

Prints what each takes of the memory of process PID, and of the kernel, before
and after ROUNDS of refreshes; then holds them until standard input ends.
"""

import os
import subprocess
import sys

SETUP = os.path.join(os.path.dirname(__file__),
                     "../../build/selftests/bench/setup")
WINDOW = 16


def bytes_of(path, names):
    with open(path, encoding="ascii") as f:
        return 1024 * sum(int(line.split()[1]) for line in f
                          if line.split(":")[0] in names)


def memory(pid):
    return {"daemon": bytes_of(f"/proc/{pid}/smaps_rollup", ("Pss",)),
            "kernel's slabs": bytes_of("/proc/meminfo", ("Slab",))}


def main():
    who, pid, client, server, peer, count, rounds = sys.argv[1:]
    setup = subprocess.Popen([SETUP, client, server, peer, count, str(WINDOW)],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)

    def step(text):
        setup.stdin.write(text)
        setup.stdin.flush()
        line = setup.stdout.readline()
        if not line:
            sys.exit(f"{who}: not all clients got what they asked for")

    def tell(when):
        after = memory(pid)
        print(f"{who}, {when}, bytes an allocation:", ", ".join(
            f"{part} {(after[part] - before[part]) / int(count):,.0f}"
            for part in before), flush=True)

    step("")
    before = memory(pid)
    step("\n")
    tell("allocated")
    for _ in range(int(rounds)):
        step("\n")
    tell("refreshed")
    print("done", flush=True)
    sys.stdin.read()
    setup.stdin.close()
    return setup.wait()


if __name__ == "__main__":
    sys.exit(main())
