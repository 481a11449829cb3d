// SPDX-License-Identifier: LGPL-2.1-or-later
/*
 * What the kernel relays, and what ends: prints all allocations with their
 * counters, then each that ends, with its last ones, until it is interrupted.
 * The module may come and go meanwhile.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <kturn.h>

static int show(const struct kturn_alloc *a, void *arg)
{
	char client[KTURN_ADDR_TEXT_MAX], relay[KTURN_ADDR_TEXT_MAX];

	printf("%s %" PRIu32 " client %s relay %s to peers %" PRIu64
	       " bytes, to the client %" PRIu64 " bytes\n",
	       (const char *)arg, a->id, kturn_addr_text(&a->client, client),
	       kturn_addr_text(&a->relay[!a->relay[0].family], relay),
	       a->to_peer.bytes, a->to_client.bytes);
	return 0;
}

static void show_all(void)
{
	struct kturn *kt;

	if (kturn_open(&kt)) {
		printf("%s\n", kturn_error(NULL));
		return;
	}
	if (kturn_alloc_get(kt, 0, 0, show, "has"))
		printf("%s\n", kturn_error(kt));
	kturn_close(kt);
}

static int on_event(const struct kturn_event *ev, void *arg)
{
	char why[64];

	switch (ev->type) {
	case KTURN_EVENT_ALLOC:
		snprintf(why, sizeof(why), "%s:", kturn_gone_name(ev->alloc.gone));
		return show(&ev->alloc, why);
	case KTURN_EVENT_MODULE_GONE:
		puts("the module is gone");
		return 0;
	case KTURN_EVENT_MODULE_HERE:
		puts("the module is here");
		return 0;
	default:
		return 0;	/* permissions and channels */
	}
}

int main(void)
{
	struct kturn_listener *l;
	struct pollfd p = { .events = POLLIN };
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	/* Before it is looked what there is, or what ends in between is missed. */
	if (kturn_listen(&l)) {
		fprintf(stderr, "watch: %s\n", kturn_error(NULL));
		return 1;
	}
	show_all();
	p.fd = kturn_listener_fd(l);
	do {
		err = kturn_listener_read(l, on_event, NULL);
		if (err == -ENOBUFS)
			show_all();	/* some were not heard of */
		else if (!err && poll(&p, 1, -1) < 0)
			err = -errno;
	} while (!err || err == -ENOBUFS);
	fprintf(stderr, "watch: %s\n", kturn_error(NULL));
	kturn_listener_close(l);
	return 1;
}
