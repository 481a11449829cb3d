#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Make and delete a permission, over and over: churn.py ALLOC-ID TIMES

Each deletion is an event for whoever listens. In a process of its own kturn
would take its time for each.
"""

import ctypes
import os
import sys

top = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
lib = ctypes.CDLL(os.path.join(top, "build", "libkturn.so.0"))


class Addr(ctypes.Structure):
    _fields_ = [("ip", ctypes.c_uint8 * 16), ("port", ctypes.c_uint16),
                ("family", ctypes.c_uint8), ("pad", ctypes.c_uint8)]


def check(result):
    if result:
        raise OSError(-result, os.strerror(-result))


handle = ctypes.c_void_p()
peer = Addr()
check(lib.kturn_open(ctypes.byref(handle)))
check(lib.kturn_addr_parse(b"203.0.113.200", ctypes.byref(peer)))
number = ctypes.c_uint32(int(sys.argv[1]))
for _ in range(int(sys.argv[2])):
    check(lib.kturn_perm_new(handle, number, ctypes.byref(peer),
                             ctypes.c_uint32(60000)))
    check(lib.kturn_perm_del(handle, number, ctypes.byref(peer)))
