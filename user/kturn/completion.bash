# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# bash completion for kturn(8).

# IDs of allocations or owners, where the caller may read them.
_kturn_ids()
{
	kturn show "$1" 2>/dev/null | awk 'NR > 1 { print $1 }'
}

# Network devices, and those that are attached.
_kturn_devices()
{
	ip -o link show 2>/dev/null | awk -F'[:@] *' '{ print $2 }'
}

_kturn_attached()
{
	kturn attach 2>/dev/null | awk 'NR > 1 { print $2 }'
}

# What an option's value is. Succeeds if it was one.
_kturn_value()
{
	case $prev in
	--db | --password-file | --secret-file)
		_filedir
		;;
	--realm | --ttl | --user | --interval | --count | --relay-ports)
		;;
	--device)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(ip -o link show 2>/dev/null |
				awk -F'[:@ ]+' '{ print $2 }')" -- "$cur")
		;;
	--sort)
		mapfile -t COMPREPLY < <(compgen -W "rate packets to-peer
			to-client dropped punted idle id" -- "$cur")
		;;
	vrf)
		mapfile -t COMPREPLY < <(compgen -W \
			"$(ip -o link show type vrf 2>/dev/null |
				awk -F': ' '{ print $2 }')" -- "$cur")
		;;
	client | server | relay | lifetime | label | max-* | limit-to-* | *-rate | *-burst)
		;;
	*)
		return 1
		;;
	esac
}

# The words that may stand behind the command $1 (and $2).
_kturn_words()
{
	case "$1 $2" in
	"show "*) [ "$cword" -gt 3 ] || case $2 in
		alloc | perm | chan | quota) _kturn_ids alloc ;;
		owner) _kturn_ids owner ;;
		*) echo "alloc perm chan owner quota" ;;
		esac
		echo "--json" ;;
	"stats "*) echo "--all --reasons --json" ;;
	"top "*) echo "--sort --interval --count --json" ;;
	"monitor "*) echo "--json" ;;
	"alloc add") echo "client server relay lifetime exclusive alternate label vrf" \
		"limit-to-peer limit-to-client quota quota-to-peer quota-to-client --json" ;;
	"alloc set")
		if [ "$cword" -gt 3 ]; then
			echo "lifetime limit-to-peer limit-to-client"
		else
			_kturn_ids alloc
		fi ;;
	"alloc del") _kturn_ids alloc; echo all ;;
	"perm add" | "perm del" | "chan add" | "chan del")
		[ "$cword" -gt 3 ] || _kturn_ids alloc
		[ "$2" = del ] || [ "$cword" -le 4 ] || echo lifetime ;;
	"alloc "*) echo "add set del" ;;
	"perm "* | "chan "*) echo "add del" ;;
	"flush owner") _kturn_ids owner ;;
	"flush "*) echo owner ;;
	"limits set") echo "max-allocs max-perms max-chans max-owners punt-rate" \
		"punt-burst icmp-rate icmp-burst icmp-ind-rate icmp-ind-burst local-out" ;;
	"limits "*) echo "set --json" ;;
	"attach "*) _kturn_devices; echo "--json" ;;
	"detach "*) _kturn_attached ;;
	"user add") echo "--realm --password-file --generate --replace --db" ;;
	"user del") echo "--realm --db" ;;
	"user list") echo "--realm --db --json" ;;
	"user "*) echo "add del list" ;;
	"credential "*) echo "--ttl --user --secret-file --json" ;;
	"check-host "*) echo "--device --relay-ports --verbose --json" ;;
	"from-coturn "*) compgen -f -- "$cur" ;;
	*) echo "show stats top monitor alloc perm chan flush limits attach" \
		"detach user credential check-host from-coturn" \
		"--json --help --version" ;;
	esac
	[ -z "$1" ] || echo "--help"
}

_kturn()
{
	local cur prev words cword command='' sub=''

	# A colon is part of an address.
	_init_completion -n : || return
	_kturn_value && return
	[ "$cword" -lt 2 ] || command=${words[1]}
	[ "$cword" -lt 3 ] || sub=${words[2]}
	mapfile -t COMPREPLY < <(compgen -W "$(_kturn_words "$command" "$sub")" \
		-- "$cur")
}

complete -F _kturn kturn
