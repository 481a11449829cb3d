# SPDX-License-Identifier: GPL-2.0-or-later
#
# Functions of the module that are handed to the kernel: what it calls. Reads
# C sources, prints names.

match($0, /\.(hook|doit|dumpit|notifier_call|init|pre_exit|exit_batch)[ \t]*= kturn_[a-z0-9_]+/) ||
match($0, /(call_rcu\(.*|INIT_DELAYED_WORK\(.*|module_init\(|module_exit\()kturn_[a-z0-9_]+\)/) {
	name = substr($0, RSTART, RLENGTH)
	sub(/\)$/, "", name)
	sub(/.*[^a-z0-9_]/, "", name)
	print name
}
