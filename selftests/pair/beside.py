# SPDX-License-Identifier: GPL-2.0-or-later
"""A server and a kturn-pair beside it, in the relay's namespace."""

import contextlib
import json
import os
import re
import select
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

from lab import V4, V6, inside, kturn, netns
from packets import Failed, expect
from turnclient import TurnClient
from world import wait_until

REALM, USER, PASSWORD = "example.org", "alice", "secret"
PEER = {4: ("203.0.113.2", 9999), 6: ("2001:db8:2::2", 9999)}
SERVER = {4: V4.server, 6: V6.server}
METRICS = "127.0.0.1:9641"
CLI = "127.0.0.1", 5766


class Process:
    """In the relay's namespace, with its output in a file.

    @lasts: the next test gets it, too
    """

    def __init__(self, command, ready, lasts=False):
        self.lasts = lasts
        self.log = tempfile.NamedTemporaryFile("r", encoding="utf-8",
                                               errors="replace")
        with inside("relay"), open(self.log.name, "wb") as output:
            self.p = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                      stdout=output, stderr=output,
                                      cwd=tempfile.gettempdir())
        wait_until("it is ready", lambda: ready(self) or self.has_ended())
        if self.has_ended():
            raise Failed(f"{command[0]} has ended: {self.text()}")

    def text(self):
        with open(self.log.name, encoding="utf-8", errors="replace") as f:
            return f.read()

    def says(self, pattern):
        return re.search(pattern, self.text())

    def has_ended(self):
        return self.p.poll() is not None

    def stop(self, sig=signal.SIGTERM):
        if not self.has_ended():
            self.p.send_signal(sig)
        return self.p.wait(60)


def listening(process):
    found = 0
    for name in ("udp", "udp6"):
        with open(f"/proc/{process.p.pid}/net/{name}",
                  encoding="ascii") as f:
            found += ":0D96 " in f.read()
    return found == 2


def coturn(*options):
    end_ejabberd()
    return Process([
        "turnserver", "-n", "--lt-cred-mech", f"--user={USER}:{PASSWORD}",
        f"--realm={REALM}", "-L", V4.server, "-L", V6.server, "-E", V4.relay,
        "-E", V6.relay, "--no-tls", "--no-dtls", "--log-file", "stdout",
        "--pidfile", "/dev/null", "--cli-ip=" + CLI[0],
        f"--cli-port={CLI[1]}", "--cli-password=open", *options], listening)


ERLANG = """
    {ok, _} = application:ensure_all_started(stun),
    [ok = stun_listener:add_listener(Ip, 3478, udp, [
        use_turn, {turn_ipv4_address, {203, 0, 113, 1}},
        {turn_ipv6_address, {16#2001, 16#db8, 2, 0, 0, 0, 0, 1}},
        {turn_blacklist_v4, []}, {turn_blacklist_v6, []},
        {auth_type, user}, {auth_realm, <<"example.org">>},
        {auth_fun, fun(<<"alice">>, _) -> <<"secret">>; (_, _) -> <<>> end}])
     || Ip <- [{198, 51, 100, 1}, {16#2001, 16#db8, 1, 0, 0, 0, 0, 1}]].
    """


# The ejabberds that there have been.
begun = []


def ejabberd(*_):
    """Its STUN and TURN service, which is a library of its own.

    In a VM it takes half a minute to begin, so the tests share one, until one of
    them ends it, or wants a coturn. Its threads are not to wait actively.
    """
    if not begun or begun[-1].has_ended():
        begun.append(Process(
            ["erl", "+sbwt", "none", "+sbwtdcpu", "none", "+sbwtdio", "none",
             "-noshell", "-noinput", "-eval", ERLANG], listening, lasts=True))
    return begun[-1]


def end_ejabberd():
    for p in begun:
        p.stop(signal.SIGKILL)


def pair(*options):
    return Process(["kturn-pair", "--log-level", "debug", *options],
                   lambda p: p.says(" event=ready"))


@contextlib.contextmanager
def running(*processes):
    try:
        yield processes[0] if len(processes) == 1 else processes
    except Exception:
        for p in processes:
            print("# " + p.text()[-6000:].replace("\n", "\n# "))
            p.lasts = False
        raise
    finally:
        for p in processes:
            if not p.lasts:
                p.stop(signal.SIGKILL)
        kturn("flush", check=False)


@contextlib.contextmanager
def client(family=4, user=USER, password=PASSWORD, port=3478):
    netns("client")
    with TurnClient((SERVER[family], port), user=user, password=password,
                    timeout=20) as c:
        yield c


# ------------------------------------------------------------------ the kernel

def shown():
    return json.loads(kturn("--json", "show"))


def entries():
    """How many allocations, permissions and channels."""
    s = shown()
    return len(s["allocs"]), len(s["perms"]), len(s["chans"])


def until(*wanted):
    """The kernel has so many of them."""
    try:
        wait_until(f"there are {wanted}", lambda: entries() == wanted)
    except Failed as e:
        raise Failed(f"{e}; there are {entries()}") from e


def soon(*wanted):
    """The same, in a second; but a machine that emulates others is slow."""
    begun = time.monotonic()
    until(*wanted)
    took = time.monotonic() - begun
    print(f"# after {took:.1f} s")
    if took > 3:
        raise Failed(f"it took {took:.1f} s")


# ------------------------------------------------------- what the server gets

def watch():
    """Count data that reaches the server, however it comes."""
    listen = "udp dport 3478 @th,64,2 1", "udp dport 3478 @th,64,16 0x0016", \
        "udp dport 49152-65535"
    with inside("relay"):
        subprocess.run(["nft", "-f", "-"], check=True, text=True, input="""
            table inet watch
            delete table inet watch
            table inet watch {
                counter data { }
                chain in {
                    type filter hook input priority 0;
                """ + "\n".join(f"{x} counter name data" for x in listen) + """
                }
            }""")


def at_server():
    """Packets of data since the last time."""
    with inside("relay"):
        out = subprocess.run(["nft", "-j", "reset", "counters", "table",
                              "inet", "watch"], check=True,
                             capture_output=True, text=True).stdout
    return sum(c["counter"]["packets"] for c in json.loads(out)["nftables"]
               if "counter" in c)


def metrics():
    """{name with labels: value}"""
    with inside("relay"), urllib.request.urlopen(
            f"http://{METRICS}/metrics", timeout=20) as f:
        lines = f.read().decode().splitlines()
    return {line.rsplit(" ", 1)[0]: int(line.rsplit(" ", 1)[1])
            for line in lines if not line.startswith("#")}


# ----------------------------------------------------------------------- data

class Session:
    """An allocation with a permission and a channel."""

    def __init__(self, c, family=4, peer=None, number=0x4000):
        self.c, self.family, self.number = c, family, number
        self.peer = peer or PEER[family]
        self.relay = c.allocate(family=family).relay
        c.permit(self.peer[0])
        c.bind(number, self.peer)
        self.n = 0

    def round_trip(self, channel=True):
        self.n += 1
        data = b"%d %d" % (self.n, channel)
        if channel:
            self.c.channel_send(self.number, data)
        else:
            self.c.send(self.peer, data)
        got = self.c.recv_data()
        expect("came back", got and got.data, data)

    def passes(self, n=5):
        for _ in range(n):
            self.round_trip(True)
        expect("comes back by", self.by(), "channel")

    def by(self):
        """Data of a bound peer comes back as ChannelData, RFC 8656 12.6."""
        self.c.send(self.peer, b"which way")
        got = self.c.recv_data()
        return "channel" if got and got.channel == self.number else "data"

    def silent(self):
        """Nobody sends it on; there may be an ICMP error."""
        self.c.channel_send(self.number, b"to nobody")
        with contextlib.suppress(ConnectionRefusedError):
            expect("nothing comes back", self.c.recv_data(1), None)


def admin(*commands):
    """What coturn's own administration says."""
    with inside("relay"), socket.create_connection(CLI, 20) as s:
        out = b""

        def until_prompt(prompt):
            nonlocal out
            while prompt not in out:
                if not select.select([s], [], [], 20)[0]:
                    raise Failed(f"no {prompt} in {out}")
                out += s.recv(65536)
        until_prompt(b"assword")
        s.sendall(b"open\r\n")
        until_prompt(b"> ")
        for command in commands:
            out = b""
            s.sendall(command.encode() + b"\r\n")
            until_prompt(b"> ")
    return out.decode(errors="replace")


def kill_session():
    """By coturn's administrator; the first one there is."""
    text = admin("ps")
    found = re.search(r"id=(\d+)", text)
    if not found:
        raise Failed(f"coturn knows of no session: {text}")
    admin("cs " + found.group(1))


def echo():
    with inside("peer"):
        p = subprocess.Popen(
            ["python3", os.path.join(os.path.dirname(__file__),
                                     "../kturnd/echo.py"), "9999",
             PEER[4][0], PEER[6][0]], stdout=subprocess.PIPE)
    p.stdout.readline()
    return p
