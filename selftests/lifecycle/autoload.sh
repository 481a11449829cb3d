#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The kernel loads the module for the first program that asks for its netlink
# family, and for nobody else.

. "$(dirname "$0")/../lib.sh"

modules=/lib/modules/$(uname -r)

# What kturn.ko needs of the kernel's modules: depmod takes minutes for all.
needed()
{
	local depends

	depends=$(modinfo -F depends "$KTURN_KO") || return
	# shellcheck disable=SC2086 # one word each
	[ -z "$depends" ] || modprobe -a --show-depends ${depends//,/ } |
		awk '$1 == "insmod" { print $2 }'
}

# Installed as an operator would, but forgotten with the script: the directory
# may be another machine's.
install_module()
{
	local path mine=$tmp/modules

	mkdir "$mine" &&
	cp "$modules"/modules.{builtin,order}* "$mine" &&
	needed >"$tmp/needed" || return
	while read -r path; do
		install -D -m 644 "$path" "$mine/${path#"$modules/"}" || return
	done <"$tmp/needed"
	mount --bind "$mine" "$modules" &&
	defer umount "$modules" &&
	install -D -m 644 "$KTURN_KO" "$modules/updates/kturn.ko" &&
	depmod
}

test_autoload()
{
	[ ! -d /sys/module/kturn ]
	# A family that is not ours.
	fails genl ctrl get name kturn-not
	[ ! -d /sys/module/kturn ]
	"$programs/kturn" stats
	[ -d /sys/module/kturn ]
}

# A module that can't be loaded is no reason to fail: see kturnd(8).
test_unloadable()
{
	local status=0

	rmmod kturn
	rm "$modules/updates/kturn.ko"
	depmod
	"$programs/kturn" stats >"$tmp/said" 2>&1 || status=$?
	[ "$status" -eq 1 ]
	grep -qi "module" "$tmp/said"
	[ ! -d /sys/module/kturn ]
}

[ -n "${KTURN_KO:-}" ] || ktap_skip_all "kturn.ko can't be loaded here"
# shellcheck disable=SC2119 # its parameters are the module's
module_load
module_unload
ktap_plan 2
install_module || exit 1
run_test "autoload: by the netlink family" test_autoload
run_test "autoload: not installed" test_unloadable
ktap_finish
