/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_NETLINK_H
#define _KTURN_NETLINK_H

#include "alloc.h"
#include "netlink_gen.h"

/* netlink.c */
extern struct genl_family kturn_nl_family;
struct kturn_net *kturn_nl_net(struct net *net, struct netlink_ext_ack *extack);
int kturn_nl_need(struct genl_info *info, int attr);
struct kturn_alloc *kturn_nl_alloc(struct kturn_net *kn, struct genl_info *info,
				   int attr);

/* endpoint.c */
int kturn_nl_endpoint(const struct nlattr *attr, struct kturn_addr *addr,
		      struct netlink_ext_ack *extack);
int kturn_nl_peer_ip(const struct nlattr *attr, struct kturn_addr *addr,
		     struct netlink_ext_ack *extack);
int kturn_nl_put_endpoint(struct sk_buff *skb, int type,
			  const struct kturn_addr *addr);

/* fill.c */
/**
 * struct kturn_nl_msg - where a message goes that shows an entry
 * @skb: message buffer
 * @portid: addressee, 0 for notifications
 * @seq: request's sequence number, 0 for notifications
 * @flags: NLM_F_…
 * @cmd: KTURN_CMD_…
 * @gone: -1, or enum kturn_gone_reason
 */
struct kturn_nl_msg {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	u8 cmd;
	int gone;
};

int kturn_nl_fill_owner(const struct kturn_nl_msg *msg,
			const struct kturn_owner *owner, void **hdr);
int kturn_nl_fill_alloc(const struct kturn_nl_msg *msg,
			const struct kturn_alloc *alloc, void **hdr);
int kturn_nl_fill_perm(const struct kturn_nl_msg *msg,
		       const struct kturn_perm *perm, void **hdr);
int kturn_nl_fill_chan(const struct kturn_nl_msg *msg,
		       const struct kturn_chan *chan, void **hdr);
int kturn_nl_fill_stats(const struct kturn_nl_msg *msg,
			const struct kturn_net *kn);
int kturn_nl_fill_config(const struct kturn_nl_msg *msg,
			 const struct kturn_net *kn);

#endif /* _KTURN_NETLINK_H */
