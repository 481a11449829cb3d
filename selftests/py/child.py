# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that calls a function until it returns or is killed.

Tests keep to the first CPU, so that their packets stay in order (world.py). A
child may run on @cpus, on all without.
"""

import os
import signal
import sys

from packets import expect


class Child:
    def __init__(self, function, *args, cpus=None):
        self.status = None
        self.pid = os.fork()
        if self.pid:
            return
        status = 1
        try:
            os.sched_setaffinity(0, cpus or range(os.cpu_count()))
            function(*args)
            status = 0
        except Exception as e:
            print("#", function.__name__, repr(e), file=sys.stderr)
        finally:
            os._exit(status)

    def running(self):
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is None

    def wait(self):
        if self.status is None:
            self.status = os.waitpid(self.pid, 0)[1]
        expect("exit status", self.status, 0)

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
