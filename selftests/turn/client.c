// SPDX-License-Identifier: GPL-2.0-or-later
/* A TURN client for the tests; see client.h. */
#include <arpa/inet.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "client.h"

struct response resp;

void client_init(struct client *c, uint16_t port)
{
	*c = (struct client){
		.tuple.client = addr("198.51.100.1:0"),
		.tuple.server = addr("203.0.113.1:3478"),
		.user = "alice",
		.password = "wonderland",
		.realm = REALM,
		.mechanism = LEGACY,
	};
	c->tuple.client.port = htons(port);
	memcpy(c->tid, "tid of a cli", sizeof(c->tid));
	c->tid[0] = port;
}

/* ----------------------------------------------------------------- requests */

void req_again(struct request *r, struct client *c, enum kturn_method method)
{
	kturn_build_begin(&r->b, r->buf, sizeof(r->buf),
			  kturn_type(method, KTURN_REQUEST), c->tid);
	if (c->origin)
		req_attr(r, KTURN_ATTR_ORIGIN, c->origin, strlen(c->origin));
}

void req_begin(struct request *r, struct client *c, enum kturn_method method)
{
	if (!++c->tid[11])
		c->tid[10]++;
	req_again(r, c, method);
}

void req_attr(struct request *r, uint16_t type, const void *value, size_t len)
{
	uint8_t *p = kturn_build_attr(&r->b, type, value, len);

	/* What padding holds must not matter. */
	if (p)
		memset(p + len, 0xa5, kturn_pad(len));
}

void req_u32(struct request *r, uint16_t type, uint32_t value)
{
	kturn_build_u32(&r->b, type, value);
}

void req_peer(struct request *r, const char *peer)
{
	struct kturn_addr a = addr(peer);

	kturn_build_xor_addr(&r->b, KTURN_ATTR_XOR_PEER_ADDRESS, &a);
}

static size_t client_key(const struct client *c, uint8_t *key)
{
	const EVP_MD *md = c->mechanism == ALG_SHA256 ? EVP_sha256() :
							 EVP_md5();
	char text[2048];
	unsigned int len;

	if (c->mac_key) {
		memcpy(key, c->mac_key, c->mac_key_len);
		return c->mac_key_len;
	}
	snprintf(text, sizeof(text), "%s:%s:%s", c->user, c->realm,
		 c->password);
	EVP_Digest(text, strlen(text), key, &len, md, NULL);
	return len;
}

/* The value for an attribute that is put at @before. */
static size_t client_hmac(const struct client *c, uint16_t type,
			  const uint8_t *msg, size_t before, uint8_t *out)
{
	bool sha1 = type == KTURN_ATTR_MESSAGE_INTEGRITY;
	size_t len = sha1 ? 20 : 32;
	uint8_t key[32], *copy = malloc(before);

	if (!copy)
		err(1, "making an HMAC");
	memcpy(copy, msg, before);
	kturn_put16(copy + 2, before - 20 + 4 + len);
	HMAC(sha1 ? EVP_sha1() : EVP_sha256(), key, client_key(c, key), copy,
	     before, out, NULL);
	free(copy);
	return len;
}

void req_integrity(struct request *r, uint16_t type, const struct client *c)
{
	uint8_t value[32];
	size_t len;

	len = client_hmac(c, type, r->b.buf, r->b.len, value);
	req_attr(r, type, value, len);
}

void req_names(struct request *r, const struct client *c)
{
	const char *user = c->sent_user ? c->sent_user : c->user;
	uint8_t hash[32];
	char text[2048];

	if (c->userhash) {
		snprintf(text, sizeof(text), "%s:%s", c->user, c->realm);
		SHA256((uint8_t *)text, strlen(text), hash);
		req_attr(r, KTURN_ATTR_USERHASH, hash, sizeof(hash));
	} else {
		req_attr(r, KTURN_ATTR_USERNAME, user, strlen(user));
	}
	if (c->access)
		req_attr(r, KTURN_ATTR_ACCESS_TOKEN, c->access, c->access_len);
	req_attr(r, KTURN_ATTR_REALM, c->realm, strlen(c->realm));
	req_attr(r, KTURN_ATTR_NONCE, c->nonce, c->nonce_len);
	if (c->mechanism == LEGACY)
		return;
	req_attr(r, KTURN_ATTR_PASSWORD_ALGORITHMS, c->algorithms,
		 c->algorithms_len);
	req_u32(r, KTURN_ATTR_PASSWORD_ALGORITHM,
		c->mechanism == ALG_MD5 ? 0x00010000 : 0x00020000);
}

void req_auth(struct request *r, const struct client *c)
{
	req_names(r, c);
	req_integrity(r, c->mechanism == LEGACY ?
		      KTURN_ATTR_MESSAGE_INTEGRITY :
		      KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, c);
}

/* ---------------------------------------------------------------- responses */

bool resp_attr(uint16_t type, struct kturn_attr *attr)
{
	struct kturn_attr_iter it;

	kturn_attr_begin(&it, &resp.msg);
	while (kturn_attr_next(&it, attr))
		if (attr->type == type)
			return true;
	return false;
}

size_t resp_count(uint16_t type)
{
	struct kturn_attr_iter it;
	struct kturn_attr attr;
	size_t n = 0;

	kturn_attr_begin(&it, &resp.msg);
	while (kturn_attr_next(&it, &attr))
		n += attr.type == type;
	KTAP_CHECK(!it.error);
	return n;
}

bool resp_addr(uint16_t type, struct kturn_addr *out)
{
	struct kturn_attr attr;

	return resp_attr(type, &attr) &&
	       !kturn_xor_addr_parse(attr.value, attr.len, resp.msg.tid, out);
}

bool resp_relays(struct client *c)
{
	struct kturn_addr *out = &c->relay;
	struct kturn_attr_iter it;
	struct kturn_attr attr;

	memset(&c->relay, 0, sizeof(c->relay));
	memset(&c->relay6, 0, sizeof(c->relay6));
	kturn_attr_begin(&it, &resp.msg);
	while (kturn_attr_next(&it, &attr)) {
		if (attr.type != KTURN_ATTR_XOR_RELAYED_ADDRESS)
			continue;
		if (!KTAP_CHECK(out) ||
		    !KTAP_EQ(kturn_xor_addr_parse(attr.value, attr.len,
						  resp.msg.tid, out), 0))
			return false;
		out = out == &c->relay ? &c->relay6 : NULL;
	}
	return out != &c->relay;
}

uint32_t resp_u32(uint16_t type)
{
	struct kturn_attr attr;

	if (!resp_attr(type, &attr) || attr.len != 4)
		return UINT32_MAX;
	return kturn_get32(attr.value);
}

bool resp_integrity(uint16_t type, const struct client *c)
{
	struct kturn_attr attr;
	uint8_t value[32];
	size_t len;

	if (!resp_attr(type, &attr))
		return false;
	len = client_hmac(c, type, resp.p, attr.value - 4 - resp.p, value);
	return attr.len == len && !memcmp(attr.value, value, len);
}

/* What comes back of the client's own PADDING, RFC 5780 section 7.6. */
static size_t padding(struct kturn_attr *attr)
{
	return resp_attr(KTURN_ATTR_PADDING, attr) ? attr->len : 0;
}

/* What holds for every response, whatever it says. */
static void check_response(const struct client *c, const uint8_t *req)
{
	const struct sent *sent = &world.sent[0];
	struct kturn_attr attr;

	KTAP_CHECK(!sent->to_peer);
	KTAP_MEM_EQ(&sent->tuple, &c->tuple, sizeof(c->tuple));
	KTAP_EQ(resp.msg.method, (req[0] & 0x3e) << 6 | (req[1] & 0xe0) >> 1 |
		(req[1] & 0x0f));
	KTAP_MEM_EQ(resp.msg.tid, req + 8, KTURN_STUN_TID_LEN);
	KTAP_CHECK(kturn_fingerprint_ok(&resp.msg));
	KTAP_EQ(resp_count(KTURN_ATTR_ERROR_CODE), resp.code ? 1 : 0);
	KTAP_EQ(resp_count(KTURN_ATTR_USERNAME), 0);
	KTAP_EQ(resp_count(KTURN_ATTR_USERHASH), 0);
	if (!resp_attr(KTURN_ATTR_MESSAGE_INTEGRITY, &attr) &&
	    !resp_attr(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, &attr))
		KTAP_CHECK(sent->len <= 200 + padding(&attr));
	if (resp.code == 401 || resp.code == 438)
		KTAP_CHECK(resp_count(KTURN_ATTR_REALM) == 1 &&
			   resp_count(KTURN_ATTR_NONCE) == 1 &&
			   resp_count(KTURN_ATTR_PASSWORD_ALGORITHMS) == 1 &&
			   resp_count(KTURN_ATTR_THIRD_PARTY_AUTHORIZATION) ==
			   !!world.cfg.server_name);
	else
		KTAP_CHECK(!resp_count(KTURN_ATTR_REALM) &&
			   !resp_count(KTURN_ATTR_NONCE));
}

/*
 * With an allocation its Connect requests end, and are answered too. The
 * response to @p comes first then.
 */
static void sort_out(const uint8_t *p)
{
	struct sent first = world.sent[0];
	size_t i, k = 0;

	for (i = 0; i < world.n_sent; i++) {
		if (!memcmp(world.sent[i].p + 8, p + 8, KTURN_STUN_TID_LEN))
			k = i;
		else
			KTAP_EQ(kturn_get16(world.sent[i].p),
				kturn_type(KTURN_CONNECT, KTURN_ERROR));
	}
	world.sent[0] = world.sent[k];
	world.sent[k] = first;
}

static int take_response(struct client *c, const void *p)
{
	struct kturn_attr attr;

	resp = (struct response){ .code = NO_REPLY };
	if (!world.n_sent || world.sent[0].to_peer)
		return NO_REPLY;
	if (world.n_sent > 1)
		sort_out(p);
	resp.p = world.sent[0].p;
	resp.len = world.sent[0].len;
	if (!KTAP_EQ(kturn_stun_parse(resp.p, resp.len, &resp.msg), 0))
		return NO_REPLY;

	resp.code = SUCCESS;
	if (resp.msg.cls == KTURN_ERROR &&
	    KTAP_CHECK(resp_attr(KTURN_ATTR_ERROR_CODE, &attr)))
		resp.code = attr.value[2] * 100 + attr.value[3];
	else
		KTAP_EQ(resp.msg.cls, KTURN_SUCCESS);
	check_response(c, p);
	return resp.code;
}

int resp_later(struct client *c, const struct request *r)
{
	return take_response(c, r->b.buf);
}

int client_send_raw(struct client *c, const void *p, size_t len)
{
	uint8_t *copy = malloc(len);

	if (!copy && len)
		err(1, "sending a datagram");
	if (len)
		memcpy(copy, p, len);
	world_clear();
	turn_client_input(world.s, world.now, world.wall, &c->tuple, copy, len);
	free(copy);
	return take_response(c, p);
}

int req_send(struct request *r, struct client *c)
{
	if (c->fingerprint)
		kturn_build_fingerprint(&r->b);
	KTAP_CHECK(!r->b.overflow);
	return client_send_raw(c, r->b.buf, r->b.len);
}

int req_call(struct request *r, struct client *c)
{
	bool legacy = c->mechanism == LEGACY;
	int code;

	req_auth(r, c);
	code = req_send(r, c);
	if (code == NO_REPLY)
		return code;
	KTAP_EQ(resp_count(KTURN_ATTR_FINGERPRINT), c->fingerprint);
	if (code != 401 && code != 438) {
		KTAP_EQ(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY, c),
			legacy);
		KTAP_EQ(resp_integrity(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256, c),
			!legacy);
	}
	return code;
}

void req_refused(struct request *r, struct client *c, int code)
{
	uint64_t before = world_state();

	KTAP_EQ(req_call(r, c), code);
	KTAP_CHECK(world_state() == before);
	if (code != 508)
		KTAP_CHECK(!strstr(world.trace, "offload"));
}

/* ------------------------------------------------------------ whole requests */

void client_challenge(struct client *c)
{
	struct kturn_attr attr;
	struct request r;

	req_begin(&r, c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	if (!KTAP_EQ(req_send(&r, c), 401))
		return;
	KTAP_CHECK(resp_attr(KTURN_ATTR_NONCE, &attr) &&
		   attr.len <= NONCE_MAX);
	c->nonce_len = attr.len;
	memcpy(c->nonce, attr.value, attr.len);
	KTAP_CHECK(resp_attr(KTURN_ATTR_PASSWORD_ALGORITHMS, &attr));
	c->algorithms_len = attr.len;
	memcpy(c->algorithms, attr.value, attr.len);
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY), 0);
	KTAP_EQ(resp_count(KTURN_ATTR_MESSAGE_INTEGRITY_SHA256), 0);
}

static void note_allocation(struct client *c)
{
	struct kturn_attr attr;

	KTAP_CHECK(resp_relays(c));
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_MAPPED_ADDRESS, &c->mapped));
	c->lifetime = resp_u32(KTURN_ATTR_LIFETIME);
	c->has_token = resp_attr(KTURN_ATTR_RESERVATION_TOKEN, &attr);
	if (c->has_token && KTAP_EQ(attr.len, 8))
		memcpy(c->token, attr.value, 8);
}

static int allocate(struct client *c, bool both)
{
	struct request r;
	int code;

	req_begin(&r, c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	if (both)
		req_u32(&r, KTURN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
			KTURN_FAMILY_V6 << 24);
	code = req_call(&r, c);
	if (!code)
		note_allocation(c);
	return code;
}

int do_allocate(struct client *c)
{
	return allocate(c, false);
}

int do_allocate_both(struct client *c)
{
	return allocate(c, true);
}

void client_allocated(struct client *c, uint16_t port)
{
	client_init(c, port);
	client_challenge(c);
	KTAP_EQ(do_allocate(c), SUCCESS);
}

void client_allocated_v6(struct client *c, uint16_t port)
{
	struct request r;

	client_init(c, port);
	client_challenge(c);
	req_begin(&r, c, KTURN_ALLOCATE);
	req_u32(&r, KTURN_ATTR_REQUESTED_TRANSPORT, 17 << 24);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY, 2 << 24);
	KTAP_EQ(req_call(&r, c), SUCCESS);
	KTAP_CHECK(resp_addr(KTURN_ATTR_XOR_RELAYED_ADDRESS, &c->relay));
}

void check_refused(struct client *c, struct request *r, int code)
{
	uint64_t before = world_state();

	KTAP_EQ(req_call(r, c), code);
	KTAP_CHECK(world_state() == before);
	KTAP_CHECK(!strstr(world.trace, "relay_start"));
}

void world_allocated(struct client *c)
{
	world_begin();
	client_allocated(c, 40000);
}

int do_refresh(struct client *c, uint32_t lifetime)
{
	struct request r;

	req_begin(&r, c, KTURN_REFRESH);
	req_u32(&r, KTURN_ATTR_LIFETIME, lifetime);
	return req_call(&r, c);
}

int do_refresh_family(struct client *c, uint8_t family, uint32_t lifetime)
{
	struct request r;

	req_begin(&r, c, KTURN_REFRESH);
	req_u32(&r, KTURN_ATTR_LIFETIME, lifetime);
	req_u32(&r, KTURN_ATTR_REQUESTED_ADDRESS_FAMILY,
		(uint32_t)family << 24);
	return req_call(&r, c);
}

int do_permit(struct client *c, const char *peer)
{
	struct request r;

	req_begin(&r, c, KTURN_CREATE_PERMISSION);
	req_peer(&r, peer);
	return req_call(&r, c);
}

int do_bind(struct client *c, uint16_t number, const char *peer)
{
	struct request r;

	req_begin(&r, c, KTURN_CHANNEL_BIND);
	/* Its second half is to be ignored. */
	req_u32(&r, KTURN_ATTR_CHANNEL_NUMBER, (uint32_t)number << 16 | 0xbeef);
	req_peer(&r, peer);
	return req_call(&r, c);
}

/* --------------------------------------------------------------------- data */

void send_indication(struct client *c, const char *peer, const void *data,
		     size_t len, bool dont_fragment)
{
	struct request r;

	req_begin(&r, c, KTURN_SEND);
	kturn_put16(r.buf, KTURN_TYPE_SEND_IND);
	req_peer(&r, peer);
	if (dont_fragment)
		req_attr(&r, KTURN_ATTR_DONT_FRAGMENT, NULL, 0);
	req_attr(&r, KTURN_ATTR_DATA, data, len);
	KTAP_CHECK(!r.b.overflow);
	client_send_raw(c, r.b.buf, r.b.len);
}

void send_channel(struct client *c, uint16_t number, const void *data,
		  size_t len)
{
	uint8_t buf[2048];

	kturn_channel_data_build(buf, number, len);
	if (len)
		memcpy(buf + 4, data, len);
	client_send_raw(c, buf, 4 + len);
}

static const struct kturn_addr *relay_for(const struct client *c,
					  const char *peer)
{
	return addr(peer).family == c->relay6.family ? &c->relay6 : &c->relay;
}

bool sends_by_indication(struct client *c, const char *peer)
{
	send_indication(c, peer, "knock", 5, false);
	if (!world.n_sent)
		return false;
	check_to_peer(relay_for(c, peer), peer, "knock", 5, false);
	return true;
}

bool sends_by_channel(struct client *c, uint16_t number, const char *peer)
{
	send_channel(c, number, "knock", 5);
	if (!world.n_sent)
		return false;
	check_to_peer(relay_for(c, peer), peer, "knock", 5, false);
	return true;
}

enum kturn_kind receives(struct client *c, const char *peer)
{
	world_clear();
	peer_send_in(relay_for(c, peer), peer, "reply", 5);
	if (!world.n_sent)
		return KTURN_KIND_OTHER;
	KTAP_EQ(world.n_sent, 1);
	KTAP_CHECK(!world.sent[0].to_peer);
	KTAP_MEM_EQ(&world.sent[0].tuple, &c->tuple, sizeof(c->tuple));
	return kturn_wire_kind(world.sent[0].p, world.sent[0].len);
}
