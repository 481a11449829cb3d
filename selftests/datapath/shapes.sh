#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets of unusual shape: as large as can be, payload in pieces of memory,
# and fragments.

. "$(dirname "$0")/../py/scene.sh"

# shapes.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/shapes.py"
exit $?
