#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Packets from unusual places: tunnels, bridges, VLANs, a VRF, the host itself;
# IPsec policy, marks and routing rules. links.py adds links to the topology.

. "$(dirname "$0")/../py/scene.sh"

# links.py prints all of the KTAP, its plan included.
python3 "$top/selftests/datapath/links.py"
exit $?
