#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Unloading the module while packets flow; see unload.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/races/unload.py"
exit $?
