/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_RELAY_H
#define _KTURN_RELAY_H

#include "account.h"

/* relay.c */
unsigned int kturn_relay(struct kturn_packet *pkt);

/* verdict.c */
int kturn_droppable(const struct kturn_packet *pkt);
int kturn_admit(struct kturn_packet *pkt, struct kturn_source *source);
unsigned int kturn_punt(struct kturn_packet *pkt, struct kturn_alloc *alloc,
			enum kturn_punt_reason reason);
unsigned int kturn_drop(struct kturn_packet *pkt, struct kturn_alloc *alloc,
			enum kturn_drop_reason reason);
unsigned int kturn_refuse_channel(struct kturn_packet *pkt,
				  struct kturn_alloc *alloc);
unsigned int kturn_refuse_peer(struct kturn_packet *pkt,
			       struct kturn_alloc *alloc);

#endif /* _KTURN_RELAY_H */
