#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn monitor: what it prints of removals, of a module that comes and goes,
# and of messages that were lost; see monitor.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/monitor.py"
exit $?
