# SPDX-License-Identifier: GPL-2.0-or-later
"""libkturn for tests in Python: kturn.h says what the calls do.

    from libkturn import EXCLUSIVE, Kturn

    kt = Kturn()                        # in the thread's network namespace
    id = kt.alloc_new("198.51.100.2:4000", "198.51.100.1:3478",
                      ["203.0.113.1:50000"], 60000, EXCLUSIVE)
    kt.perm_new(id, "203.0.113.2", 60000)
    kt.chan_new(id, 0x4000, "203.0.113.2:9", 60000)

A refusal raises Refused, whose errno and text are the kernel's. Lifetimes are
in milliseconds, addresses are text.
"""

import ctypes
import errno
import os
import select
import time
from ctypes import (CFUNCTYPE, POINTER, Structure, Union, byref, c_bool,
                    c_char, c_char_p, c_int, c_int64, c_size_t, c_uint8,
                    c_uint16, c_uint32, c_uint64, c_void_p)

EXCLUSIVE = 1
EXPIRED, DELETED, OWNER_GONE = range(3)
KEEP = 0xFFFFFFFF
ALLOC, PERM, CHAN, MODULE_GONE, MODULE_HERE = range(5)

lib = ctypes.CDLL(os.path.join(os.path.dirname(__file__),
                               "../../build/libkturn.so.0"))


class Addr(Structure):
    _fields_ = [("ip", c_uint8 * 16), ("port", c_uint16),
                ("family", c_uint8), ("pad", c_uint8)]

    def __init__(self, text=None):
        super().__init__()
        if text and lib.kturn_addr_parse(text.encode(), byref(self)):
            raise ValueError("not an address: " + text)

    def __str__(self):
        return lib.kturn_addr_text(byref(self),
                                   ctypes.create_string_buffer(64)).decode()


class Counter(Structure):
    _fields_ = [("packets", c_uint64), ("bytes", c_uint64)]


class Limit(Structure):
    _fields_ = [("bit_rate", c_uint64), ("burst_bytes", c_uint64),
                ("packet_rate", c_uint32), ("burst_packets", c_uint32)]

    def __repr__(self):
        return f"Limit({', '.join(str(getattr(self, n)) for n, _ in self._fields_)})"

    def __eq__(self, other):
        return repr(self) == repr(other)


class Quota(Structure):
    _fields_ = [("id", c_uint64), ("to_peer", Limit), ("to_client", Limit),
                ("keep_to_peer", c_bool), ("keep_to_client", c_bool),
                ("allocs", c_uint32)]

    def __init__(self, id=0, to_peer=None, to_client=None, keep=False):
        super().__init__(id, to_peer or Limit(), to_client or Limit(), keep,
                         keep)


class Alloc(Structure):
    _fields_ = [("id", c_uint32), ("owner_id", c_uint32), ("client", Addr),
                ("server", Addr), ("relay", Addr * 2), ("l3mdev", c_uint32),
                ("lifetime_ms", c_uint32), ("flags", c_uint32),
                ("label", c_char * 128), ("owner_data", c_void_p),
                ("owner_data_len", c_size_t), ("to_peer", Counter),
                ("to_client", Counter), ("dropped", c_uint64),
                ("punted", c_uint64), ("gone", c_int),
                ("to_peer_by", Counter * 2), ("to_client_by", Counter * 2),
                ("idle_ms", c_int64), ("limit_to_peer", Limit),
                ("limit_to_client", Limit), ("quota", Quota * 2),
                ("n_quotas", c_size_t)]


class Perm(Structure):
    _fields_ = [("alloc_id", c_uint32), ("peer", Addr),
                ("lifetime_ms", c_uint32), ("gone", c_int)]


class Chan(Structure):
    _fields_ = [("alloc_id", c_uint32), ("number", c_uint16), ("peer", Addr),
                ("lifetime_ms", c_uint32), ("to_peer", Counter),
                ("to_client", Counter), ("gone", c_int)]


class Owner(Structure):
    _fields_ = [("id", c_uint32), ("grace_ms", c_uint32),
                ("sockets", c_uint32), ("allocs", c_uint32),
                ("left_ms", c_int64), ("label", c_char * 128)]


class Device(Structure):
    _fields_ = [("ifindex", c_uint32), ("ifname", c_char * 16)]


class Stats(Structure):
    _fields_ = [("to_peer", Counter), ("to_client", Counter),
                ("drop", c_uint64 * 64), ("punt", c_uint64 * 64),
                ("allocs", c_uint32), ("perms", c_uint32),
                ("chans", c_uint32), ("owners", c_uint32), ("hooks", c_bool),
                ("to_peer_by", Counter * 2), ("to_client_by", Counter * 2),
                ("icmp", c_uint64)]


class Config(Structure):
    _fields_ = [("max_allocs", c_uint32), ("max_perms", c_uint32),
                ("max_chans", c_uint32), ("max_owners", c_uint32),
                ("punt_rate", c_uint32), ("punt_burst", c_uint32),
                ("icmp_rate", c_uint32), ("icmp_burst", c_uint32),
                ("icmp_ind_rate", c_uint32), ("icmp_ind_burst", c_uint32),
                ("local_out", c_uint32)]


class EventUnion(Union):
    _fields_ = [("alloc", Alloc), ("perm", Perm), ("chan", Chan)]


class Event(Structure):
    _anonymous_ = ["u"]
    _fields_ = [("type", c_int), ("u", EventUnion)]


def copy_of(struct):
    return type(struct).from_buffer_copy(struct)


ALLOC_CB = CFUNCTYPE(c_int, POINTER(Alloc), c_void_p)
PERM_CB = CFUNCTYPE(c_int, POINTER(Perm), c_void_p)
CHAN_CB = CFUNCTYPE(c_int, POINTER(Chan), c_void_p)
OWNER_CB = CFUNCTYPE(c_int, POINTER(Owner), c_void_p)
DEVICE_CB = CFUNCTYPE(c_int, POINTER(Device), c_void_p)
EVENT_CB = CFUNCTYPE(c_int, POINTER(Event), c_void_p)

for function, arguments in (
        ("addr_parse", [c_char_p, POINTER(Addr)]),
        ("open", [POINTER(c_void_p)]),
        ("join", [c_void_p, c_uint64, c_uint32, c_char_p, POINTER(Owner)]),
        ("alloc_new", [c_void_p, POINTER(Alloc), POINTER(c_uint32)]),
        ("alloc_del", [c_void_p, c_uint32]),
        ("perm_new", [c_void_p, c_uint32, POINTER(Addr), c_uint32]),
        ("perm_del", [c_void_p, c_uint32, POINTER(Addr)]),
        ("chan_new", [c_void_p, c_uint32, c_uint16, POINTER(Addr), c_uint32]),
        ("chan_del", [c_void_p, c_uint32, c_uint16]),
        ("flush", [c_void_p, c_uint32]),
        ("alloc_get", [c_void_p, c_uint32, c_uint32, ALLOC_CB, c_void_p]),
        ("alloc_sample", [c_void_p, ALLOC_CB, c_void_p]),
        ("perm_get", [c_void_p, c_uint32, PERM_CB, c_void_p]),
        ("chan_get", [c_void_p, c_uint32, CHAN_CB, c_void_p]),
        ("owner_get", [c_void_p, OWNER_CB, c_void_p]),
        ("device_get", [c_void_p, DEVICE_CB, c_void_p]),
        ("attach", [c_void_p, c_uint32]),
        ("detach", [c_void_p, c_uint32]),
        ("stats_get", [c_void_p, POINTER(Stats)]),
        ("config_get", [c_void_p, POINTER(Config)]),
        ("config_set", [c_void_p, POINTER(Config)]),
        ("batch_alloc_set", [c_void_p, c_uint32, c_uint32, c_void_p,
                             c_size_t]),
        ("batch_alloc_set_flags", [c_void_p, c_uint32, c_uint32]),
        ("batch_alloc_set_limits", [c_void_p, c_uint32, POINTER(Limit),
                                    POINTER(Limit)]),
        ("batch_alloc_new", [c_void_p, POINTER(Alloc)]),
        ("batch_perm_new", [c_void_p, c_uint32, POINTER(Addr), c_uint32]),
        ("batch_chan_new", [c_void_p, c_uint32, c_uint16, POINTER(Addr),
                            c_uint32]),
        ("batch_run", [c_void_p]),
        ("batch_result", [c_void_p, c_int]),
        ("listen", [POINTER(c_void_p)]),
        ("listener_fd", [c_void_p]),
        ("listener_read", [c_void_p, EVENT_CB, c_void_p])):
    getattr(lib, "kturn_" + function).argtypes = arguments
for function, arguments, result in (
        ("addr_text", [POINTER(Addr), c_char_p], c_char_p),
        ("close", [c_void_p], None),
        ("error", [c_void_p], c_char_p),
        ("batch_new", [c_void_p], c_void_p),
        ("batch_free", [c_void_p], None),
        ("batch_id", [c_void_p, c_int], c_uint32),
        ("batch_text", [c_void_p, c_int], c_char_p),
        ("drop_name", [c_uint32], c_char_p),
        ("punt_name", [c_uint32], c_char_p),
        ("listener_close", [c_void_p], None)):
    getattr(lib, "kturn_" + function).argtypes = arguments
    getattr(lib, "kturn_" + function).restype = result


class Refused(Exception):
    def __init__(self, error, text):
        super().__init__(f"{errno.errorcode.get(-error, error)}: {text}")
        self.errno = -error
        self.text = text


def reason_numbers(name_of):
    """{name: number}"""
    result, n = {}, 0
    while name_of(n):
        result[name_of(n).decode()] = n
        n += 1
    return result


DROP = reason_numbers(lib.kturn_drop_name)
PUNT = reason_numbers(lib.kturn_punt_name)


def make_alloc(client, server, relays, lifetime_ms, flags=0, label="",
               l3mdev=0, to_peer=None, to_client=None, quotas=()):
    a = Alloc(lifetime_ms=lifetime_ms, flags=flags, label=label.encode(),
              l3mdev=l3mdev)
    a.limit_to_peer = to_peer or Limit()
    a.limit_to_client = to_client or Limit()
    a.n_quotas = len(quotas)
    for i, quota in enumerate(quotas[:2]):
        a.quota[i] = quota
    a.client, a.server = Addr(client), Addr(server)
    for relay in map(Addr, relays):
        a.relay[relay.family - 1] = relay
    return a


class Kturn:
    def __init__(self):
        self.kt = c_void_p()
        self.check(lib.kturn_open(byref(self.kt)))

    def check(self, err):
        if err < 0:
            raise Refused(err, lib.kturn_error(self.kt).decode())

    def close(self):
        lib.kturn_close(self.kt)
        self.kt = None

    def join(self, cookie, grace_ms, label=""):
        owner = Owner()
        self.check(lib.kturn_join(self.kt, cookie, grace_ms, label.encode(),
                                  byref(owner)))
        return owner

    def alloc_new(self, *args, **kwargs):
        id = c_uint32()
        self.check(lib.kturn_alloc_new(self.kt, make_alloc(*args, **kwargs),
                                       byref(id)))
        return id.value

    def alloc_del(self, id):
        self.check(lib.kturn_alloc_del(self.kt, id))

    def perm_new(self, id, peer, lifetime_ms):
        self.check(lib.kturn_perm_new(self.kt, id, Addr(peer), lifetime_ms))

    def perm_del(self, id, peer):
        self.check(lib.kturn_perm_del(self.kt, id, Addr(peer)))

    def chan_new(self, id, number, peer, lifetime_ms):
        self.check(lib.kturn_chan_new(self.kt, id, number, Addr(peer),
                                      lifetime_ms))

    def chan_del(self, id, number):
        self.check(lib.kturn_chan_del(self.kt, id, number))

    def flush(self, owner_id=0):
        self.check(lib.kturn_flush(self.kt, owner_id))

    def batch(self, requests):
        """[("perm_new", id, Addr, ms), …]: the results, 0 or -errno."""
        b = lib.kturn_batch_new(self.kt)
        try:
            for name, *args in requests:
                self.check(getattr(lib, "kturn_batch_" + name)(b, *args))
            err = lib.kturn_batch_run(b)
            results = [lib.kturn_batch_result(b, i)
                       for i in range(len(requests))]
            if err and not any(results):
                self.check(err)
            self.batch_ids = [lib.kturn_batch_id(b, i)
                              for i in range(len(requests))]
            self.batch_texts = [lib.kturn_batch_text(b, i).decode()
                                for i in range(len(requests))]
            return results
        finally:
            lib.kturn_batch_free(b)

    def alloc_set(self, id, lifetime_ms):
        err, = self.batch([("alloc_set", id, lifetime_ms, None, 0)])
        if err:
            raise Refused(err, self.batch_texts[0])

    def alloc_set_flags(self, id, flags):
        err, = self.batch([("alloc_set_flags", id, flags)])
        if err:
            raise Refused(err, self.batch_texts[0])

    def alloc_set_limits(self, id, to_peer=None, to_client=None):
        """None: as it is; Limit(): none."""
        err, = self.batch([("alloc_set_limits", id, to_peer, to_client)])
        if err:
            raise Refused(err, self.batch_texts[0])

    def gather(self, call, callback_type, *args):
        found = []

        def callback(entry, _):
            found.append(copy_of(entry.contents))
            return 0
        self.check(call(self.kt, *args, callback_type(callback), None))
        return found

    def allocs(self, id=0, owner_id=0):
        return self.gather(lib.kturn_alloc_get, ALLOC_CB, id, owner_id)

    def perms(self, id=0):
        return self.gather(lib.kturn_perm_get, PERM_CB, id)

    def chans(self, id=0):
        return self.gather(lib.kturn_chan_get, CHAN_CB, id)

    def owners(self):
        return self.gather(lib.kturn_owner_get, OWNER_CB)

    def devices(self):
        return self.gather(lib.kturn_device_get, DEVICE_CB)

    def attach(self, ifindex):
        self.check(lib.kturn_attach(self.kt, ifindex))

    def detach(self, ifindex):
        self.check(lib.kturn_detach(self.kt, ifindex))

    def alive(self, id):
        try:
            return len(self.allocs(id)) == 1
        except Refused as e:
            if e.errno != errno.ENOENT:
                raise
            return False

    def stats(self):
        st = Stats()
        self.check(lib.kturn_stats_get(self.kt, byref(st)))
        return st

    def config(self):
        cfg = Config()
        self.check(lib.kturn_config_get(self.kt, byref(cfg)))
        return cfg

    def set_config(self, **limits):
        cfg = Config(*[KEEP] * len(Config._fields_))
        for name, value in limits.items():
            setattr(cfg, name, value)
        self.check(lib.kturn_config_set(self.kt, byref(cfg)))


class Listener:
    def __init__(self):
        self.l = c_void_p()
        err = lib.kturn_listen(byref(self.l))
        if err:
            raise Refused(err, lib.kturn_error(None).decode())
        self.events = []

    def close(self):
        lib.kturn_listener_close(self.l)

    def read(self):
        """Take what is there; returns 0 or a negative errno."""
        def callback(event, _):
            self.events.append(copy_of(event.contents))
            return 0
        return lib.kturn_listener_read(self.l, EVENT_CB(callback), None)

    def take(self, wanted=None, seconds=20):
        """The events since the last time, once there are so many."""
        end = time.monotonic() + seconds
        while True:
            self.read()
            left = end - time.monotonic()
            if wanted is None or len(self.events) >= wanted or left <= 0:
                break
            select.select([lib.kturn_listener_fd(self.l)], [], [], left)
        events, self.events = self.events, []
        return events
