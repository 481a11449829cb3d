#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Frames that are for others, for many, or have a tag.

. "$(dirname "$0")/../py/scene.sh"

# frames.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/frames.py"
exit $?
