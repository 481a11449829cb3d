#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# ICMP errors that come back for what was relayed.

. "$(dirname "$0")/../py/scene.sh"

# icmp.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/icmp.py"
exit $?
