#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The module where an operator installs it: by make, and by dkms(8).

. "$(dirname "$0")/../lib.sh"

eval "$("$top/selftests/vm/kernel" 6.1 || echo exit 1)"
dest=$tmp/dest
version=$(sed -n 's/^VERSION[[:space:]]*:= //p' "$top/Makefile")
loads="insmod $dest/lib/modules/$RELEASE"

# Nothing of dkms outside of the test's directory: it makes keys, too.
dkms_here()
{
	mkdir -p "$tmp/var" "$tmp/tree"
	# shellcheck disable=SC2016 # expanded in there
	unshare --mount sh -c '
		mount --bind "$1" /var/lib/dkms && shift && exec dkms "$@"' \
		sh "$tmp/var" --dkmstree "$tmp/tree" \
		--sourcetree "$dest/usr/src" "$@"
}

# What udev and the generic netlink core ask modprobe for.
found()
{
	modprobe -d "$dest" -S "$RELEASE" --show-depends "$1" >"$tmp/found" &&
		grep -q "^$loads/$2" "$tmp/found"
}

test_modules_install()
{
	make -C "$top" -s modules_install KDIR="$KDIR" DESTDIR="$dest"
	depmod -b "$dest" "$RELEASE"
	found kturn updates/kturn.ko
	found net-pf-16-proto-16-family-kturn updates/kturn.ko
}

test_dkms()
{
	make -C "$top" -s install-dkms DESTDIR="$dest"
	dkms_here add "kturn/$version"
	dkms_here build "kturn/$version" -k "$RELEASE" --kernelsourcedir "$KDIR"
	dkms_here status | grep -q "^kturn/$version, $RELEASE, .*: built"
	module=$(find "$tmp/tree" -name 'kturn.ko*' -path "*/$RELEASE/*")
	[ "$(modinfo -F vermagic "$module" | cut -d ' ' -f 1)" = "$RELEASE" ]
	modinfo -F alias "$module" | grep -qx net-pf-16-proto-16-family-kturn
	# The names of the sources' directories are not those of the checkout.
	fails grep -qF "$top" "$dest/usr/src/kturn-$version/dkms.conf"
}

# It says so, instead of failing to compile whenever a kernel is installed.
test_too_old()
{
	local status=0

	dkms_here build "kturn/$version" -k 5.10.0-1-amd64 \
		--kernelsourcedir "$KDIR" >"$tmp/said" 2>&1 || status=$?
	[ "$status" -eq 77 ]
	grep -q BUILD_EXCLUSIVE "$tmp/said"
}

ktap_plan 3
run_test "dkms: make modules_install" test_modules_install
run_test "dkms: build" test_dkms
run_test "dkms: a kernel that is too old" test_too_old
ktap_finish
