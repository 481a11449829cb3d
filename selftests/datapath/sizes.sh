#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets that are too big for the way out: fragments and ICMP errors, and the
# header fields of allocations that want the alternate ones.

. "$(dirname "$0")/../py/scene.sh"

# sizes.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/sizes.py"
exit $?
