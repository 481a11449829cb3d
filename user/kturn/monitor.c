// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn monitor: what is removed, as it happens. */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include "cli.h"

/* Print what is in @o as one line; takes it over. */
static void json_line(const char *event, json_t *o)
{
	json_t *line = json_object();
	char now[CLI_UNIT_MAX];

	cli_json_put(line, "time", json_string(cli_clock(now)));
	cli_json_put(line, "event", json_string(event));
	if (o && json_object_update(line, o)) {
		cli_error("out of memory");
		exit(CLI_FAILED);
	}
	json_decref(o);
	json_dumpf(line, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(line);
}

static void text_begin(const char *event)
{
	char now[CLI_UNIT_MAX];

	printf("%s %s", cli_clock(now), event);
}

static void counters_print(const struct kturn_counter *to_peer,
			   const struct kturn_counter *to_client)
{
	char a[CLI_UNIT_MAX], b[CLI_UNIT_MAX];

	const char *unit = cli_human() ? "" : " bytes";

	printf(" to-peer %" PRIu64 " packets %s%s to-client %" PRIu64
	       " packets %s%s",
	       to_peer->packets, cli_bytes(to_peer->bytes, a), unit,
	       to_client->packets, cli_bytes(to_client->bytes, b), unit);
}

static void alloc_print(const struct kturn_alloc *a)
{
	char client[KTURN_ADDR_TEXT_MAX], server[KTURN_ADDR_TEXT_MAX];
	char relays[CLI_RELAYS_MAX];
	char *label;

	if (cli_json()) {
		json_line("alloc", cli_alloc_json(a));
		return;
	}
	text_begin("alloc");
	printf(" %" PRIu32 " %s client %s server %s relay %s", a->id,
	       kturn_gone_name(a->gone), kturn_addr_text(&a->client, client),
	       kturn_addr_text(&a->server, server), cli_relays(a, relays));
	counters_print(&a->to_peer, &a->to_client);
	if (*a->label) {
		label = cli_escape(a->label);
		printf(" label %s", label ? label : "?");
		free(label);
	}
	putchar('\n');
}

static void perm_print(const struct kturn_perm *p)
{
	char peer[KTURN_ADDR_TEXT_MAX];

	if (cli_json()) {
		json_line("perm", cli_perm_json(p));
		return;
	}
	text_begin("perm");
	printf(" alloc %" PRIu32 " %s peer %s\n", p->alloc_id,
	       kturn_gone_name(p->gone), kturn_addr_text(&p->peer, peer));
}

static void chan_print(const struct kturn_chan *c)
{
	char peer[KTURN_ADDR_TEXT_MAX];

	if (cli_json()) {
		json_line("chan", cli_chan_json(c));
		return;
	}
	text_begin("chan");
	printf(" alloc %" PRIu32 " %s number 0x%04x peer %s", c->alloc_id,
	       kturn_gone_name(c->gone), c->number,
	       kturn_addr_text(&c->peer, peer));
	counters_print(&c->to_peer, &c->to_client);
	putchar('\n');
}

/* What is not about an entry. */
static void word_print(const char *event, const char *words)
{
	if (cli_json()) {
		json_line(event, NULL);
		return;
	}
	text_begin(words);
	putchar('\n');
}

static void module_print(bool here)
{
	word_print(here ? "module-here" : "module-gone",
		   here ? "module here" : "module gone");
}

static int event_print(const struct kturn_event *ev, void *arg)
{
	switch (ev->type) {
	case KTURN_EVENT_ALLOC:
		alloc_print(&ev->alloc);
		break;
	case KTURN_EVENT_PERM:
		perm_print(&ev->perm);
		break;
	case KTURN_EVENT_CHAN:
		chan_print(&ev->chan);
		break;
	case KTURN_EVENT_MODULE_GONE:
		module_print(false);
		break;
	case KTURN_EVENT_MODULE_HERE:
		module_print(true);
		break;
	}
	/* Nobody reads any more: end, and let main() say so. */
	return ferror(stdout) ? 1 : 0;
}

static int listen_on(struct kturn_listener *l)
{
	struct pollfd p = { .fd = kturn_listener_fd(l), .events = POLLIN };
	int ret;

	module_print(kturn_listener_here(l));
	for (;;) {
		ret = kturn_listener_read(l, event_print, NULL);
		if (ret > 0)
			return CLI_FAILED;
		if (ret == -ENOBUFS)
			word_print("lost",
				   "lost messages, kturn show says what is left");
		else if (ret < 0)
			return cli_error("%s", kturn_error(NULL));
		else if (poll(&p, 1, -1) < 0 && errno != EINTR)
			return cli_error("poll: %m");
	}
}

int monitor_run(int argc, char **argv)
{
	struct kturn_listener *l;
	int status;

	if (argc)
		return cli_usage("too many words: '%s'", argv[0]);
	if (kturn_listen(&l))
		return cli_error("%s", kturn_error(NULL));
	setvbuf(stdout, NULL, _IOLBF, 0);
	status = listen_on(l);
	kturn_listener_close(l);
	return status;
}
