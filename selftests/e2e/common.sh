# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of the whole share: the daemon, with the module and without.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/../kturnd/common.sh"

# plane kernel|user: who relays from now on. For user there is no module.
plane()
{
	kturnd_plane=$1
	if [ "$1" = user ]; then
		module_unload
	elif [ ! -d /sys/module/kturn ]; then
		insmod "$KTURN_KO"
	fi
}

# kernel_value EXPRESSION: of the JSON object "d", of kturn stats --all.
kernel_value()
{
	kturn_value "$1" stats --all
}

# relayed_by daemon|kernel: packets and bytes to peers, and to clients.
relayed_by()
{
	local d=d

	[ "$1" = kernel ] || d="d['counters']"
	"${1/daemon/kturnd}_value" \
		"*(${d}[w][k] for w in ('to_peer', 'to_client') for k in ('packets', 'bytes'))"
}

# same WHAT GOT WANTED
same()
{
	[ "$2" = "$3" ] || fail "$1: got '$2', wanted '$3'"
}
