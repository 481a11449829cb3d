#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Quotas: limits that several allocations share.

. "$(dirname "$0")/../py/scene.sh"

# quotas.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/quotas.py"
exit $?
