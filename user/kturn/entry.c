// SPDX-License-Identifier: GPL-2.0-or-later
/* Entries as JSON. */
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cli.h"

const char *cli_relays(const struct kturn_alloc *a, char buf[CLI_RELAYS_MAX])
{
	char text[KTURN_ADDR_TEXT_MAX];

	*buf = '\0';
	for (int i = 0; i < 2; i++) {
		if (a->relay[i].family == KTURN_FAMILY_NONE)
			continue;
		if (*buf)
			strcat(buf, ",");
		strcat(buf, kturn_addr_text(&a->relay[i], text));
	}
	return buf;
}

static json_t *addr_json(const struct kturn_addr *addr)
{
	char text[KTURN_ADDR_TEXT_MAX];

	return json_string(kturn_addr_text(addr, text));
}

static json_t *hex_json(const uint8_t *data, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *string;

	if (!text)
		return NULL;
	*text = '\0';
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", data[i]);
	string = json_string(text);
	free(text);
	return string;
}

void cli_json_put(json_t *o, const char *key, json_t *value)
{
	if (!json_object_set_new(o, key, value))
		return;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

void cli_json_append(json_t *array, json_t *value)
{
	if (!json_array_append_new(array, value))
		return;
	cli_error("out of memory");
	exit(CLI_FAILED);
}

json_t *cli_counter_json(const struct kturn_counter *c)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)c->packets,
			 "bytes", (json_int_t)c->bytes);
}

json_t *cli_families_json(const struct kturn_counter *total,
			  const struct kturn_counter by[2], bool v4, bool v6)
{
	json_t *o = cli_counter_json(total);

	if (v4)
		cli_json_put(o, "ipv4", cli_counter_json(&by[0]));
	if (v6)
		cli_json_put(o, "ipv6", cli_counter_json(&by[1]));
	return o;
}

static void gone_add(json_t *o, int gone)
{
	if (gone >= 0)
		cli_json_put(o, "reason", json_string(kturn_gone_name(gone)));
}

static void limit_add(json_t *o, const char *key,
		      const struct kturn_limit *limit)
{
	if (limit->bit_rate || limit->packet_rate)
		cli_json_put(o, key, cli_limit_json(limit));
}

json_t *cli_quota_json(const struct kturn_quota *q)
{
	json_t *o = json_object();

	/* As text: its 64 bits are more than JSON's readers can be trusted with. */
	cli_json_put(o, "id", json_sprintf("%" PRIu64, q->id));
	cli_json_put(o, "allocs", json_integer(q->allocs));
	limit_add(o, "limit_to_peer", &q->to_peer);
	limit_add(o, "limit_to_client", &q->to_client);
	return o;
}

static json_t *quotas_json(const struct kturn_alloc *a)
{
	json_t *o = json_array();

	for (size_t i = 0; i < a->n_quotas; i++)
		cli_json_append(o, cli_quota_json(&a->quota[i]));
	return o;
}

json_t *cli_alloc_json(const struct kturn_alloc *a)
{
	bool v4 = a->relay[0].family != KTURN_FAMILY_NONE;
	bool v6 = a->relay[1].family != KTURN_FAMILY_NONE;
	json_t *o = json_object(), *relays = json_array();
	char name[IF_NAMESIZE];

	cli_json_put(o, "id", json_integer(a->id));
	if (a->owner_id)
		cli_json_put(o, "owner_id", json_integer(a->owner_id));
	cli_json_put(o, "client", addr_json(&a->client));
	cli_json_put(o, "server", addr_json(&a->server));
	for (int i = 0; i < 2; i++)
		if (a->relay[i].family != KTURN_FAMILY_NONE)
			cli_json_append(relays, addr_json(&a->relay[i]));
	cli_json_put(o, "relays", relays);
	if (a->l3mdev) {
		cli_json_put(o, "vrf_ifindex", json_integer(a->l3mdev));
		if (if_indextoname(a->l3mdev, name))
			cli_json_put(o, "vrf", cli_json_string(name));
	}
	cli_json_put(o, "lifetime_ms", json_integer(a->lifetime_ms));
	cli_json_put(o, "exclusive",
		     json_boolean(a->flags & KTURN_ALLOC_FLAGS_EXCLUSIVE));
	cli_json_put(o, "alternate",
		     json_boolean(a->flags & KTURN_ALLOC_FLAGS_ALTERNATE));
	cli_json_put(o, "label", cli_json_string(a->label));
	if (a->owner_data)
		cli_json_put(o, "owner_data",
			     hex_json(a->owner_data, a->owner_data_len));
	cli_json_put(o, "to_peer", cli_families_json(&a->to_peer,
						     a->to_peer_by, v4, v6));
	cli_json_put(o, "to_client", cli_families_json(&a->to_client,
						       a->to_client_by, v4,
						       v6));
	cli_json_put(o, "dropped", json_integer(a->dropped));
	cli_json_put(o, "punted", json_integer(a->punted));
	if (a->idle_ms >= 0)
		cli_json_put(o, "idle_ms", json_integer(a->idle_ms));
	limit_add(o, "limit_to_peer", &a->limit_to_peer);
	limit_add(o, "limit_to_client", &a->limit_to_client);
	if (a->n_quotas)
		cli_json_put(o, "quotas", quotas_json(a));
	gone_add(o, a->gone);
	return o;
}

json_t *cli_perm_json(const struct kturn_perm *p)
{
	json_t *o = json_object();

	cli_json_put(o, "alloc_id", json_integer(p->alloc_id));
	cli_json_put(o, "peer", addr_json(&p->peer));
	cli_json_put(o, "lifetime_ms", json_integer(p->lifetime_ms));
	gone_add(o, p->gone);
	return o;
}

json_t *cli_chan_json(const struct kturn_chan *c)
{
	json_t *o = json_object();

	cli_json_put(o, "alloc_id", json_integer(c->alloc_id));
	cli_json_put(o, "number", json_integer(c->number));
	cli_json_put(o, "peer", addr_json(&c->peer));
	cli_json_put(o, "lifetime_ms", json_integer(c->lifetime_ms));
	cli_json_put(o, "to_peer", cli_counter_json(&c->to_peer));
	cli_json_put(o, "to_client", cli_counter_json(&c->to_client));
	gone_add(o, c->gone);
	return o;
}

json_t *cli_owner_json(const struct kturn_owner *w)
{
	json_t *o = json_object();

	cli_json_put(o, "id", json_integer(w->id));
	cli_json_put(o, "label", cli_json_string(w->label));
	cli_json_put(o, "sockets", json_integer(w->sockets));
	cli_json_put(o, "allocs", json_integer(w->allocs));
	cli_json_put(o, "grace_ms", json_integer(w->grace_ms));
	if (w->left_ms >= 0)
		cli_json_put(o, "left_ms", json_integer(w->left_ms));
	return o;
}

int cli_json_print(json_t *json)
{
	int failed = !json || json_dumpf(json, stdout, JSON_INDENT(2));

	json_decref(json);
	if (failed)
		return cli_error("can't print JSON: out of memory, or the output can't be written");
	putchar('\n');
	return CLI_OK;
}
