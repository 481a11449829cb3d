#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What CPUs that relay packets would take from each other: nothing.

if [ "${KTURN_VM:-6.1}" != 6.1 ] && [ -z "${FULL:-}" ]; then
	echo "1..0 # SKIP as on 6.1, and takes minutes; FULL=1 runs it"
	exit 4
fi
. "$(dirname "$0")/../py/scene.sh"

# locks.py prints all of the KTAP, its plan included.
python3 "$top/selftests/races/locks.py" lines
exit $?
