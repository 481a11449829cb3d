#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is counted for allocations and for the namespace; see counters.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/observe/counters.py"
exit $?
