#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Dumps say when what they show may not fit together, and what nobody hears of is
# not there; see dump.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/dump.py"
exit $?
