# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What the tests of kturn check-host share; source it after ../lib.sh. Each
# test makes the condition in a network namespace of its own, sees it reported,
# does what the report says, and sees it reported no more.

# shellcheck disable=SC2154,SC2034 # of lib.sh; for the tests
{
kturn=$programs/kturn
cpus=$(getconf _NPROCESSORS_ONLN)
}

# Files that are mounted over others while it looks: FILE PATH ...
mounts=()

# world NAME: a namespace, $ns, with a device "up0" that has an address of each
# family and the default route.
world()
{
	ns=kt-$$-$1
	netns_add "$ns"
	in_netns "$ns" ip link add up0 type veth peer name far0 \
		"${@:2}"
	in_netns "$ns" ip link set up0 up
	in_netns "$ns" ip link set far0 up
	in_netns "$ns" ip addr add 192.0.2.1/24 dev up0
	in_netns "$ns" ip addr add 2001:db8::1/64 dev up0 nodad
	in_netns "$ns" ip route add default via 192.0.2.254
}

# instead PATH: standard input is what it sees in place of this file.
instead()
{
	local file

	case $1 in
	/proc/net/*)
		[ -n "$proc_net" ] || proc_net_copy
		cat >"$proc_net/${1#/proc/net/}"
		return
		;;
	esac
	file=$(mktemp "$tmp/instead.XXXXXX")
	cat >"$file"
	mounts+=("$file" "$1")
}

# Nothing can be mounted in there, so it is a copy altogether.
proc_net=
proc_net_copy()
{
	local file

	proc_net=$(mktemp -d "$tmp/proc-net.XXXXXX")
	mkdir "$proc_net/stat"
	for file in route ipv6_route snmp snmp6 netstat softnet_stat sockstat \
		stat/nf_conntrack; do
		[ ! -e "/proc/net/$file" ] ||
			in_netns "$ns" cat "/proc/net/$file" \
				>"$proc_net/$file"
	done
	mounts+=("$proc_net" /proc/net)
}

# as_it_is: nothing is mounted any more.
as_it_is()
{
	mounts=()
	proc_net=
}

# instead_dir PATH: an empty directory in place of this one; $dir is its name.
instead_dir()
{
	dir=$(mktemp -d "$tmp/instead.XXXXXX")
	mounts+=("$dir" "$1")
}

# run_in_ns COMMAND...: in $ns, with its own /sys and with what is mounted.
run_in_ns()
{
	# /proc/net is the process's own.
	# shellcheck disable=SC2016 # for the other shell
	ip netns exec "$ns" sh -c '
		while [ "$1" != -- ]; do
			to=$2
			case $to in
			/proc/net) to=/proc/$$/net ;;
			esac
			mount --bind "$1" "$to" || exit 99
			shift 2
		done
		shift
		exec "$@"' sh "${mounts[@]}" -- "$@"
}

# look [OPTION...]: what it finds in $ns, to $tmp/json.
look()
{
	status=0
	run_in_ns "${before[@]}" "$kturn" check-host --json "$@" \
		>"$tmp/json" 2>"$tmp/err" || status=$?
	cat "$tmp/err"
	[ "$status" -le 1 ] && [ ! -s "$tmp/err" ]
}

# What is in front of the command, such as an environment.
before=(env)

# query EXPRESSION [ARGUMENT...]: of Python, about the findings f.
query()
{
	python3 - "$tmp/json" "$@" <<-'END'
	import json, sys
	j = json.load(open(sys.argv[1]))
	f = [x for x in j["findings"]
	     if len(sys.argv) < 4 or x["check"] == sys.argv[3]]
	if len(sys.argv) > 4:
	    f = [x for x in f if sys.argv[4] in (x["about"] or "")]
	unseen = j["unseen"]
	result = eval(sys.argv[2])
	if isinstance(result, str):
	    print(result)
	elif not result:
	    for x in f if len(sys.argv) > 3 else j["findings"]:
	        print(x)
	    print(sys.argv[2:], unseen)
	    sys.exit(1)
	END
}

# reports SEVERITY CHECK [ABOUT]: and says why
reports()
{
	query "[x for x in f if x['severity'] == '$1' and x['why']
		and x['found']]" "${@:2}"
}

# fine CHECK [ABOUT]: it was looked at, and nothing is to be changed
fine()
{
	query "f and all(x['severity'] == 'ok' for x in f)" "$@"
}

# silent CHECK [ABOUT]: there is nothing to say
silent()
{
	query "all(x['severity'] == 'ok' for x in f)" "$@"
}

# says TEXT CHECK: in one of its texts
says()
{
	query "any('''$1''' in str(x) for x in f)" "${@:2}"
}

# do_it CHECK [ABOUT]: run the commands of its findings
do_it()
{
	query "'\n'.join(d for x in f for d in x['do'])" "$@" |
		sed 's/ip6 saddr ADDRESS/ip6 saddr 2001:db8:9::1/
			s/ip6 daddr ADDRESS/ip6 daddr 2001:db8:9::1/
			s/ADDRESS/192.0.2.9/' >"$tmp/commands"
	[ -s "$tmp/commands" ]
	run_in_ns sh -e "$tmp/commands"
}

nft_add()
{
	in_netns "$ns" nft -f -
}
