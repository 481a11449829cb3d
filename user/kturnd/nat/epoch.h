/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway's clock, which begins anew when its mappings are lost. */
#ifndef _KTURND_EPOCH_H
#define _KTURND_EPOCH_H

#include <stdbool.h>
#include <stdint.h>

/**
 * struct epoch - what it said last; all zero: nothing yet
 * @known: it has said something
 * @at_ms: when, by our clock
 * @server_s: what
 */
struct epoch {
	bool known;
	uint64_t at_ms;
	uint32_t server_s;
};

/**
 * epoch_pcp() - take note of a PCP server's Epoch Time
 * @e: what it said before
 * @now_ms: our clock, which never goes back
 * @server_s: what it says now
 *
 * RFC 6887 section 8.5. Return: false if it may have lost its mappings.
 */
bool epoch_pcp(struct epoch *e, uint64_t now_ms, uint32_t server_s);

/** epoch_natpmp() - the same for NAT-PMP, RFC 6886 section 3.6 */
bool epoch_natpmp(struct epoch *e, uint64_t now_ms, uint32_t server_s);

#endif /* _KTURND_EPOCH_H */
