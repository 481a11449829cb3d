/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_NETLINK_H
#define _KTURN_NETLINK_H

#include "alloc.h"
#include "netlink_gen.h"

/**
 * struct kturn_nl_kind - a kind of entry, as requests and messages see it
 * @cmd: shows one of them, KTURN_CMD_…_GET
 * @gone_cmd: tells that one goes, or 0
 * @gone_attr: attribute with enum kturn_gone_reason, if there is @gone_cmd
 * @find: the entry that a request names, or an error pointer; under
 *	kturn_net.lock
 * @put: write its attributes; 0, or anything else when they do not fit
 * @remove: take it away, or NULL when no request can
 */
struct kturn_nl_kind {
	u8 cmd;
	u8 gone_cmd;
	int gone_attr;
	void *(*find)(struct kturn_net *kn, struct genl_info *info);
	int (*put)(struct sk_buff *skb, const void *entry);
	void (*remove)(struct kturn_net *kn, void *entry);
};

/* One for each file nl_*.c, but nl_net.c, which nothing else needs. */
extern const struct kturn_nl_kind kturn_nl_owner_kind;
extern const struct kturn_nl_kind kturn_nl_alloc_kind;
extern const struct kturn_nl_kind kturn_nl_perm_kind;
extern const struct kturn_nl_kind kturn_nl_chan_kind;

/* netlink.c */
extern struct genl_family kturn_nl_family;
struct kturn_net *kturn_nl_net(struct net *net, struct netlink_ext_ack *extack);
struct kturn_net *kturn_nl_lock(struct genl_info *info);
int kturn_nl_unlock(struct kturn_net *kn, int err);
int kturn_nl_need(struct genl_info *info, int attr);
int kturn_nl_reply(struct genl_info *info, const struct kturn_nl_kind *kind,
		   const void *entry);
int kturn_nl_get(struct genl_info *info, const struct kturn_nl_kind *kind);
int kturn_nl_del(struct genl_info *info, const struct kturn_nl_kind *kind);

/* nl_alloc.c */
struct kturn_alloc *kturn_nl_alloc(struct kturn_net *kn, struct genl_info *info,
				   int attr);

/* nl_limit.c */
struct kturn_limit;
int kturn_nl_rate(const struct nlattr *attr, struct kturn_rate *rate,
		  struct netlink_ext_ack *extack);
int kturn_nl_put_limit(struct sk_buff *skb, int type,
		       const struct kturn_limit *limit);
int kturn_nl_net_rates(struct genl_info *info, struct kturn_net *kn);
int kturn_nl_put_net_rates(struct sk_buff *skb, const struct kturn_net *kn);

/* nl_quota.c */
int kturn_nl_quotas(struct genl_info *info, struct kturn_alloc_request *req);
void kturn_nl_quotas_free(struct kturn_alloc_request *req);
int kturn_nl_put_quotas(struct sk_buff *skb, const struct kturn_alloc *alloc);

/* endpoint.c */
int kturn_nl_endpoint(const struct nlattr *attr, struct kturn_addr *addr,
		      struct netlink_ext_ack *extack);
int kturn_nl_peer_ip(const struct nlattr *attr, struct kturn_addr *addr,
		     struct netlink_ext_ack *extack);
int kturn_nl_put_endpoint(struct sk_buff *skb, int type,
			  const struct kturn_addr *addr);

/* dump.c */

/**
 * struct kturn_dump - a dump, while it fills one buffer
 * @skb: buffer
 * @cb: what is kept from one buffer to the next
 * @kn: namespace, with its lock held
 * @kind: what is shown
 * @now: the time
 * @id: the next allocation or owner
 * @index: how many entries of that allocation were dealt with
 * @seen: how many of them went by
 * @steps: allocations that were looked at
 */
struct kturn_dump {
	struct sk_buff *skb;
	struct netlink_callback *cb;
	struct kturn_net *kn;
	const struct kturn_nl_kind *kind;
	u64 now;
	unsigned long id;
	unsigned long index;
	unsigned long seen;
	unsigned int steps;
};

int kturn_dump_begin(struct kturn_dump *dump, struct sk_buff *skb,
		     struct netlink_callback *cb,
		     const struct kturn_nl_kind *kind);
int kturn_dump_end(struct kturn_dump *dump, int err);
u32 kturn_dump_u32(struct netlink_callback *cb, int attr);
void kturn_dump_step(struct kturn_dump *dump);
int kturn_dump_show(struct kturn_dump *dump, const void *entry,
		    unsigned long id);
int kturn_dump_show_next(struct kturn_dump *dump, const void *entry,
			 const u64 *expires);
int kturn_dump_allocs(struct sk_buff *skb, struct netlink_callback *cb,
		      const struct kturn_nl_kind *kind, int alloc_attr,
		      int (*each)(struct kturn_dump *dump,
				  const struct kturn_alloc *alloc));

/* message.c */

/**
 * struct kturn_nl_msg - a message that shows an entry
 * @skb: where it goes
 * @portid: addressee, 0 for notifications
 * @seq: request's sequence number, 0 for notifications
 * @flags: NLM_F_…
 * @cb: the dump that it is part of, or NULL
 */
struct kturn_nl_msg {
	struct sk_buff *skb;
	u32 portid;
	u32 seq;
	int flags;
	struct netlink_callback *cb;
};

int kturn_nl_show(const struct kturn_nl_msg *msg,
		  const struct kturn_nl_kind *kind, const void *entry);
int kturn_nl_show_gone(const struct kturn_nl_msg *msg,
		       const struct kturn_nl_kind *kind, const void *entry,
		       enum kturn_gone_reason reason);
int kturn_nl_put_count(struct sk_buff *skb, int type,
		       const struct kturn_count *count);

#endif /* _KTURN_NETLINK_H */
