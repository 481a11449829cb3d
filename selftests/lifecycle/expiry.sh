#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What ends with a channel, a permission and an allocation, when it ends, and
# who is told; see expiry.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/expiry.py"
exit $?
