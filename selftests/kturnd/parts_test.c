// SPDX-License-Identifier: GPL-2.0-or-later
/* Parts of kturnd by themselves: log, reserved ports, relayed ports. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../ktap.h"
#include "kturnd/file.h"
#include "log.h"
#include "kturnd/origin.h"
#include "kturnd/source_limit.h"
#include "kturnd/random.h"
#include "kturnd/relay.h"
#include "kturnd/reserve.h"
#include "kturnd/reserved_ports.h"
#include "kturnd/token_key.h"

static char dir[32];

/* --------------------------------------------------------------------- log */

static void escape(void)
{
	static const char text[] = "a\"b\\c\n\x1b[0m\xc3\xbc\x7f z";
	char out[128], small[6];

	log_escape(out, sizeof(out), text, sizeof(text));
	KTAP_CHECK(!strcmp(out, "a\\\"b\\\\c\\x0a\\x1b[0m\\xc3\\xbc"
				"\\x7f z\\x00"));
	/* Never half of an escape. */
	KTAP_EQ(log_escape(small, sizeof(small), "ab\n", 3), 2);
	KTAP_CHECK(!strcmp(small, "ab"));
	KTAP_EQ(log_escape(small, 1, "ab", 2), 0);
	KTAP_CHECK(!strcmp(small, ""));
}

static void check_line(const struct log_line *line, const char *want)
{
	const char *event = memmem(line->text, line->len, " event=", 7);
	size_t len = event ? line->len - (size_t)(event - line->text) : 0;

	if (!KTAP_CHECK(len == strlen(want) && !memcmp(event, want, len)))
		printf("# got '%.*s'\n", (int)len, event ? event : "");
}

static void format(void)
{
	/* The compiler must not see that it is NULL. */
	const char *nothing = getenv("KTURND_TEST_NOT_SET");
	struct log_line line;

	log_begin(&line, LOG_INFO, "x");
	log_add(&line, "a=%s b=%s c=%s d=%s", "plain", "two words", "", "q\"");
	check_line(&line, " event=x a=plain b=\"two words\" c=\"\" d=\"q\\\"\"");
	log_begin(&line, LOG_INFO, "x");
	log_add(&line, "a=%d b=%u c=0x%04x d=%llu e=%zu f=%ld g=%hu %%", -1,
		4294967295u, 0x4a, ~0ull, (size_t)7, -5l, 9);
	check_line(&line, " event=x a=-1 b=4294967295 c=0x004a"
		   " d=18446744073709551615 e=7 f=-5 g=9 %");
	log_begin(&line, LOG_INFO, "x");
	log_add(&line, "a=%.*s b=%.2s c=%c d=%s", 3, "abcdef", "xyz", '\n',
		nothing);
	check_line(&line, " event=x a=abc b=xy c=\"\\x0a\" d=-");
	log_begin(&line, LOG_INFO, "x");
	log_add(&line, "a=%s", "k=v");
	check_line(&line, " event=x a=\"k=v\"");
}

static void long_line(void)
{
	char text[3 * LOG_LINE_MAX];
	struct log_line line;
	int i;

	memset(text, '\n', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_begin(&line, LOG_INFO, "x");
	for (i = 0; i < 3; i++)
		log_add(&line, "a=%s", text);
	KTAP_CHECK(line.cut);
	KTAP_CHECK(line.len < LOG_LINE_MAX - 4);
}

static void limit(void)
{
	unsigned int i, suppressed, allowed = 0;

	for (i = 0; i < 1000; i++)
		allowed += log_allowed("flood", &suppressed);
	/* The burst, and one or two if this took long. */
	KTAP_CHECK(allowed >= 20 && allowed < 30);
	KTAP_CHECK(log_allowed("other", &suppressed));
	KTAP_EQ(suppressed, 0);
}

/* ---------------------------------------------------------- reserved ports */

static void put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	KTAP_CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static void check_file(const char *path, const char *want)
{
	static char got[500000];
	ssize_t n = file_read(path, got, sizeof(got) - 1);

	got[n > 0 ? n : 0] = '\0';
	if (!KTAP_CHECK(!strcmp(got, want)))
		printf("# %s: got '%.200s', expected '%.200s'\n", path, got,
		       want);
}

static void reserved(void)
{
	char sysctl[64], saved[64];

	snprintf(sysctl, sizeof(sysctl), "%s/sysctl", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	put(sysctl, "\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 49152, 65535), 0);
	check_file(sysctl, "49152-65535\n");
	check_file(saved, "49152-65535\n");
	KTAP_EQ(reserved_ports_remove(sysctl, saved), 0);
	check_file(sysctl, "\n");
	KTAP_EQ(access(saved, F_OK), -1);
	/* Nothing was added, nothing is removed. */
	KTAP_EQ(reserved_ports_remove(sysctl, saved), -ENOENT);

	put(sysctl, "8080,9000-9002,9004");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 9001, 9005), 0);
	check_file(saved, "9003,9005\n");
	/* A successor with another range; somebody else adds one. */
	put(sysctl, "80,8080,9000-9005\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 9005, 9006), 0);
	check_file(saved, "9003,9005-9006\n");
	KTAP_EQ(reserved_ports_remove(sysctl, saved), 0);
	check_file(sysctl, "80,8080,9000-9002,9004\n");

	put(sysctl, "0,65535\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 1, 65534), 0);
	check_file(sysctl, "0-65535\n");
	KTAP_EQ(reserved_ports_remove(sysctl, saved), 0);
	check_file(sysctl, "0,65535\n");

	/* What we can't read we don't write. */
	put(sysctl, "8080;9000\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 1, 2), -EBADMSG);
	check_file(sysctl, "8080;9000\n");
	put(sysctl, "70000\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 1, 2), -EBADMSG);
	put(sysctl, "9-5\n");
	KTAP_EQ(reserved_ports_add(sysctl, saved, 1, 2), -EBADMSG);
}

/* Every second port: the longest list there can be. */
static void reserved_longest(void)
{
	static char list[400000];
	char sysctl[64];
	size_t n = 0;
	int port;

	snprintf(sysctl, sizeof(sysctl), "%s/sysctl", dir);
	for (port = 1; port < 65536; port += 2)
		n += (size_t)sprintf(list + n, "%s%d", n ? "," : "", port);
	memcpy(list + n, "\n", 2);
	put(sysctl, list);
	KTAP_EQ(reserved_ports_add(sysctl, NULL, 9, 9), 0);
	check_file(sysctl, list);
}

static void replace(void)
{
	char path[64], room[4];

	snprintf(path, sizeof(path), "%s/file", dir);
	KTAP_EQ(file_replace(path, "one\n", 4), 0);
	check_file(path, "one\n");
	KTAP_EQ(file_replace(path, "two\n", 4), 0);
	check_file(path, "two\n");
	KTAP_EQ(file_replace("/nonexistent/file", "x", 1), -ENOENT);
	KTAP_EQ(file_read(path, room, 3), -EFBIG);
	KTAP_EQ(file_read(path, room, 4), 4);
}

/* ------------------------------------------------------------ relayed ports */

static struct relay_pool pool;

static void pool_open(uint16_t min, uint16_t max)
{
	struct kturn_addr addr = { .family = KTURN_FAMILY_V4,
				   .ip = { 127, 0, 0, 1 } };
	struct config_addrs list = { .v = &addr, .n = 1 };
	struct config cfg = { .relay_port_min = min, .relay_port_max = max };

	KTAP_EQ(relay_pool_init(&pool, &list, &cfg), 0);
}

static unsigned int port_of(const struct turn_relay *relay)
{
	return ntohs(relay->addr.port);
}

static void ports_single(void)
{
	struct turn_relay relay[5], more;
	unsigned int i, seen = 0;

	pool_open(47001, 47005);
	for (i = 0; i < 5; i++) {
		KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_ANY,
				   &relay[i], NULL), 0);
		seen |= 1u << (port_of(&relay[i]) - 47001);
	}
	KTAP_EQ(seen, 31);
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_ANY, &more, NULL),
		-ENOSPC);
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V6, TURN_PORT_ANY, &more, NULL),
		-EAFNOSUPPORT);
	KTAP_EQ(relay_rebind(&pool, &relay[0].addr, &more), -EADDRINUSE);
	relay_set_live(&relay[2]);
	KTAP_CHECK(relay_is_live(&pool.v[0], &relay[2].addr, RELAY_UDP));
	KTAP_CHECK(!relay_is_live(&pool.v[0], &relay[1].addr, RELAY_UDP));
	more = relay[2];
	relay_close(&relay[2]);
	KTAP_CHECK(!relay_is_live(&pool.v[0], &more.addr, RELAY_UDP));
	KTAP_EQ(relay_rebind(&pool, &more.addr, &relay[2]), 0);
	for (i = 0; i < 5; i++)
		relay_close(&relay[i]);
	more.addr.ip[3] = 2;
	KTAP_EQ(relay_rebind(&pool, &more.addr, &more), -EADDRNOTAVAIL);
	relay_pool_free(&pool);
}

static void ports_even(void)
{
	struct turn_relay relay[3], pair[2], more;
	unsigned int i;

	pool_open(47011, 47016);
	for (i = 0; i < 3; i++) {
		KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_EVEN,
				   &relay[i], NULL), 0);
		KTAP_EQ(port_of(&relay[i]) % 2, 0);
	}
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_EVEN, &more,
			   NULL), -ENOSPC);
	for (i = 0; i < 3; i++)
		relay_close(&relay[i]);

	/* 47016 has no neighbour in the range. */
	for (i = 0; i < 2; i++) {
		KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4,
				   TURN_PORT_EVEN_PAIR, &relay[i], &pair[i]),
			0);
		KTAP_EQ(port_of(&relay[i]) % 2, 0);
		KTAP_EQ(port_of(&pair[i]), port_of(&relay[i]) + 1);
	}
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_EVEN_PAIR,
			   &relay[2], &more), -ENOSPC);
	/* What failed took nothing: both that are left can be had. */
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_ANY, &relay[2],
			   NULL), 0);
	KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_ANY, &more,
			   NULL), 0);
	relay_close(&more);
	relay_close(&relay[2]);
	for (i = 0; i < 2; i++) {
		relay_close(&relay[i]);
		relay_close(&pair[i]);
	}
	relay_pool_free(&pool);
}

static void ports_uniform(void)
{
	unsigned int i, count[8] = { 0 };

	for (i = 0; i < 8000; i++)
		count[random_below(8)]++;
	/* Ten standard deviations. */
	for (i = 0; i < 8; i++)
		KTAP_CHECK(count[i] > 700 && count[i] < 1300);
	KTAP_EQ(random_below(1), 0);
}

static void reservations(void)
{
	struct turn_relay relay[3], got;
	struct reserve r;
	uint8_t token[8] = { 0 };
	unsigned int i;

	pool_open(47021, 47023);
	reserve_init(&r);
	for (i = 0; i < 3; i++) {
		KTAP_EQ(relay_open(&pool, KTURN_FAMILY_V4, TURN_PORT_ANY,
				   &relay[i], NULL), 0);
		token[0] = (uint8_t)i;
		KTAP_EQ(reserve_put(&r, token, &relay[i],
				    i == 1 ? 500 : 1000), 0);
	}
	token[0] = 7;
	KTAP_EQ(reserve_claim(&r, token, &got, 100), -ENOENT);
	token[0] = 2;
	KTAP_EQ(reserve_claim(&r, token, &got, 999), 0);
	KTAP_EQ(port_of(&got), port_of(&relay[2]));
	KTAP_EQ(reserve_claim(&r, token, &got, 999), -ENOENT);
	/* Over, and its port is free; the other's is not. */
	token[0] = 1;
	KTAP_EQ(reserve_claim(&r, token, &got, 999), -ENOENT);
	KTAP_EQ(relay_rebind(&pool, &relay[1].addr, &got), 0);
	relay_close(&got);
	KTAP_EQ(relay_rebind(&pool, &relay[0].addr, &got), -EADDRINUSE);
	reserve_expire(&r, 1000);
	KTAP_EQ(relay_rebind(&pool, &relay[0].addr, &got), 0);
	relay_close(&got);
	relay_close(&relay[2]);
	reserve_free(&r);
	relay_pool_free(&pool);
}

/* --------------------------------------------------------------- source limit */

static struct kturn_addr source(uint32_t n)
{
	struct kturn_addr addr = { .family = KTURN_FAMILY_V4 };

	kturn_put32(addr.ip, n);
	return addr;
}

/* How many answers it gets, of many. */
static unsigned int answers(struct source_limit *l,
			    const struct kturn_addr *addr, uint64_t now)
{
	unsigned int n = 0, i;

	for (i = 0; i < 10000; i++)
		n += source_limit_take(l, addr, now);
	return n;
}

static void source_limits(void)
{
	struct kturn_addr a = source(1), b = source(2);
	struct kturn_addr six = { .family = KTURN_FAMILY_V6, .ip = { 0x20 } };
	struct source_limit l;

	KTAP_EQ(source_limit_init(&l, 100), 0);
	/* Ten seconds' worth at once, and then so many a second. */
	KTAP_EQ(answers(&l, &a, 5000), 1000);
	KTAP_EQ(answers(&l, &a, 5010), 1);
	KTAP_EQ(answers(&l, &a, 6010), 100);
	KTAP_EQ(answers(&l, &a, 600000), 1000);
	/* Ports are one's own, other addresses are not. */
	kturn_addr_set_port(&a, 1000);
	KTAP_EQ(answers(&l, &a, 600000), 0);
	KTAP_EQ(answers(&l, &b, 600000), 1000);
	/* A /64 is one. */
	KTAP_EQ(answers(&l, &six, 600000), 1000);
	six.ip[15] = 1;
	KTAP_EQ(answers(&l, &six, 600000), 0);
	six.ip[7] = 1;
	KTAP_EQ(answers(&l, &six, 600000), 1000);
	source_limit_free(&l);

	KTAP_EQ(source_limit_init(&l, 0), 0);
	KTAP_EQ(answers(&l, &a, 5000), 10000);
	source_limit_free(&l);
}

/* One that goes on is not forgotten for others that come once. */
static void source_crowd(void)
{
	struct kturn_addr a = source(1), other;
	struct source_limit l;
	uint32_t i;

	KTAP_EQ(source_limit_init(&l, 100), 0);
	KTAP_EQ(answers(&l, &a, 5000), 1000);
	for (i = 2; i < 300000; i++) {
		other = source(i);
		KTAP_CHECK(source_limit_take(&l, &other, 5000));
	}
	KTAP_EQ(answers(&l, &a, 5000), 0);
	source_limit_free(&l);
}

/* -------------------------------------------------------- origins and keys */

static void origins(void)
{
	static const char *const table[][2] = {
		{ "https://example.org", "https://example.org:443" },
		{ "HTTPS://Example.ORG:443/", "https://example.org:443" },
		{ "http://example.org:8080/a?b#c", "http://example.org:8080" },
		{ "http://[2001:DB8::1]", "http://[2001:db8::1]:80" },
		{ "http://[2001:db8::1]:81", "http://[2001:db8::1]:81" },
		{ "http://example.org:", "http://example.org:80" },
		{ "xmpp://Example.org", "xmpp://example.org" },
		{ "null", "null" },
		{ "://x", "://x" },
		{ "http:///x", "http:///x" },
		{ "http://[::1", "http://[::1" },
	};
	char long_one[ORIGIN_MAX + 2], out[ORIGIN_MAX + 1];
	size_t i, len;

	for (i = 0; i < KTAP_COUNT(table); i++) {
		len = origin_canonical(table[i][0], strlen(table[i][0]), out);
		KTAP_EQ(len, strlen(out));
		if (!KTAP_CHECK(!strcmp(out, table[i][1])))
			printf("# %s\n", out);
	}
	KTAP_EQ(origin_canonical("a\0\0", 3, out), 1);
	KTAP_EQ(origin_canonical("", 0, out), 0);
	KTAP_EQ(origin_canonical("a\nb", 3, out), 0);
	memset(long_one, 'a', sizeof(long_one));
	KTAP_EQ(origin_canonical(long_one, ORIGIN_MAX, out), ORIGIN_MAX);
	KTAP_EQ(origin_canonical(long_one, ORIGIN_MAX + 1, out), 0);
	/* The port has no room any more. */
	memcpy(long_one, "http://", 7);
	KTAP_EQ(origin_canonical(long_one, ORIGIN_MAX, out), 0);
}

static void token_keys(void)
{
	/* 33 and 17 bytes, of coturn's examples. */
	static const char long_key[] =
		"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEK";
	static const char short_key[] = "MTIzNDU2Nzg5MDEyMzQ1Ngo=";
	struct turn_token_key key;

	KTAP_CHECK(!token_key_read(&key, "A256GCM", long_key, 0, 0));
	KTAP_EQ(key.aead, TURN_AEAD_A256GCM);
	KTAP_MEM_EQ(key.key, "01234567890123456789012345678901", 32);
	KTAP_EQ(key.until, 0);
	KTAP_CHECK(!token_key_read(&key, " a128gcm ", short_key, 1000, 60));
	KTAP_EQ(key.aead, TURN_AEAD_A128GCM);
	KTAP_MEM_EQ(key.key, "1234567890123456", 16);
	KTAP_EQ(key.until, 1060);
	/* 16 bytes and padding are no 17, and so on. */
	KTAP_CHECK(!token_key_read(&key, "A128GCM",
				   "MTIzNDU2Nzg5MDEyMzQ1Ng==", 0, 0));
	KTAP_CHECK(token_key_read(&key, "A128GCM", "MTIzNDU2Nzg5MDEyMzQ1",
				  0, 0));
	KTAP_CHECK(token_key_read(&key, "A256GCM", short_key, 0, 0));
	KTAP_CHECK(token_key_read(&key, "A256GCM", "", 0, 0));
	KTAP_CHECK(token_key_read(&key, "A256GCM", "not base64!", 0, 0));
	KTAP_CHECK(token_key_read(&key, "A192GCM", long_key, 0, 0));
	KTAP_CHECK(token_key_read(&key, "", long_key, 0, 0));
	KTAP_CHECK(!token_key_read(&key, "A256GCM", long_key, UINT64_MAX, 1));
	KTAP_CHECK(key.until > UINT64_MAX / 4);
}

static const struct ktap_case cases[] = {
	{ "log: escaping", escape },
	{ "log: formats", format },
	{ "log: a line that is too long", long_line },
	{ "log: limits", limit },
	{ "reserved ports: add and remove", reserved },
	{ "reserved ports: the longest list", reserved_longest },
	{ "files: replace", replace },
	{ "relay ports: single", ports_single },
	{ "relay ports: even, and pairs", ports_even },
	{ "relay ports: uniform", ports_uniform },
	{ "relay ports: reservations", reservations },
	{ "sources: answers at once and a second", source_limits },
	{ "sources: more than there is room for", source_crowd },
	{ "origins: one way to write them", origins },
	{ "token keys: as coturn has them", token_keys },
};

int main(void)
{
	char command[64];
	int ret;

	log_set_level(LOG_ERR);
	snprintf(dir, sizeof(dir), "/tmp/kturnd-parts.XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	ktap_plan(KTAP_COUNT(cases));
	ktap_run(cases, KTAP_COUNT(cases));
	ret = ktap_end();
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || ret;
}
