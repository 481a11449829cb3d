#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Super-packets: segments from local senders, and what receive offload makes.

. "$(dirname "$0")/../py/scene.sh"

# gso.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/gso.py"
exit $?
