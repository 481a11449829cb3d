#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The VM runner: what goes in comes out, and a kernel that complains fails the
# run whatever the command's exit status is.

. "$(dirname "$0")/../lib.sh"

run=$top/selftests/vm/run

# One boot's output and exit status serve several tests.
first_boot()
{
	mkdir "$tmp/share"
	echo from-host >"$tmp/share/in"
	# shellcheck disable=SC2016 # expanded in the VM
	"$run" --no-module --share "$tmp/share" --console "$tmp/console" -- \
		bash -c '
		printf "<%s>\n" "$@"
		echo to stderr >&2
		cat /share/in && echo from-vm >/share/out
		echo "cwd $PWD"
		touch here 2>/dev/null || echo "checkout read-only"
		touch /etc/kturn-lab && echo "root writable"
		echo "path ${PATH%%:*}"
		echo "clock $(date +%s)"
		echo "full ${FULL-unset}"
		modprobe -a veth nf_tables nf_conntrack tun vrf dummy bridge \
			sch_fq sch_netem && echo "modules fine"
		[ -c /dev/net/tun ] && echo "tun fine"
		sysctl -qw net.core.rmem_max=1000000 && echo "sysctl fine"
		ip netns add lab && ip netns exec lab true &&
			ip netns del lab && echo "netns fine"
		sleep 1000 &
		seq 100000
		exit 7' bash "" "a  b" "*" "it's" "\$HOME" ", ;" \
		>"$tmp/first" 2>"$tmp/first.err"
	echo $? >"$tmp/first.status"
}

said()
{
	grep -qxF -- "$1" "$tmp/first" ||
		fail "the output lacks '$1'; standard error:" \
			"$(cat "$tmp/first.err")"
}

test_status()
{
	[ "$(cat "$tmp/first.status")" -eq 7 ]
}

test_arguments()
{
	said "<>"
	said "<a  b>"
	said "<*>"
	said "<it's>"
	said "<\$HOME>"
	said "<, ;>"
}

test_output()
{
	said "to stderr"
	# All of it, and in order.
	tail -n 100000 "$tmp/first" | cmp - <(seq 100000)
}

test_share()
{
	said from-host
	[ "$(cat "$tmp/share/out")" = from-vm ]
}

test_checkout()
{
	said "cwd $top"
	said "path $top/build"
	said "checkout read-only"
	said "root writable"
	[ ! -e /etc/kturn-lab ]
}

test_environment()
{
	local clock now

	said "full ${FULL-unset}"
	clock=$(sed -n 's/^clock //p' "$tmp/first")
	now=$(date +%s)
	[ $((now - clock)) -ge 0 ] && [ $((now - clock)) -lt 120 ]
}

test_kernel()
{
	said "modules fine"
	said "tun fine"
	said "sysctl fine"
	said "netns fine"
}

test_console()
{
	grep -q "reboot: Power down" "$tmp/console"
}

# Another boot for two tests: a module that warns, and a tap device, in a
# namespace of its own.
second_boot()
{
	local kdir

	kdir=$("$top/selftests/vm/kernel" 6.1 KDIR) || return
	mkdir "$tmp/warn"
	cp "$top/selftests/lab/warn.c" "$tmp/warn/"
	echo "obj-m := warn.o" >"$tmp/warn/Kbuild"
	make -s -C "$kdir" M="$tmp/warn" modules >"$tmp/warn/log" 2>&1 ||
		return

	netns_add "$relay" &&
	ip -n "$relay" tuntap add dev tap0 mode tap &&
	link_up "$relay" tap0 "$RELAY_CLIENT_V4/24" || return

	ip netns exec "$relay" "$run" --no-module --tap tap0 \
		--share "$tmp/warn" -- bash -c "
		insmod /share/warn.ko && echo loaded
		ip addr add $CLIENT_V4/24 dev eth0 && ip link set eth0 up
		ping -c 1 -W 10 $RELAY_CLIENT_V4 && echo reached" \
		>"$tmp/second" 2>"$tmp/second.err"
	echo $? >"$tmp/second.status"
}

# A WARN_ON() does not stop the command, which succeeds.
test_warning()
{
	cat "$tmp/warn/log" "$tmp/second.err"
	grep -x loaded "$tmp/second"
	[ "$(cat "$tmp/second.status")" -eq 99 ]
	grep -q "the kernel complained" "$tmp/second.err"
	grep -q "WARNING: .*warn_init" "$tmp/second.err"
}

test_tap()
{
	cat "$tmp/second"
	grep -x reached "$tmp/second"
}

test_panic()
{
	local status=0

	"$run" --no-module -- bash -c 'echo c >/proc/sysrq-trigger' \
		>"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" -eq 99 ]
	grep -q "Kernel panic - not syncing: sysrq" "$tmp/err"
}

test_timeout()
{
	local status=0

	"$run" --no-module --timeout 2 -- true 2>"$tmp/err" || status=$?
	[ "$status" -eq 99 ]
	grep -q "took longer than 2 s" "$tmp/err"
}

# Booting is silent too.
test_silence()
{
	local status=0

	"$run" --no-module --silence 60 -- bash -c "echo here; sleep infinity" \
		>"$tmp/out" 2>"$tmp/err" || status=$?
	cat "$tmp/err"
	[ "$status" -eq 99 ]
	grep -qx here "$tmp/out"
	grep -q "said nothing for 60 s" "$tmp/err"
}

# Each line of the table of complaints has an example that it catches, and an
# ordinary message is none.
test_splats()
{
	local line

	sed '/^#/d;/^$/d' "$top/selftests/vm/splats" >"$tmp/splats"
	[ -s "$tmp/splats" ]
	while read -r line; do
		echo "[    1.000000] $line" | grep -qE -f "$tmp/splats" ||
			fail "not caught: $line"
	done <<-'END'
	BUG: kernel NULL pointer dereference, address: 0000000000000000
	BUG: scheduling while atomic: insmod/123/0x00000002
	WARNING: CPU: 0 PID: 1 at net/core/dev.c:1 f+0x1/0x2 [kturn]
	WARNING: possible circular locking dependency detected
	WARNING: inconsistent lock state
	WARNING: suspicious RCU usage
	refcount_t: underflow; use-after-free.
	rcu: INFO: rcu_preempt self-detected stall on CPU
	rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
	watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [ip:1]
	unregister_netdevice: waiting for veth0 to become free. Usage count = 2
	INFO: task ip:1 blocked for more than 120 seconds.
	general protection fault, probably for non-canonical address 0x1
	UBSAN: array-index-out-of-bounds in kernel/hook.c:1:2
	kmemleak: 3 new suspicious memory leaks (see /sys/kernel/debug/kmemleak)
	list_del corruption. prev->next should be ffff, but was ffff
	Oops: 0000 [#1] PREEMPT SMP PTI
	END
	fails grep -E -f "$tmp/splats" <<-'END'
	[    0.687880] mtrr: your CPUs had inconsistent fixed MTRR settings
	[    3.338969] kturn: loading out-of-tree module taints kernel.
	[    4.254330] IPv6: ADDRCONF(NETDEV_CHANGE): veth0: link becomes ready
	[    0.100000] rcu: Hierarchical RCU implementation.
	[    0.100000] tracing: debug buffer is 1 page
	END
}

test_usage()
{
	local status arguments

	for arguments in "--kernel 0.1 -- true" "--smp 0 -- true" \
		"--nonsense" "--share $tmp/none -- true" "--mem" \
		"--silence 0 -- true"; do
		status=0
		# shellcheck disable=SC2086 # words
		"$run" $arguments >/dev/null 2>"$tmp/err" </dev/null ||
			status=$?
		echo "$arguments: $status"
		[ "$status" -eq 2 ] || [ "$status" -eq 98 ]
		[ -s "$tmp/err" ]
	done
}

command -v qemu-system-x86_64 >/dev/null ||
	ktap_skip_all "no qemu-system-x86_64"
ktap_plan 15
first_boot
second_boot
run_test "vm: exit status is passed on" test_status
run_test "vm: arguments arrive as they are" test_arguments
run_test "vm: all output arrives" test_output
run_test "vm: /share is shared" test_share
run_test "vm: checkout at its own path, root forgotten" test_checkout
run_test "vm: environment and clock" test_environment
run_test "vm: kernel has what the tests use" test_kernel
run_test "vm: console is kept" test_console
run_test "vm: a kernel warning fails the run" test_warning
run_test "vm: a tap device connects it to the host" test_tap
run_test "vm: a kernel panic fails the run" test_panic
run_test "vm: a VM that takes too long fails the run" test_timeout
run_test "vm: a VM that hangs fails the run" test_silence
run_test "vm: complaints are recognised" test_splats
run_test "vm: wrong usage is refused" test_usage
ktap_finish
