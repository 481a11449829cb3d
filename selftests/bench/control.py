#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What allocations cost: instructions, and memory; see setup.c, refuse.c
and push.c.

Prints "FIGURE VALUE UNIT" lines. A second is 1e9 instructions.
"""

import glob
import os
import subprocess
import sys

from lab import V4, inside, netns
from libkturn import Kturn
from packets import Failed
from paths import QUICK
from servers import BUILD, coturn, have_coturn, kturnd, paired
from world import wait_until

# Multiples of WINDOW, and of BATCH.
ALLOCATIONS = 1440 if QUICK else 2000
WINDOW = 16
REFUSED = 1600 if QUICK else 8000
PUSHED = 2000 if QUICK else 20_000
BATCH = 500
SECOND = 1e9
KERNEL = ("Slab", "KernelStack", "PageTables", "SecPageTables", "Percpu",
          "VmallocUsed")


def figure(name, value, unit):
    print(f"{name}\t{value:.1f}\t{unit}", flush=True)


def kilobytes(path):
    with open(path, encoding="ascii") as f:
        return {name: int(rest.split()[0]) for name, rest in
                (line.split(":", 1) for line in f if ":" in line)
                if rest.strip().endswith("kB")}


def no_huge_pages():
    """Whether the kernel joins pages at one time or another would be chance."""
    with open("/sys/kernel/mm/transparent_hugepage/enabled", "w",
              encoding="ascii") as f:
        f.write("never")


def settle():
    """Caches and free parts of slabs go back: what is used then is used."""
    with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as f:
        f.write("3")
    for path in glob.glob("/sys/kernel/slab/*/shrink"):
        with open(path, "w", encoding="ascii") as f:
            f.write("1")
    # Counters of each CPU are added up.
    with open("/proc/sys/vm/stat_refresh", "w", encoding="ascii") as f:
        f.write("1")


def memory(pid):
    """What the daemon and the kernel have, in bytes."""
    settle()
    info = kilobytes("/proc/meminfo")
    return {"daemon": 1024 * kilobytes(f"/proc/{pid}/smaps_rollup")["Pss"],
            "kernel": 1024 * sum(info.get(name, 0) for name in KERNEL)}


def told(setup, name, text=""):
    """A line of it, once it was told to go on."""
    try:
        setup.stdin.write(text)
        setup.stdin.flush()
    except BrokenPipeError:
        pass
    line = setup.stdout.readline()
    if not line:
        raise Failed(f"{name}: not all clients got what they asked for")
    return line


def in_kernel():
    with inside("relay"):
        kt = Kturn()
    allocs = kt.stats().allocs
    kt.close()
    return allocs


def clients(name, server, module=False, parts=("daemon", "kernel")):
    """So many at once, and what they cost; the module is to have them."""
    with server() as process:
        with inside("client"):
            setup = subprocess.Popen(
                [os.path.join(BUILD, "selftests/bench/setup"), V4.client,
                 V4.server, V4.peer, str(ALLOCATIONS), str(WINDOW)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        told(setup, name)
        before = memory(process.pid)
        total, own = map(float, told(setup, name, "\n").split())
        after = memory(process.pid)
        if module:
            # kturn-pair may be behind.
            wait_until(f"the module has {ALLOCATIONS} allocations of {name}",
                       lambda: in_kernel() >= ALLOCATIONS)
        setup.communicate()
    figure(f"allocations per second, {name}", SECOND / (total - own),
           "per second")
    for part in parts:
        figure(f"memory per allocation, {name}, {part}",
               (after[part] - before[part]) / ALLOCATIONS, "bytes")


def refusals(name, server):
    """What a flood of requests that are refused costs, a request."""
    with server(), inside("client"):
        r = subprocess.run([os.path.join(BUILD, "selftests/bench/refuse"),
                            V4.client, V4.server, str(REFUSED), str(WINDOW)],
                           capture_output=True, text=True, check=False)
    if r.returncode:
        raise Failed(r.stderr.strip())
    figure(f"refused request, {name}", float(r.stdout), "instructions")


def pushes():
    for batch in (BATCH, 1):
        count = PUSHED if batch > 1 else PUSHED // 10
        with inside("relay"):
            r = subprocess.run([os.path.join(BUILD, "selftests/bench/push"),
                                str(count), str(batch)], capture_output=True,
                               text=True, check=False)
        if r.returncode:
            raise Failed(r.stderr.strip())
        figure("netlink entries per second" + ("" if batch > 1 else
                                               ", one allocation at a time"),
               SECOND / float(r.stdout), "per second")


def main():
    netns("relay")
    no_huge_pages()
    if have_coturn():
        clients("coturn", lambda: coturn(batch=True))
        refusals("coturn", lambda: coturn(batch=True))
    clients("kturnd userspace plane", lambda: kturnd("user", batch=True))
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)
    clients("kturnd", lambda: kturnd("auto", batch=True), True)
    pushes()
    subprocess.run(["rmmod", "kturn"], check=True)
    if have_coturn():
        clients("coturn with kturn-pair", lambda: paired(True, data=False),
                True, ())
        refusals("coturn with kturn-pair", lambda: paired(True, data=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
