#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# kturn check-host: its words, the module, the server, and the system's settings
# and counters.

. "$(dirname "$0")/../lib.sh"
. "$(dirname "$0")/check_lib.sh"

# programs NAME TEXT...: a directory with a program that prints by its second
# argument ("modinfo -F FIELD kturn"), before all others.
modinfo_is()
{
	local bin

	bin=$(mktemp -d "$tmp/bin.XXXXXX")
	cat >"$bin/modinfo" <<-END
	#!/bin/sh
	case \$2 in
	$(printf '%s) echo "%s" ;;\n' "$@")
	esac
	END
	chmod 755 "$bin/modinfo"
	before=(env "PATH=$bin:$PATH")
}

# loaded SRCVERSION: /sys is as if the module were there.
loaded()
{
	instead_dir /sys/module
	mkdir "$dir/kturn"
	echo "$1" >"$dir/kturn/srcversion"
	modinfo_is srcversion AAAA filename /lib/modules/kturn.ko
}

usage_error()
{
	local expected=$1 status=0

	shift
	"$kturn" check-host "$@" >"$tmp/out" 2>"$tmp/err" || status=$?
	if [ "$status" -ne 2 ] || [ -s "$tmp/out" ] ||
		! grep -qF -- "$expected" "$tmp/err"; then
		fail "$*: status $status: $(cat "$tmp/out" "$tmp/err")"
	fi
}

test_words()
{
	usage_error "too many words: 'x'" x
	usage_error "there is no device 'nothing0'" --device nothing0
	usage_error "there is no device ''" --device lo,
	usage_error "there is no device 'a234567890123456'" \
		--device a234567890123456
	usage_error "relay-ports: '5' is not a range" --relay-ports 5
	usage_error "relay-ports: '6-5' is not a range" --relay-ports 6-5
	usage_error "relay-ports: '1-65536' is not a range" \
		--relay-ports 1-65536
	usage_error "relay-ports: '0-5' is not a range" --relay-ports 0-5
	usage_error "unknown option '-x'" -x
	usage_error "unknown option '-vv'" -vv
}

# Nothing to change: 0. Notes are not meant. What the machine itself has of
# memory, load and CPUs is not what this is about.
test_status()
{
	world status
	loaded AAAA
	instead_dir /sys/devices/system/cpu
	instead /proc/meminfo <<<"MemAvailable: 8388608 kB"
	instead /proc/net/softnet_stat <<<"00100000 00000000 00000000"
	instead /proc/net/sockstat <<<"UDP: inuse 1 mem 0"
	in_netns "$ns" ip link set up0 mtu 1400
	look
	query "not [x for x in f if x['severity'] in ('bad', 'warn')]"
	[ "$status" -eq 0 ]
	reports note mtu
	in_netns "$ns" ip link set up0 mtu 1200
	look
	[ "$status" -eq 1 ]
	reports warn mtu
}

test_text()
{
	world text
	in_netns "$ns" ip link set up0 mtu 1200
	in_netns "$ns" ip xfrm policy add src 198.51.100.0/24 \
		dst 203.0.113.0/24 dir in action block || skip "no IPsec here"
	run_in_ns "$kturn" check-host >"$tmp/out" || [ $? -eq 1 ]
	# The worst first, each with its command, and in what order.
	grep -q '^bad   IPsec policies: 1 inbound' "$tmp/out"
	grep -q '^warn  up0: the MTU is 1200' "$tmp/out"
	grep -qx '      # ip link set dev up0 mtu 1500' "$tmp/out"
	fails grep -q '^ok ' "$tmp/out"
	grep -oE '^(bad|warn|note|-)' "$tmp/out" | uniq >"$tmp/order"
	[ "$(sort "$tmp/order" | uniq -d)" = "" ]
	[ "$(head -n 1 "$tmp/order")" = bad ]
	tail -n 1 "$tmp/out" | grep -E '^1 bad, [1-9][0-9]* to change, ' >/dev/null
	# Texts are broken into lines, commands are not.
	grep -vE '^(      # |-)' "$tmp/out" >"$tmp/texts"
	fails grep '.\{80\}' "$tmp/texts"
	run_in_ns "$kturn" check-host -v >"$tmp/all" || [ $? -eq 1 ]
	grep -q '^ok    Linux' "$tmp/all"
	diff <(grep -v '^ok ' "$tmp/all" | grep -v MiB) \
		<(grep -v MiB "$tmp/out")
	run_in_ns "$kturn" check-host --verbose >"$tmp/long" || [ $? -eq 1 ]
	diff <(grep -v MiB "$tmp/long") <(grep -v MiB "$tmp/all")
}

# What can't be looked at is no failure.
test_unseen()
{
	world unseen
	instead /proc/sys/net/ipv4/ip_local_port_range </dev/null
	instead /proc/meminfo <<<"nothing"
	look
	query "[u for u in unseen if u['what'] == 'memory' and u['why']]"
	query "[u for u in unseen if 'port_range' in u['what'] and u['why']]"
	run_in_ns "$kturn" check-host >"$tmp/out" || [ $? -eq 1 ]
	grep -q '^-     could not look at memory: ' "$tmp/out"
}

# Nothing at all can be read.
test_nothing()
{
	[ -z "${SANITIZE:-}" ] || skip "sanitizers need /proc"
	world nothing
	instead_dir /sys
	instead_dir /proc
	status=0
	run_in_ns "$kturn" check-host -v >"$tmp/out" 2>"$tmp/err" || status=$?
	[ "$status" -le 1 ]
	[ ! -s "$tmp/err" ]
	[ "$(grep -c '^-     could not look at' "$tmp/out")" -ge 8 ]
}

test_module_absent()
{
	world absent
	instead_dir /sys/module
	modinfo_is
	look
	[ "$status" -eq 1 ]
	reports warn module
	[ -e /proc/modules ] || skip "this kernel takes no modules"
	says "make modules KDIR=" module
	modinfo_is filename /lib/modules/kturn.ko
	look
	reports warn module
	says "modprobe kturn" module
}

test_module_unsigned()
{
	world unsigned
	instead_dir /sys/module
	mkdir -p "$dir/module/parameters"
	echo N >"$dir/module/parameters/sig_enforce"
	modinfo_is filename /lib/modules/kturn.ko
	look
	fine module-signature
	echo Y >"$dir/module/parameters/sig_enforce"
	look
	reports bad module-signature
	modinfo_is filename /lib/modules/kturn.ko sig_id PKCS#7
	look
	fine module-signature
}

test_module_update()
{
	world update
	loaded AAAA
	look
	fine module
	echo BBBB >"$dir/kturn/srcversion"
	look
	reports warn module
	says "rmmod kturn && modprobe kturn" module
}

test_ports()
{
	world ports
	in_netns "$ns" sysctl -qw net.ipv4.ip_local_port_range="32768 60999" \
		net.ipv4.ip_local_reserved_ports=8080,9000-9010
	look
	reports note ports
	do_it ports
	[ "$(in_netns "$ns" sysctl -n net.ipv4.ip_local_reserved_ports)" = \
		8080,9000-9010,49152-65535 ]
	look
	fine ports
	look --relay-ports 20000-32767
	fine ports
	look --relay-ports 20000-32768
	reports note ports
	in_netns "$ns" sysctl -qw \
		net.ipv4.ip_local_reserved_ports=32768,49152-60000
	look --relay-ports 20000-32768
	fine ports
	look
	reports note ports
}

# first_sysctl_is NAME VALUE: look in the first namespace, where net.core.NAME
# seems to be VALUE.
first_sysctl_is()
{
	echo "$2" >"$tmp/value"
	# shellcheck disable=SC2016 # for the other shell
	unshare -m sh -c 'mount --bind "$1" "/proc/sys/net/core/$2" &&
		exec "$3" check-host --json' sh "$tmp/value" "$1" "$kturn" \
		>"$tmp/json" || [ $? -eq 1 ]
}

# sysctl_is SEVERITY NAME VALUE: what is said of it.
sysctl_is()
{
	first_sysctl_is "$2" "$3"
	if [ "$1" = ok ]; then
		fine "net.core.$2"
	else
		reports "$1" "net.core.$2"
		says "sysctl -w net.core.$2=" "net.core.$2"
	fi
}

test_sysctls()
{
	local kturnd

	[ -e /proc/sys/net/core/netdev_budget ] ||
		skip "not in the first network namespace"
	# One that runs there may have more than these say, or not.
	kturnd=$(pgrep -x kturnd --ns $$ --nslist net || true)
	[ -z "$kturnd" ] || skip "a kturnd runs here"
	sysctl_is note rmem_max 212992
	sysctl_is ok rmem_max 4194304
	sysctl_is note wmem_max 212992
	sysctl_is ok wmem_max 4194304
	sysctl_is note rmem_default 4096
	sysctl_is ok rmem_default 212992
	sysctl_is warn netdev_max_backlog 100
	sysctl_is ok netdev_max_backlog 1000
	sysctl_is warn netdev_budget 100
	sysctl_is ok netdev_budget 300
}

test_softnet()
{
	world softnet
	instead /proc/net/softnet_stat <<-'END'
	00010000 00000000 00000002 00000000
	00010000 00000000 00000001 00000000
	END
	look
	fine softnet-dropped
	fine softnet-squeezed
	instead /proc/net/softnet_stat <<-'END'
	00010000 00000001 00000002 00000000
	00010000 00000002 00001000 00000000
	END
	look
	reports note softnet-dropped
	says "3 of 131072" softnet-dropped
	reports note softnet-squeezed
	instead /proc/net/softnet_stat <<-'END'
	00010000 00000100 00000002 00000000
	END
	look
	reports warn softnet-dropped
}

# Real ones: a socket that nobody reads.
test_udp()
{
	world udp
	look
	fine udp-rcvbuf IPv4
	fine udp-rcvbuf IPv6
	in_netns "$ns" python3 - <<-'END'
	import socket
	for family, host in ((socket.AF_INET, "127.0.0.1"),
	                     (socket.AF_INET6, "::1")):
	    sock = socket.socket(family, socket.SOCK_DGRAM)
	    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
	    sock.bind((host, 0))
	    for i in range(200):
	        sock.sendto(bytes(1000), sock.getsockname())
	    while True:
	        try:
	            sock.recv(1000, socket.MSG_DONTWAIT)
	        except BlockingIOError:
	            break
	END
	look
	[ "$status" -eq 1 ]
	reports warn udp-rcvbuf IPv4
	reports warn udp-rcvbuf IPv6
	says net.core.rmem_max udp-rcvbuf
}

test_udp_rare()
{
	world rare
	instead /proc/net/snmp <<-'END'
	Ip: Forwarding DefaultTTL
	Ip: 1 64
	Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors
	Udp: 1000000 5 6 2000000 7 300 9
	UdpLite: InDatagrams NoPorts
	UdpLite: 0 0
	END
	look
	reports note udp-rcvbuf IPv4
	says "7 datagrams" udp-rcvbuf
	reports warn udp-sndbuf IPv4
	reports note udp-csum IPv4
}

test_memory()
{
	world memory
	instead /proc/meminfo <<<"MemAvailable:   262143 kB"
	look
	reports warn memory
	as_it_is
	instead /proc/meminfo <<<"MemAvailable:   262144 kB"
	look
	fine memory
}

# udp_mem_with PAGES: what is said when UDP sockets have so many, of 1000, 2000
# and 3000. It is the first namespace that shows the limits.
udp_mem_with()
{
	echo "1000	2000	3000" >"$tmp/limits"
	echo "UDP: inuse 2 mem $1" >"$tmp/sockstat"
	# shellcheck disable=SC2016 # for the other shell
	unshare -m sh -c 'mkdir "$1/net" && mount -t tmpfs net "$1/net" &&
		cp /proc/net/route /proc/net/snmp "$1/net" &&
		cp "$1/sockstat" "$1/net" &&
		mount --bind "$1/net" /proc/$$/net &&
		mount --bind "$1/limits" /proc/sys/net/ipv4/udp_mem &&
		exec "$2" check-host --json' sh "$tmp" "$kturn" >"$tmp/json" ||
		[ $? -eq 1 ]
	rmdir "$tmp/net"
}

test_udp_mem()
{
	[ -e /proc/sys/net/core/netdev_budget ] ||
		skip "not in the first network namespace"
	udp_mem_with 1499
	fine udp-mem
	udp_mem_with 1500
	reports warn udp-mem
}

test_governor()
{
	world governor
	instead_dir /sys/devices/system/cpu
	echo 0-1 >"$dir/online"
	look
	fine governor
	mkdir -p "$dir"/cpu{0,1}/cpufreq
	echo performance | tee "$dir"/cpu{0,1}/cpufreq/scaling_governor
	echo acpi-cpufreq | tee "$dir"/cpu{0,1}/cpufreq/scaling_driver
	look
	fine governor
	echo powersave | tee "$dir"/cpu{0,1}/cpufreq/scaling_governor
	look
	reports warn governor
	echo intel_pstate | tee "$dir"/cpu{0,1}/cpufreq/scaling_driver
	look
	reports note governor
	says "cpupower frequency-set -g performance" governor
}

test_unit()
{
	world unit
	instead_dir /etc/systemd/system
	look
	fine unit-filter
	mkdir "$dir/kturnd.service.d"
	printf '[Service]\nIPAddressAllow=\n#IPAddressDeny=any\n' \
		>"$dir/kturnd.service.d/x.conf"
	look
	fine unit-filter
	printf '[Service]\n IPAddressDeny = 10.0.0.0/8\n' \
		>"$dir/kturnd.service.d/x.conf"
	look
	[ "$status" -eq 1 ]
	reports warn unit-filter /etc/systemd/system/kturnd.service.d/x.conf
	says "IPAddressDeny = 10.0.0.0/8" unit-filter
	do_it unit-filter
	in_netns "$ns" nft list table inet relay |
		grep "daddr 192.0.2.9 drop" >/dev/null
	rm "$dir/kturnd.service.d/x.conf"
	printf '[Service]\nRestrictNetworkInterfaces=eth0\n' \
		>"$dir/kturnd.service"
	look
	reports warn unit-filter kturnd.service
}

# kturnd_in [OPTION...]: a kturnd in $ns, without the capabilities that would
# let it raise its own limits, and with $files files at most.
files=100
kturnd_in()
{
	state=$(mktemp -d "$tmp/state.XXXXXX")
	background nsenter --net="/run/netns/$ns" -- prlimit --nofile="$files" \
		setpriv --bounding-set=-sys_resource,-net_admin \
		--inh-caps=-sys_resource,-net_admin -- \
		"$programs/kturnd" --state-dir "$state" --plane user "$@"
	server=$background
	wait_for 30 has_text "$background_log" event=ready
}

# buffers_are BYTES: where this kernel shows the limit in a namespace.
buffers_are()
{
	if in_netns "$ns" test -e /proc/sys/net/core/rmem_max; then
		instead /proc/sys/net/core/rmem_max <<<"$1"
	fi
}

test_server()
{
	command -v setpriv >/dev/null || skip "no setpriv"
	world server
	in_netns "$ns" ip link set up0 mtu 1500
	kturnd_in --relay-ports 50000-50999
	buffers_are 212992
	loaded AAAA
	look
	[ ${#mounts[@]} -eq 2 ] || reports warn net.core.rmem_max
	reports warn open-files
	says "1256 are wanted" open-files
	reports warn server-plane
	says "prlimit --pid $server --nofile=1256" open-files
	stop_process "$server" || true
	files=1256
	kturnd_in --relay-ports 50000-50999
	as_it_is
	before=(env)
	buffers_are 4194304
	look
	fine open-files
	fine server
	fine ports
	silent net.core.rmem_max
}

test_server_config()
{
	command -v setpriv >/dev/null || skip "no setpriv"
	world config
	printf 'realm: x\nrelay-ports: "50000-50099"\n' >"$tmp/kturnd.yaml"
	kturnd_in --config "$tmp/kturnd.yaml"
	look
	says "356 are wanted" open-files
	look --relay-ports 60000-60009
	says "266 are wanted" open-files
}

# A kturnd of another namespace is not ours.
test_server_elsewhere()
{
	command -v setpriv >/dev/null || skip "no setpriv"
	world other
	kturnd_in --relay-ports 50000-50999
	world here
	look
	silent open-files
	silent server
}

ktap_plan 20
run_test "words" test_words
run_test "exit status" test_status
run_test "text for people" test_text
run_test "what can't be looked at" test_unseen
run_test "nothing can be looked at" test_nothing
run_test "no module" test_module_absent
run_test "a module without a signature" test_module_unsigned
run_test "a module that was updated" test_module_update
run_test "ports that others may be given" test_ports
run_test "sizes of buffers, backlog and budget" test_sysctls
run_test "packets lost in a backlog" test_softnet
run_test "datagrams lost in a socket" test_udp
run_test "few of many datagrams lost" test_udp_rare
run_test "memory" test_memory
run_test "memory of UDP sockets" test_udp_mem
run_test "the CPUs' clock" test_governor
run_test "filters of systemd" test_unit
run_test "a server that runs" test_server
run_test "a server's configuration" test_server_config
run_test "a server in another namespace" test_server_elsewhere
ktap_finish
