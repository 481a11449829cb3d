#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What CPUs that relay packets could wait for each other for: nothing.

if [ "${KTURN_VM:-}" = debug ]; then
	echo "1..0 # SKIP the kernel has no kprobes, and locks of its own"
	exit 4
fi
. "$(dirname "$0")/../py/scene.sh"

# locks.py prints all of the KTAP, its plan included.
python3 "$top/selftests/races/locks.py" locks
exit $?
