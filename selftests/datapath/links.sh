#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets from unusual places: tunnels, bridges, VLANs, a VRF, the host itself;
# IPsec policy, marks and routing rules. The topology is that of lib.sh, to
# which links.py adds links.

. "$(dirname "$0")/../lib.sh"

# shellcheck disable=SC2119 # its parameters are the module's
module_load
topology_up || exit 1
export client relay peer
# links.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/links.py"
exit $?
