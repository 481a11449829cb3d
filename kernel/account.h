/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_ACCOUNT_H
#define _KTURN_ACCOUNT_H

#include "kturn.h"

/**
 * struct kturn_account - what a relayed packet counts for
 * @alloc: allocation
 * @chan: channel, or NULL
 * @dir: direction
 * @family: of the relayed side: the peer's
 */
struct kturn_account {
	struct kturn_alloc *alloc;
	struct kturn_chan *chan;
	enum kturn_dir dir;
	u8 family;
};

/* account.c */
struct kturn_packet;
void kturn_account_forward(const struct kturn_packet *pkt,
			   const struct kturn_account *acc, unsigned int bytes);
void kturn_account_drop(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_drop_reason reason);
void kturn_account_punt(const struct kturn_packet *pkt,
			struct kturn_alloc *alloc,
			enum kturn_punt_reason reason);
void kturn_account_sum(const struct kturn_alloc *alloc, enum kturn_dir dir,
		       u8 family, struct kturn_count *sum);
void kturn_account_chan_sum(const struct kturn_chan *chan, enum kturn_dir dir,
			    struct kturn_count *sum);
bool kturn_account_idle(const struct kturn_alloc *alloc, u32 *ms);
enum kturn_dir kturn_account_dir(const struct kturn_packet *pkt,
				 const struct kturn_alloc *alloc);
u8 kturn_account_out(const struct kturn_packet *pkt,
		     const struct kturn_alloc *alloc);
enum skb_drop_reason kturn_account_reason(enum kturn_drop_reason reason);

#endif /* _KTURN_ACCOUNT_H */
