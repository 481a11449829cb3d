// SPDX-License-Identifier: GPL-2.0-or-later
/* Origins of requests; see origin.h. */
#include <stdio.h>
#include <string.h>

#include <array_size.h>
#include "origin.h"

static const struct {
	const char *scheme;
	const char *port;
} defaults[] = {
	{ "http", "80" }, { "https", "443" }, { "sip", "5060" },
	{ "sips", "5061" }, { "stun", "3478" }, { "stuns", "5349" },
	{ "turn", "3478" }, { "turns", "5349" }, { "ftp", "21" },
	{ "ldap", "389" }, { "ldaps", "636" }, { "ssh", "22" },
};

static const char *default_port(const char *scheme)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(defaults); i++)
		if (!strcmp(defaults[i].scheme, scheme))
			return defaults[i].port;
	return NULL;
}

/* ASCII's, whatever the locale says. */
static void lower(char *p)
{
	for (; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p |= 0x20;
}

/* Where the host ends; brackets hold colons of its own. */
static char *end_of_host(char *host)
{
	char *end = *host == '[' ? strchr(host, ']') : NULL;

	return end ? end + 1 : host + strcspn(host, ":");
}

size_t origin_canonical(const char *p, size_t len, char out[ORIGIN_MAX + 1])
{
	char text[ORIGIN_MAX + 1], *host, *end, *port;
	const char *def = NULL;
	size_t i;
	int n;

	while (len && !p[len - 1])
		len--;
	if (!len || len > ORIGIN_MAX)
		return 0;
	for (i = 0; i < len; i++)
		if ((unsigned char)p[i] < ' ' || p[i] == 0x7f)
			return 0;
	memcpy(text, p, len);
	text[len] = '\0';
	host = strstr(text, "://");
	if (!host || host == text || strchr("/?#", host[3])) {
		memcpy(out, text, len + 1);
		return len;
	}

	*host = '\0';
	host += 3;
	host[strcspn(host, "/?#")] = '\0';
	lower(text);
	lower(host);
	end = end_of_host(host);
	port = *end == ':' ? end + 1 : end;
	*end = '\0';
	if (!*port)
		def = default_port(text);
	n = snprintf(out, ORIGIN_MAX + 1, "%s://%s%s%s", text, host,
		     *port || def ? ":" : "", def ? def : port);
	return n > 0 && n <= ORIGIN_MAX ? (size_t)n : 0;
}
