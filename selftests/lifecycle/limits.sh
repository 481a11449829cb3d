#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What happens at a limit: the namespace's, or the memory of a control group;
# see limits.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/limits.py"
exit $?
