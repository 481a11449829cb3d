# SPDX-License-Identifier: GPL-2.0-or-later
"""The servers that are compared: kturnd and coturn, in the relay's namespace.

Both have one worker, the same addresses, and the user of client.h.
"""

import contextlib
import glob
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time

from lab import V4, V6, inside
from packets import Failed

BUILD = os.path.join(os.path.dirname(__file__), "../../build")
REALM = "example.org"
USER = "alice:secret"
SECONDS = 60
# What a newer coturn does not have unless it is asked for.
OLD = "--no-dtls", "--no-cli"
TURNSERVER = os.environ.get("TURNSERVER", "turnserver")


def have_coturn():
    return shutil.which(TURNSERVER) is not None


def batching_coturn():
    """A coturn that batches packets, of selftests/bench/coturn; or None."""
    root, = glob.glob(os.path.join(BUILD, "vm/coturn-*[!.]/usr")) or [None]
    return root and [os.path.join(root, "lib64/ld-linux-x86-64.so.2"),
                     "--library-path",
                     os.path.join(root, "lib/x86_64-linux-gnu"),
                     os.path.join(root, "bin/turnserver")]


def wait(process, log, condition, what):
    end = time.monotonic() + SECONDS
    while not condition():
        if process.poll() is not None or time.monotonic() > end:
            with open(log, encoding="utf-8", errors="replace") as f:
                raise Failed(f"{what} did not begin to serve:\n{f.read()}")
        time.sleep(0.05)


def listening(pid):
    """Does something have both listening addresses?"""
    found = 0
    for name in ("udp", "udp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as f:
            found += any(re.search(":0D96 ", line) for line in f)
    return found == 2


def many_files():
    resource.setrlimit(resource.RLIMIT_NOFILE, (100_000, 100_000))


def take_turns():
    """As meter_take_turns() of meter.h."""
    many_files()
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


@contextlib.contextmanager
def server(name, command, ready, batch):
    """The process, until the end of the block. ready(pid, log)"""
    with tempfile.TemporaryDirectory() as directory:
        log = os.path.join(directory, "log")
        with inside("relay"), open(log, "wb") as output:
            process = subprocess.Popen(
                [c.replace("DIRECTORY", directory) for c in command],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                cwd=directory,
                preexec_fn=take_turns if batch else many_files)
        try:
            wait(process, log, lambda: ready(process.pid, log), name)
            yield process
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()


def coturn(program=(TURNSERVER,), options=OLD, batch=False):
    return server("coturn", [
        *program, "-n", "--lt-cred-mech", f"--user={USER}",
        f"--realm={REALM}", "-L", V4.server, "-L", V6.server,
        "-E", V4.relay, "-E", V6.relay, "--no-tls",
        "--allowed-peer-ip=203.0.113.0-203.0.113.255", "--log-file", "stdout",
        "--pidfile", "DIRECTORY/pid", *options],
        lambda pid, log: listening(pid), batch)


@contextlib.contextmanager
def paired(batch=False, data=True):
    """coturn, and a kturn-pair that has the module relay for it: data, in the
    end, unless there is none."""
    def ready(pid, log):
        with open(log, encoding="utf-8") as f:
            return " event=ready" in f.read()
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)
    try:
        with server("kturn-pair", [os.path.join(BUILD, "kturn-pair"),
                                   "--match-process", "turnserver"], ready,
                    batch), coturn(batch=batch) as process:
            yield process
            if data and not kernel_has_relayed():
                raise Failed("the kernel has relayed nothing")
    finally:
        subprocess.run(["rmmod", "kturn"], check=True)


def kernel_has_relayed():
    with inside("relay"):
        out = subprocess.run([os.path.join(BUILD, "kturn"), "--json", "stats"],
                             check=True, capture_output=True, text=True).stdout
    stats = json.loads(out)
    return stats["to_peer"]["packets"] + stats["to_client"]["packets"]


def kturnd(plane, batch=False):
    """SIGKILL leaves its entries to the module, which is flushed or removed."""
    def ready(pid, log):
        with open(log, encoding="utf-8") as f:
            return " event=ready " in f.read()
    return server("kturnd", [
        os.path.join(BUILD, "kturnd"), "--plane", plane, "--workers", "1",
        "--user", USER, "--realm", REALM, "--listen", V4.server, "--listen",
        V6.server, "--relay", V4.relay, "--relay", V6.relay, "--allow-peer",
        "203.0.113.0/24", "--allow-peer", "2001:db8::/32", "--state-dir",
        "DIRECTORY/state", "--source-rate", "0"], ready, batch)
