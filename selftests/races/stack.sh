#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Devices, addresses, routes and namespaces that go while packets flow; see
# stack.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/races/stack.py"
exit $?
