// SPDX-License-Identifier: GPL-2.0-or-later
/* opaque_string(): the first byte is the room for the result, in 8 bytes. */
#include <precis/opaque.h>

#include "fuzz.h"

int fuzz_one(const __u8 *data, size_t size)
{
	size_t room, len;
	const char *why;
	char *out, *again;
	__u8 *text;

	if (!size)
		return 0;
	room = 8 * data[0] + 1;
	text = fuzz_copy(data + 1, size - 1);
	out = malloc(room);
	again = malloc(room);
	if (!out || !again)
		abort();

	why = opaque_string(text, size - 1, out, room);
	if (!why) {
		len = strlen(out);
		FUZZ_ASSERT(len && len < room);
		FUZZ_ASSERT(!memchr(out, '\n', len) && !memchr(out, 0x7f, len));
		/* What is prepared is prepared. */
		FUZZ_ASSERT(!opaque_string(out, len, again, room));
		FUZZ_ASSERT(!strcmp(out, again));
	} else {
		FUZZ_ASSERT(strlen(why) > 5);
	}
	free(text);
	free(out);
	free(again);
	return 0;
}
