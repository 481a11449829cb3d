#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the module makes of what packets say: the four conversions in all
# families, what it drops and what it punts.

. "$(dirname "$0")/../py/scene.sh"

# relay.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/relay.py"
exit $?
