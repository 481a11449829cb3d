#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Limits of what is not relayed: what is punted, by allocation and by namespace,
# and ICMP errors.

. "$(dirname "$0")/../py/scene.sh"

# punts.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/punts.py"
exit $?
