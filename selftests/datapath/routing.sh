#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where packets come from and go to: source validation, routes that change,
# addresses that are the host's, a firewall.

. "$(dirname "$0")/../py/scene.sh"

# routing.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/routing.py"
exit $?
