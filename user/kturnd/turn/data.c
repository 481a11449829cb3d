// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Relaying (RFC 8656 sections 11 and 12). Nothing here is answered, and
 * nothing changes but counters, and where a client is that has moved.
 */
#include "mobile.h"
#include "request.h"

/*
 * RFC 8016 section 3.2.2: with the first data from where it said that it would
 * be, the client is there.
 */
static struct turn_alloc *alloc_of(struct turn_server *s,
				   const struct turn_tuple *tuple, uint64_t now)
{
	struct turn_alloc *a = turn_alloc_live(s, tuple, now);

	if (a || !s->by_next.n)
		return a;
	a = turn_mobile_next(s, tuple, now);
	if (!a || a->mobile->home != s->cfg.home)
		return NULL;
	return turn_mobile_settle(s, a) ? a : NULL;
}

static void to_peer(struct turn_server *s, uint64_t now, struct turn_alloc *a,
		    const struct kturn_addr *peer, const uint8_t *data,
		    size_t len, bool dont_fragment)
{
	const struct turn_half *h = turn_half_live(a, peer->family, now);

	/* A port of our own can have died since the channel was bound. */
	if (!h || turn_peer_verdict(s, a, peer) != TURN_PEER_OK) {
		s->counters.dropped++;
		return;
	}

	if (!turn_alloc_passes(a, TURN_TO_PEER, len, now)) {
		s->counters.over_limit++;
		return;
	}

	/* Section 13: across families the attribute means nothing. */
	if (a->tuple.client.family != KTURN_FAMILY_V4 ||
	    peer->family != KTURN_FAMILY_V4)
		dont_fragment = false;
	s->counters.to_peer_packets++;
	s->counters.to_peer_bytes += len;
	s->ops->peer_send(s->env, &h->relay, peer, data, len, dont_fragment);
}

void turn_channel_data_input(struct turn_server *s, uint64_t now,
			     const struct turn_tuple *tuple,
			     const uint8_t *buf, size_t len)
{
	struct kturn_channel_data cd;
	struct turn_chan *c = NULL;
	struct turn_alloc *a;

	if (kturn_channel_data_parse(buf, len, len, &cd)) {
		s->counters.malformed++;
		return;
	}

	/* Section 12.6: the channel decides alone, not the permission. */
	a = alloc_of(s, tuple, now);
	if (a)
		c = turn_chan_by_number(s, a, cd.number, now);
	if (!c) {
		s->counters.dropped++;
		return;
	}
	to_peer(s, now, a, &c->peer, cd.data, cd.len, false);
}

/*
 * A Send indication with an integrity attribute: indications are not
 * authenticated (RFC 8656 section 5), so it is ignored with all that comes
 * after it, and the rest is a Send indication like others.
 */
static int parse_protected(const uint8_t *buf, size_t len,
			   struct kturn_send *send)
{
	const struct kturn_attr *peer, *data;
	struct turn_request rq = { .len = len };

	if (kturn_stun_parse(buf, len, &rq.msg))
		return -EBADMSG;
	turn_request_collect(&rq);
	peer = &rq.attr[TURN_A_PEER];
	data = &rq.attr[TURN_A_DATA];
	if (rq.malformed || rq.n_unknown || !peer->value || !data->value ||
	    kturn_xor_addr_parse(peer->value, peer->len, rq.msg.tid,
				 &send->peer))
		return -EBADMSG;

	send->data_off = data->value - buf;
	send->data_len = data->len;
	send->dont_fragment = turn_has(&rq, TURN_A_DONT_FRAGMENT);
	return 0;
}

void turn_send_input(struct turn_server *s, uint64_t now,
		     const struct turn_tuple *tuple,
		     const uint8_t *buf, size_t len)
{
	struct turn_alloc *a;
	struct kturn_send send;
	struct kturn_addr ip;
	int ret;

	ret = kturn_send_parse(buf, len, len, &send);
	if (ret == -EOPNOTSUPP)
		ret = parse_protected(buf, len, &send);
	if (ret) {
		s->counters.malformed++;
		return;
	}

	a = alloc_of(s, tuple, now);
	ip = turn_addr_ip(&send.peer);
	if (!a || a->is_tcp || !send.peer.port || !turn_perm_find(s, a, &ip, now)) {
		s->counters.dropped++;
		return;
	}
	to_peer(s, now, a, &send.peer, buf + send.data_off, send.data_len,
		send.dont_fragment);
}

/* RFC 8489 section 5: of indications too it is uniformly random. */
const uint8_t *turn_random_tid(struct turn_server *s)
{
	if (!s->n_tids) {
		s->ops->random(s->env, s->tids, sizeof(s->tids));
		s->n_tids = TURN_TIDS;
	}
	return s->tids[--s->n_tids];
}

/* In front of the data and behind it; returns the bytes in front, or 0. */
static size_t wrap(struct turn_server *s, const struct turn_alloc *a,
		   const struct turn_chan *c, const struct kturn_addr *peer,
		   uint8_t *buf, size_t len, size_t *pad)
{
	uint8_t hdr[KTURN_DATA_IND_MAX];
	size_t hdr_len;

	if (len > UINT16_MAX)
		return 0;
	/* Of ChannelData only in a stream: section 12.5. */
	*pad = c && !turn_is_stream(&a->tuple) ? 0 : kturn_pad(len);
	memset(buf + len, 0, *pad);
	if (c)
		return kturn_channel_data_build(buf - KTURN_CHAN_HDR_LEN,
						c->number, len);

	hdr_len = kturn_data_ind_build(hdr, turn_random_tid(s), peer, len);
	memcpy(buf - hdr_len, hdr, hdr_len);
	return hdr_len;
}

void turn_peer_input(struct turn_server *s, uint64_t now,
		     struct turn_alloc *a, const struct kturn_addr *peer,
		     uint8_t *buf, size_t len)
{
	struct kturn_addr ip = turn_addr_ip(peer);
	size_t hdr_len, pad;

	/* Section 11.3: without a permission a channel is not enough. */
	if (!turn_half_live(a, peer->family, now) ||
	    !turn_perm_find(s, a, &ip, now)) {
		s->counters.dropped++;
		return;
	}

	if (!turn_alloc_passes(a, TURN_TO_CLIENT, len, now)) {
		s->counters.over_limit++;
		return;
	}

	hdr_len = wrap(s, a, turn_chan_by_peer(s, a, peer, now), peer, buf,
		       len, &pad);
	if (!hdr_len) {
		s->counters.dropped++;
		return;
	}
	s->counters.to_client_packets++;
	s->counters.to_client_bytes += len;
	s->ops->client_send(s->env, &a->tuple, buf - hdr_len,
			    hdr_len + len + pad);
}
