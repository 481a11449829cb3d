#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile what tests import, to PYTHONPYCACHEPREFIX.

With that set, Python does not look at what Debian has compiled. In a VM it would
take seconds for each test.
"""

import compileall
import re
import sys
import sysconfig

UNUSED = re.compile(r"/(asyncio|distutils|ensurepip|idlelib|lib2to3|pydoc_data|test"
                    r"|tkinter|turtledemo|unittest|wsgiref)/")

if __name__ == "__main__":
    for directory in sysconfig.get_path("stdlib"), sys.argv[1]:
        compileall.compile_dir(directory, maxlevels=1, rx=UNUSED, quiet=2)
