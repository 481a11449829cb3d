#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# libkturn's examples, as they are: the toy server has the kernel relay all data,
# and the other one says what ends; see examples.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/pair/examples.py"
exit $?
