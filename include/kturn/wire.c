// SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause
/*
 * STUN (RFC 8489) and TURN (RFC 8656) on the wire.
 *
 * The contract of each function is in wire.h. Everything is read and written
 * byte by byte: a UDP payload may start at any address.
 */
#include "wire.h"

/* Where things are in a STUN header, RFC 8489 section 5. */
#define STUN_LENGTH_OFF	2
#define STUN_COOKIE_OFF	4
#define STUN_TID_OFF	8

/* Bytes of an XOR-MAPPED-ADDRESS-like value before the IP address. */
#define XOR_ADDR_HDR_LEN	4

#define FINGERPRINT_LEN	4

/* Longest ERROR-CODE reason: fewer than 128 characters, one byte each. */
#define REASON_MAX	127

/* ---------------------------------------------------------------- STUN */

/* Of the @total bytes at @p only the header is read. */
static int stun_header_parse(const __u8 *p, size_t total,
			     struct kturn_stun *msg)
{
	if (total < KTURN_STUN_HDR_LEN || total > KTURN_STUN_MAX_LEN)
		return -EBADMSG;

	msg->type = kturn_get16(p);
	msg->length = kturn_get16(p + STUN_LENGTH_OFF);
	if (msg->type & 0xc000 || msg->length & 3 ||
	    kturn_get32(p + STUN_COOKIE_OFF) != KTURN_STUN_MAGIC ||
	    msg->length != total - KTURN_STUN_HDR_LEN)
		return -EBADMSG;

	/* M11..M7 C1 M6..M4 C0 M3..M0 */
	msg->method = (msg->type & 0x3e00) >> 2 | (msg->type & 0x00e0) >> 1 |
		      (msg->type & 0x000f);
	msg->cls = (msg->type & 0x0100) >> 7 | (msg->type & 0x0010) >> 4;
	msg->tid = p + STUN_TID_OFF;
	msg->msg = p;
	return 0;
}

int kturn_stun_parse(const void *buf, size_t len, struct kturn_stun *msg)
{
	return stun_header_parse(buf, len, msg);
}

/*
 * Bytes of the attribute at @p with header and padding; 0 when it does not
 * fit in the @left bytes that the message has from there. Only the header
 * is read.
 */
static size_t attr_size(const __u8 *p, size_t left)
{
	size_t size;

	if (left < KTURN_ATTR_HDR_LEN)
		return 0;

	size = kturn_get16(p + 2);
	size += KTURN_ATTR_HDR_LEN + kturn_pad(size);
	return size <= left ? size : 0;
}

void kturn_attr_begin(struct kturn_attr_iter *it, const struct kturn_stun *msg)
{
	it->pos = msg->msg + KTURN_STUN_HDR_LEN;
	it->left = msg->length;
	it->error = false;
}

bool kturn_attr_next(struct kturn_attr_iter *it, struct kturn_attr *attr)
{
	size_t size;

	if (!it->left)
		return false;

	size = attr_size(it->pos, it->left);
	if (!size) {
		it->error = true;
		return false;
	}

	attr->type = kturn_get16(it->pos);
	attr->len = kturn_get16(it->pos + 2);
	attr->value = it->pos + KTURN_ATTR_HDR_LEN;
	it->pos += size;
	it->left -= size;
	return true;
}

bool kturn_attr_known(__u16 type)
{
	switch (type) {
	case KTURN_ATTR_MAPPED_ADDRESS:
	case KTURN_ATTR_USERNAME:
	case KTURN_ATTR_MESSAGE_INTEGRITY:
	case KTURN_ATTR_ERROR_CODE:
	case KTURN_ATTR_UNKNOWN_ATTRIBUTES:
	case KTURN_ATTR_CHANNEL_NUMBER:
	case KTURN_ATTR_LIFETIME:
	case KTURN_ATTR_XOR_PEER_ADDRESS:
	case KTURN_ATTR_DATA:
	case KTURN_ATTR_REALM:
	case KTURN_ATTR_NONCE:
	case KTURN_ATTR_XOR_RELAYED_ADDRESS:
	case KTURN_ATTR_REQUESTED_ADDRESS_FAMILY:
	case KTURN_ATTR_EVEN_PORT:
	case KTURN_ATTR_REQUESTED_TRANSPORT:
	case KTURN_ATTR_DONT_FRAGMENT:
	case KTURN_ATTR_MESSAGE_INTEGRITY_SHA256:
	case KTURN_ATTR_PASSWORD_ALGORITHM:
	case KTURN_ATTR_USERHASH:
	case KTURN_ATTR_XOR_MAPPED_ADDRESS:
	case KTURN_ATTR_RESERVATION_TOKEN:
	case KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY:
	case KTURN_ATTR_ADDRESS_ERROR_CODE:
	case KTURN_ATTR_PASSWORD_ALGORITHMS:
	case KTURN_ATTR_ALTERNATE_DOMAIN:
	case KTURN_ATTR_ICMP:
	case KTURN_ATTR_SOFTWARE:
	case KTURN_ATTR_ALTERNATE_SERVER:
	case KTURN_ATTR_FINGERPRINT:
		return true;
	default:
		return false;
	}
}

/*
 * The XOR is its own inverse: both ways @to becomes @from XOR the cookie
 * and, for IPv6, the transaction id after it (RFC 8489 section 14.2).
 */
static void xor_ip(__u8 *to, const __u8 *from, size_t len, const __u8 *tid)
{
	size_t i;

	kturn_put32(to, kturn_get32(from) ^ KTURN_STUN_MAGIC);
	for (i = 4; i < len; i += 4)
		kturn_put32(to + i, kturn_get32(from + i) ^
			    kturn_get32(tid + i - 4));
}

int kturn_xor_addr_parse(const __u8 *value, size_t len, const __u8 *tid,
			 struct kturn_addr *addr)
{
	size_t ip_len;
	__u8 port[2];

	memset(addr, 0, sizeof(*addr));
	if (len < XOR_ADDR_HDR_LEN)
		return -EBADMSG;

	/* The first byte is reserved: receivers ignore it. */
	ip_len = kturn_addr_len(value[1]);
	if (!ip_len || len != XOR_ADDR_HDR_LEN + ip_len)
		return -EBADMSG;

	addr->family = value[1];
	kturn_put16(port, kturn_get16(value + 2) ^ (KTURN_STUN_MAGIC >> 16));
	memcpy(&addr->port, port, sizeof(port));
	xor_ip(addr->ip, value + XOR_ADDR_HDR_LEN, ip_len, tid);
	return 0;
}

/* Returns the bytes written: 8 or 20. @addr has a family. */
static size_t xor_addr_write(__u8 *value, const __u8 *tid,
			     const struct kturn_addr *addr)
{
	size_t ip_len = kturn_addr_len(addr->family);
	__u8 port[2];

	value[0] = 0;
	value[1] = addr->family;
	memcpy(port, &addr->port, sizeof(port));
	kturn_put16(value + 2, kturn_get16(port) ^ (KTURN_STUN_MAGIC >> 16));
	xor_ip(value + XOR_ADDR_HDR_LEN, addr->ip, ip_len, tid);
	return XOR_ADDR_HDR_LEN + ip_len;
}

/* ----------------------------------------------- Send and Data indications */

/*
 * Takes in the attributes from @off, which @avail may end before @total. The
 * transaction id is in @send already.
 */
static int send_walk(const __u8 *p, size_t off, size_t avail, size_t total,
		     struct kturn_send *send)
{
	size_t len, size;
	__u16 type;

	for (; off < total; off += size) {
		if (avail < off + KTURN_ATTR_HDR_LEN)
			return -EMSGSIZE;
		size = attr_size(p + off, total - off);
		if (!size)
			return -EBADMSG;
		type = kturn_get16(p + off);
		len = kturn_get16(p + off + 2);

		switch (type) {
		case KTURN_ATTR_XOR_PEER_ADDRESS:
			if (send->peer.family)
				break;
			if (avail < off + KTURN_ATTR_HDR_LEN + len)
				return -EMSGSIZE;
			if (kturn_xor_addr_parse(p + off + KTURN_ATTR_HDR_LEN,
						 len, send->tid, &send->peer))
				return -EBADMSG;
			break;
		case KTURN_ATTR_DATA:
			if (send->has_data)
				break;
			send->has_data = true;
			send->data_off = off + KTURN_ATTR_HDR_LEN;
			send->data_len = len;
			if (avail < total && off + size < total) {
				send->tail_off = off + size;
				send->tail_len = total - send->tail_off;
				return 0;
			}
			break;
		case KTURN_ATTR_DONT_FRAGMENT:
			send->dont_fragment = true;
			break;
		case KTURN_ATTR_MESSAGE_INTEGRITY:
		case KTURN_ATTR_MESSAGE_INTEGRITY_SHA256:
			return -EOPNOTSUPP;
		default:
			if (kturn_attr_required(type) &&
			    !kturn_attr_known(type))
				return -EOPNOTSUPP;
		}
	}

	return send->peer.family && send->has_data ? 0 : -EBADMSG;
}

int kturn_send_parse(const void *buf, size_t avail, size_t total,
		     struct kturn_send *send)
{
	struct kturn_stun msg;

	memset(send, 0, sizeof(*send));
	if (total < KTURN_STUN_HDR_LEN)
		return -EBADMSG;
	if (avail < KTURN_STUN_HDR_LEN)
		return -EMSGSIZE;
	if (stun_header_parse(buf, total, &msg) ||
	    msg.type != KTURN_TYPE_SEND_IND)
		return -EBADMSG;

	memcpy(send->tid, msg.tid, sizeof(send->tid));
	return send_walk(buf, KTURN_STUN_HDR_LEN, avail, total, send);
}

int kturn_send_parse_tail(const void *tail, size_t len,
			  struct kturn_send *send)
{
	if (len != send->tail_len)
		return -EBADMSG;

	send->tail_off = 0;
	send->tail_len = 0;
	return send_walk(tail, 0, len, len, send);
}

size_t kturn_data_ind_len(const struct kturn_addr *peer, size_t data_len)
{
	size_t ip_len = kturn_addr_len(peer->family);
	size_t len = KTURN_STUN_HDR_LEN + KTURN_ATTR_HDR_LEN +
		     XOR_ADDR_HDR_LEN + ip_len + KTURN_ATTR_HDR_LEN;

	if (!ip_len || data_len > KTURN_STUN_MAX_LEN - len - kturn_pad(data_len))
		return 0;
	return len;
}

size_t kturn_data_ind_build(__u8 *buf, const __u8 *tid,
			    const struct kturn_addr *peer, size_t data_len)
{
	size_t hdr_len = kturn_data_ind_len(peer, data_len);
	__u8 *p;

	if (!hdr_len)
		return 0;

	kturn_put16(buf, KTURN_TYPE_DATA_IND);
	kturn_stun_set_length(buf, hdr_len - KTURN_STUN_HDR_LEN + data_len +
			      kturn_pad(data_len));
	kturn_put32(buf + STUN_COOKIE_OFF, KTURN_STUN_MAGIC);
	memcpy(buf + STUN_TID_OFF, tid, KTURN_STUN_TID_LEN);

	p = buf + KTURN_STUN_HDR_LEN;
	kturn_put16(p, KTURN_ATTR_XOR_PEER_ADDRESS);
	kturn_put16(p + 2, XOR_ADDR_HDR_LEN + kturn_addr_len(peer->family));
	p += KTURN_ATTR_HDR_LEN;
	p += xor_addr_write(p, tid, peer);

	kturn_put16(p, KTURN_ATTR_DATA);
	kturn_put16(p + 2, data_len);
	return hdr_len;
}

/* ------------------------------------------------------ building messages */

__u16 kturn_type(__u16 method, enum kturn_class cls)
{
	return (method & 0x0f80) << 2 | (method & 0x0070) << 1 |
	       (method & 0x000f) | (cls & 2) << 7 | (cls & 1) << 4;
}

void kturn_build_begin(struct kturn_builder *b, __u8 *buf, size_t size,
		       __u16 type, const __u8 *tid)
{
	b->buf = buf;
	b->size = size < KTURN_STUN_MAX_LEN ? size : KTURN_STUN_MAX_LEN;
	b->len = 0;
	b->overflow = b->size < KTURN_STUN_HDR_LEN;
	if (b->overflow)
		return;

	kturn_put16(buf, type);
	kturn_stun_set_length(buf, 0);
	kturn_put32(buf + STUN_COOKIE_OFF, KTURN_STUN_MAGIC);
	memcpy(buf + STUN_TID_OFF, tid, KTURN_STUN_TID_LEN);
	b->len = KTURN_STUN_HDR_LEN;
}

__u8 *kturn_build_attr(struct kturn_builder *b, __u16 type,
		       const void *value, size_t len)
{
	size_t pad = kturn_pad(len);
	__u8 *p;

	if (b->overflow || len > KTURN_STUN_MAX_LEN ||
	    KTURN_ATTR_HDR_LEN + len + pad > b->size - b->len) {
		b->overflow = true;
		return NULL;
	}

	p = b->buf + b->len;
	kturn_put16(p, type);
	kturn_put16(p + 2, len);
	p += KTURN_ATTR_HDR_LEN;
	if (value)
		memcpy(p, value, len);
	else
		memset(p, 0, len);
	memset(p + len, 0, pad);

	b->len += KTURN_ATTR_HDR_LEN + len + pad;
	kturn_stun_set_length(b->buf, b->len - KTURN_STUN_HDR_LEN);
	return p;
}

void kturn_build_u32(struct kturn_builder *b, __u16 type, __u32 value)
{
	__u8 v[4];

	kturn_put32(v, value);
	kturn_build_attr(b, type, v, sizeof(v));
}

void kturn_build_xor_addr(struct kturn_builder *b, __u16 type,
			  const struct kturn_addr *addr)
{
	size_t ip_len = kturn_addr_len(addr->family);
	__u8 *p;

	if (!ip_len) {
		b->overflow = true;
		return;
	}

	p = kturn_build_attr(b, type, NULL, XOR_ADDR_HDR_LEN + ip_len);
	if (p)
		xor_addr_write(p, b->buf + STUN_TID_OFF, addr);
}

size_t kturn_icmp_ind_build(__u8 *buf, const __u8 *tid,
			    const struct kturn_addr *peer, __u8 type,
			    __u8 code, __u32 data)
{
	/*
	 * RFC 8656 section 18.13. Its figure has the bar between the two a bit
	 * too far to the left: ICMP's fields are a byte each.
	 */
	__u8 value[8] = { 0, 0, type, code };
	struct kturn_builder b;

	if (!kturn_addr_len(peer->family))
		return 0;
	kturn_put32(value + 4, data);
	kturn_build_begin(&b, buf, KTURN_ICMP_IND_MAX, KTURN_TYPE_DATA_IND,
			  tid);
	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_PEER_ADDRESS, peer);
	kturn_build_attr(&b, KTURN_ATTR_ICMP, value, sizeof(value));
	return b.overflow ? 0 : b.len;
}

void kturn_build_error(struct kturn_builder *b, unsigned int code,
		       const char *reason)
{
	size_t len = strlen(reason);
	__u8 *p;

	if (code < 300 || code > 699 || len > REASON_MAX) {
		b->overflow = true;
		return;
	}

	p = kturn_build_attr(b, KTURN_ATTR_ERROR_CODE, NULL, 4 + len);
	if (!p)
		return;
	p[2] = code / 100;
	p[3] = code % 100;
	/* On the wire it has a length and no terminator. */
	memcpy(p + 4, reason, len); /* NOLINT(bugprone-not-null-terminated-result) */
}

void kturn_stun_set_length(__u8 *msg, __u16 length)
{
	kturn_put16(msg + STUN_LENGTH_OFF, length);
}

/*
 * CRC-32 as in ITU-T V.42, four bits a step. FINGERPRINT is seen on control
 * traffic only, so a small table is worth more than a fast one.
 */
static __u32 crc32_v42(const __u8 *p, size_t len)
{
	static const __u32 table[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac,
		0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
		0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	__u32 crc = 0xffffffff;

	while (len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ table[crc & 15];
		crc = crc >> 4 ^ table[crc & 15];
	}
	return ~crc;
}

void kturn_build_fingerprint(struct kturn_builder *b)
{
	size_t len = b->len;
	__u8 *p;

	p = kturn_build_attr(b, KTURN_ATTR_FINGERPRINT, NULL, FINGERPRINT_LEN);
	if (p)
		kturn_put32(p, kturn_fingerprint(b->buf, len));
}

__u32 kturn_fingerprint(const __u8 *msg, size_t len)
{
	return crc32_v42(msg, len) ^ KTURN_FINGERPRINT_XOR;
}

bool kturn_fingerprint_ok(const struct kturn_stun *msg)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	size_t before;

	kturn_attr_begin(&it, msg);
	while (kturn_attr_next(&it, &attr)) {
		if (attr.type != KTURN_ATTR_FINGERPRINT)
			continue;
		if (it.left || attr.len != FINGERPRINT_LEN)
			return false;
		before = attr.value - KTURN_ATTR_HDR_LEN - msg->msg;
		return kturn_get32(attr.value) ==
		       kturn_fingerprint(msg->msg, before);
	}
	return true;
}
