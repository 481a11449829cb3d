// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The table of options; how values are read is in option_clients.c and
 * option_set.c.
 */
#include <string.h>

#include <array_size.h>
#include "option.h"
#include "option_set.h"

#define LIMIT	"a limit, as in 2Mbit, 2Mbit/64kB, 500pps/50, 2Mbit,500pps or none"
#define NUMBER(min, max)	"a number from " #min " to " #max

const struct option_def options[] = {
	{
		.key = "config",
		.arg = "FILE",
		.flag_only = true,
		.help = "read options from a YAML file, kturnd.yaml(5)",
		.text = "Read options from this YAML file, see "
			"kturnd.yaml(5). Flags override what it says.",
	}, {
		.key = "listen",
		.arg = "ADDR[:PORT]",
		.def_text = "every global address of the host, ports 3478 and "
			    "(with tls-cert) 5349",
		.expected = "an IP address, or one with a port as in "
			    "192.0.2.1:3478 or [2001:db8::1]:3478",
		.repeatable = true,
		.help = "address to serve clients on",
		.text = "Address to serve clients on, and the port if it is "
			"not 3478. 0.0.0.0 and :: stand for every global "
			"address of their family that the host has at start. "
			"Without this option kturnd listens on every global "
			"address, IPv4 and IPv6, and on the loopback addresses "
			"if there is none, at port 3478, and at port 5349 as "
			"well if there is a certificate. Each port serves all "
			"transports: what a client sends first tells which. Link-local, temporary and "
			"deprecated addresses are left out unless they are "
			"named. Each address gets a socket of its own, so that "
			"answers come from the address that was asked; an "
			"address that is added later needs a restart.",
		.set = option_set_listen,
		.clear = option_clear_listen,
	}, {
		.key = "transport",
		.arg = "udp|tcp|tls|dtls",
		.def_text = "udp and tcp, and with tls-cert tls and dtls",
		.expected = "udp, tcp, tls or dtls",
		.repeatable = true,
		.help = "what clients may come by",
		.text = "What clients may come by: UDP, TCP, TLS over TCP, or "
			"DTLS over UDP. UDP clients alone are relayed for by "
			"the kernel; for the others the daemon relays.",
		.set = option_set_transport,
		.clear = option_clear_transport,
	}, {
		.key = "nat-discovery",
		.arg = "ADDR:PORT/ADDR:PORT",
		.expected = "two addresses of one family with ports, which "
			    "differ in both",
		.repeatable = true,
		.help = "two addresses for NAT behaviour discovery",
		.text = "Offer NAT behaviour discovery (RFC 5780) with these two "
			"addresses and ports, which UDP clients are then served "
			"on in all four combinations. They have to be "
			"addresses as clients see them, without a NAT between.",
		.set = option_set_nat_discovery,
		.clear = option_clear_nat_discovery,
	}, {
		.key = "tls-cert",
		.arg = "FILE",
		.expected = "a file name",
		.repeatable = true,
		.help = "certificate for TLS and DTLS, in PEM",
		.text = "Certificate for TLS and DTLS, followed by those that lead to "
			"its root, in PEM. With several, a client gets the one "
			"with the name that it asks for (SNI), or the first. "
			"Certificates, keys and tls-client-ca are read again "
			"when they change, within ten seconds; what can't be "
			"used then is logged, and what was read before stays.",
		.set = option_set_tls_cert,
		.clear = option_clear_tls_cert,
	}, {
		.key = "tls-key",
		.arg = "FILE",
		.def_text = "the files of tls-cert",
		.expected = "a file name",
		.repeatable = true,
		.help = "private key of a certificate, in PEM",
		.text = "Private key of a certificate, in PEM, without a "
			"passphrase: as many and in the same order as "
			"tls-cert, or none if each key is in its "
			"certificate's file.",
		.set = option_set_tls_key,
		.clear = option_clear_tls_key,
	}, {
		.key = "tls-client-ca",
		.arg = "FILE",
		.expected = "a file name",
		.help = "who must have signed TLS clients' certificates",
		.text = "Certificates, in PEM, of those who sign the "
			"certificates of clients: a TLS client without one of "
			"theirs is refused. Without this option clients are "
			"not asked for a certificate. It is no replacement "
			"for the credentials of TURN.",
		.set = option_set_tls_client_ca,
	}, {
		.key = "proxy-from",
		.arg = "PREFIX",
		.expected = "an IP address or prefix, as in 10.1.0.0/16, "
			    "without bits after its length",
		.repeatable = true,
		.help = "whose connections begin with a PROXY header",
		.text = "Connections from these addresses are a load balancer's, "
			"and begin with a header of the PROXY protocol, version "
			"2, that says who the client is. From there a connection "
			"without it is closed; from anywhere else one with it.",
		.set = option_set_proxy_from,
		.clear = option_clear_proxy_from,
	}, {
		.key = "max-connections",
		.arg = "N",
		.def = "10000",
		.expected = NUMBER(1, 1000000),
		.help = "TCP and TLS connections at a time",
		.text = "How many TCP and TLS connections there may be at a "
			"time, and as many of DTLS. When there are more, the oldest without an "
			"allocation is closed. One without an allocation is also "
			"closed when no message has come for ten seconds after "
			"it was accepted, or for a minute after the last one.",
		.set = option_set_max_connections,
	}, {
		.key = "relay",
		.arg = "ADDR",
		.def_text = "the listening addresses",
		.expected = "an IP address without a port",
		.repeatable = true,
		.help = "address that relayed addresses are made of",
		.text = "Address of this host that relayed transport addresses "
			"are made of. With several of a family each allocation "
			"gets a random one. The default is the listening "
			"addresses; when some of a family are globally "
			"reachable, only those.",
		.set = option_set_relay,
		.clear = option_clear_relay,
	}, {
		.key = "external",
		.arg = "PUBLIC/PRIVATE|METHOD[/PRIVATE]",
		.expected = "two IP addresses of one family, "
			    "PUBLIC/PRIVATE, or stun:HOST[:PORT], nat-pmp, "
			    "upnp or pcp, and perhaps /PRIVATE",
		.repeatable = true,
		.help = "NAT in front of a relay address",
		.text = "The relay address PRIVATE is known as PUBLIC outside, "
			"behind a 1:1 NAT that keeps ports. Clients are told "
			"PUBLIC, and a peer that is a relayed address of "
			"PUBLIC is reached here without going through the NAT. "
			"Traffic between two such relayed addresses is always "
			"relayed by the daemon, not by the kernel. In place of "
			"PUBLIC may stand how it is learnt, see NAT in "
			"kturnd(8): stun:HOST[:PORT] asks a STUN server; "
			"nat-pmp, upnp and pcp ask the gateway, and have it "
			"map the listening and the relayed ports. PRIVATE can "
			"be left out then if there is one IPv4 relay address.",
		.set = option_set_external,
		.clear = option_clear_external,
	}, {
		.key = "external-check",
		.arg = "SECONDS",
		.def = "60",
		.expected = NUMBER(1, 3600),
		.help = "how often a learnt address is asked for",
		.text = "How often the STUN server or the gateway is asked "
			"whether an external address is the same still, and "
			"asked again after a failure.",
		.set = option_set_external_check,
	}, {
		.key = "relay-ports",
		.arg = "MIN-MAX",
		.def = "49152-65535",
		.expected = "two ports, MIN-MAX, from 1024 to 65535",
		.help = "ports of relayed addresses",
		.text = "Range that the ports of relayed addresses are taken "
			"from, at random. With the privilege to do so, kturnd "
			"adds it to net.ipv4.ip_local_reserved_ports, so that "
			"nothing else on the host is given one of them by "
			"chance.",
		.set = option_set_relay_ports,
	}, {
		.key = "channel-range",
		.arg = "8656|5766",
		.def = "8656",
		.expected = "8656 (channels 0x4000 to 0x4FFF) or 5766 "
			    "(0x4000 to 0x7FFF)",
		.help = "which RFC's channel numbers to accept",
		.text = "Which RFC's channel numbers are accepted: 0x4000 to "
			"0x4FFF of RFC 8656, or 0x4000 to 0x7FFF of RFC 5766, "
			"which some old clients use.",
		.set = option_set_channel_range,
	}, {
		.key = "user-quota",
		.arg = "N",
		.def = "0",
		.expected = NUMBER(0, 1000000) ", 0 being no limit",
		.help = "allocations a user may have, 0 for no limit",
		.text = "How many allocations a user may have at a time; 0 is "
			"no limit. One more gets error 486. Time-limited names "
			"that differ in their time only are one user's. An "
			"access token counts as a user, see "
			"token-server-name.",
		.set = option_set_user_quota,
	}, {
		.key = "total-quota",
		.arg = "N",
		.def = "0",
		.expected = NUMBER(0, 10000000) ", 0 being no limit",
		.help = "allocations of all users, 0 for no limit",
		.text = "How many allocations all users together may have at a "
			"time; 0 is no limit. One more gets error 508.",
		.set = option_set_total_quota,
	}, {
		.key = "max-permissions",
		.arg = "N",
		.def = "256",
		/* TURN_PERMISSIONS_MAX */
		.expected = NUMBER(1, 256),
		.help = "permissions of an allocation",
		.text = "How many permissions an allocation may have at a time. "
			"A request for more gets error 508.",
		.set = option_set_max_permissions,
	}, {
		.key = "max-channels",
		.arg = "N",
		.def = "4096",
		/* TURN_CHANNELS_MAX */
		.expected = NUMBER(1, 4096),
		.help = "channels of an allocation",
		.text = "How many channels an allocation may have at a time. One "
			"more gets error 508.",
		.set = option_set_max_channels,
	}, {
		.key = "tcp-relay",
		.arg = "yes|no",
		.def = "no",
		.expected = "yes or no",
		.help = "relay TCP for clients that ask for it",
		.text = "Relay TCP as well, for clients of TCP and TLS that ask "
			"for it (RFC 6062): a client has the daemon connect to "
			"a peer, or be connected to by one for which it has a "
			"permission, and gets a connection of its own for each. "
			"Peers are those of UDP, see allow-peer and deny-peer; "
			"limits of packets mean nothing to these connections, "
			"and those of bytes slow them down. What is relayed so "
			"ends with the daemon. A gateway that maps ports (see "
			"external) maps none for it, so that there is none "
			"behind one. Without this option such a "
			"client gets error 442.",
		.set = option_set_tcp_relay,
	}, {
		.key = "max-peer-connections",
		.arg = "N",
		.def = "64",
		/* TURN_CONNECTIONS_MAX */
		.expected = NUMBER(1, 1024),
		.help = "TCP connections to peers of an allocation",
		.text = "How many connections to peers an allocation that "
			"relays TCP may have at a time, with those that are "
			"being made and those that the client has not bound to "
			"one of its own, for which each has 30 seconds. One "
			"more gets error 508, or is closed if it is a peer's. "
			"All allocations together may have max-connections of "
			"them.",
		.set = option_set_max_peer_connections,
	}, {
		.key = "limit-to-peer",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what an allocation may send to its peers",
		.text = "What each allocation may send to its peers, in bits or "
			"packets of data a second, or both: 2Mbit, 500pps, "
			"2Mbit,500pps. Behind a slash is what may pass at once, "
			"as in 2Mbit/64kB; else it is a quarter of a second's, "
			"but at least 65535 bytes or 16 packets. The rest is "
			"dropped. The kernel sees to it for what it relays, "
			"the daemon for the rest; kturn alloc set changes it "
			"for one allocation in the kernel.",
		.set = option_set_limit_to_peer,
	}, {
		.key = "limit-to-client",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what an allocation's peers may send to it",
		.text = "The same for what comes from an allocation's peers.",
		.set = option_set_limit_to_client,
	}, {
		.key = "user-limit-to-peer",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what a user's allocations may send to peers",
		.text = "What all allocations of a user together may send to "
			"their peers, as limit-to-peer, which counts as well. A "
			"user is one of a realm, or an access token. The rest "
			"is dropped, and delays nobody; only connections of "
			"tcp-relay are slowed down. The kernel and the daemon "
			"each count what they relay themselves: with a UDP "
			"client that the kernel relays for, and a TCP client "
			"that the daemon relays for, a user has the rate "
			"twice. A user without allocations is "
			"remembered for a minute at most: after that the "
			"next one begins with a full burst.",
		.set = option_set_user_limit_to_peer,
	}, {
		.key = "user-limit-to-client",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what peers may send to a user's allocations",
		.text = "The same for what comes from the peers of a user's "
			"allocations.",
		.set = option_set_user_limit_to_client,
	}, {
		.key = "total-limit-to-peer",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what all allocations may send to peers",
		.text = "What all allocations together may send to their peers, "
			"as limit-to-peer and user-limit-to-peer, which count "
			"as well. The kernel and the daemon each count what "
			"they relay themselves here too.",
		.set = option_set_total_limit_to_peer,
	}, {
		.key = "total-limit-to-client",
		.arg = "RATE",
		.def = "none",
		.expected = LIMIT,
		.help = "what all allocations' peers may send",
		.text = "The same for what comes from the peers of all "
			"allocations.",
		.set = option_set_total_limit_to_client,
	}, {
		.key = "mobility",
		.arg = "yes|no",
		.def = "no",
		.expected = "yes or no",
		.help = "clients can take their allocations along",
		.text = "Whether a client that asks for it gets a ticket with "
			"which it can take its allocation along when its "
			"address, port or transport changes (RFC 8016); while "
			"it is off, who asks gets error 405. Few clients ask. "
			"Allocations that relay TCP get none. "
			"It is off by default because of what it opens: "
			"whoever has seen a ticket and has the same user's "
			"password, which many clients may share, can "
			"take the allocation over, and one that was made by "
			"TCP, TLS or DTLS counts against the quotas until its "
			"lifetime ends even if its connection has ended.",
		.set = option_set_mobility,
	}, {
		.key = "alternate-server",
		.arg = "ADDR[:PORT][/NAME]",
		.expected = "an IP address, with a port if it is not 3478, and "
			    "the name in its certificate, as in "
			    "192.0.2.1:5349/turn.example.org",
		.repeatable = true,
		.help = "server to which new clients are sent",
		.text = "Server to which new clients are sent (error 300, RFC "
			"8489 section 10), when there are redirect-above "
			"allocations, and while draining, see SIGNALS in "
			"kturnd(8). Of several those of the client's address "
			"family have turns; this server itself may be among "
			"them, and is passed over. NAME is the name in its "
			"certificate, for clients of TLS and DTLS, if it is "
			"not this server's. The users have to be the same.",
		.set = option_set_alternate_server,
		.clear = option_clear_alternate_server,
	}, {
		.key = "redirect-above",
		.arg = "N",
		.def = "0",
		.expected = NUMBER(0, 10000000) ", 0 being never",
		.help = "allocations from which on clients are sent on",
		.text = "From so many allocations on new clients are sent to an "
			"alternate-server; those for whose address family there "
			"is none are served. 0 is never.",
		.set = option_set_redirect_above,
	},
#include "option_users.def"
	{
		.key = "allow-peer",
		.arg = "PREFIX",
		.expected = "an IP address or prefix, as in 10.1.0.0/16, "
			    "without bits after its length",
		.repeatable = true,
		.help = "prefix to open that peers can't have by default",
		.text = "Open this prefix for peers. By default everything is "
			"refused that IANA marks as not globally reachable: "
			"loopback, private, shared, link-local, documentation, "
			"reserved addresses and so on, also inside IPv6 forms "
			"of IPv4 addresses. Multicast, unspecified, IPv6 "
			"link-local, 6to4 and Teredo addresses can't be "
			"opened. On the server's own addresses only live "
			"relayed ports are peers, whatever is opened. Each "
			"refusal is logged with the rule and the option that "
			"would open it.",
		.set = option_set_allow_peer,
		.clear = option_clear_allow_peer,
	}, {
		.key = "deny-peer",
		.arg = "PREFIX",
		.expected = "an IP address or prefix, as in 10.1.0.0/16, "
			    "without bits after its length",
		.repeatable = true,
		.help = "prefix that peers can't have",
		.text = "Refuse peers of this prefix, but for those of a longer "
			"one that allow-peer opens; of two prefixes of the same "
			"length this one counts.",
		.set = option_set_deny_peer,
		.clear = option_clear_deny_peer,
	}, {
		.key = "source-rate",
		.arg = "N",
		.def = "300",
		.expected = NUMBER(0, 1000000) ", 0 being no limit",
		.help = "answers a second to who has no credentials",
		.text = "How many requests without valid credentials are "
			"answered in a second that come by UDP from one IPv4 "
			"address, or one /64 of IPv6; ten times as many may "
			"come at once. The rest is dropped: an attacker who writes "
			"others' addresses could else have the answers flood "
			"them. Who has valid credentials is not limited. Each "
			"worker counts for itself, and a client is always "
			"served by the same. 0 is no limit.",
		.set = option_set_source_rate,
	}, {
		.key = "plane",
		.arg = "auto|kernel|user",
		.def = "auto",
		.expected = "auto, kernel or user",
		.help = "who relays the data",
		.text = "Who relays the data. auto: the kernel module whenever "
			"it is loaded, the daemon what the module does not "
			"take. kernel: the module must be there at start, and "
			"a request that it can't take (no memory, a limit) "
			"gets error 508 in place of being relayed by the "
			"daemon. user: the daemon alone; entries that a "
			"predecessor left in the module are taken over and "
			"removed.",
		.set = option_set_plane,
	}, {
		.key = "ingress",
		.arg = "DEVICE",
		.expected = "the name of a network device",
		.repeatable = true,
		.help = "device whose packets the kernel takes first of all",
		.text = "Attach this network device, as kturn attach does: what "
			"comes in by it and can be relayed is taken before the "
			"IP stack sees it, which costs the least, and does not "
			"pass netfilter's prerouting and postrouting chains. "
			"Name every device by which clients and peers are "
			"reached. One that is not there, or can't be attached, "
			"is logged and tried again when the host's addresses "
			"change or the module is loaded; its packets are "
			"relayed as without this option. Devices stay attached "
			"when the daemon ends; kturn detach detaches them.",
		.set = option_set_ingress,
		.clear = option_clear_ingress,
	}, {
		.key = "workers",
		.arg = "N",
		.def = "0",
		.expected = NUMBER(0, 256) ", 0 being one per CPU",
		.help = "threads, 0 for one per CPU",
		.text = "Number of worker threads; 0 is one for each CPU that "
			"the daemon may use. A client is always served by the "
			"same worker.",
		.set = option_set_workers,
	}, {
		.key = "state-dir",
		.arg = "DIR",
		.def = "/run/kturnd",
		.expected = "a directory's absolute name",
		.help = "where the daemon keeps what a restart needs",
		.text = "Directory, made with mode 0700, for what a successor "
			"needs to take over the allocations (the file "
			"identity), for the control socket (control), and for "
			"the lock that keeps two daemons apart. It should not "
			"outlive a reboot.",
		.set = option_set_state_dir,
	}, {
		.key = "grace",
		.arg = "SECONDS",
		.def = "60",
		.expected = NUMBER(0, 3600),
		.help = "how long the kernel goes on without a daemon",
		.text = "How many seconds the kernel goes on relaying after "
			"the daemon ended, however it ended. A daemon that "
			"starts within that time with the same state-dir takes "
			"the allocations over.",
		.set = option_set_grace,
	}, {
		.key = "log-level",
		.arg = "LEVEL",
		.def = "info",
		.expected = "error, warning, notice, info or debug",
		.help = "least important events to log",
		.text = "Log events of this importance and above: error, "
			"warning, notice, info or debug. The log goes to "
			"standard error, a line for each event.",
		.set = option_set_log_level,
	}, {
		.key = "check",
		.flag_only = true,
		.help = "check the configuration and exit",
		.text = "Check the configuration and exit: status 0 if it is "
			"good, 2 if not.",
	}, {
		.key = "version",
		.flag_only = true,
		.help = "print the version and exit",
		.text = "Print the version and exit.",
	}, {
		.key = "help",
		.flag_only = true,
		.help = "print this and exit",
		.text = "Print a summary of the options and exit.",
	},
};

const size_t n_options = ARRAY_SIZE(options);

_Static_assert(ARRAY_SIZE(options) <= CONFIG_OPTIONS_MAX,
	       "more options than struct config has sources for");
