#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where netfilter's rules see what is relayed, and where they do not.

. "$(dirname "$0")/../py/scene.sh"

# filters.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/filters.py"
exit $?
