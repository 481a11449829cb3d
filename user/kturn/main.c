// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn(8): shows and edits the kernel's tables, manages users. */
#include <locale.h>
#include <stdio.h>
#include <unistd.h>
#include "cli.h"

const struct cli_command cli_commands[] = {
	{
		.name = "show",
		.arguments = "[alloc|perm|chan|owner|quota] [ID]",
		.summary = "Show allocations, permissions, channels, owners and quotas.",
		.details =
"Without a word, all of them. ID is that of an allocation (for owner, that of an\n"
"owner); without it, all are shown.",
		.json = true,
		.run = show_run,
	}, {
		.name = "stats",
		.arguments = "[--all|--reasons]",
		.summary = "Show the network namespace's counters.",
		.details =
"Of the reasons for which packets were dropped or left to the daemon, those\n"
"that occurred; --all shows the others too. --reasons shows all reasons, how\n"
"often each occurred, and what it means.",
		.options = stats_options,
		.json = true,
		.run = stats_run,
	}, {
		.name = "top",
		.arguments = "[--sort KEY] [--interval TIME] [--count N]",
		.summary = "Show what each allocation relays, again and again.",
		.details =
"Rates since the last time, every 2s or every TIME: as in 500ms or 10s, or a\n"
"number of seconds. KEY is rate (bits in both directions), packets, to-peer,\n"
"to-client, dropped, punted, idle or id. Ends after N times, or with q or\n"
"Ctrl-C.\n"
"\n"
"On a terminal, letters choose the key: r, p, e (to-peer), c (to-client), d,\n"
"u (punted), i, a (id); space shows it anew at once. Elsewhere, everything is\n"
"printed each time; with --json, an object on a line.",
		.options = top_options,
		.json = true,
		.run = top_run,
	}, {
		.name = "monitor",
		.arguments = "",
		.summary = "Print what is removed, as it happens, until interrupted.",
		.details =
"Goes on when the module is unloaded and when it comes back. \"lost\" means\n"
"that messages were lost: kturn show tells what is left.",
		.json = true,
		.run = monitor_run,
	}, {
		.name = "alloc",
		.summary = "Add, change or delete allocations.",
		.sub = alloc_commands,
	}, {
		.name = "perm",
		.summary = "Add or delete permissions.",
		.sub = perm_commands,
	}, {
		.name = "chan",
		.summary = "Add or delete channels.",
		.sub = chan_commands,
	}, {
		.name = "flush",
		.arguments = "[owner ID]",
		.summary = "Delete all allocations, or those of an owner.",
		.run = flush_run,
	}, {
		.name = "limits",
		.arguments = "[set NAME NUMBER ...]",
		.summary = "Show or set the network namespace's limits.",
		.details =
"NAME is max-allocs, max-perms, max-chans or max-owners for entries, and in\n"
"packets per second, where 0 means any number, punt-rate, icmp-rate or\n"
"icmp-ind-rate. punt-burst, icmp-burst and icmp-ind-burst are packets at once.\n"
"With local-out 1, what is relayed passes the LOCAL_OUT hooks.",
		.json = true,
		.run = limits_run,
	}, {
		.name = "attach",
		.arguments = "[DEVICE ...]",
		.summary = "Take packets at devices' ingress, or show which do.",
		.details =
"What can be relayed is taken before the IP stack sees it, and does not pass\n"
"the PREROUTING and POSTROUTING hooks. It lasts until the device goes or the\n"
"module is unloaded.",
		.json = true,
		.run = attach_run,
	}, {
		.name = "detach",
		.arguments = "DEVICE ...",
		.summary = "Leave devices' packets to the IP stack again.",
		.run = detach_run,
	}, {
		.name = "user",
		.summary = "Add, delete or list the users in a database.",
		.sub = user_commands,
	}, {
		.name = "credential",
		.arguments = "--ttl TIME --secret-file FILE|- [--user ID]",
		.summary = "Mint a time-limited credential from a shared secret.",
		.details =
"The secret is the first line of FILE, or of standard input for -.",
		.options = credential_options,
		.json = true,
		.run = credential_run,
	}, {
		.name = "check-host",
		.arguments = "[--device DEV[,DEV...]] [--relay-ports MIN-MAX] [--verbose]",
		.summary = "Look at the machine, and say what to change.",
		.details =
"Devices with a default route or an address, or those that are named; queues,\n"
"offloads, firewall, conntrack, socket buffers, the module and so on. Nothing\n"
"is changed. --relay-ports are those of the running kturnd by default, else\n"
"49152-65535. -v or --verbose shows what is fine, too.\n"
"\n"
"The status is 0 if nothing has to be changed, 1 if something has (bad, warn),\n"
"and 2 if the words make no sense.",
		.options = check_host_options,
		.json = true,
		.run = check_host_run,
	}, {
		.name = "from-coturn",
		.arguments = "[FILE|-]",
		.summary = "Print the kturnd.yaml that does what a turnserver.conf says.",
		.details =
"FILE is /etc/turnserver.conf by default. Comments at the end say what kturnd does\n"
"not need, and what of coturn's defaults may be wanted. The passwords and secrets\n"
"of FILE are in what is printed.\n"
"\n"
"The status is 1 if something can't be carried over; each is told on standard\n"
"error with its line, and in a comment.",
		.run = from_coturn_run,
	},
	{ 0 }
};

/* Output that can't be written is a failure, whatever else succeeded. */
static int output_end(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		cli_error("can't write to standard output: %m");
		return status ? status : CLI_FAILED;
	}
	return status;
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return output_end(cli_run(argc - 1, argv + 1));
}
