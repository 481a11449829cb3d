// SPDX-License-Identifier: GPL-2.0
/* Tell who listens that an entry goes, while it is still there. */
#include <linux/rwsem.h>
#include <linux/rtnetlink.h>

#include "netlink.h"

/* A message that shows any entry fits; a quota takes 120 bytes at most. */
#define KTURN_NOTIFY_SIZE	(KTURN_OWNER_DATA_MAX + 896 + \
				 128 * KTURN_QUOTAS_MAX)

/* Written without a lock; readers hold kturn_net.lock of their namespace. */
static bool kturn_notify_on;

/** kturn_notify_start() - the family is registered: its group can be used */
void kturn_notify_start(void)
{
	WRITE_ONCE(kturn_notify_on, true);
}

/**
 * kturn_notify_stop() - nobody uses the group any more when it returns
 *
 * The group's number may belong to another family after unregistering, while
 * expiry in the namespaces goes on.
 *
 * Context: may sleep; no kturn_net.lock.
 */
void kturn_notify_stop(void)
{
	struct net *net;

	WRITE_ONCE(kturn_notify_on, false);
	down_read(&net_rwsem);
	for_each_net(net) {
		struct kturn_net *kn = kturn_pernet(net);

		mutex_lock(&kn->lock);
		mutex_unlock(&kn->lock);
	}
	up_read(&net_rwsem);
}

/* A listener that is told nothing must at least know that it missed it. */
static void kturn_notify_lost(struct kturn_net *kn)
{
	genl_set_err(&kturn_nl_family, kn->net, 0, KTURN_NLGRP_EVENTS,
		     -ENOBUFS);
}

static struct sk_buff *kturn_notify_begin(struct kturn_net *kn)
{
	struct sk_buff *skb;

	lockdep_assert_held(&kn->lock);
	if (!READ_ONCE(kturn_notify_on) ||
	    !genl_has_listeners(&kturn_nl_family, kn->net, KTURN_NLGRP_EVENTS))
		return NULL;
	skb = genlmsg_new(KTURN_NOTIFY_SIZE, GFP_KERNEL);
	if (!skb)
		kturn_notify_lost(kn);
	return skb;
}

static void kturn_notify_send(struct kturn_net *kn, struct sk_buff *skb,
			      int err)
{
	if (WARN_ON_ONCE(err)) {
		nlmsg_free(skb);
		kturn_notify_lost(kn);
		return;
	}
	genlmsg_multicast_netns(&kturn_nl_family, kn->net, skb, 0,
				KTURN_NLGRP_EVENTS, GFP_KERNEL);
}

/**
 * kturn_notify() - an entry goes
 * @kn: namespace
 * @kind: of entry
 * @entry: entry, still complete
 * @reason: why
 *
 * The permissions and channels of an allocation go with it without a word.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_notify(struct kturn_net *kn, const struct kturn_nl_kind *kind,
		  const void *entry, enum kturn_gone_reason reason)
{
	struct kturn_nl_msg msg = { .skb = kturn_notify_begin(kn) };

	if (msg.skb)
		kturn_notify_send(kn, msg.skb,
				  kturn_nl_show_gone(&msg, kind, entry,
						     reason));
}

/** kturn_notify_alloc() - an allocation goes; see kturn_notify() */
void kturn_notify_alloc(struct kturn_net *kn, const struct kturn_alloc *alloc,
			enum kturn_gone_reason reason)
{
	kturn_notify(kn, &kturn_nl_alloc_kind, alloc, reason);
}

/** kturn_notify_perm() - a permission goes; see kturn_notify() */
void kturn_notify_perm(struct kturn_net *kn, const struct kturn_perm *perm,
		       enum kturn_gone_reason reason)
{
	kturn_notify(kn, &kturn_nl_perm_kind, perm, reason);
}

/** kturn_notify_chan() - a channel goes; see kturn_notify() */
void kturn_notify_chan(struct kturn_net *kn, const struct kturn_chan *chan,
		       enum kturn_gone_reason reason)
{
	kturn_notify(kn, &kturn_nl_chan_kind, chan, reason);
}
