#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn-pair beside coturn, and beside ejabberd's TURN service, which know nothing
# of it; see pair.py.
#
#	client                  relay                       peer
#	turnclient.py  ------>  kturn.ko, or coturn  ---->  echo
#	198.51.100.2            198.51.100.1:3478           203.0.113.2
#	2001:db8:1::2           2001:db8:1::1               2001:db8:2::2

. "$(dirname "$0")/../py/scene.sh"

python3 "$top/selftests/pair/pair.py"
exit $?
