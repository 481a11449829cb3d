#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn top, on a terminal and elsewhere, and kturn stats --reasons; see top.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/observe/top.py"
exit $?
