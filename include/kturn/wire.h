/* SPDX-License-Identifier: GPL-2.0 OR BSD-3-Clause */
/*
 * STUN (RFC 8489) and TURN (RFC 8656) on the wire.
 *
 * Pure functions on byte ranges: no allocation, no I/O, no state, never a
 * read past the end that the caller named. One implementation for the
 * kernel module, the daemon, the tests and the fuzzers.
 */
#ifndef _KTURN_WIRE_H
#define _KTURN_WIRE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include <errno.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#endif
#include <kturn/numbers.h>

#define KTURN_STUN_HDR_LEN	20
#define KTURN_STUN_MAGIC	0x2112A442u	/* RFC 8489 section 5 */
#define KTURN_STUN_TID_LEN	12
#define KTURN_STUN_MAX_LEN	65535	/* more than a UDP payload can be */
#define KTURN_ATTR_HDR_LEN	4
#define KTURN_FINGERPRINT_XOR	0x5354554eu	/* RFC 8489 section 14.7 */

/* RFC 8656 section 12; the upper bound of RFC 5766 was 0x7FFF. */
#define KTURN_CHAN_HDR_LEN	4
#define KTURN_CHAN_MIN		0x4000
#define KTURN_CHAN_MAX		0x4FFF
#define KTURN_CHAN_MAX_5766	0x7FFF

/* Largest prefix that kturn_data_ind_build() writes (IPv6 peer). */
#define KTURN_DATA_IND_MAX	48

/* A Data indication with an ICMP attribute and an IPv6 peer. */
#define KTURN_ICMP_IND_MAX	56

#define KTURN_STUN_PORT		3478

/* Address families as STUN writes them, RFC 8489 section 14.1. */
enum kturn_family {
	KTURN_FAMILY_NONE	= 0,
	KTURN_FAMILY_V4		= 1,
	KTURN_FAMILY_V6		= 2,
};

/**
 * struct kturn_addr - a transport address
 * @ip: network byte order; IPv4 is in the first four bytes, the rest zero
 * @port: network byte order
 * @family: enum kturn_family; KTURN_FAMILY_NONE is "no address"
 * @pad: always zero
 *
 * No implicit padding and every byte defined, so that two addresses are
 * equal exactly when memcmp() says so and the struct can be (part of) a
 * hash key.
 */
struct kturn_addr {
	__u8 ip[16];
	__be16 port;
	__u8 family;
	__u8 pad;
};

/**
 * kturn_addr_len() - bytes of an IP address
 * @family: enum kturn_family
 *
 * Return: 4 or 16; 0 for any other family.
 */
static inline size_t kturn_addr_len(__u8 family)
{
	return family == KTURN_FAMILY_V4 ? 4 :
	       family == KTURN_FAMILY_V6 ? 16 : 0;
}

/* ------------------------------------------------------- byte order helpers */

/** kturn_get16() - read network byte order, from anywhere */
static inline __u16 kturn_get16(const __u8 *p)
{
	return (__u16)(p[0] << 8 | p[1]);
}

/** kturn_get32() - read network byte order, from anywhere */
static inline __u32 kturn_get32(const __u8 *p)
{
	return (__u32)p[0] << 24 | (__u32)p[1] << 16 | (__u32)p[2] << 8 | p[3];
}

/** kturn_put16() - write network byte order, to anywhere */
static inline void kturn_put16(__u8 *p, __u16 v)
{
	p[0] = v >> 8 & 0xff;
	p[1] = v & 0xff;
}

/** kturn_put32() - write network byte order, to anywhere */
static inline void kturn_put32(__u8 *p, __u32 v)
{
	p[0] = v >> 24 & 0xff;
	p[1] = v >> 16 & 0xff;
	p[2] = v >> 8 & 0xff;
	p[3] = v & 0xff;
}

/** kturn_addr_port() - the port as a number; 0 is none */
static inline __u16 kturn_addr_port(const struct kturn_addr *addr)
{
	return kturn_get16((const __u8 *)&addr->port);
}

/** kturn_addr_set_port() - give an address this port */
static inline void kturn_addr_set_port(struct kturn_addr *addr, __u16 port)
{
	kturn_put16((__u8 *)&addr->port, port);
}

/* ---------------------------------------------------------- what it may be */

/** enum kturn_kind - what a datagram's first bytes say it is (RFC 7983) */
enum kturn_kind {
	KTURN_KIND_OTHER,
	KTURN_KIND_STUN,
	KTURN_KIND_CHANNEL,
};

/**
 * kturn_wire_kind() - tell STUN, ChannelData and the rest apart
 * @buf: start of the UDP payload
 * @len: bytes that may be read
 *
 * STUN: the first two bits are 0, the magic cookie is there and at least a
 * header's bytes. ChannelData: the first two bits are 01 and at least 4
 * bytes (whether the number is in the configured range is not looked at).
 *
 * Return: which it may be, KTURN_KIND_OTHER for the rest.
 */
static inline enum kturn_kind kturn_wire_kind(const void *buf, size_t len)
{
	const __u8 *p = buf;

	if (len < KTURN_CHAN_HDR_LEN || p[0] & 0x80)
		return KTURN_KIND_OTHER;
	if (p[0] & 0x40)
		return KTURN_KIND_CHANNEL;
	if (len < KTURN_STUN_HDR_LEN || kturn_get32(p + 4) != KTURN_STUN_MAGIC)
		return KTURN_KIND_OTHER;
	return KTURN_KIND_STUN;
}

/* ---------------------------------------------------------------- STUN */

/**
 * struct kturn_stun - a STUN message that was checked and taken apart
 * @type: the 16 bits as on the wire
 * @method: method number
 * @cls: enum kturn_class
 * @length: bytes of attributes
 * @tid: the 12 bytes of the transaction id, inside the message
 * @msg: start of the message
 */
struct kturn_stun {
	__u16 type;
	__u16 method;
	__u8 cls;
	__u16 length;
	const __u8 *tid;
	const __u8 *msg;
};

/**
 * kturn_stun_parse() - check a STUN header
 * @buf: the UDP payload
 * @len: its length; the message must fill it exactly
 * @msg: result
 *
 * Checks the two zero bits, the magic cookie, that the length is a multiple
 * of four and that it equals what is there (RFC 8489 sections 5 and 6.3),
 * and that @len is at most KTURN_STUN_MAX_LEN. Attributes are not looked at.
 *
 * Return: 0, or -EBADMSG.
 */
int kturn_stun_parse(const void *buf, size_t len, struct kturn_stun *msg);

/** struct kturn_attr - one attribute: its value without padding */
struct kturn_attr {
	__u16 type;
	__u16 len;
	const __u8 *value;
};

/**
 * struct kturn_attr_iter - walks over attributes
 * @pos: the next attribute's header
 * @left: bytes from there
 * @error: set when the walk ended at something malformed
 */
struct kturn_attr_iter {
	const __u8 *pos;
	size_t left;
	bool error;
};

/** kturn_attr_begin() - start a walk over the attributes of @msg */
void kturn_attr_begin(struct kturn_attr_iter *it, const struct kturn_stun *msg);

/**
 * kturn_attr_next() - the next attribute
 * @it: the walk
 * @attr: result
 *
 * Return: true and @attr, or false at the end or at an attribute that does
 * not fit with its padding (then @it->error is set).
 */
bool kturn_attr_next(struct kturn_attr_iter *it, struct kturn_attr *attr);

/** kturn_attr_required() - comprehension-required? (RFC 8489 section 14) */
static inline bool kturn_attr_required(__u16 type)
{
	return type < 0x8000;
}

/**
 * kturn_attr_known() - is it an attribute of RFC 8489 or RFC 8656?
 * @type: attribute type
 *
 * Return: true for what enum kturn_attr_type lists; whether the attribute
 * has a meaning in the message at hand is not looked at.
 */
bool kturn_attr_known(__u16 type);

/**
 * kturn_xor_addr_parse() - read an XOR-MAPPED-ADDRESS-like value
 * @value: attribute value
 * @len: its length: exactly 8 (IPv4) or 20 (IPv6)
 * @tid: transaction id of the message
 * @addr: result, fully defined; no address when the value is malformed
 *
 * RFC 8489 section 14.2. The value's first byte is reserved and ignored.
 *
 * Return: 0, or -EBADMSG.
 */
int kturn_xor_addr_parse(const __u8 *value, size_t len, const __u8 *tid,
			 struct kturn_addr *addr);

/* --------------------------------------------------------- ChannelData */

/**
 * struct kturn_channel_data - a ChannelData message
 * @number: channel number
 * @len: bytes of application data
 * @data: application data; NULL when the caller's bytes don't hold all of it
 */
struct kturn_channel_data {
	__u16 number;
	__u16 len;
	const __u8 *data;
};

/**
 * kturn_channel_data_parse() - read a ChannelData header in a UDP datagram
 * @buf: start of the UDP payload
 * @avail: bytes that may be read, at least 4 for a result
 * @total: bytes of the UDP payload
 * @cd: result
 *
 * The number must be 0x4000 to 0x7FFF, and Length must fit in @total; what
 * follows the data is ignored (padding, RFC 8656 section 12.5).
 *
 * Return: 0, or -EBADMSG.
 */
static inline int kturn_channel_data_parse(const void *buf, size_t avail,
					   size_t total,
					   struct kturn_channel_data *cd)
{
	const __u8 *p = buf;

	if (avail > total)
		avail = total;
	if (avail < KTURN_CHAN_HDR_LEN)
		return -EBADMSG;

	cd->number = kturn_get16(p);
	cd->len = kturn_get16(p + 2);
	cd->data = NULL;
	if (cd->number < KTURN_CHAN_MIN || cd->number > KTURN_CHAN_MAX_5766 ||
	    cd->len > total - KTURN_CHAN_HDR_LEN)
		return -EBADMSG;

	if (cd->len <= avail - KTURN_CHAN_HDR_LEN)
		cd->data = p + KTURN_CHAN_HDR_LEN;
	return 0;
}

/** kturn_channel_data_build() - write the 4 byte header; returns 4 */
static inline size_t kturn_channel_data_build(__u8 *buf, __u16 number,
					      __u16 len)
{
	kturn_put16(buf, number);
	kturn_put16(buf + 2, len);
	return KTURN_CHAN_HDR_LEN;
}

/* ----------------------------------------------- Send and Data indications */

/**
 * struct kturn_send - what a Send indication says (RFC 8656 section 11.2)
 * @peer: first XOR-PEER-ADDRESS; family NONE while not seen
 * @tid: copy of the transaction id
 * @data_off: offset of the first DATA's value from the start of the message
 * @data_len: its length without padding
 * @has_data: a DATA attribute was seen (it may be empty)
 * @dont_fragment: DONT-FRAGMENT was seen (a value that it should not have is
 *	ignored)
 * @tail_off: offset of what is not parsed yet; 0 when all is
 * @tail_len: bytes of it
 */
struct kturn_send {
	struct kturn_addr peer;
	__u8 tid[KTURN_STUN_TID_LEN];
	__u16 data_off;
	__u16 data_len;
	bool has_data;
	bool dont_fragment;
	__u16 tail_off;
	__u16 tail_len;
};

/**
 * kturn_send_parse() - read a Send indication, perhaps only its beginning
 * @buf: start of the UDP payload
 * @avail: bytes at @buf that may be read
 * @total: bytes of the UDP payload, at least @avail; the message fills it
 * @send: result; its members other than @tid mean something after 0 only
 *
 * Media can be large and lie in page fragments, so the kernel shows only the
 * beginning. Parsing goes on through the first DATA attribute's header; when
 * attributes follow DATA's value and @avail does not reach them,
 * @send->tail_off and @send->tail_len name them, and
 * kturn_send_parse_tail() must be called with those bytes. When @avail
 * equals @total there never is a tail.
 *
 * Unknown comprehension-optional attributes are skipped, FINGERPRINT too; of
 * an attribute that comes twice the first counts, and the other's value is
 * not looked at. Attributes after MESSAGE-INTEGRITY don't matter, because
 * that one ends the matter. Known attributes (kturn_attr_known()) that mean
 * nothing in a Send indication are skipped.
 *
 * The message is read from its start, and the first thing wrong with it is
 * what is returned; that an attribute is missing shows only at the end. So
 * when a part was enough for 0 or an error other than -EMSGSIZE, then part
 * and tail together say what the whole would have said.
 *
 * Return: 0;
 * -EBADMSG: not a Send indication, malformed, or (when all was seen)
 *	XOR-PEER-ADDRESS or DATA missing;
 * -EMSGSIZE: @avail ends before the end of the first DATA attribute's header
 *	or of something before it that must be read;
 * -EOPNOTSUPP: an unknown comprehension-required attribute, or
 *	MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 is there.
 */
int kturn_send_parse(const void *buf, size_t avail, size_t total,
		     struct kturn_send *send);

/**
 * kturn_send_parse_tail() - finish what kturn_send_parse() began
 * @tail: the @send->tail_len bytes at @send->tail_off
 * @len: bytes at @tail
 * @send: in and out
 *
 * Return: as kturn_send_parse(), but never -EMSGSIZE; -EBADMSG too when @len
 * is not what @send->tail_len says.
 */
int kturn_send_parse_tail(const void *tail, size_t len,
			  struct kturn_send *send);

/**
 * kturn_data_ind_len() - bytes of a Data indication before the data
 * @peer: where the data came from
 * @data_len: bytes of data that will follow, without padding
 *
 * Return: 36 (IPv4) or 48 (IPv6); 0 if @data_len is too large for a STUN
 * message or @peer has no family.
 */
size_t kturn_data_ind_len(const struct kturn_addr *peer, size_t data_len);

/**
 * kturn_data_ind_build() - write all of a Data indication but the data
 * @buf: room for KTURN_DATA_IND_MAX bytes
 * @tid: 12 random bytes
 * @peer: where the data came from
 * @data_len: bytes of data that will follow, without padding; the caller
 *	pads them with zeros to a multiple of four
 *
 * Header, XOR-PEER-ADDRESS, DATA's header, in this order (RFC 8656 section
 * 11.3), so that the data stays where it is and comes last.
 *
 * Return: bytes written, as kturn_data_ind_len() says.
 */
size_t kturn_data_ind_build(__u8 *buf, const __u8 *tid,
			    const struct kturn_addr *peer, size_t data_len);

/**
 * kturn_icmp_ind_build() - write a Data indication that tells of an ICMP error
 * @buf: room for KTURN_ICMP_IND_MAX bytes
 * @tid: 12 random bytes
 * @peer: where the packet was to go that the error is about
 * @type: ICMP or ICMPv6 type, by the family of @peer
 * @code: ICMP or ICMPv6 code
 * @data: the MTU, where the error tells one, else 0
 *
 * RFC 8656 sections 11.5 and 18.13: XOR-PEER-ADDRESS and ICMP.
 *
 * Return: bytes written, 44 (IPv4) or 56 (IPv6); 0 if @peer has no family.
 */
size_t kturn_icmp_ind_build(__u8 *buf, const __u8 *tid,
			    const struct kturn_addr *peer, __u8 type,
			    __u8 code, __u32 data);

/** kturn_pad() - bytes that fill @len up to a multiple of four: 0 to 3 */
static inline size_t kturn_pad(size_t len)
{
	return -len & 3;
}

/* ------------------------------------------------------ building messages */

/**
 * struct kturn_builder - a STUN message under construction
 * @buf: where
 * @size: bytes there
 * @len: bytes used
 * @overflow: something did not fit (nor what came after it), or could not be
 *	written as asked; the message must not be sent
 */
struct kturn_builder {
	__u8 *buf;
	size_t size;
	size_t len;
	bool overflow;
};

/** kturn_type() - message type from method and class (RFC 8489 section 5) */
__u16 kturn_type(__u16 method, enum kturn_class cls);

/**
 * kturn_build_begin() - write the header
 * @b: builder
 * @buf: buffer
 * @size: its size; of more than KTURN_STUN_MAX_LEN bytes the rest is not used
 * @type: from kturn_type()
 * @tid: 12 bytes
 */
void kturn_build_begin(struct kturn_builder *b, __u8 *buf, size_t size,
		       __u16 type, const __u8 *tid);

/**
 * kturn_build_attr() - append an attribute, padded with zeros
 * @b: builder; the header's length field is kept right
 * @type: attribute type
 * @value: may be NULL: then @len zero bytes
 * @len: bytes
 *
 * Return: where the value was written, NULL on overflow.
 */
__u8 *kturn_build_attr(struct kturn_builder *b, __u16 type,
		       const void *value, size_t len);

/** kturn_build_u32() - append an attribute of one 32 bit number */
void kturn_build_u32(struct kturn_builder *b, __u16 type, __u32 value);

/**
 * kturn_build_xor_addr() - append an XOR-…-ADDRESS attribute
 * @b: builder
 * @type: attribute type
 * @addr: address; one without a family counts as an overflow
 */
void kturn_build_xor_addr(struct kturn_builder *b, __u16 type,
			  const struct kturn_addr *addr);

/**
 * kturn_build_error() - append ERROR-CODE (RFC 8489 section 14.8)
 * @b: builder
 * @code: 300 to 699
 * @reason: ASCII, at most 127 characters
 *
 * Anything else counts as an overflow.
 */
void kturn_build_error(struct kturn_builder *b, unsigned int code,
		       const char *reason);

/**
 * kturn_stun_set_length() - overwrite a header's length field
 * @msg: message
 * @length: bytes of attributes; MESSAGE-INTEGRITY is computed over a header
 *	whose length ends with that attribute (RFC 8489 section 14.5)
 */
void kturn_stun_set_length(__u8 *msg, __u16 length);

/** kturn_build_fingerprint() - append FINGERPRINT; nothing may follow it */
void kturn_build_fingerprint(struct kturn_builder *b);

/**
 * kturn_fingerprint() - FINGERPRINT's value for a message
 * @msg: message; its length field already counts the attribute
 * @len: bytes before the attribute
 *
 * Return: the value in host byte order.
 */
__u32 kturn_fingerprint(const __u8 *msg, size_t len);

/**
 * kturn_fingerprint_ok() - is the FINGERPRINT, if there is one, right?
 * @msg: a message that kturn_stun_parse() accepted
 *
 * Return: true if there is none, or it is last and its value is right. Of a
 * message with a malformed attribute only what comes before that is seen.
 */
bool kturn_fingerprint_ok(const struct kturn_stun *msg);

#endif /* _KTURN_WIRE_H */
