#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kturn-pair beside coturn; see pair.sh."""

import contextlib
import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../py"))

from beside import (METRICS, PEER, Session, at_server, client, coturn, echo,
                    ejabberd, end_ejabberd, entries, kill_session, metrics,
                    pair, running, shown, soon, until, watch)
from ktap import Tests
from lab import V4, Raw, inside, kturn
from packets import expect
from turnmessage import (ALLOCATE, CHANNEL_BIND, CHANNEL_NUMBER,
                         CREATE_PERMISSION, LIFETIME, REFRESH, REQUEST,
                         SUCCESS, Message, TurnError)
from world import wait_until


def insmod():
    subprocess.run(["insmod", os.environ["KTURN_KO"]], check=True)


def rules():
    with inside("relay"):
        return subprocess.run(["nft", "list", "tables"], check=True,
                              capture_output=True, text=True).stdout


# ------------------------------------------------------------ it is accelerated

def relays(server, process, family):
    """None of the data is the server's once the entries are there."""
    watch()
    with running(server(), pair("--match-user", "root", "--match-process",
                                process)), client(family) as c:
        s = Session(c, family)
        until(1, 1, 1)
        a, = shown()["allocs"]
        expect("flags", (a["exclusive"], a["alternate"], a["label"]),
               (False, True, "alice"))
        before = a["to_peer"]["packets"], a["to_client"]["packets"]
        at_server()
        for n in range(50):
            s.round_trip(n % 2)
        expect("at the server", at_server(), 0)
        a, = shown()["allocs"]
        expect("by the kernel", (a["to_peer"]["packets"] - before[0],
                                 a["to_client"]["packets"] - before[1]),
               (50, 50))
        expect("granted for so long", 590_000 < a["lifetime_ms"] < 599_000,
               True)
        p, = shown()["perms"]
        expect("permitted for so long", 280_000 < p["lifetime_ms"] < 299_000,
               True)


def uclient(family, *options):
    """coturn's own client, that begins as soon as it may."""
    with inside("client"):
        r = subprocess.run(
            ["turnutils_uclient", "-u", "alice", "-w", "secret", "-e",
             PEER[family][0], "-r", "9999", "-n", "50", "-m", "4", "-l", "160",
             "-c", "-x" if family == 6 else "-X", *options,
             V4.server if family == 4 else "2001:db8:1::1"],
            capture_output=True, text=True, timeout=300, check=False)
    expect("exit status", r.returncode, 0)
    expect("nothing is lost", "Total lost packets 0 (0.000000%)" in r.stdout,
           True)


def takes_over():
    with running(coturn(), pair()):
        for family in (4, 6):
            for options in ((), ("-s",)):
                uclient(family, *options)
        stats = json.loads(kturn("--json", "stats"))
        expect("of 800, many are the kernel's",
               [stats[way]["packets"] > 200 for way in
                ("to_peer", "to_client")], [True, True])


# --------------------------------------------------------------------- it ends

def ends(server, how):
    """Traffic stops, or is the server's, as soon as the server says so."""
    watch()
    with running(server(), pair()) as (server, _), client() as c:
        s = Session(c)
        until(1, 1, 1)
        s.passes()
        at_server()
        if how == "refresh":
            c.refresh(0)
        elif how == "killed session":
            kill_session()
        elif how == "killed server":
            server.stop(signal.SIGKILL)
        soon(0, 0, 0)
        # coturn itself goes on for a while after a Refresh.
        if how != "refresh":
            s.silent()


def server_restarts():
    """Another one with the same relayed address has other sessions."""
    watch()
    one_port = "--min-port=50000", "--max-port=50000"
    with running(pair()) as p, client() as c, client() as other:
        with running(coturn(*one_port)) as server:
            s = Session(c)
            until(1, 1, 1)
            s.passes()
            server.stop(signal.SIGTERM)
            soon(0, 0, 0)
        with running(coturn(*one_port)):
            s.silent()
            again = Session(other)
            expect("the same address", again.relay, s.relay)
            until(1, 1, 1)
            at_server()
            again.round_trip()
            expect("at the server", at_server(), 0)
            expect("whose", shown()["allocs"][0]["client"],
                   f"198.51.100.2:{other.local[1]}")
        expect("it runs", p.has_ended(), False)


def expires():
    with running(coturn("--max-allocate-lifetime=6"), pair()), client() as c:
        c.allocate(lifetime=6)
        c.permit(PEER[4][0])
        c.bind(0x4000, PEER[4])
        until(1, 1, 1)
        until(0, 0, 0)


def pair_ends(sig):
    """The server goes on, with all that it has."""
    watch()
    with running(coturn(), pair()) as (_, p), client() as c:
        s = Session(c)
        until(1, 1, 1)
        s.passes()
        expect("at the server", at_server(), 0)
        expect("exit status", p.stop(sig),
               0 if sig == signal.SIGTERM else -sig)
        soon(0, 0, 0)
        expect("no rules", "kturn-pair" in rules(), False)
        s.passes()
        expect("by the server", at_server() > 0, True)
        # The next one learns of the next session.
        with running(pair()):
            with client() as other:
                o = Session(other, number=0x4001)
                until(1, 1, 1)
                at_server()
                o.round_trip()
                expect("at the server", at_server(), 0)
            c.permit(PEER[4][0])
            s.passes()
            expect("only what it has seen", entries(), (1, 1, 1))


def module():
    with running(coturn(), pair()) as (_, p), client() as c:
        s = Session(c)
        until(1, 1, 1)
        s.passes()
        subprocess.run(["rmmod", "kturn"], check=True)
        s.passes()
        insmod()
        until(0, 0, 0)
        s.passes()
        c.refresh()
        c.permit(PEER[4][0])
        c.bind(0x4000, PEER[4])
        until(1, 1, 1)
        s.passes()
        expect("says so", (bool(p.says("event=module-unloaded")),
                           bool(p.says("event=module-loaded"))), (True, True))


# ------------------------------------------------------------ never more of it

def refused():
    """403 for a peer, 437 for a second allocation."""
    with running(coturn("--denied-peer-ip=203.0.113.7"), pair()), \
            client() as c:
        s = Session(c)
        until(1, 1, 1)
        for request, code in ((lambda: c.permit("203.0.113.7"), 403),
                              (lambda: c.permit("203.0.113.8", "203.0.113.7"),
                               403),
                              (lambda: c.bind(0x4001, ("203.0.113.7", 9)),
                               403),
                              (lambda: c.bind(0x4000, ("203.0.113.8", 9)),
                               400),
                              (c.allocate, 437)):
            try:
                request()
                raise AssertionError("was granted")
            except TurnError as e:
                expect("error", e.code, code)
        c.permit("203.0.113.9")
        until(1, 2, 1)
        expect("peers", sorted(p["peer"] for p in shown()["perms"]),
               [PEER[4][0], "203.0.113.9"])
        s.passes()


def over_quota():
    """486: what it refuses to one does not hurt the other."""
    with running(coturn("--user-quota=1"), pair()), client() as c:
        s = Session(c)
        until(1, 1, 1)
        with client() as other:
            # With what coturn refuses to somebody without an allocation varies.
            for request, codes in ((other.allocate, (486,)),
                                   (lambda: other.permit(PEER[4][0]),
                                    (400, 437)),
                                   (lambda: other.bind(0x4000, PEER[4]),
                                    (400, 437))):
                try:
                    request()
                    raise AssertionError("was granted")
                except TurnError as e:
                    expect(f"error {e.code}", e.code in codes, True)
            c.permit("203.0.113.9")
            until(1, 2, 1)
            expect("whose", shown()["allocs"][0]["client"],
                   f"198.51.100.2:{c.local[1]}")
        s.passes()


def recorded(c, request):
    """The datagrams that a request sends."""
    sent, send = [], c.raw_send

    def keep(data):
        sent.append(data)
        send(data)
    c.raw_send = keep
    try:
        request()
    finally:
        c.raw_send = send
    return sent


def answered(c, datagrams):
    """Send them; the codes of their answers."""
    codes = []
    for data in datagrams:
        c.raw_send(data)
        answer = c.raw_recv()
        codes.append(Message.parse(answer).code if answer else None)
    return codes


def replayed():
    """What was granted once is granted by the server's answers only."""
    with running(coturn(), pair()), client() as c, client() as other:
        c.allocate()
        sent = recorded(c, lambda: c.permit(PEER[4][0]))
        sent += recorded(c, lambda: c.bind(0x4000, PEER[4]))
        until(1, 1, 1)
        # From another address there is nothing that they could change.
        expect("refused", None not in answered(other, sent), True)
        expect("entries", entries(), (1, 1, 1))
        c.refresh(0)
        soon(0, 0, 0)
        expect("refused", None not in answered(c, sent), True)
        # Whatever was learnt from these is there before the next.
        Session(other, number=0x4001, peer=("203.0.113.3", 9999))
        until(1, 1, 1)
        expect("peers", [p["peer"] for p in shown()["perms"]],
               ["203.0.113.3"])


def forged():
    """Who can write a client's address, but reads nothing of what it sends."""
    watch()
    with running(coturn(), pair()), client() as c:
        s = Session(c)
        until(1, 1, 1)
        before = shown()
        raw = Raw("client", 4)

        def forge(method, cls, build):
            msg = Message(method, cls, os.urandom(12))
            build(msg)
            raw.send("198.51.100.2", V4.server, c.local[1], 3478, msg.bytes())

        peer = ("203.0.113.66", 66)
        for cls in (REQUEST, SUCCESS):
            forge(REFRESH, cls, lambda m: m.add_u32(LIFETIME, 0))
            forge(CREATE_PERMISSION, cls, lambda m: m.add_peer(peer))
            forge(CHANNEL_BIND, cls, lambda m: m.add_u32(
                CHANNEL_NUMBER, 0x4002 << 16).add_peer(peer))
        raw.close()
        # The client's own next one comes after all of these.
        while c.raw_recv(0.5):
            pass
        c.permit("203.0.113.9")
        until(1, 2, 1)
        now = shown()
        expect("peers", sorted(p["peer"] for p in now["perms"]),
               [PEER[4][0], "203.0.113.9"])
        expect("the same allocation", now["allocs"][0]["id"],
               before["allocs"][0]["id"])
        at_server()
        s.round_trip()
        expect("at the server", at_server(), 0)


def deny_list():
    watch()
    with running(coturn(), pair("--deny-peer", "203.0.113.0/24")), \
            client() as c:
        s = Session(c)
        c.permit("192.0.2.9")
        until(1, 1, 0)
        s.passes()
        expect("by the server", at_server() > 0, True)


def two_requests():
    """Of which coturn grants one: it could have been the other."""
    with running(coturn("--denied-peer-ip=203.0.113.7"), pair()) as \
            (server, _), client() as c:
        s = Session(c)
        until(1, 1, 1)

        def ask(peer, tid):
            msg = Message(CREATE_PERMISSION, REQUEST, tid)
            c.authenticate(msg.add_peer((peer, 0)))
            c.raw_send(msg.bytes())

        tid = os.urandom(12)
        with stopped(server):
            ask("203.0.113.9", tid)
            ask("203.0.113.7", tid)
        codes = sorted(Message.parse(c.raw_recv()).code or 0 for _ in range(2))
        expect("coturn's answers", codes, [0, 403])
        # Whatever it learns from the next request, it has not from those two.
        c.permit("203.0.113.8")
        until(1, 2, 1)
        expect("peers", sorted(p["peer"] for p in shown()["perms"]),
               [PEER[4][0], "203.0.113.8"])
        s.passes()


@contextlib.contextmanager
def stopped(p):
    p.p.send_signal(signal.SIGSTOP)
    wait_until("it is stopped", lambda: ") T " in open(
        f"/proc/{p.p.pid}/stat", encoding="ascii").read())
    try:
        yield
    finally:
        p.p.send_signal(signal.SIGCONT)


def flood():
    """More than it can read: nothing is learnt then, and what was stays."""
    watch()
    with running(coturn(), pair("--capture-buffer", "64")) as (_, p), \
            client() as c, client() as other:
        s = Session(c)
        until(1, 1, 1)
        with stopped(p):
            for _ in range(2000):
                other.raw_send(Message(ALLOCATE, REQUEST,
                                       os.urandom(12)).bytes())
            c.permit("203.0.113.9")
        wait_until("it says so", lambda: p.says("event=requests-lost"))
        at_server()
        s.passes()
        expect("at the server", at_server(), 0)
        while other.raw_recv(0.5):
            pass
        Session(other, number=0x4001, peer=("203.0.113.2", 9999)).passes()
        expect("nothing new", entries(), (1, 1, 1))
        # What takes away counts.
        c.refresh(0)
        soon(0, 0, 0)


def fragments():
    """INPUT sees IPv6 before it is put together, so it may be anything."""
    with running(coturn(), pair()) as (_, p), client(6) as c:
        s = Session(c, 6)
        until(1, 1, 1)
        c.raw_send(bytes(3000))
        wait_until("it says so", lambda: p.says("event=unread"))
        c.permit("2001:db8:2::9")
        s.passes()
        expect("nothing new", entries(), (1, 1, 1))


def answers_lost():
    """What was granted meanwhile is not known, nor what ended."""
    with running(coturn(), pair("--capture-buffer", "16")) as (_, p), \
            client() as c:
        s = Session(c)
        until(1, 1, 1)
        with stopped(p):
            for _ in range(60):
                c.refresh()
        wait_until("it says so", lambda: p.says("event=answers-lost"))
        until(0, 0, 0)
        s.passes()


# ------------------------------------------------------------------- the rest

def external():
    with running(coturn(f"--external-ip=192.0.2.77/{V4.relay}"),
                 pair("--external", f"192.0.2.77/{V4.relay}")), client() as c:
        s = Session(c)
        expect("told", s.relay[0], "192.0.2.77")
        until(1, 1, 1)
        a, = shown()["allocs"]
        expect("relay", a["relays"], [f"{V4.relay}:{s.relay[1]}"])
        s.passes()


def nat_on_host():
    """The server's addresses are not those on the wire."""
    watch()
    for table, family in (("ip", 4), ("ip6", 6)):
        with inside("relay"):
            subprocess.run(["nft", "-f", "-"], check=True, text=True, input=f"""
                table {table} redirected {{
                    chain pre {{
                        type nat hook prerouting priority -100;
                        udp dport 443 redirect to :3478
                    }}
                }}""")
        with running(coturn(), pair()), client(family, port=443) as c:
            Session(c, family).passes()
            expect("by the server", at_server() > 0, True)
            expect("entries", entries(), (0, 0, 0))
            # Others, whose connections are tracked as well.
            with client(family) as other:
                Session(other, family, number=0x4001).passes()
                until(1, 1, 1)
        with inside("relay"):
            subprocess.run(["nft", "delete", "table", table, "redirected"],
                           check=True)


def tells_metrics():
    with running(coturn(), pair("--metrics", METRICS)):
        with client() as c:
            s = Session(c)
            until(1, 1, 1)
            s.passes(9)
            m = metrics()
            expect("sessions", (m["kturn_pair_sessions"],
                                m["kturn_pair_sessions_in_kernel"]), (1, 1))
            labels = f'{{client="198.51.100.2:{c.local[1]}",' \
                f'relay="{V4.relay}:{s.relay[1]}",user="alice",' \
                'direction="to_peer"}'
            expect("packets", m["kturn_pair_session_packets_total" + labels],
                   10)
            total = 'kturn_pair_packets_total{direction="to_peer"}'
            expect("of all", m[total], 10)
            c.refresh(0)
            soon(0, 0, 0)
        m = metrics()
        expect("of ended ones, too", (m[total], m["kturn_pair_sessions"]),
               (10, 0))


def other_server(*options):
    with running(coturn(), pair(*options)), client() as c:
        s = Session(c)
        s.passes()
        expect("entries", entries(), (0, 0, 0))


def dry_run():
    with running(coturn(), pair("--dry-run")) as (_, p), client() as c:
        s = Session(c)
        wait_until("it is seen", lambda: p.says(
            rf"event=would-relay client=198.51.100.2:{c.local[1]} "
            rf"relay={V4.relay}:{s.relay[1]} user=alice"))
        s.passes(9)
        c.refresh(0)
        expect("entries", entries(), (0, 0, 0))
        expect("exit status", p.stop(), 0)
        for who in ("clients", "peers"):
            expect(who, bool(p.says(
                rf"event=share from={who} packets=10 would=10 .* "
                "percent=100")), True)


def twice():
    with running(pair()), inside("relay"):
        r = subprocess.run(["kturn-pair"], capture_output=True, text=True,
                           timeout=60, check=False)
        expect("exit status", r.returncode, 1)
        expect("says why", "event=capture-failed group=3478" in r.stderr,
               True)
    expect("no rules", "kturn-pair" in rules(), False)


def main():
    tests = Tests()
    peer = echo()
    # ejabberd's in a row, for they share one.
    for family in (4, 6):
        tests.add(f"ejabberd, IPv{family}: the kernel relays all data", relays,
                  ejabberd, "beam.smp", family)
    for how in ("refresh", "killed server"):
        tests.add("ejabberd ends a session: " + how, ends, ejabberd, how)
    for family in (4, 6):
        tests.add(f"coturn, IPv{family}: the kernel relays all data", relays,
                  coturn, "turnserver", family)
    tests.add("coturn: nothing is lost", takes_over)
    for how in ("refresh", "killed session", "killed server"):
        tests.add("coturn ends a session: " + how, ends, coturn, how)
    tests.add("coturn is restarted", server_restarts)
    tests.add("coturn: a lifetime ends", expires)
    tests.add("kturn-pair ends", pair_ends, signal.SIGTERM)
    tests.add("kturn-pair is killed", pair_ends, signal.SIGKILL)
    tests.add("the module goes and comes", module)
    tests.add("what coturn refuses", refused)
    tests.add("what coturn refuses by quota", over_quota)
    tests.add("peers that the operator denies", deny_list)
    tests.add("requests that are replayed", replayed)
    tests.add("messages that others forge", forged)
    tests.add("two requests in one transaction", two_requests)
    tests.add("a flood of requests", flood)
    tests.add("answers are missing", answers_lost)
    tests.add("IPv6 fragments", fragments)
    tests.add("1:1 NAT", external)
    tests.add("NAT on the same host", nat_on_host)
    tests.add("metrics", tells_metrics)
    tests.add("another server's name", other_server, "--match-process",
              "eturnal")
    tests.add("another server's user", other_server, "--match-user", "nobody")
    tests.add("a dry run", dry_run)
    tests.add("a second kturn-pair", twice)
    status = tests.run()
    peer.kill()
    end_ejabberd()
    return status


if __name__ == "__main__":
    sys.exit(main())
