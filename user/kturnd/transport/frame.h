/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where messages end in a stream: STUN messages and ChannelData follow one
 * another with nothing in between (RFC 8489 section 6.2.2, RFC 8656 sections 12.4
 * and 12.5). A length that is claimed is no reason to wait for as much, so
 * there is a limit.
 */
#ifndef _KTURND_FRAME_H
#define _KTURND_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <kturn/wire.h>

/* The longest message that there is: ChannelData, or a STUN message. */
#define FRAME_MAX	(KTURN_STUN_HDR_LEN + 65532)

/**
 * frame_len() - how long is the message at the start of a stream?
 * @buf: what came
 * @len: how much
 *
 * Return: its bytes, with ChannelData's padding, at most FRAME_MAX, of which not
 * all need to have come; 0: not enough has come to tell; -EBADMSG: it is neither
 * a STUN message nor ChannelData, and no message can be found after it.
 */
ssize_t frame_len(const uint8_t *buf, size_t len);

#endif /* _KTURND_FRAME_H */
