// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn_channel_data_parse(): a datagram, then 16 bits of how much is seen. */
#include "fuzz.h"

static bool must_parse(const __u8 *p, size_t avail, size_t total)
{
	return avail >= KTURN_CHAN_HDR_LEN && p[0] >= 0x40 && p[0] <= 0x7f &&
	       kturn_get16(p + 2) <= total - KTURN_CHAN_HDR_LEN;
}

static int check(const __u8 *data, size_t avail, size_t total,
		 struct kturn_channel_data *cd)
{
	__u8 *p = fuzz_copy(data, avail), hdr[KTURN_CHAN_HDR_LEN];
	__u8 *whole;
	int ret;

	ret = kturn_channel_data_parse(p, avail, total, cd);
	FUZZ_ASSERT(!ret == must_parse(p, avail, total));
	if (!ret) {
		FUZZ_ASSERT(cd->number == kturn_get16(p));
		FUZZ_ASSERT(cd->len == kturn_get16(p + 2));
		FUZZ_ASSERT(!!cd->data ==
			    (cd->len + KTURN_CHAN_HDR_LEN <= avail));
		if (cd->data) {
			FUZZ_ASSERT(cd->data == p + KTURN_CHAN_HDR_LEN);
			/* Reads it all, for AddressSanitizer. */
			whole = fuzz_copy(cd->data, cd->len);
			free(whole);
		}
		FUZZ_ASSERT(kturn_channel_data_build(hdr, cd->number,
						     cd->len) == sizeof(hdr));
		FUZZ_ASSERT(!memcmp(hdr, p, sizeof(hdr)));
		FUZZ_ASSERT(kturn_wire_kind(p, avail) == KTURN_KIND_CHANNEL);
	}
	free(p);
	return ret;
}

int fuzz_one(const __u8 *data, size_t size)
{
	unsigned int ctl = fuzz_take16(data, &size);
	struct kturn_channel_data whole, part;
	size_t avail = ctl % (size + 1);
	int ret;

	ret = check(data, size, size, &whole);
	if (check(data, avail, size, &part))
		FUZZ_ASSERT(ret || avail < KTURN_CHAN_HDR_LEN);
	else
		FUZZ_ASSERT(!ret && part.number == whole.number &&
			    part.len == whole.len);
	return 0;
}
