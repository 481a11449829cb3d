#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ingress mode by itself: which devices can be attached, how they are detached,
# and what passes by which chains.

. "$(dirname "$0")/../py/scene.sh"

# attach.py prints all of the KTAP, its plan included.
python3 "$top/selftests/ingress/attach.py"
exit $?
