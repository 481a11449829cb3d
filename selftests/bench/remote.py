#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Packets per second between this host and a generator; see performance.rst.

    REMOTE="ssh root@GENERATOR" NEAR="DEV DEV" FAR="DEV DEV" remote.py

REMOTE runs a command on the generator, as root; it may be empty, for devices of
this host that are connected by cables. NEAR are two devices here, FAR the
generator's two, in that order connected to them. They are taken into network
namespaces of their own meanwhile. Prints "FIGURE VALUE UNIT" lines.
"""

import base64
import contextlib
import glob
import json
import os
import shlex
import signal
import socket
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BLAST = os.path.join(HERE, "../../build/selftests/bench/blast")
RELAY, CLIENT, PEER = "kturn-bench", "kturn-bench-client", "kturn-bench-peer"
# RFC 2544, appendix C.2.2: for benchmarks.
NETS = "198.18.0", "198.19.0"
SERVER_PORT, CLIENT_PORT, RELAY_PORT, PEER_PORT = 3478, 10000, 30000, 20000
FLOWS = 256
SIZE = 200
CHANNEL = 0x4000
ENDLESS = 0x7fffffff
SECONDS = int(os.environ.get("EACH", 3))
ROUNDS = int(os.environ.get("ROUNDS", 5))

# libkturn, and where it is to work.
os.environ["relay"] = RELAY
sys.path.insert(0, os.path.join(HERE, "../py"))


class Wrong(Exception):
    """What was asked for can't be done."""


def host(prefix):
    """A function that runs a script there."""
    def run(script, check=True):
        r = subprocess.run([*prefix, "sh", "-s"], input="set -e\n" + script,
                           capture_output=True, text=True, check=False)
        if check and r.returncode:
            raise Wrong(f"{' '.join(prefix) or 'here'}: "
                        f"{r.stderr.strip() or r.stdout.strip()}")
        return r.stdout
    return run


here = host([])


def checked(run, where, devices):
    """Two devices that nobody needs for anything else."""
    if len(devices) != 2:
        raise Wrong(f"{where} has to name two devices")
    for d in devices:
        if run(f"ip -4 route show default dev {shlex.quote(d)}").strip():
            raise Wrong(f"{where}: {d} has the default route, so that it is "
                        "not taken")
    return devices


def take(run, device, namespace, address, route):
    """Have a device in a namespace, with an address."""
    run(f"""
        ip netns add {namespace} 2>/dev/null || true
        ip link set {device} netns {namespace}
        ip -n {namespace} addr add {address}/24 dev {device}
        ip -n {namespace} link set {device} up
        ip -n {namespace} link set lo up
        {route}
        """)


def give_back(run, device, namespace):
    """To the namespace of the host's first process."""
    run(f"""
        ip -n {namespace} link set {device} netns 1
        """, check=False)


@contextlib.contextmanager
def namespaces(far, near_devices, far_devices):
    try:
        for n, device in enumerate(near_devices):
            take(here, device, RELAY, f"{NETS[n]}.1", "")
        here(f"ip netns exec {RELAY} sysctl -qw net.ipv4.ip_forward=1")
        for n, namespace in enumerate((CLIENT, PEER)):
            take(far, far_devices[n], namespace, f"{NETS[n]}.2",
                 f"ip -n {namespace} route add {NETS[1 - n]}.0/24 via "
                 f"{NETS[n]}.1")
        yield
    finally:
        for n, namespace in enumerate((CLIENT, PEER)):
            give_back(far, far_devices[n], namespace)
            far(f"ip netns del {namespace}", check=False)
        for device in near_devices:
            give_back(here, device, RELAY)
        here(f"ip netns del {RELAY}", check=False)


@contextlib.contextmanager
def generator(far):
    """blast on the generator: its path."""
    with open(BLAST, "rb") as f:
        program = base64.encodebytes(f.read()).decode()
    path = far(f"""
        f=$(mktemp /tmp/kturn-blast.XXXXXX)
        base64 -d >"$f" <<'END'
{program}END
        chmod 700 "$f"
        echo "$f"
        """).strip()
    try:
        yield path
    finally:
        far(f"rm -f {path}", check=False)


class Bench:
    """@far: runs a script on the generator; @blast: its program there; @irqs:
    {device here: its interrupts}
    """

    def __init__(self, far, blast, irqs, far_devices):
        self.far, self.blast = far, blast
        self.near, self.irqs, self.devices = list(irqs), irqs, far_devices
        self.processes = int(far("nproc"))

    def rate(self, packet, to, port, step):
        """Packets per second that arrive at the peer's device."""
        octets = "".join(f"\\{b:03o}" for b in packet)
        received = f"""$(ip netns exec {PEER} cat \
            /sys/class/net/{self.devices[1]}/statistics/rx_packets)"""
        out = self.far(f"""
            before={received}
            printf '{octets}' | ip netns exec {CLIENT} {self.blast} {SECONDS} \
                {self.processes} {FLOWS} {NETS[0]}.2 {CLIENT_PORT} {to} {port} \
                {step}
            after={received}
            while sleep 0.1; last=$after; after={received}; [ $after != $last ]; do
                :
            done
            echo $((after - before))
            """)
        return int(out) / SECONDS

    def forwarded(self):
        return self.rate(bytes(SIZE + 4), f"{NETS[1]}.2", PEER_PORT, 1)

    def relayed(self):
        head = CHANNEL.to_bytes(2, "big") + SIZE.to_bytes(2, "big")
        return self.rate(head + bytes(SIZE), f"{NETS[0]}.1", SERVER_PORT, 0)

    # Which CPUs work.

    def use_cpus(self, n):
        """As many queues, and their interrupts; without those, RPS."""
        for device in self.near:
            here(f"ip netns exec {RELAY} ethtool -L {device} combined {n}",
                 check=False)
            irqs = self.irqs[device]
            for i, irq in enumerate(irqs):
                with contextlib.suppress(OSError), \
                        open(f"/proc/irq/{irq}/smp_affinity_list", "w",
                             encoding="ascii") as f:
                    f.write(str(i % n))
            mask = 0 if irqs else (1 << n) - 1
            here(f"""ip netns exec {RELAY} sh -c '
                for q in /sys/class/net/{device}/queues/rx-*/rps_cpus; do
                    echo {mask:x} >$q
                done'""")


    def settings(self):
        """Scripts, one for each thing that use_cpus() changes: as it is now."""
        scripts = []
        for device in self.near:
            inside = f"ip netns exec {RELAY}"
            scripts += here(f"""{inside} ethtool -l {device} 2>/dev/null |
                sed -n 's/^Combined:[^0-9]*/{inside} ethtool -L {device} combined /p' |
                tail -n 1""").splitlines()
            scripts += here(f"""{inside} sh -c '
                for q in /sys/class/net/{device}/queues/rx-*/rps_cpus; do
                    echo "{inside} sh -c \\"echo $(cat $q) >$q\\""
                done'""").splitlines()
            for irq in self.irqs[device]:
                path = f"/proc/irq/{irq}/smp_affinity_list"
                with contextlib.suppress(OSError), \
                        open(path, encoding="ascii") as f:
                    scripts.append(f"echo {f.read().strip()} >{path}")
        return scripts


def entries(kt):
    """A channel for each flow."""
    from libkturn import EXCLUSIVE, Addr, make_alloc
    news = [("alloc_new", make_alloc(
        f"{NETS[0]}.2:{CLIENT_PORT + n}", f"{NETS[0]}.1:{SERVER_PORT}",
        [f"{NETS[1]}.1:{RELAY_PORT + n}"], ENDLESS, EXCLUSIVE))
            for n in range(FLOWS)]
    rest = []
    failed = any(kt.batch(news))
    for n, id in enumerate(kt.batch_ids):
        rest += [("perm_new", id, Addr(f"{NETS[1]}.2"), ENDLESS),
                 ("chan_new", id, CHANNEL,
                  Addr(f"{NETS[1]}.2:{PEER_PORT + n}"), ENDLESS)]
    if failed or any(kt.batch(rest)):
        raise Wrong("the module does not take the entries")


def attach(kt, devices, on):
    from lab import inside
    with inside("relay"):
        for d in devices:
            (kt.attach if on else kt.detach)(socket.if_nametoindex(d))


def rounds(b, kt, n):
    """{path: packets per second}, the paths in turn."""
    found = {"ip_forward": [], "PRE_ROUTING": [], "ingress": []}
    b.use_cpus(n)
    for _ in range(ROUNDS):
        found["ip_forward"].append(b.forwarded())
        found["PRE_ROUTING"].append(b.relayed())
        attach(kt, b.near, True)
        try:
            found["ingress"].append(b.relayed())
        finally:
            attach(kt, b.near, False)
    return {path: statistics.median(v) for path, v in found.items()}


def figures(b, kt, cpus):
    rates = {}
    for n in cpus:
        rates[n] = rounds(b, kt, n)
        for path, value in rates[n].items():
            if not value:
                raise Wrong(f"{path}: nothing arrived")
            print(f"{path}, {n} CPU{'s'[:n - 1]}\t{value:.0f}\t"
                  "packets per second", flush=True)
    for path in ("PRE_ROUTING", "ingress"):
        for n in cpus:
            print(f"{path} / ip_forward, {n} CPU{'s'[:n - 1]}\t"
                  f"{rates[n][path] / rates[n]['ip_forward']:.3f}\tratio")
        if len(cpus) == 2:
            plain, ours = (rates[2][x] / rates[1][x]
                           for x in ("ip_forward", path))
            print(f"scaling from 1 to 2 CPUs, {path} / ip_forward\t"
                  f"{ours / plain:.3f}\tratio", flush=True)


def bench(far, near_devices, far_devices):
    from lab import inside
    from libkturn import Kturn
    irqs = {d: sorted(int(os.path.basename(p)) for p in glob.glob(
        f"/sys/class/net/{d}/device/msi_irqs/*")) for d in near_devices}
    cpus = [n for n in (1, 2) if n <= os.cpu_count()]
    with namespaces(far, near_devices, far_devices), \
            generator(far) as blast:
        b = Bench(far, blast, irqs, far_devices)
        with inside("relay"):
            kt = Kturn()
        entries(kt)
        before = b.settings()
        try:
            figures(b, kt, cpus)
        finally:
            for script in before:
                here(script, check=False)
            kt.flush()
            kt.close()


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    try:
        if os.geteuid():
            raise Wrong("needs root")
        far = host(shlex.split(os.environ.get("REMOTE", "")))
        if not os.path.isdir("/sys/module/kturn"):
            raise Wrong("the module is not loaded here")
        bench(far, checked(here, "NEAR", os.environ.get("NEAR", "").split()),
              checked(far, "FAR", os.environ.get("FAR", "").split()))
    except Wrong as e:
        print(f"bench/remote: {e}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
