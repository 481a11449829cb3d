// SPDX-License-Identifier: LGPL-2.1-or-later
/* Batches: many requests in one send, and single requests as batches of one. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

/**
 * struct request - a request of a batch
 * @offset: of its message in the batch's buffer
 * @result: 0 or a negative errno, once the batch ran
 * @answered: an answer came, or success follows from the piece's
 * @id: of the allocation that it made
 * @text: what the kernel said when it failed, or NULL
 */
struct request {
	size_t offset;
	int result;
	bool answered;
	uint32_t id;
	char *text;
};

/**
 * struct kturn_batch - requests to be sent together
 * @kt: handle
 * @buf: messages, one after the other
 * @len: bytes used
 * @size: bytes there
 * @req: requests
 * @n: how many
 * @room: how many fit
 * @failed: why a request could not be added, or 0
 * @ran: kturn_batch_run() was called
 */
struct kturn_batch {
	struct kturn *kt;
	char *buf;
	size_t len;
	size_t size;
	struct request *req;
	int n;
	int room;
	int failed;
	bool ran;
};

struct kturn_batch *kturn_batch_new(struct kturn *kt)
{
	struct kturn_batch *b = calloc(1, sizeof(*b));

	if (b)
		b->kt = kt;
	return b;
}

void kturn_batch_free(struct kturn_batch *b)
{
	if (!b)
		return;
	for (int i = 0; i < b->n; i++)
		free(b->req[i].text);
	free(b->req);
	free(b->buf);
	free(b);
}

/* ------------------------------------------------------------------ adding */

static int add_failed(struct kturn_batch *b, int err, const char *why)
{
	if (!b->failed)
		b->failed = kt_fail(b->kt, err, "%s", why);
	return -err;
}

/* Room for one more request. */
static bool batch_grow(struct kturn_batch *b)
{
	struct request *req;
	size_t size;
	char *buf;
	int room;

	if (b->n == b->room) {
		room = b->room ? 2 * b->room : 4;
		req = reallocarray(b->req, room, sizeof(*req));
		if (!req)
			return false;
		b->req = req;
		b->room = room;
	}
	if (b->size - b->len < KT_REQUEST_MAX) {
		size = 2 * b->size + KT_REQUEST_MAX;
		buf = realloc(b->buf, size);
		if (!buf)
			return false;
		b->buf = buf;
		b->size = size;
	}
	return true;
}

/* A message to be filled in and then given to batch_add(); NULL: no memory. */
static struct nlmsghdr *batch_begin(struct kturn_batch *b, uint8_t cmd)
{
	if (!batch_grow(b)) {
		add_failed(b, ENOMEM, "out of memory");
		return NULL;
	}
	return kt_request(b->kt, b->buf + b->len, cmd);
}

static int batch_add(struct kturn_batch *b, const struct nlmsghdr *nlh)
{
	b->req[b->n] = (struct request){ .offset = b->len };
	b->len += MNL_ALIGN(nlh->nlmsg_len);
	return b->n++;
}

int kturn_batch_alloc_new(struct kturn_batch *b, const struct kturn_alloc *a)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_ALLOC_NEW);
	const char *why;

	if (!nlh)
		return -ENOMEM;
	if (kt_put_alloc(nlh, a, &why))
		return add_failed(b, EINVAL, why);
	return batch_add(b, nlh);
}

int kturn_batch_alloc_set(struct kturn_batch *b, uint32_t id,
			  uint32_t lifetime_ms, const void *owner_data,
			  size_t owner_data_len)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_ALLOC_SET);
	const char *why;

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_ID, id);
	if (lifetime_ms)
		mnl_attr_put_u32(nlh, KTURN_A_ALLOC_LIFETIME_MS, lifetime_ms);
	if (kt_put_owner_data(nlh, owner_data, owner_data_len, &why))
		return add_failed(b, EINVAL, why);
	return batch_add(b, nlh);
}

int kturn_batch_alloc_set_flags(struct kturn_batch *b, uint32_t id,
				uint32_t flags)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_ALLOC_SET);

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_ID, id);
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_FLAGS, flags);
	return batch_add(b, nlh);
}

int kturn_batch_alloc_set_limits(struct kturn_batch *b, uint32_t id,
				 const struct kturn_limit *to_peer,
				 const struct kturn_limit *to_client)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_ALLOC_SET);

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_ID, id);
	if (to_peer)
		kt_put_limit(nlh, KTURN_A_ALLOC_LIMIT_TO_PEER, to_peer);
	if (to_client)
		kt_put_limit(nlh, KTURN_A_ALLOC_LIMIT_TO_CLIENT, to_client);
	return batch_add(b, nlh);
}

int kturn_batch_alloc_del(struct kturn_batch *b, uint32_t id)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_ALLOC_DEL);

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_ALLOC_ID, id);
	return batch_add(b, nlh);
}

/* A permission is of an IP address (RFC 8656 section 9). */
static int put_perm_peer(struct nlmsghdr *nlh, const struct kturn_addr *peer,
			 const char **why)
{
	struct kturn_addr ip = *peer;

	kturn_addr_set_port(&ip, 0);
	return kt_put_peer(nlh, KTURN_A_PERM_PEER, &ip, why);
}

int kturn_batch_perm_new(struct kturn_batch *b, uint32_t alloc_id,
			 const struct kturn_addr *peer, uint32_t lifetime_ms)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_PERM_NEW);
	const char *why;

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_PERM_ALLOC_ID, alloc_id);
	if (put_perm_peer(nlh, peer, &why))
		return add_failed(b, EINVAL, why);
	mnl_attr_put_u32(nlh, KTURN_A_PERM_LIFETIME_MS, lifetime_ms);
	return batch_add(b, nlh);
}

int kturn_batch_perm_del(struct kturn_batch *b, uint32_t alloc_id,
			 const struct kturn_addr *peer)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_PERM_DEL);
	const char *why;

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_PERM_ALLOC_ID, alloc_id);
	if (put_perm_peer(nlh, peer, &why))
		return add_failed(b, EINVAL, why);
	return batch_add(b, nlh);
}

int kturn_batch_chan_new(struct kturn_batch *b, uint32_t alloc_id,
			 uint16_t number, const struct kturn_addr *peer,
			 uint32_t lifetime_ms)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_CHAN_NEW);
	const char *why;

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_CHAN_ALLOC_ID, alloc_id);
	mnl_attr_put_u16(nlh, KTURN_A_CHAN_NUMBER, number);
	if (kt_put_peer(nlh, KTURN_A_CHAN_PEER, peer, &why))
		return add_failed(b, EINVAL, why);
	mnl_attr_put_u32(nlh, KTURN_A_CHAN_LIFETIME_MS, lifetime_ms);
	return batch_add(b, nlh);
}

int kturn_batch_chan_del(struct kturn_batch *b, uint32_t alloc_id,
			 uint16_t number)
{
	struct nlmsghdr *nlh = batch_begin(b, KTURN_CMD_CHAN_DEL);

	if (!nlh)
		return -ENOMEM;
	mnl_attr_put_u32(nlh, KTURN_A_CHAN_ALLOC_ID, alloc_id);
	mnl_attr_put_u16(nlh, KTURN_A_CHAN_NUMBER, number);
	return batch_add(b, nlh);
}

/* ----------------------------------------------------------------- running */

/**
 * struct piece - requests that are sent at once
 * @first: index of the first
 * @n: how many
 * @seq: sequence number of the first
 * @bytes: bytes of their messages
 * @answered: how many got an answer of their own
 * @lost: an answer could not be queued
 */
struct piece {
	int first;
	int n;
	uint32_t seq;
	size_t bytes;
	int answered;
	bool lost;
};

static struct nlmsghdr *message(const struct kturn_batch *b, int i)
{
	return (struct nlmsghdr *)(b->buf + b->req[i].offset);
}

static void result_set(struct request *r, int err, const char *text)
{
	r->answered = true;
	r->result = err;
	/* Without memory the number has to do. */
	r->text = *text ? strdup(text) : NULL;
}

/* Take as many requests from @first on as may go at once, at most @max. */
static void piece_cut(struct kturn_batch *b, int first, int max,
		      struct piece *p)
{
	struct nlmsghdr *nlh;
	size_t len;

	*p = (struct piece){ .first = first, .seq = b->kt->seq + 1 };
	for (int i = first; i < b->n && p->n < max; i++, p->n++) {
		nlh = message(b, i);
		len = MNL_ALIGN(nlh->nlmsg_len);
		if (p->n && p->bytes + len > b->kt->piece_bytes)
			break;
		/*
		 * The kernel reports failures unasked, and has done it all
		 * when the send returns: an ACK would say nothing.
		 */
		nlh->nlmsg_flags = NLM_F_REQUEST;
		nlh->nlmsg_seq = ++b->kt->seq;
		p->bytes += len;
	}
}

static int id_read(const struct nlmsghdr *nlh, uint32_t *id)
{
	struct kturn_alloc a;
	int err = kt_parse_alloc(nlh, &a);

	if (!err && !a.id)
		err = -EBADMSG;
	*id = a.id;
	return err;
}

static void answer_read(struct kturn_batch *b, struct piece *p,
			const struct nlmsghdr *nlh)
{
	uint32_t i = nlh->nlmsg_seq - p->seq;
	char text[KT_ERROR_MAX];
	struct request *r;
	int err;

	if (i >= (uint32_t)p->n)
		return;
	r = &b->req[p->first + i];
	p->answered += !r->answered;
	if (nlh->nlmsg_type == NLMSG_ERROR) {
		err = kt_error_read(nlh, message(b, p->first + i), text,
				    sizeof(text));
		result_set(r, err, text);
	} else if (nlh->nlmsg_type == b->kt->family) {
		err = id_read(nlh, &r->id);
		result_set(r, err, err ? "can't read the kernel's answer" : "");
	}
}

/* The kernel has answered by the time that the send returns. */
static int piece_gather(struct kturn_batch *b, struct piece *p)
{
	struct kturn *kt = b->kt;
	const struct nlmsghdr *nlh;
	ssize_t n;
	int left;

	while (p->answered < p->n) {
		n = kt_recv(kt->nl, kt->buf, sizeof(kt->buf));
		if (n == -EAGAIN)
			break;
		if (n == -ENOBUFS || n == -EMSGSIZE) {
			p->lost = true;
			continue;
		}
		if (n < 0)
			return n;
		left = n;
		for (nlh = (void *)kt->buf; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			answer_read(b, p, nlh);
	}
	return 0;
}

/*
 * What got no answer of its own has succeeded, if it is of a kind that needs
 * none and no answer was lost.
 */
static void piece_settle(struct kturn_batch *b, const struct piece *p, int err)
{
	const struct genlmsghdr *genl;
	struct request *r;

	for (int i = p->first; i < p->first + p->n; i++) {
		r = &b->req[i];
		if (r->answered)
			continue;
		genl = mnl_nlmsg_get_payload(message(b, i));
		if (err)
			result_set(r, err, strerror(-err));
		else if (p->lost || genl->cmd == KTURN_CMD_ALLOC_NEW)
			result_set(r, -ENOBUFS, "the kernel's answer was lost");
		else
			result_set(r, 0, "");
	}
}

/* The number of requests sent, or a negative errno: none was. */
static int piece_send(struct kturn_batch *b, int first, struct piece *p)
{
	int max = b->kt->piece_requests;

	for (;;) {
		piece_cut(b, first, max, p);
		if (mnl_socket_sendto(b->kt->nl, message(b, first),
				      p->bytes) >= 0)
			return p->n;
		/* Less at a time, for lack of memory or buffer space. */
		if ((errno != ENOBUFS && errno != EMSGSIZE) || p->n == 1)
			return -errno;
		max = p->n / 2;
	}
}

int kturn_batch_run(struct kturn_batch *b)
{
	struct piece p;
	int err;

	if (b->failed)
		return b->failed;
	if (b->ran)
		return kt_fail(b->kt, EINVAL, "the batch ran already");
	b->ran = true;
	for (int first = 0; first < b->n; first += p.n) {
		err = piece_send(b, first, &p);
		if (err < 0) {
			/* Nor could what follows be sent. */
			p.n = b->n - first;
			piece_settle(b, &p, err);
			break;
		}
		err = piece_gather(b, &p);
		piece_settle(b, &p, err);
	}
	for (int i = 0; i < b->n; i++)
		if (b->req[i].result)
			return kt_fail(b->kt, -b->req[i].result, "%s",
				       kturn_batch_text(b, i));
	return 0;
}

int kturn_batch_result(const struct kturn_batch *b, int i)
{
	return i >= 0 && i < b->n && b->ran ? b->req[i].result : -EINVAL;
}

uint32_t kturn_batch_id(const struct kturn_batch *b, int i)
{
	return i >= 0 && i < b->n ? b->req[i].id : 0;
}

const char *kturn_batch_text(const struct kturn_batch *b, int i)
{
	if (i < 0 || i >= b->n || !b->req[i].result)
		return "";
	return b->req[i].text ? b->req[i].text : strerror(-b->req[i].result);
}

/* --------------------------------------------------------- single requests */

/* Run a batch of one request, and free it. */
static int run_one(struct kturn *kt, struct kturn_batch *b, uint32_t *id)
{
	int err;

	if (!b)
		return kt_fail(kt, ENOMEM, "out of memory");
	err = kturn_batch_run(b);
	if (id)
		*id = kturn_batch_id(b, 0);
	kturn_batch_free(b);
	return err;
}

int kturn_alloc_new(struct kturn *kt, const struct kturn_alloc *a,
		    uint32_t *id)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_alloc_new(b, a);
	return run_one(kt, b, id);
}

int kturn_alloc_del(struct kturn *kt, uint32_t id)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_alloc_del(b, id);
	return run_one(kt, b, NULL);
}

int kturn_perm_new(struct kturn *kt, uint32_t alloc_id,
		   const struct kturn_addr *peer, uint32_t lifetime_ms)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_perm_new(b, alloc_id, peer, lifetime_ms);
	return run_one(kt, b, NULL);
}

int kturn_perm_del(struct kturn *kt, uint32_t alloc_id,
		   const struct kturn_addr *peer)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_perm_del(b, alloc_id, peer);
	return run_one(kt, b, NULL);
}

int kturn_chan_new(struct kturn *kt, uint32_t alloc_id, uint16_t number,
		   const struct kturn_addr *peer, uint32_t lifetime_ms)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_chan_new(b, alloc_id, number, peer, lifetime_ms);
	return run_one(kt, b, NULL);
}

int kturn_chan_del(struct kturn *kt, uint32_t alloc_id, uint16_t number)
{
	struct kturn_batch *b = kturn_batch_new(kt);

	if (b)
		kturn_batch_chan_del(b, alloc_id, number);
	return run_one(kt, b, NULL);
}
