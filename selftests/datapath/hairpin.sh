#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Two clients of the same server, and what would go in circles.

. "$(dirname "$0")/../py/scene.sh"

# hairpin.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/hairpin.py"
exit $?
