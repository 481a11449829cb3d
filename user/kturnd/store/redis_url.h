/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a Redis server is:
 *
 *	redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]
 *	redis+unix://[[USER]:PASSWORD@]/PATH[?db=DATABASE]
 *
 * HOST may be an IPv6 address in brackets; in USER and PASSWORD %XX is a byte.
 */
#ifndef _KTURND_STORE_REDIS_URL_H
#define _KTURND_STORE_REDIS_URL_H

#include <stdbool.h>

/**
 * struct redis_url - taken apart
 * @local: @host is a socket's path
 * @host: name, address or path
 * @port: TCP port
 * @user: empty: the default one
 * @password: empty: none
 * @database: number
 */
struct redis_url {
	bool local;
	char host[256];
	int port;
	char user[256];
	char password[1025];
	int database;
};

/** redis_url_parse() - NULL, or what is wrong with it, without quoting it */
const char *redis_url_parse(const char *text, struct redis_url *url);

#endif /* _KTURND_STORE_REDIS_URL_H */
