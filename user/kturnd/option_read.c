// SPDX-License-Identifier: GPL-2.0-or-later
/* What options' values are read with; see option_read.h. */
#include <stdlib.h>
#include <string.h>

#include "kturn.h"
#include "option.h"
#include "option_read.h"

void *option_append(void *array, size_t *n, size_t size)
{
	void **v = array, *bigger;

	bigger = reallocarray(*v, *n + 1, size);
	if (!bigger)
		return NULL;
	*v = bigger;
	return memset((char *)bigger + (*n)++ * size, 0, size);
}

bool option_number(const char *text, unsigned long min, unsigned long max,
		   unsigned long *result)
{
	if (!*text || strspn(text, "0123456789") != strlen(text) ||
	    strlen(text) > 9)
		return false;
	*result = strtoul(text, NULL, 10);
	return *result >= min && *result <= max;
}

bool option_u64(const char *text, uint64_t max, uint64_t *result)
{
	if (!*text || strspn(text, "0123456789") != strlen(text) ||
	    strlen(text) > 19)
		return false;
	*result = strtoull(text, NULL, 10);
	return *result <= max;
}

const char *option_u32(uint32_t *where, const char *value, unsigned long min,
		       unsigned long max)
{
	unsigned long n;

	if (!option_number(value, min, max, &n))
		return OPTION_UNEXPECTED;
	*where = (uint32_t)n;
	return NULL;
}

const char *option_text(char **where, const char *value)
{
	char *copy;

	if (!*value)
		return OPTION_UNEXPECTED;
	copy = strdup(value);
	if (!copy)
		return OPTION_NO_MEMORY;
	free(*where);
	*where = copy;
	return NULL;
}

const char *option_add_text(char ***list, size_t *n, const char *value)
{
	char **room = option_append(list, n, sizeof(*room));

	if (!room)
		return OPTION_NO_MEMORY;
	*room = strdup(value);
	return *room ? NULL : OPTION_NO_MEMORY;
}

void option_clear_texts(char ***list, size_t *n)
{
	size_t i;

	for (i = 0; i < *n; i++)
		free((*list)[i]);
	free(*list);
	*list = NULL;
	*n = 0;
}

const char *option_add_prefix(struct prefix **list, size_t *n,
			      const char *value)
{
	struct prefix prefix, *room;

	if (prefix_parse(value, &prefix))
		return OPTION_UNEXPECTED;
	room = option_append(list, n, sizeof(*room));
	if (!room)
		return OPTION_NO_MEMORY;
	*room = prefix;
	return NULL;
}

void option_wipe(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

bool option_multicast(const struct kturn_addr *addr)
{
	return addr->family == KTURN_FAMILY_V4 ? addr->ip[0] >= 224 :
						 addr->ip[0] == 0xff;
}

bool option_two_addrs(const char *value, struct kturn_addr *a,
		      struct kturn_addr *b)
{
	const char *slash = strchr(value, '/');
	char text[KTURN_ADDR_TEXT_MAX];

	if (!slash || (size_t)(slash - value) >= sizeof(text))
		return false;
	memcpy(text, value, (size_t)(slash - value));
	text[slash - value] = '\0';
	return !kturn_addr_parse(text, a) && !kturn_addr_parse(slash + 1, b) &&
	       a->family == b->family && !addr_is_unspecified(a) &&
	       !addr_is_unspecified(b) && !option_multicast(a) &&
	       !option_multicast(b);
}
