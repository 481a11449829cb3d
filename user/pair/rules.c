// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules that log; see rules.h. */
#include <errno.h>
#include <jansson.h>
#include <nftables/libnftables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rules.h"

/* After all others. */
#define LAST	"2147483647"

/* Offsets in bits from the UDP header: type and magic cookie of STUN. */
#define STUN	"@th,64,16 { %s } @th,96,32 0x2112a442"

/* Allocate, Refresh, CreatePermission, ChannelBind, by class. */
static const char requests[] = "0x0003, 0x0004, 0x0008, 0x0009";
static const char successes[] = "0x0103, 0x0104, 0x0108, 0x0109";
static const char errors[] = "0x0113, 0x0114, 0x0118, 0x0119";

/* One rule: datagrams from ("s") or to ("d") where the server listens. */
static void rule(FILE *f, const struct kturn_addr *listen, char side,
		 const char *types, unsigned int group)
{
	struct kturn_addr ip = *listen;
	char text[KTURN_ADDR_TEXT_MAX];

	if (ip.family) {
		kturn_addr_set_port(&ip, 0);
		fprintf(f, "%s %caddr %s ",
			ip.family == KTURN_FAMILY_V4 ? "ip" : "ip6", side,
			kturn_addr_text(&ip, text));
	}
	fprintf(f, "udp %cport %u ", side, kturn_addr_port(listen));
	fprintf(f, STUN, types);
	fprintf(f, " log group %u queue-threshold 1\n", group);
}

static void chain_begin(FILE *f, const char *hook)
{
	fprintf(f, "chain %s {\n"
		"type filter hook %s priority " LAST "; policy accept;\n",
		hook, hook);
}

/*
 * For a dry run: what comes from clients as ChannelData (its first bits are 01)
 * or Send indications, what comes from peers, and both of sessions alone.
 */
static const char count_objects[] =
"counter clients { }\n"
"counter clients-would { }\n"
"counter peers { }\n"
"counter peers-would { }\n"
"set client4 { type ipv4_addr . inet_service . ipv4_addr . inet_service; }\n"
"set client6 { type ipv6_addr . inet_service . ipv6_addr . inet_service; }\n"
"set relay4 { type ipv4_addr . inet_service; }\n"
"set relay6 { type ipv6_addr . inet_service; }\n";

static const char *const data_forms[] = { "@th,64,2 1", "@th,64,16 0x0016" };

static void count_rules(FILE *f, const struct pair_config *cfg)
{
	static const char *const ip[] = { "ip", "ip6" };
	unsigned int i, j;

	for (j = 0; j < 2; j++) {
		for (i = 0; i < cfg->n_listen; i++)
			fprintf(f, "udp dport %u %s counter name clients\n",
				kturn_addr_port(&cfg->listen[i]),
				data_forms[j]);
		for (i = 0; i < 2; i++)
			fprintf(f, "%s saddr . udp sport . %s daddr . udp dport @client%s %s counter name clients-would\n",
				ip[i], ip[i], i ? "6" : "4", data_forms[j]);
	}
	fprintf(f, "udp dport %u-%u counter name peers\n", cfg->learn.port_min,
		cfg->learn.port_max);
	for (i = 0; i < 2; i++)
		fprintf(f, "%s daddr . udp dport @relay%s counter name peers-would\n",
			ip[i], i ? "6" : "4");
}

static void table_write(FILE *f, const struct pair_config *cfg)
{
	unsigned int i;

	/* Of a table that another process owns the kernel says EPERM. */
	fputs("table inet kturn-pair {\nflags owner;\n", f);
	if (cfg->dry_run)
		fputs(count_objects, f);
	chain_begin(f, "input");
	if (cfg->dry_run)
		count_rules(f, cfg);
	for (i = 0; i < cfg->n_listen; i++)
		rule(f, &cfg->listen[i], 'd', requests,
		     cfg->group + RULES_REQUESTS);
	/* IPv6 is put together after INPUT: what is in them can't be seen. */
	fprintf(f, "exthdr frag exists log group %u queue-threshold 1\n",
		cfg->group + RULES_REQUESTS);
	fputs("}\n", f);
	chain_begin(f, "output");
	for (i = 0; i < cfg->n_listen; i++) {
		rule(f, &cfg->listen[i], 's', successes,
		     cfg->group + RULES_ANSWERS);
		rule(f, &cfg->listen[i], 's', errors,
		     cfg->group + RULES_REQUESTS);
	}
	fputs("}\n}\n", f);
}

static int run(struct rules *r, const char *commands)
{
	const char *text;

	if (!nft_run_cmd_from_buffer(r->nft, commands))
		return 0;
	text = nft_ctx_get_error_buffer(r->nft);
	log_event(LOG_ERR, "rules-failed", "error=%.*s",
		  (int)strcspn(text, "\n"), text);
	return -EINVAL;
}

int rules_open(struct rules *r, const struct pair_config *cfg)
{
	char *text = NULL;
	size_t len;
	FILE *f;
	int ret;

	r->nft = nft_ctx_new(NFT_CTX_DEFAULT);
	if (!r->nft)
		return -ENOMEM;
	nft_ctx_buffer_error(r->nft);
	nft_ctx_buffer_output(r->nft);
	f = open_memstream(&text, &len);
	if (f)
		table_write(f, cfg);
	ret = f && !fclose(f) ? run(r, text) : -ENOMEM;
	free(text);
	if (ret)
		rules_close(r);
	return ret;
}

/* An address and its port, as an element of a set has them. */
static void element(FILE *f, const struct kturn_addr *addr)
{
	struct kturn_addr ip = *addr;
	char text[KTURN_ADDR_TEXT_MAX];

	kturn_addr_set_port(&ip, 0);
	fprintf(f, "%s . %u", kturn_addr_text(&ip, text),
		kturn_addr_port(addr));
}

static char family(const struct kturn_addr *addr)
{
	return addr->family == KTURN_FAMILY_V4 ? '4' : '6';
}

int rules_session(struct rules *r, const struct session *s, bool on)
{
	const char *verb = on ? "add" : "delete";
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int i, ret;

	if (!f)
		return -ENOMEM;
	fprintf(f, "%s element inet kturn-pair client%c { ", verb,
		family(&s->flow.client));
	element(f, &s->flow.client);
	fputs(" . ", f);
	element(f, &s->flow.server);
	fputs(" }\n", f);
	for (i = 0; i < 2; i++) {
		if (!s->relay[i].addr.family)
			continue;
		fprintf(f, "%s element inet kturn-pair relay%c { ", verb,
			family(&s->relay[i].addr));
		element(f, &s->relay[i].addr);
		fputs(" }\n", f);
	}
	ret = fclose(f) ? -ENOMEM : run(r, text);
	free(text);
	return ret;
}

/* Of the counter @name in what nft says. */
static void counter_read(const json_t *all, const char *name, uint64_t *value)
{
	const char *found;
	json_int_t packets, bytes;
	json_t *one;
	size_t i;

	json_array_foreach(json_object_get(all, "nftables"), i, one) {
		if (json_unpack(one, "{s{s:s,s:I,s:I}}", "counter", "name",
				&found, "packets", &packets, "bytes", &bytes) ||
		    strcmp(found, name))
			continue;
		value[0] = (uint64_t)packets;
		value[1] = (uint64_t)bytes;
	}
}

int rules_share(struct rules *r, struct share *clients, struct share *peers)
{
	json_t *all;
	int ret;

	memset(clients, 0, sizeof(*clients));
	memset(peers, 0, sizeof(*peers));
	nft_ctx_output_set_flags(r->nft, NFT_CTX_OUTPUT_JSON);
	ret = run(r, "list counters table inet kturn-pair");
	nft_ctx_output_set_flags(r->nft, 0);
	if (ret)
		return ret;
	all = json_loads(nft_ctx_get_output_buffer(r->nft), 0, NULL);
	if (!all)
		return -EBADMSG;
	counter_read(all, "clients", clients->all);
	counter_read(all, "clients-would", clients->would);
	counter_read(all, "peers", peers->all);
	counter_read(all, "peers-would", peers->would);
	json_decref(all);
	return 0;
}

void rules_close(struct rules *r)
{
	if (r->nft)
		nft_ctx_free(r->nft);
	r->nft = NULL;
}
