#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A fresh clone of what is committed builds, in a directory with another name,
# and leaves nothing behind outside build/.

. "$(dirname "$0")/../lib.sh"

clone=$tmp/another-place

test_clone()
{
	git clone -q "$top" "$clone"
}

test_userspace()
{
	make -C "$clone" -s "-j$(nproc)" all KDIR=/nonexistent
	"$clone/build/kturn" --help
	"$clone/build/kturnd" --help
}

test_module()
{
	make -C "$clone" -s "-j$(nproc)" modules KDIR="$KDIR"
	[ "$(modinfo -F name "$module")" = kturn ]
	[[ "$(modinfo -F vermagic "$module")" == "$RELEASE "* ]]
}

test_again()
{
	make -C "$clone" -q all
	make -C "$clone" -q modules KDIR="$KDIR"
}

# A change is noticed, and only what depends on it is built again.
test_incremental()
{
	touch -r "$module" "$tmp/before"
	touch "$clone/kernel/main.c"
	make -C "$clone" modules KDIR="$KDIR" >"$tmp/said"
	cat "$tmp/said"
	[ "$module" -nt "$tmp/before" ]
	[ "$(grep -c 'CC \[M\]' "$tmp/said")" -eq 1 ]
}

test_no_headers()
{
	fails make -C "$clone" modules KDIR=/nonexistent 2>"$tmp/said"
	grep -q "KDIR=/nonexistent" "$tmp/said"
}

test_install()
{
	local installed=$tmp/installed

	make -C "$clone" -s install DESTDIR="$installed" prefix=/usr
	"$installed/usr/sbin/kturn" --help
	"$installed/usr/sbin/kturnd" --help
	# Nothing that others read knows where it was built.
	[ -d "$installed/usr/include" ]
	fails grep -rlIF "$tmp" "$installed"
}

# As if what it starts were where it is to be.
test_units()
{
	local unit found=

	for unit in "$tmp"/installed/usr/lib/systemd/system/*.service; do
		found=y
		sed "s|=/usr/sbin|=$tmp/installed/usr/sbin|" "$unit" \
			>"$tmp/${unit##*/}"
		systemd-analyze verify --man=no "$tmp/${unit##*/}" \
			>"$tmp/said" 2>&1 || fail "$(cat "$tmp/said")"
		[ ! -s "$tmp/said" ] || fail "$(cat "$tmp/said")"
	done
	[ "$found" ]
}

test_clean()
{
	[ -z "$(git -C "$clone" status --porcelain)" ] ||
		fail "$(git -C "$clone" status --porcelain)"
	make -C "$clone" -s clean
	[ -z "$(git -C "$clone" status --porcelain --ignored)" ] ||
		fail "$(git -C "$clone" status --porcelain --ignored)"
}

git -C "$top" rev-parse HEAD >/dev/null 2>&1 ||
	ktap_skip_all "this is no git checkout"
eval "$("$top/selftests/vm/kernel" 6.1 || echo exit 1)"
module=$clone/build/modules/$RELEASE/kturn.ko

ktap_plan 9
run_test "build: clone" test_clone
run_test "build: userspace" test_userspace
run_test "build: module" test_module
run_test "build: nothing to do the second time" test_again
run_test "build: module, incrementally" test_incremental
run_test "build: missing headers are named" test_no_headers
run_test "build: install" test_install
run_test "build: units are read without complaint" test_units
run_test "build: source tree stays clean" test_clean
ktap_finish
