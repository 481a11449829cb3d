#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who answers for entries: joining, grace periods, adoption; see owner.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/owner.py"
exit $?
