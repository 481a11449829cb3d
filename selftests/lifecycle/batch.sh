#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How long many entries take that are pushed at once; see batch.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/lifecycle/batch.py"
exit $?
