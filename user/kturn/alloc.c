// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn alloc: add, change and delete allocations. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "cli.h"

static bool relay_read(const char *text, struct kturn_alloc *a)
{
	struct kturn_addr addr;
	int i;

	if (!cli_addr("relay", text, true, &addr))
		return false;
	i = addr.family == KTURN_FAMILY_V6;
	if (a->relay[i].family != KTURN_FAMILY_NONE) {
		cli_usage("relay: there are two of the same family");
		return false;
	}
	a->relay[i] = addr;
	return true;
}

static bool label_read(const char *text, struct kturn_alloc *a)
{
	if (strlen(text) > KTURN_LABEL_MAX) {
		cli_usage("label: longer than %d bytes", KTURN_LABEL_MAX);
		return false;
	}
	memcpy(a->label, text, strlen(text) + 1);
	return true;
}

static bool vrf_read(const char *text, struct kturn_alloc *a)
{
	a->l3mdev = if_nametoindex(text);
	if (a->l3mdev)
		return true;
	cli_usage("vrf: there is no device '%s'", text);
	return false;
}

static bool quota_read(const char *text, struct kturn_alloc *a)
{
	uint64_t id;

	if (a->n_quotas == KTURN_QUOTAS_MAX) {
		cli_usage("quota: there are more than %d", KTURN_QUOTAS_MAX);
		return false;
	}
	if (!cli_number64(text, 0, UINT64_MAX, &id)) {
		cli_usage("quota: '%s' is not a number of up to 64 bits",
			  text);
		return false;
	}
	a->quota[a->n_quotas++] = (struct kturn_quota){
		.id = id, .keep_to_peer = true, .keep_to_client = true,
	};
	return true;
}

/* The last one that was named, or NULL after a message. */
static struct kturn_quota *quota_of(const char *word, struct kturn_alloc *a)
{
	if (a->n_quotas)
		return &a->quota[a->n_quotas - 1];
	cli_usage("%s: no quota is named before it", word);
	return NULL;
}

static bool quota_limit_read(const char *word, const char *text,
			     struct kturn_alloc *a)
{
	struct kturn_quota *q = quota_of(word, a);

	if (!q)
		return false;
	if (!strcmp(word, "quota-to-peer")) {
		q->keep_to_peer = false;
		return cli_limit(word, text, &q->to_peer);
	}
	q->keep_to_client = false;
	return cli_limit(word, text, &q->to_client);
}

/* Reads argv[0] and what belongs to it; how many words, 0 after a message. */
static int word_read(int argc, char **argv, struct kturn_alloc *a)
{
	const char *word = argv[0], *value = argc > 1 ? argv[1] : NULL;
	bool ok;

	if (!strcmp(word, "exclusive")) {
		a->flags |= KTURN_ALLOC_FLAGS_EXCLUSIVE;
		return 1;
	}
	if (!strcmp(word, "alternate")) {
		a->flags |= KTURN_ALLOC_FLAGS_ALTERNATE;
		return 1;
	}
	if (!value) {
		cli_usage("nothing follows '%s'", word);
		return 0;
	}
	if (!strcmp(word, "client"))
		ok = cli_addr(word, value, true, &a->client);
	else if (!strcmp(word, "server"))
		ok = cli_addr(word, value, true, &a->server);
	else if (!strcmp(word, "relay"))
		ok = relay_read(value, a);
	else if (!strcmp(word, "lifetime"))
		ok = cli_time(word, value, &a->lifetime_ms);
	else if (!strcmp(word, "label"))
		ok = label_read(value, a);
	else if (!strcmp(word, "vrf"))
		ok = vrf_read(value, a);
	else if (!strcmp(word, "limit-to-peer"))
		ok = cli_limit(word, value, &a->limit_to_peer);
	else if (!strcmp(word, "limit-to-client"))
		ok = cli_limit(word, value, &a->limit_to_client);
	else if (!strcmp(word, "quota"))
		ok = quota_read(value, a);
	else if (!strcmp(word, "quota-to-peer") ||
		 !strcmp(word, "quota-to-client"))
		ok = quota_limit_read(word, value, a);
	else
		ok = !cli_usage("unknown word '%s'", word);
	return ok ? 2 : 0;
}

static int add_run(int argc, char **argv)
{
	struct kturn_alloc a = { 0 };
	int status = CLI_OK, n;
	struct kturn *kt;
	uint32_t id;

	for (int i = 0; i < argc; i += n) {
		n = word_read(argc - i, argv + i, &a);
		if (!n)
			return CLI_USAGE;
	}
	if (a.client.family == KTURN_FAMILY_NONE)
		return cli_usage("client is missing");
	if (a.server.family == KTURN_FAMILY_NONE)
		return cli_usage("server is missing");
	if (a.relay[0].family == KTURN_FAMILY_NONE &&
	    a.relay[1].family == KTURN_FAMILY_NONE)
		return cli_usage("relay is missing");
	if (!a.lifetime_ms)
		return cli_usage("lifetime is missing");

	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (kturn_alloc_new(kt, &a, &id))
		status = cli_error("%s", kturn_error(kt));
	else if (cli_json())
		status = cli_json_print(json_pack("{s:I}", "id",
						  (json_int_t)id));
	else
		printf("%" PRIu32 "\n", id);
	kturn_close(kt);
	return status;
}

/**
 * struct change - what to change
 * @lifetime_ms: 0: keep
 * @to_peer: limit; NULL: keep
 * @to_client: limit; NULL: keep
 * @limit: room for them
 */
struct change {
	uint32_t lifetime_ms;
	const struct kturn_limit *to_peer;
	const struct kturn_limit *to_client;
	struct kturn_limit limit[2];
};

/* Reads a word and the one that belongs to it; false after a message. */
static bool change_read(const char *word, const char *value, struct change *c)
{
	if (!value) {
		cli_usage("nothing follows '%s'", word);
		return false;
	}
	if (!strcmp(word, "lifetime"))
		return cli_time(word, value, &c->lifetime_ms);
	if (!strcmp(word, "limit-to-peer")) {
		c->to_peer = &c->limit[0];
		return cli_limit(word, value, &c->limit[0]);
	}
	if (!strcmp(word, "limit-to-client")) {
		c->to_client = &c->limit[1];
		return cli_limit(word, value, &c->limit[1]);
	}
	cli_usage("unknown word '%s'", word);
	return false;
}

/* Limits first, which may be refused; then nothing is changed. */
static int change_run(struct kturn *kt, uint32_t id, const struct change *c)
{
	struct kturn_batch *limits = kturn_batch_new(kt);
	struct kturn_batch *rest = kturn_batch_new(kt);
	int status = CLI_OK;

	if (!limits || !rest) {
		status = cli_error("out of memory");
		goto out;
	}
	kturn_batch_alloc_set_limits(limits, id, c->to_peer, c->to_client);
	kturn_batch_alloc_set(rest, id, c->lifetime_ms, NULL, 0);
	if (kturn_batch_run(limits) ||
	    (c->lifetime_ms && kturn_batch_run(rest)))
		status = cli_error("%s", kturn_error(kt));
out:
	kturn_batch_free(limits);
	kturn_batch_free(rest);
	return status;
}

static int set_run(int argc, char **argv)
{
	struct change c = { 0 };
	struct kturn *kt;
	uint32_t id;
	int status;

	if (!argc)
		return cli_usage("ID is missing");
	if (!cli_id(argv[0], &id))
		return CLI_USAGE;
	if (argc == 1)
		return cli_usage("nothing follows the ID");
	for (int i = 1; i < argc; i += 2)
		if (!change_read(argv[i], i + 1 < argc ? argv[i + 1] : NULL,
				 &c))
			return CLI_USAGE;
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	status = change_run(kt, id, &c);
	kturn_close(kt);
	return status;
}

/* Each fails or succeeds by itself. */
static int del_batch(struct kturn *kt, struct kturn_batch *b, int argc,
		     char **argv)
{
	uint32_t id = 0;
	int err;

	for (int i = 0; i < argc; i++) {
		cli_number(argv[i], 1, UINT32_MAX, &id);
		kturn_batch_alloc_del(b, id);
	}
	err = kturn_batch_run(b);
	if (!err)
		return CLI_OK;
	for (int i = 0; i < argc; i++)
		if (*kturn_batch_text(b, i))
			err = cli_error("%s: %s", argv[i],
					kturn_batch_text(b, i));
	return err < 0 ? cli_error("%s", kturn_error(kt)) : CLI_FAILED;
}

static int del_run(int argc, char **argv)
{
	bool all = argc == 1 && !strcmp(argv[0], "all");
	struct kturn_batch *b = NULL;
	struct kturn *kt;
	uint32_t id;
	int status;

	if (!argc)
		return cli_usage("ID is missing");
	for (int i = 0; i < argc && !all; i++)
		if (!cli_id(argv[i], &id))
			return CLI_USAGE;
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	if (all) {
		status = kturn_flush(kt, 0) ?
			cli_error("%s", kturn_error(kt)) : CLI_OK;
	} else {
		b = kturn_batch_new(kt);
		status = b ? del_batch(kt, b, argc, argv) :
			cli_error("out of memory");
	}
	kturn_batch_free(b);
	kturn_close(kt);
	return status;
}

#define LIMIT_HELP \
"LIMIT is bits per second of data, or packets per second, or both, as in\n" \
"2Mbit, 500pps or 2Mbit,500pps. Behind a slash is what may pass at once, as in\n" \
"2Mbit/64kB or 500pps/50. \"none\" takes a limit away."

const struct cli_command alloc_commands[] = {
	{
		.name = "add",
		.arguments = "client ADDR:PORT server ADDR:PORT relay ADDR:PORT [relay ADDR:PORT] lifetime TIME [exclusive] [alternate] [label TEXT] [vrf DEVICE] [limit-to-peer LIMIT] [limit-to-client LIMIT] [quota NUMBER [quota-to-peer LIMIT] [quota-to-client LIMIT]]...",
		.summary = "Make an allocation without an owner; prints its ID.",
		.details =
"At most one relay for each address family. TIME is as in 500ms, 30s, 10m or\n"
"1h30m. In an exclusive allocation, data that no permission or channel allows\n"
"is dropped; otherwise it is left to the socket.\n"
LIMIT_HELP "\n"
"Allocations that name the same quota share its limits; what is not named stays\n"
"as it is. At most two, the narrowest first.",
		.json = true,
		.run = add_run,
	}, {
		.name = "set",
		.arguments = "ID [lifetime TIME] [limit-to-peer LIMIT] [limit-to-client LIMIT]",
		.summary = "Change an allocation; what is not named stays.",
		.details = LIMIT_HELP,
		.run = set_run,
	}, {
		.name = "del",
		.arguments = "ID...|all",
		.summary = "Delete allocations with their permissions and channels.",
		.run = del_run,
	},
	{ 0 }
};
