#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Many allocations: who reads or removes them all keeps neither packets nor
# requests waiting; see bulk.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/observe/bulk.py"
exit $?
