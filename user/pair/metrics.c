// SPDX-License-Identifier: GPL-2.0-or-later
/* Metrics; see metrics.h. */
#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/http.h>
#include <inttypes.h>
#include <string.h>

#include "address.h"
#include "log.h"
#include "metrics.h"
#include "rules.h"

#define LABEL_TEXT_MAX	(2 * KTURN_LABEL_MAX + 1)

/*
 * A label's value: backslash, double quote and newline have a backslash before
 * them; what is no printable ASCII is a question mark, as not all of it is UTF-8.
 */
static const char *label_text(const char *label, char *out)
{
	char *p = out;

	for (; *label; label++) {
		if (*label == '\\' || *label == '"')
			*p++ = '\\';
		*p++ = *label < ' ' || *label > '~' ? '?' : *label;
	}
	*p = '\0';
	return out;
}

static void head(struct evbuffer *b, const char *name, const char *type,
		 const char *what)
{
	evbuffer_add_printf(b, "# HELP kturn_pair_%s %s\n# TYPE kturn_pair_%s %s\n",
			    name, what, name, type);
}

static void single(struct evbuffer *b, const char *name, const char *type,
		   const char *what, uint64_t value)
{
	head(b, name, type, what);
	evbuffer_add_printf(b, "kturn_pair_%s %" PRIu64 "\n", name, value);
}

/* ---------------------------------------------------------------- sessions */

static const char *const directions[] = { "to_peer", "to_client" };

/**
 * struct reader - goes over the kernel's entries
 * @b: text of the sessions' bytes
 * @packets: of their packets
 * @owner_id: whose entries count
 * @sum: packets and bytes, to peers and to clients
 */
struct reader {
	struct evbuffer *b;
	struct evbuffer *packets;
	uint32_t owner_id;
	uint64_t sum[2][2];
};

static void session_line(struct evbuffer *b, const char *name,
			 const struct kturn_alloc *a, int direction,
			 uint64_t value)
{
	char client[KTURN_ADDR_TEXT_MAX], relay[KTURN_ADDR_TEXT_MAX];
	char user[LABEL_TEXT_MAX];

	evbuffer_add_printf(b, "kturn_pair_session_%s{client=\"%s\",relay=\"%s\",",
			    name, kturn_addr_text(&a->client, client),
			    kturn_addr_text(&a->relay[!a->relay[0].family],
					    relay));
	evbuffer_add_printf(b, "user=\"%s\",direction=\"%s\"} %" PRIu64 "\n",
			    label_text(a->label, user), directions[direction],
			    value);
}

static int session_read(const struct kturn_alloc *a, void *arg)
{
	const struct kturn_counter *c[] = { &a->to_peer, &a->to_client };
	struct reader *r = arg;
	int i;

	if (a->owner_id != r->owner_id)
		return 0;
	for (i = 0; i < 2; i++) {
		session_line(r->packets, "packets_total", a, i, c[i]->packets);
		session_line(r->b, "bytes_total", a, i, c[i]->bytes);
		r->sum[i][0] += c[i]->packets;
		r->sum[i][1] += c[i]->bytes;
	}
	return 0;
}

static void sums(struct metrics *m, struct evbuffer *b, const struct reader *r)
{
	static const char *const names[] = { "packets_total", "bytes_total" };
	const struct kturn_counter *ended = m->kernel->ended;
	uint64_t now;
	int i, j;

	for (j = 0; j < 2; j++) {
		head(b, names[j], "counter", j ?
		     "Bytes of application data that the kernel has relayed." :
		     "Packets that the kernel has relayed.");
		for (i = 0; i < 2; i++) {
			now = r->sum[i][j] +
			      (j ? ended[i].bytes : ended[i].packets);
			/* One may have ended, and we did not hear of it yet. */
			if (now > m->told[i][j])
				m->told[i][j] = now;
			evbuffer_add_printf(b, "kturn_pair_%s{direction=\"%s\"} %" PRIu64 "\n",
					    names[j], directions[i],
					    m->told[i][j]);
		}
	}
}

static void sessions(struct metrics *m, struct evbuffer *b)
{
	struct reader r = { .b = evbuffer_new(), .packets = evbuffer_new(),
			    .owner_id = m->kernel->owner_id };

	if (r.b && r.packets) {
		if (m->kernel->kt)
			kturn_alloc_sample(m->kernel->kt, session_read, &r);
		sums(m, b, &r);
		head(b, "session_packets_total", "counter",
		     "Packets that the kernel has relayed for a session.");
		evbuffer_add_buffer(b, r.packets);
		head(b, "session_bytes_total", "counter",
		     "Bytes of application data of a session.");
		evbuffer_add_buffer(b, r.b);
	}
	if (r.b)
		evbuffer_free(r.b);
	if (r.packets)
		evbuffer_free(r.packets);
}

/* ----------------------------------------------------------------- answers */

static void answers(const struct learn_counts *c, struct evbuffer *b)
{
	head(b, "answers_total", "counter",
	     "Answers of the server that grant something, by what became of them.");
	evbuffer_add_printf(b,
			    "kturn_pair_answers_total{result=\"granted\"} %" PRIu64 "\n"
			    "kturn_pair_answers_total{result=\"unmatched\"} %" PRIu64 "\n"
			    "kturn_pair_answers_total{result=\"odd\"} %" PRIu64 "\n"
			    "kturn_pair_answers_total{result=\"foreign\"} %" PRIu64 "\n",
			    c->granted, c->unmatched, c->odd, c->foreign);
	single(b, "kernel_refused_total", "counter",
	       "Entries that the kernel did not take.", c->refused);
	single(b, "sockets_closed_total", "counter",
	       "Sessions that ended with the server's socket.", c->gone);
	single(b, "withdrawn_total", "counter",
	       "Sessions taken from the kernel since packets were missing.",
	       c->asleep);
}

static void requests(const struct transactions *t, struct evbuffer *b)
{
	single(b, "requests_unread_total", "counter",
	       "Requests that could not be read, and their client is in doubt.",
	       t->unread);
	single(b, "requests_dropped_total", "counter",
	       "Requests for which there was no room.", t->dropped);
}

static void captures(const struct metrics *m, struct evbuffer *b)
{
	static const char *const names[] = {
		[RULES_REQUESTS] = "requests",
		[RULES_ANSWERS] = "answers",
	};
	int i;

	head(b, "captured_total", "counter",
	     "Packets that the firewall has logged for kturn-pair.");
	for (i = 0; i < 2; i++)
		evbuffer_add_printf(b, "kturn_pair_captured_total{what=\"%s\"} %" PRIu64 "\n",
				    names[i], m->capture[i].packets);
	head(b, "capture_losses_total", "counter",
	     "How often some of them were missing.");
	for (i = 0; i < 2; i++)
		evbuffer_add_printf(b, "kturn_pair_capture_losses_total{what=\"%s\"} %" PRIu64 "\n",
				    names[i], m->capture[i].losses);
}

static void on_request(struct evhttp_request *req, void *arg)
{
	struct metrics *m = arg;
	struct evbuffer *b = evbuffer_new();
	const struct session *s;
	uint64_t n = 0, in_kernel = 0;

	if (!b) {
		evhttp_send_error(req, HTTP_INTERNAL, NULL);
		return;
	}
	TAILQ_FOREACH(s, &m->learn->sessions, link) {
		n++;
		in_kernel += s->id > 0;
	}
	single(b, "sessions", "gauge", "Allocations that are known.", n);
	single(b, "sessions_in_kernel", "gauge",
	       "Allocations that the kernel relays for.", in_kernel);
	answers(&m->learn->counts, b);
	requests(&m->learn->transactions, b);
	captures(m, b);
	sessions(m, b);
	evhttp_add_header(evhttp_request_get_output_headers(req),
			  "Content-Type",
			  "text/plain; version=0.0.4; charset=utf-8");
	evhttp_send_reply(req, HTTP_OK, "OK", b);
	evbuffer_free(b);
}

int metrics_open(struct metrics *m, struct event_base *base,
		 const struct kturn_addr *addr)
{
	char ip[INET6_ADDRSTRLEN];

	m->http = evhttp_new(base);
	if (!m->http)
		return -ENOMEM;
	evhttp_set_allowed_methods(m->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD);
	evhttp_set_timeout(m->http, 10);
	evhttp_set_max_headers_size(m->http, 8192);
	evhttp_set_max_body_size(m->http, 0);
	evhttp_set_cb(m->http, "/metrics", on_request, m);
	inet_ntop(addr_af(addr), addr->ip, ip, sizeof(ip));
	if (!evhttp_bind_socket(m->http, ip, kturn_addr_port(addr)))
		return 0;
	log_event(LOG_ERR, "metrics-failed", "address=%s port=%u error=%s", ip,
		  kturn_addr_port(addr), strerror(errno));
	metrics_close(m);
	return -EADDRINUSE;
}

void metrics_close(struct metrics *m)
{
	if (m->http)
		evhttp_free(m->http);
	m->http = NULL;
}
