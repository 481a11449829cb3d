#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What tracepoints and drop monitors are told of packets; see trace.py.

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/observe/trace.py"
exit $?
