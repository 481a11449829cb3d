#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Adding, deleting, expiring, flushing, dumping and adopting entries while packets
# flow; see entries.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/races/entries.py"
exit $?
