#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unloading the module, deleting the namespace and changing entries, all of it
# while packets flow; see load.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/load.py"
exit $?
