// SPDX-License-Identifier: GPL-2.0-or-later
/* Where a Redis server is; see redis_url.h. */
#include <string.h>

#include "kturnd/option_read.h"
#include "redis_url.h"

#define DEFAULT_PORT	6379

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *p = c ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) :
			    NULL;

	return p ? (int)(p - digits) : -1;
}

/* @len bytes with %XX in them; false: too long, or no such thing. */
static bool decode(const char *text, size_t len, char *out, size_t size)
{
	const char *end = text + len;
	size_t n = 0;

	for (; text < end; n++) {
		if (n + 1 >= size)
			return false;
		if (*text != '%') {
			out[n] = *text++;
			continue;
		}
		if (end - text < 3 || hex_digit(text[1]) < 0 ||
		    hex_digit(text[2]) < 0)
			return false;
		out[n] = (char)(hex_digit(text[1]) << 4 | hex_digit(text[2]));
		if (!out[n])
			return false;
		text += 3;
	}
	out[n] = '\0';
	return true;
}

static bool copy(const char *text, size_t len, char *out, size_t size)
{
	if (!len || len >= size)
		return false;
	memcpy(out, text, len);
	out[len] = '\0';
	return true;
}

static bool number(const char *text, unsigned long max, int *out)
{
	unsigned long n;

	if (!option_number(text, 0, max, &n))
		return false;
	*out = (int)n;
	return true;
}

/* [USER]:PASSWORD before an "@"; moves @p behind it. */
static bool take_login(const char **p, struct redis_url *url)
{
	const char *at = strrchr(*p, '@'), *colon;

	if (!at)
		return true;
	colon = memchr(*p, ':', (size_t)(at - *p));
	if (!colon || colon + 1 == at ||
	    !decode(*p, (size_t)(colon - *p), url->user, sizeof(url->user)) ||
	    !decode(colon + 1, (size_t)(at - colon - 1), url->password,
		    sizeof(url->password)))
		return false;
	*p = at + 1;
	return true;
}

static bool take_path(const char *p, struct redis_url *url)
{
	const char *query = strchrnul(p, '?');

	url->local = true;
	if (*p != '/' || !copy(p, (size_t)(query - p), url->host,
			       sizeof(url->host)))
		return false;
	if (!*query)
		return true;
	return !strncmp(query, "?db=", 4) &&
	       number(query + 4, 1000000, &url->database);
}

static bool take_host(const char *p, struct redis_url *url)
{
	const char *slash = strchrnul(p, '/'), *end = slash, *host = p;
	char port[8];

	if (*p == '[') {
		host++;
		end = memchr(p, ']', (size_t)(slash - p));
		p = end ? end + 1 : NULL;
	} else {
		end = memchr(p, ':', (size_t)(slash - p));
		end = end ? end : slash;
		p = end;
	}
	if (!p || !copy(host, (size_t)(end - host), url->host,
			sizeof(url->host)))
		return false;
	if (p < slash &&
	    (*p != ':' ||
	     !copy(p + 1, (size_t)(slash - p - 1), port, sizeof(port)) ||
	     !number(port, 65535, &url->port)))
		return false;
	return !slash[0] || !slash[1] ||
	       number(slash + 1, 1000000, &url->database);
}

const char *redis_url_parse(const char *text, struct redis_url *url)
{
	static const char tcp[] = "redis://", local[] = "redis+unix://";
	bool is_local = !strncmp(text, local, strlen(local));

	memset(url, 0, sizeof(*url));
	url->port = DEFAULT_PORT;
	text += is_local ? strlen(local) : strlen(tcp);
	if (take_login(&text, url) &&
	    (is_local ? take_path(text, url) : take_host(text, url)))
		return NULL;
	explicit_bzero(url, sizeof(*url));
	return "not redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE] or redis+unix://[[USER]:PASSWORD@]/PATH[?db=DATABASE]";
}
