#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What the module makes of packets: the four conversions in all families, the
# headers and checksums of what it sends, what it drops and what it punts.
# The topology is that of lib.sh; relay.py plays client, peer and daemon.

. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2119 # its parameters are the module's
module_load
topology_up || exit 1
export client relay peer
# relay.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/relay.py"
exit $?
