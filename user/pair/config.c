// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn-pair's options; see config.h. */
#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "log.h"

/* RFC 8656 sections 7.2, 9 and 12. */
#define PORT_MIN	49152
#define PORT_MAX	65535
#define PERM_SECONDS	300
#define CHAN_SECONDS	600

/* For some ten thousand messages. */
#define CAPTURE_KIB	8192
#define CAPTURE_KIB_MAX	1048576

#define SECONDS_MAX	(24 * 3600)

static const char help[] =
"usage: kturn-pair [OPTION...]\n"
"\n"
"Has the kernel relay what a TURN server on this host has granted.\n"
"\n"
"  --listen [ADDRESS:]PORT    where the server listens for UDP (3478; repeatable)\n"
"  --relay-ports MIN-MAX      ports of its relayed addresses (49152-65535)\n"
"  --external PUBLIC/PRIVATE  PUBLIC is what it tells clients, PRIVATE what it\n"
"                             has (repeatable)\n"
"  --match-user USER          only for a server of this user, by name or number\n"
"  --match-process NAME       only for a server of this name (as in\n"
"                             /proc/PID/comm), such as turnserver\n"
"  --deny-peer PREFIX         leave these peers to the server (repeatable)\n"
"  --permission-lifetime S    what the server's permissions last (300)\n"
"  --channel-lifetime S       what its channels last (600)\n"
"  --metrics ADDRESS:PORT     tell Prometheus' metrics there, by HTTP\n"
"  --nflog-group N            use the NFLOG groups N and N+1 (3478)\n"
"  --capture-buffer KIB       room for messages that wait to be read (8192)\n"
"  --dry-run                  relay nothing, say what would be\n"
"  --log-level LEVEL          error, warning, notice, info or debug (info)\n"
"  --help, --version\n";

enum {
	OPT_LISTEN = 256,
	OPT_RELAY_PORTS,
	OPT_EXTERNAL,
	OPT_MATCH_USER,
	OPT_MATCH_PROCESS,
	OPT_DENY_PEER,
	OPT_PERMISSION_LIFETIME,
	OPT_CHANNEL_LIFETIME,
	OPT_METRICS,
	OPT_NFLOG_GROUP,
	OPT_CAPTURE_BUFFER,
	OPT_DRY_RUN,
	OPT_LOG_LEVEL,
	OPT_HELP,
	OPT_VERSION,
};

static const struct option options[] = {
	{ "listen", required_argument, NULL, OPT_LISTEN },
	{ "relay-ports", required_argument, NULL, OPT_RELAY_PORTS },
	{ "external", required_argument, NULL, OPT_EXTERNAL },
	{ "match-user", required_argument, NULL, OPT_MATCH_USER },
	{ "match-process", required_argument, NULL, OPT_MATCH_PROCESS },
	{ "deny-peer", required_argument, NULL, OPT_DENY_PEER },
	{ "permission-lifetime", required_argument, NULL,
	  OPT_PERMISSION_LIFETIME },
	{ "channel-lifetime", required_argument, NULL, OPT_CHANNEL_LIFETIME },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "nflog-group", required_argument, NULL, OPT_NFLOG_GROUP },
	{ "capture-buffer", required_argument, NULL, OPT_CAPTURE_BUFFER },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "log-level", required_argument, NULL, OPT_LOG_LEVEL },
	{ "help", no_argument, NULL, OPT_HELP },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ 0 }
};

__attribute__((format(printf, 1, 2)))
static int wrong(const char *fmt, ...)
{
	va_list ap;

	fputs("kturn-pair: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs("; see kturn-pair --help\n", stderr);
	return -EINVAL;
}

/* Decimal digits only, and nothing after them. */
static bool number(const char *text, unsigned long min, unsigned long max,
		   unsigned long *value)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*value = strtoul(text, &end, 10);
	return !*end && !errno && *value >= min && *value <= max;
}

/* One more element behind @n of them. */
static void *grow(void *array, size_t n, size_t size)
{
	array = reallocarray(array, n + 1, size);
	if (!array)
		wrong("out of memory");
	return array;
}

static int listen_read(const char *text, struct pair_config *cfg)
{
	struct kturn_addr *addr = &cfg->listen[cfg->n_listen];
	unsigned long port;

	if (cfg->n_listen == LISTEN_MAX)
		return wrong("--listen: more than %d of them", LISTEN_MAX);
	if (number(text, 1, 65535, &port)) {
		memset(addr, 0, sizeof(*addr));
		kturn_addr_set_port(addr, (uint16_t)port);
	} else if (kturn_addr_parse(text, addr) || !kturn_addr_port(addr) ||
		   addr_is_unspecified(addr)) {
		return wrong("--listen: '%s' is not [ADDRESS:]PORT, as in 3478 or [2001:db8::1]:3478",
			     text);
	}
	cfg->n_listen++;
	return 0;
}

static int ports_read(const char *text, struct learn_cfg *cfg)
{
	const char *dash = strchr(text, '-');
	unsigned long min, max;
	char first[8] = "";

	if (dash && dash - text < (int)sizeof(first)) {
		memcpy(first, text, dash - text);
		if (number(first, 1, 65535, &min) &&
		    number(dash + 1, min, 65535, &max)) {
			cfg->port_min = (uint16_t)min;
			cfg->port_max = (uint16_t)max;
			return 0;
		}
	}
	return wrong("--relay-ports: '%s' is not a range of ports, as in 49152-65535",
		     text);
}

static int external_read(const char *text, struct learn_cfg *cfg)
{
	const char *slash = strchr(text, '/');
	char outside[KTURN_ADDR_TEXT_MAX] = "";
	struct external e, *more;

	if (!slash || slash - text >= (int)sizeof(outside))
		goto wrong;
	memcpy(outside, text, slash - text);
	if (kturn_addr_parse(outside, &e.outside) ||
	    kturn_addr_parse(slash + 1, &e.inside) ||
	    kturn_addr_port(&e.outside) || kturn_addr_port(&e.inside) ||
	    e.outside.family != e.inside.family)
		goto wrong;
	more = grow(cfg->external, cfg->n_external, sizeof(*more));
	if (!more)
		return -ENOMEM;
	cfg->external = more;
	cfg->external[cfg->n_external++] = e;
	return 0;

wrong:
	return wrong("--external: '%s' is not PUBLIC/PRIVATE, two addresses of one family",
		     text);
}

static int deny_read(const char *text, struct learn_cfg *cfg)
{
	struct prefix prefix, *more;
	int ret = prefix_parse(text, &prefix);

	if (ret == -ERANGE)
		return wrong("--deny-peer: '%s' has bits set after its length",
			     text);
	if (ret)
		return wrong("--deny-peer: '%s' is not a prefix, as in 192.0.2.0/24",
			     text);
	more = grow(cfg->deny, cfg->n_deny, sizeof(*more));
	if (!more)
		return -ENOMEM;
	cfg->deny = more;
	cfg->deny[cfg->n_deny++] = prefix;
	return 0;
}

static int seconds_read(const char *name, const char *text, uint64_t *ms)
{
	unsigned long value;

	if (!number(text, 2, SECONDS_MAX, &value))
		return wrong("--%s: '%s' is not a number of seconds from 2 to %d",
			     name, text, SECONDS_MAX);
	*ms = value * 1000;
	return 0;
}

static int metrics_read(const char *text, struct pair_config *cfg)
{
	if (!kturn_addr_parse(text, &cfg->metrics) &&
	    kturn_addr_port(&cfg->metrics))
		return 0;
	return wrong("--metrics: '%s' is not ADDRESS:PORT, as in 127.0.0.1:9641",
		     text);
}

static int group_read(const char *text, struct pair_config *cfg)
{
	unsigned long value;

	if (!number(text, 0, 65534, &value))
		return wrong("--nflog-group: '%s' is not a number from 0 to 65534",
			     text);
	cfg->group = (uint16_t)value;
	return 0;
}

static int buffer_read(const char *text, struct pair_config *cfg)
{
	unsigned long value;

	if (!number(text, 16, CAPTURE_KIB_MAX, &value))
		return wrong("--capture-buffer: '%s' is not a number of KiB from 16 to %d",
			     text, CAPTURE_KIB_MAX);
	cfg->capture_bytes = (int)value << 10;
	return 0;
}

static int level_read(const char *text)
{
	int level;

	for (level = LOG_ERR; level <= LOG_DEBUG; level++) {
		if (strcmp(text, log_level_name(level)))
			continue;
		log_set_level(level);
		return 0;
	}
	return wrong("--log-level: '%s' is not error, warning, notice, info or debug",
		     text);
}

static int user_read(const char *text, struct pair_config *cfg)
{
	struct passwd *user;
	unsigned long uid;

	if (!number(text, 0, UINT32_MAX - 1, &uid)) {
		user = getpwnam(text);
		if (!user)
			return wrong("--match-user: there is no user '%s'",
				     text);
		uid = user->pw_uid;
	}
	cfg->has_uid = true;
	cfg->uid = (uint32_t)uid;
	return 0;
}

static int option_read(int option, struct pair_config *cfg)
{
	switch (option) {
	case OPT_LISTEN:
		return listen_read(optarg, cfg);
	case OPT_RELAY_PORTS:
		return ports_read(optarg, &cfg->learn);
	case OPT_EXTERNAL:
		return external_read(optarg, &cfg->learn);
	case OPT_MATCH_USER:
		return user_read(optarg, cfg);
	case OPT_MATCH_PROCESS:
		cfg->process = optarg;
		return *optarg && strlen(optarg) <= 15 ? 0 :
		       wrong("--match-process: '%s' is not a name of 1 to 15 characters",
			     optarg);
	case OPT_DENY_PEER:
		return deny_read(optarg, &cfg->learn);
	case OPT_PERMISSION_LIFETIME:
		return seconds_read("permission-lifetime", optarg,
				    &cfg->learn.perm_ms);
	case OPT_CHANNEL_LIFETIME:
		return seconds_read("channel-lifetime", optarg,
				    &cfg->learn.chan_ms);
	case OPT_METRICS:
		return metrics_read(optarg, cfg);
	case OPT_NFLOG_GROUP:
		return group_read(optarg, cfg);
	case OPT_CAPTURE_BUFFER:
		return buffer_read(optarg, cfg);
	case OPT_DRY_RUN:
		cfg->dry_run = true;
		return 0;
	case OPT_LOG_LEVEL:
		return level_read(optarg);
	case OPT_HELP:
		fputs(help, stdout);
		return 1;
	case OPT_VERSION:
		puts("kturn-pair " KTURN_VERSION);
		return 1;
	default:
		return -EINVAL;
	}
}

int config_read(int argc, char **argv, struct pair_config *cfg)
{
	int option, ret = 0;

	*cfg = (struct pair_config){
		.learn = {
			.port_min = PORT_MIN,
			.port_max = PORT_MAX,
			.perm_ms = PERM_SECONDS * 1000,
			.chan_ms = CHAN_SECONDS * 1000,
		},
		.group = KTURN_STUN_PORT,
		.capture_bytes = CAPTURE_KIB << 10,
	};
	while (!ret && (option = getopt_long(argc, argv, "", options,
					     NULL)) != -1)
		ret = option_read(option, cfg);
	if (!ret && optind < argc)
		ret = wrong("too many words: '%s'", argv[optind]);
	if (!ret && !cfg->n_listen)
		ret = listen_read("3478", cfg);
	return ret;
}

void config_free(struct pair_config *cfg)
{
	free(cfg->learn.external);
	free(cfg->learn.deny);
}
