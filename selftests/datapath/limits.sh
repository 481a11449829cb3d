#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Rate limits of allocations: what passes in each direction, how they are set
# and shown.

. "$(dirname "$0")/../py/scene.sh"

# limits.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/limits.py"
exit $?
