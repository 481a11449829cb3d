#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""User stores that are slow, dead and back: databases.py STORE DIR LOG STATE [PORT]

STORE is postgres, redis or sqlite; DIR holds what databases.sh made of it; LOG
is the log of the kturnd that uses it, STATE its state directory; its realm is
example.org, and it has a user alice of its own. Runs in the client's namespace,
see ../lib.sh.
"""

import glob
import hashlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time

from checks import refused, same
from turnclient import TurnClient
from turnmessage import (ALLOCATE, FEATURE_USERNAME_ANONYMITY, REQUEST, SHA256,
                         Message, TurnError, rest_credential)

REALM = "example.org"
PASSWORD = "s3cr%t"
SERVER = {4: "198.51.100.1", 6: "2001:db8:1::1"}
PORT = int(sys.argv[5]) if len(sys.argv) > 5 else 3478
PEER = ("203.0.113.2", 9999)
PATIENCE = 30
# Its tables are read again within a minute, of a machine with much to do.
PATIENCE_TABLES = 70


BEGIN = time.monotonic()


def step(what):
    print(f"{time.monotonic() - BEGIN:5.1f} s: {what}")


def wait_for(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.05)


def run(*command, text=None, env=None):
    return subprocess.run(command, input=text, env=env, check=True,
                          capture_output=True, text=True).stdout


def hmackey(user, password):
    return hashlib.md5(f"{user}:{REALM}:{password}".encode()).hexdigest()


class Server:
    """A database server's process and its children."""

    def __init__(self, directory):
        self.dir = directory
        self.process = None

    def start(self):
        self.process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        wait_for("the server", self.is_up)

    def is_up(self):
        try:
            self.ping()
        except subprocess.CalledProcessError:
            return False
        return True

    def signal(self, number):
        """Children first: the parent would start others."""
        pids = [self.process.pid]
        with open(f"/proc/{pids[0]}/task/{pids[0]}/children",
                  encoding="ascii") as f:
            pids += map(int, f.read().split())
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self):
        self.signal(signal.SIGKILL)
        self.process.wait()

    def close(self):
        if self.process and self.process.poll() is None:
            self.kill()


class Postgres(Server):
    def command(self):
        server = sorted(glob.glob("/usr/lib/postgresql/*/bin/postgres"))[-1]
        return ["setpriv", "--reuid=postgres", "--regid=postgres",
                "--clear-groups", server, "-D", f"{self.dir}/data", "-k",
                self.dir, "-c", "listen_addresses=", "-c", "fsync=off"]

    def psql(self, text):
        run("psql", "-qX", "-v", "ON_ERROR_STOP=1", "-h", self.dir, "-U",
            "postgres", "turn", text=text)

    def ping(self):
        run("pg_isready", "-q", "-h", self.dir)

    def put(self, users):
        rows = ",".join(f"('{REALM}','{user}','{hmackey(user, password)}')"
                        for user, password in users.items())
        self.psql("INSERT INTO turnusers_lt (realm, name, hmackey) VALUES "
                  f"{rows} ON CONFLICT (realm, name) DO UPDATE "
                  "SET hmackey = excluded.hmackey;")

    def remove(self, user):
        self.psql(f"DELETE FROM turnusers_lt WHERE name = '{user}';")

    def be_slow(self):
        self.psql("ALTER TABLE turnusers_lt RENAME TO fast;"
                  "CREATE VIEW turnusers_lt AS"
                  " SELECT realm, name, hmackey FROM fast, pg_sleep(0.05);"
                  "GRANT SELECT ON turnusers_lt TO turn;")

    def be_fast(self):
        self.psql("DROP VIEW turnusers_lt;"
                  "ALTER TABLE fast RENAME TO turnusers_lt;")

    def set_secret(self, secret):
        self.psql("DELETE FROM turn_secret; INSERT INTO turn_secret"
                  f" VALUES ('{REALM}', '{secret}');")


class Redis(Server):
    def command(self):
        return ["redis-server", "--port", "0", "--unixsocket",
                f"{self.dir}/socket", "--dir", self.dir, "--requirepass",
                PASSWORD, "--appendonly", "yes", "--appendfsync", "no"]

    def cli(self, text):
        env = dict(os.environ, REDISCLI_AUTH=PASSWORD)
        out = run("redis-cli", "-e", "-n", "2", "-s", f"{self.dir}/socket",
                  text=text, env=env)
        # It exits with 0 whatever is answered; LOADING, say, for a moment.
        if re.search("^[A-Z]+ ", out, re.MULTILINE):
            raise subprocess.CalledProcessError(1, text, out)

    def ping(self):
        self.cli("ping\n")

    def put(self, users):
        self.cli("".join(f"set turn/realm/{REALM}/user/{user}/key "
                         f"{hmackey(user, password)}\n"
                         for user, password in users.items()))

    def remove(self, user):
        self.cli(f"del turn/realm/{REALM}/user/{user}/key\n")

    def be_slow(self):
        """It can't."""

    def be_fast(self):
        """It is."""

    def set_secret(self, secret):
        key = f"turn/realm/{REALM}/secret"
        self.cli(f"del {key}\nsadd {key} {secret}\n")


class Kturnd:
    """What its log and its control socket say."""

    def __init__(self, path, state):
        self.path = path
        self.state = state

    def json(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.state}/control")
            return json.load(s.makefile())

    def counters(self):
        return self.json()["counters"]

    def refused(self):
        """Questions that were not put to the store."""
        return self.json()["store"]["refused"]

    def asked(self):
        """Questions that have no answer yet."""
        store = self.json()["store"]
        return store["asked"] - store["answered"] - store["failed"]

    def count(self, event):
        with open(self.path, encoding="utf-8") as f:
            return sum(f" event={event} " in line for line in f)

    def has(self, text):
        with open(self.path, encoding="utf-8") as f:
            return text in f.read()

    def wait(self, event, number=1):
        wait_for(f"{number} of {event}",
                 lambda: self.count(event) >= number)


def client(user, password, family=4, **options):
    return TurnClient((SERVER[family], PORT), user=user, password=password, **options)


def try_user(user, password, **options):
    """What Allocate comes to: 0, an error, None for no answer."""
    with client(user, password, **options) as c:
        try:
            c.allocate()
            c.refresh(0)
        except TurnError as error:
            return error.code or None
    return 0


def check_user(user, password, code=0, **options):
    same(try_user(user, password, **options), code, f"{user}'s Allocate")


def check_owned(c):
    """The owner's requests are answered as ever."""
    c.refresh()
    c.permit(PEER[0])
    c.bind(0x4000, PEER)


def check_others(c, user, password):
    """Those who are here, those of the configuration, who came lately."""
    check_owned(c)
    check_user("alice", "secret")
    check_user(user, password)
    check_owned(c)


def check_nobody_waits(log, c, user, password):
    """The same while nobody else asks; @user's keys are remembered."""
    before = log.counters()["waited"]
    check_others(c, user, password)
    same(log.counters()["waited"], before, "requests that were put off")


class Later(threading.Thread):
    """A client who goes on asking while others do something."""

    def __init__(self, user, password):
        super().__init__()
        self.user = (user, password)
        self.result = "nothing"
        self.start()

    def run(self):
        self.result = try_user(*self.user, timeout=PATIENCE)

    def check(self):
        self.join()
        same(self.result, 0, f"{self.user[0]}'s Allocate")


def send_unknown(c, user):
    """A request of a user who does not exist, with a nonce that is good."""
    c.user = user
    msg = Message(ALLOCATE, REQUEST)
    c.build_allocate(msg)
    try:
        c.raw_send(c.authenticate(msg).bytes())
    except (BlockingIOError, ConnectionRefusedError):
        pass


class Flood(threading.Thread):
    """So many of those as can be sent."""

    def __init__(self):
        super().__init__(daemon=True)
        self.done = False
        self.sent = 0
        self.start()

    def run(self):
        with client("nobody", "x", anonymous=False) as c:
            refused(401, c.allocate)
            while not self.done:
                send_unknown(c, f"nobody{self.sent}")
                self.sent += 1


def check_source_limit(log):
    """Of a network eight may wait for the store; those of others, u2 and u3,
    do so as well, and get what they want."""
    before = log.refused()
    with client("nobody", "x", family=6, anonymous=False) as c:
        c.learn(c.request(ALLOCATE, c.build_allocate, auth=False))
        for i in range(100):
            send_unknown(c, f"stranger{before}-{i}")
        wait_for("92 that are refused", lambda: log.refused() - before >= 92)
        same(log.refused() - before, 92, "refused, as eight wait")


def test_users(db):
    """All that a store says; what is not in there."""
    check_user("u0", "p0", anonymous=False)
    check_user("u0", "p0", anonymous=True)
    with client("u0", "p0") as c:
        c.allocate()
        same((SHA256 in c.offered_algorithms(),
              bool(c.features() & FEATURE_USERNAME_ANONYMITY)),
             (False, True), "offers")
    check_user("u0", "p1", 401)
    check_user("u0/key", "p0", 401)
    check_user("u0' OR 'a", "p0", 401)
    check_user("nobody", "p0", 401, anonymous=False)
    check_user("nobody", "p0", 401, anonymous=True)
    # At once, whoever was known before.
    db.put({"u0": "new", "later": "p"})
    wait_for("the new password", lambda: try_user("u0", "new") == 0)
    check_user("u0", "p0", 401)
    wait_for("a new user", lambda: try_user("later", "p") == 0)
    # In a connection as well.
    check_user("u16", "p16", transport="tcp")


def test_removed(db):
    """Once it is heard of the allocation's owner is refused, too."""
    def is_refused():
        same(try_user("u17", "wrong"), 401, "a wrong password")
        try:
            c.refresh()
        except TurnError as error:
            return error.code == 401
        return False

    with client("u17", "p17", anonymous=False) as c:
        c.allocate()
        db.remove("u17")
        wait_for("the removal", is_refused)


def test_left(db, log):
    """Whose connection has ended before the answer gets no allocation."""
    with client("u18", "p18", transport="tcp", anonymous=False) as c:
        c.learn(c.request(ALLOCATE, c.build_allocate, auth=False))
        before = log.counters()["waited"]
        db.signal(signal.SIGSTOP)
        msg = Message(ALLOCATE, REQUEST)
        c.build_allocate(msg)
        c.raw_send(c.authenticate(msg).bytes())
        wait_for("the request",
                 lambda: log.counters()["waited"] > before)
    wait_for("the end",
             lambda: not log.counters()["connections"]["now"])
    db.signal(signal.SIGCONT)
    check_user("u19", "p19", timeout=PATIENCE)
    wait_for("both answers", lambda: not log.asked())
    same(log.has("user=u18"), False, "an allocation of who is gone")


def test_outage(db, log, c, stop, cont):
    """@stop to @cont; u1 is known, u2 and u3 are not."""
    lost = log.count("user-store-lost")
    stop()
    check_nobody_waits(log, c, "u1", "p1")
    waiting = [Later("u2", "p2"), Later("u3", "p3")]
    log.wait("user-store-lost", lost + 1)
    check_others(c, "u1", "p1")
    check_source_limit(log)
    cont()
    for one in waiting:
        one.check()
    log.wait("user-store-back", lost + 1)
    same(log.count("user-store-lost"), lost + 1, "lines about the loss")


def test_flood(log):
    """Others come in; who is known stays so."""
    flood = Flood()
    wait_for("the flood", lambda: flood.sent > 1000)
    begin = time.monotonic()
    # Each would have to be lucky, if the flood could fill the queue.
    for i in range(4, 10):
        check_user(f"u{i}", f"p{i}", family=6, timeout=5)
    took = time.monotonic() - begin
    check_user("u1", "p1")
    flood.done = True
    flood.join()
    print(f"{flood.sent} of the flood; 6 others took {took:.1f} s")
    same(log.count("user-store-lost"), log.count("user-store-back"),
         "the store was lost")


def secret_works(secret):
    return try_user(*rest_credential(secret, "web")) == 0


def test_all(db, log):
    db.start()
    db.put({f"u{i}": f"p{i}" for i in range(30)})
    wait_for("the store", lambda: try_user("u1", "p1") == 0)
    test_users(db)
    test_removed(db)
    test_left(db, log)
    step("users")
    # Seen within seconds, which the rest takes anyway.
    db.set_secret("first")
    with client("u1", "p1", anonymous=False) as c:
        c.allocate()
        test_outage(db, log, c, lambda: db.signal(signal.SIGSTOP),
                    lambda: db.signal(signal.SIGCONT))
        step("slow")
        db.be_slow()
        test_flood(log)
        db.be_fast()
        step("flood")
        wait_for("the secret", lambda: secret_works("first"),
                 PATIENCE_TABLES)
        step("secret")
        test_gone(db, log, c, "first")
        step("dead")
        db.set_secret("second")
        wait_for("the other secret", lambda: secret_works("second"),
                 PATIENCE_TABLES)
        check_user(*rest_credential("first", "web"), 401)
        step("the other secret")
        # It will do so while kturnd ends.
        db.signal(signal.SIGSTOP)
        check_owned(c)


def test_gone(db, log, c, secret):
    lost = log.count("user-store-lost")
    db.kill()
    check_nobody_waits(log, c, "u1", "p1")
    waiting = Later("u20", "p20")
    log.wait("user-store-lost", lost + 1)
    check_others(c, "u1", "p1")
    same(secret_works(secret), True, "the last secret")
    db.start()
    waiting.check()
    log.wait("user-store-back", lost + 1)
    check_owned(c)


def test_sqlite(path, log):
    """A file that is locked, is gone, is on a disk that is full."""
    with client("bob", "stored") as c:
        c.allocate()
        check_owned(c)
        lock = sqlite3.connect(path, isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        check_others(c, "bob", "stored")
        log.wait("user-store-lost")
        check_others(c, "bob", "stored")
        waiting = Later("ben", "other")
        lock.execute("ROLLBACK")
        lock.close()
        waiting.check()
        log.wait("user-store-back")
        os.rename(path, path + ".gone")
        check_others(c, "bob", "stored")
        log.wait("user-store-lost", 2)
        check_others(c, "bob", "stored")
        os.rename(path + ".gone", path)
        log.wait("user-store-back", 2)
        with open(os.path.join(os.path.dirname(path), "full"), "wb",
                  buffering=0) as full:
            try:
                while full.write(bytes(4096)):
                    pass
            except OSError:
                pass
        check_others(c, "bob", "stored")
        check_user("ben", "other")
        check_user("bob", "other", 401)


def main():
    store, directory = sys.argv[1], sys.argv[2]
    log = Kturnd(sys.argv[3], sys.argv[4])
    if store == "sqlite":
        test_sqlite(directory, log)
        return
    db = {"postgres": Postgres, "redis": Redis}[store](directory)
    try:
        test_all(db, log)
    except BaseException:
        db.close()
        raise
    # Stopped, and left to the caller.
    print(db.process.pid)


if __name__ == "__main__":
    main()
