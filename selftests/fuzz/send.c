// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn_send_parse() and its tail: a datagram, then 16 bits, of which the
 * first says whether the header is made right and the rest where the
 * datagram is split.
 */
#include "fuzz.h"

/* What the message says, told by the attribute walk alone. */
static int oracle(const __u8 *p, size_t size, struct kturn_send *want)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	struct kturn_stun msg;
	bool peer = false;

	memset(want, 0, sizeof(*want));
	if (kturn_stun_parse(p, size, &msg) || msg.method != KTURN_SEND ||
	    msg.cls != KTURN_INDICATION)
		return -EBADMSG;

	memcpy(want->tid, msg.tid, sizeof(want->tid));
	kturn_attr_begin(&it, &msg);
	while (kturn_attr_next(&it, &attr)) {
		if (attr.type == KTURN_ATTR_MESSAGE_INTEGRITY ||
		    attr.type == KTURN_ATTR_MESSAGE_INTEGRITY_SHA256)
			return -EOPNOTSUPP;
		if (kturn_attr_required(attr.type) &&
		    !kturn_attr_known(attr.type))
			return -EOPNOTSUPP;
		if (attr.type == KTURN_ATTR_DONT_FRAGMENT)
			want->dont_fragment = true;
		if (attr.type == KTURN_ATTR_DATA && !want->has_data) {
			want->has_data = true;
			want->data_off = attr.value - p;
			want->data_len = attr.len;
		}
		if (attr.type == KTURN_ATTR_XOR_PEER_ADDRESS && !peer) {
			peer = true;
			if (kturn_xor_addr_parse(attr.value, attr.len, msg.tid,
						 &want->peer))
				return -EBADMSG;
		}
	}
	return !it.error && peer && want->has_data ? 0 : -EBADMSG;
}

static void check_same(const struct kturn_send *a, const struct kturn_send *b)
{
	FUZZ_ASSERT(!memcmp(&a->peer, &b->peer, sizeof(a->peer)));
	FUZZ_ASSERT(!memcmp(a->tid, b->tid, sizeof(a->tid)));
	FUZZ_ASSERT(a->has_data == b->has_data);
	FUZZ_ASSERT(a->data_off == b->data_off);
	FUZZ_ASSERT(a->data_len == b->data_len);
	FUZZ_ASSERT(a->dont_fragment == b->dont_fragment);
	FUZZ_ASSERT(!a->tail_off && !a->tail_len);
	FUZZ_ASSERT(!b->tail_off && !b->tail_len);
}

/* Two pieces, neither of which lets the parser see the other. */
static int parse_split(const __u8 *msg, size_t avail, size_t total,
		       struct kturn_send *send)
{
	__u8 *p = fuzz_copy(msg, avail);
	size_t off, len;
	int ret;

	ret = kturn_send_parse(p, avail, total, send);
	free(p);
	if (ret || !send->tail_off)
		return ret;

	off = send->tail_off;
	len = send->tail_len;
	FUZZ_ASSERT(avail < total);
	FUZZ_ASSERT(len && off + len == total);
	FUZZ_ASSERT(off == send->data_off + send->data_len +
		    kturn_pad(send->data_len));
	p = fuzz_copy(msg + off, len);
	ret = kturn_send_parse_tail(p, len, send);
	free(p);
	FUZZ_ASSERT(ret != -EMSGSIZE);
	return ret;
}

/* What was said comes out again when it is said as a Data indication. */
static void round_trip(const __u8 *msg, const struct kturn_send *send)
{
	size_t total = KTURN_DATA_IND_MAX + send->data_len + 3, hdr;
	struct kturn_send again;
	__u8 *p = calloc(1, total);

	if (!p)
		abort();
	hdr = kturn_data_ind_build(p, send->tid, &send->peer, send->data_len);
	if (hdr) {
		total = hdr + send->data_len + kturn_pad(send->data_len);
		memcpy(p + hdr, msg + send->data_off, send->data_len);
		FUZZ_ASSERT(kturn_get16(p) == KTURN_TYPE_DATA_IND);
		kturn_put16(p, KTURN_TYPE_SEND_IND);
		FUZZ_ASSERT(!kturn_send_parse(p, hdr, total, &again));
		FUZZ_ASSERT(again.data_off == hdr);
		FUZZ_ASSERT(!again.tail_off);
		FUZZ_ASSERT(!again.dont_fragment);
		again.data_off = send->data_off;
		again.dont_fragment = send->dont_fragment;
		check_same(&again, send);
	}
	free(p);
}

static void check(const __u8 *msg, size_t total, size_t avail)
{
	struct kturn_send want, whole, part;
	int ret, ret2;

	ret = parse_split(msg, total, total, &whole);
	FUZZ_ASSERT(ret == oracle(msg, total, &want));
	if (!ret) {
		check_same(&whole, &want);
		FUZZ_ASSERT(whole.data_off + whole.data_len <= total);
		round_trip(msg, &whole);
	}

	ret2 = parse_split(msg, avail, total, &part);
	if (ret2 == -EMSGSIZE) {
		/* It must have been needed: DATA's header lies beyond. */
		FUZZ_ASSERT(avail < total);
		FUZZ_ASSERT(ret || avail < whole.data_off);
		return;
	}
	FUZZ_ASSERT(ret2 == ret);
	if (!ret) {
		check_same(&part, &whole);
		FUZZ_ASSERT(avail >= whole.data_off);
	}
}

int fuzz_one(const __u8 *data, size_t size)
{
	unsigned int ctl = fuzz_take16(data, &size);
	__u8 *p = fuzz_copy(data, size);

	if (ctl & 0x8000 && size >= KTURN_STUN_HDR_LEN) {
		size = fuzz_fix_header(p, size);
		kturn_put16(p, KTURN_TYPE_SEND_IND);
	}
	check(p, size, (ctl & 0x7fff) % (size + 1));
	free(p);
	return 0;
}
