// SPDX-License-Identifier: GPL-2.0-or-later
/* A made-up world; see world.h. */
#include <stdlib.h>
#include <string.h>

#include "../ktap.h"
#include "world.h"

struct learn l;
struct learn_cfg cfg;
struct told told;
uint64_t now;
unsigned int in_kernel;
bool kernel_refuses, bound_at_all, server_at_all;
uint64_t cookies;

struct kturn_addr client = {
	.ip = { 198, 51, 100, 2 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr other_client = {
	.ip = { 198, 51, 100, 3 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr server = {
	.ip = { 198, 51, 100, 1 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr relay4 = {
	.ip = { 203, 0, 113, 1 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr relay6 = {
	.ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
	.family = KTURN_FAMILY_V6 };
struct kturn_addr peer = {
	.ip = { 203, 0, 113, 2 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr other_peer = {
	.ip = { 203, 0, 113, 3 }, .family = KTURN_FAMILY_V4 };
struct kturn_addr peer6 = {
	.ip = { 0x20, 0x01, 0x0d, 0xb8, [15] = 2 },
	.family = KTURN_FAMILY_V6 };

/* --------------------------------------------------------------------- ops */

static bool is_server(void *arg, const struct flow *flow, uint32_t uid)
{
	return server_at_all && uid == SERVER_UID;
}

static bool bound(void *arg, uint32_t uid, const struct kturn_addr *relay,
		  uint64_t *cookie)
{
	*cookie = cookies + kturn_addr_port(relay);
	return bound_at_all && uid == SERVER_UID;
}

static uint32_t alloc_new(void *arg, const struct session *s, uint32_t ms)
{
	if (kernel_refuses)
		return 0;
	told.relay[0] = s->relay[0].addr;
	told.relay[1] = s->relay[1].addr;
	memcpy(told.label, s->label, sizeof(told.label));
	told.ms = ms;
	in_kernel++;
	return ++told.allocs;
}

static bool alloc_set(void *arg, uint32_t id, uint32_t ms)
{
	told.sets++;
	told.ms = ms;
	return !kernel_refuses;
}

static void alloc_del(void *arg, const struct session *s)
{
	told.dels++;
	in_kernel--;
}

static bool perm_new(void *arg, uint32_t id, const struct kturn_addr *addr,
		     uint32_t ms)
{
	told.perms++;
	told.peer = *addr;
	told.ms = ms;
	return true;
}

static bool chan_new(void *arg, uint32_t id, uint16_t number,
		     const struct kturn_addr *addr, uint32_t ms)
{
	told.chans++;
	told.peer = *addr;
	told.number = number;
	told.chan_ms = ms;
	told.chan_perms = told.perms;
	return true;
}

static const struct learn_ops ops = {
	.is_server = is_server,
	.bound = bound,
	.alloc_new = alloc_new,
	.alloc_set = alloc_set,
	.alloc_del = alloc_del,
	.perm_new = perm_new,
	.chan_new = chan_new,
};

void world_begin(void)
{
	static const uint8_t key[TURN_SIPHASH_KEY_LEN] = "a random key";

	kturn_addr_set_port(&client, 40000);
	kturn_addr_set_port(&other_client, 40000);
	kturn_addr_set_port(&server, 3478);
	kturn_addr_set_port(&relay4, 50000);
	kturn_addr_set_port(&relay6, 50002);
	kturn_addr_set_port(&peer, 9999);
	kturn_addr_set_port(&other_peer, 9999);
	kturn_addr_set_port(&peer6, 9999);
	cfg = (struct learn_cfg){
		.port_min = 49152,
		.port_max = 65535,
		.perm_ms = 300000,
		.chan_ms = 600000,
	};
	memset(&told, 0, sizeof(told));
	now = 1000000;
	in_kernel = 0;
	kernel_refuses = false;
	bound_at_all = true;
	server_at_all = true;
	cookies = 1000000;
	KTAP_CHECK(learn_init(&l, &cfg, &ops, NULL, key));
}

void world_end(void)
{
	learn_destroy(&l);
}

/* ---------------------------------------------------------------- messages */

static struct message begin(uint16_t method, unsigned int cls,
			    const uint8_t *tid)
{
	struct kturn_builder b;
	struct message m = { 0 };

	kturn_build_begin(&b, m.bytes, sizeof(m.bytes),
			  kturn_type(method, cls), tid);
	m.packet.len = KTURN_STUN_HDR_LEN;
	return m;
}

struct message request(const struct kturn_addr *from, uint16_t method,
		       uint8_t tid)
{
	const uint8_t id[KTURN_STUN_TID_LEN] = { tid };
	struct message m = begin(method, KTURN_REQUEST, id);

	m.packet.src = *from;
	m.packet.dst = server;
	return m;
}

struct message answer(const struct message *to, unsigned int cls)
{
	uint16_t type = kturn_get16(to->bytes);
	struct message m = begin(type & 0xf, cls, to->bytes + 8);

	m.packet.src = to->packet.dst;
	m.packet.dst = to->packet.src;
	m.packet.has_uid = true;
	m.packet.uid = SERVER_UID;
	return m;
}

/* A builder that goes on where the message ends. */
static struct kturn_builder go_on(struct message *m)
{
	struct kturn_builder b;
	uint8_t tid[KTURN_STUN_TID_LEN];

	memcpy(tid, m->bytes + 8, sizeof(tid));
	kturn_build_begin(&b, m->bytes, sizeof(m->bytes),
			  kturn_get16(m->bytes), tid);
	b.len = m->packet.len;
	return b;
}

struct message with_peer(struct message m, const struct kturn_addr *addr)
{
	struct kturn_builder b = go_on(&m);

	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_PEER_ADDRESS, addr);
	m.packet.len = b.len;
	return m;
}

struct message with_relay(struct message m, const struct kturn_addr *addr)
{
	struct kturn_builder b = go_on(&m);

	kturn_build_xor_addr(&b, KTURN_ATTR_XOR_RELAYED_ADDRESS, addr);
	m.packet.len = b.len;
	return m;
}

struct message with_u32(struct message m, uint16_t type, uint32_t value)
{
	struct kturn_builder b = go_on(&m);

	kturn_build_u32(&b, type, value);
	m.packet.len = b.len;
	return m;
}

struct message with_text(struct message m, uint16_t type, const char *text)
{
	struct kturn_builder b = go_on(&m);

	kturn_build_attr(&b, type, text, (__u16)strlen(text));
	m.packet.len = b.len;
	return m;
}

void see(const struct message *m)
{
	struct packet p = m->packet;

	p.payload = m->bytes;
	if (p.has_uid && kturn_get16(m->bytes) >> 8 == 1 &&
	    !(m->bytes[1] & 0x10))
		learn_answer(&l, &p, now);
	else
		learn_request(&l, &p, now, now);
}

static void granted(const struct message *asked, uint32_t lifetime,
		    const struct kturn_addr *relay)
{
	struct message m = answer(asked, KTURN_SUCCESS);

	if (relay)
		m = with_relay(m, relay);
	if (lifetime != UINT32_MAX)
		m = with_u32(m, KTURN_ATTR_LIFETIME, lifetime);
	see(asked);
	see(&m);
}

void allocate(const struct kturn_addr *from, uint8_t tid)
{
	struct message m = with_text(request(from, KTURN_ALLOCATE, tid),
				     KTURN_ATTR_USERNAME, "alice");

	granted(&m, LIFETIME, &relay4);
}

void permit(const struct kturn_addr *from, uint8_t tid,
	    const struct kturn_addr *addr)
{
	struct message m = with_peer(request(from, KTURN_CREATE_PERMISSION,
					     tid), addr);

	granted(&m, UINT32_MAX, NULL);
}

void bind_channel(const struct kturn_addr *from, uint8_t tid, uint16_t number,
		  const struct kturn_addr *addr)
{
	struct message m = with_u32(request(from, KTURN_CHANNEL_BIND, tid),
				    KTURN_ATTR_CHANNEL_NUMBER,
				    (uint32_t)number << 16);

	m = with_peer(m, addr);
	granted(&m, UINT32_MAX, NULL);
}

void refresh(const struct kturn_addr *from, uint8_t tid, uint32_t lifetime)
{
	struct message m = request(from, KTURN_REFRESH, tid);

	granted(&m, lifetime, NULL);
}
