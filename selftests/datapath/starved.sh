#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Super-packets of which not every segment can be copied for want of memory.

failslab=/sys/kernel/debug/failslab
[ -d $failslab ] || mount -t debugfs none /sys/kernel/debug 2>/dev/null
if ! [ -d $failslab ]; then
	# shellcheck source=../lib.sh
	. "$(dirname "$0")/../lib.sh"
	ktap_skip_all "this kernel can't be made to run out of memory (failslab)"
fi

. "$(dirname "$0")/../py/scene.sh"

# starved.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/starved.py"
exit $?
