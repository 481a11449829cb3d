#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The headers of what the module sends: fields, checksums, TTL; odd ones.

. "$(dirname "$0")/../py/scene.sh"

# headers.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/headers.py"
exit $?
