// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: hand packets to the relay, and accept whatever it does
 * not want.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

#include "relay.h"

/*
 * After raw, where packets can be excepted from everything; before conntrack,
 * because relay traffic needs no entries there.
 */
#define KTURN_HOOK_PRIORITY	(NF_IP_PRI_RAW + 50)

/* The key is the VRF's, whichever of its ports the packet took. */
static u32 kturn_l3mdev(const struct nf_hook_state *state)
{
	return l3mdev_master_ifindex_rcu(state->in);
}

static unsigned int kturn_hook(struct sk_buff *skb,
			       const struct nf_hook_state *state, u8 family)
{
	u8 buf[KTURN_PEEK] __aligned(4);
	struct kturn_packet pkt;

	if (!kturn_packet_read(&pkt, skb, kturn_pernet(state->net),
			       kturn_l3mdev(state), family, buf))
		return NF_ACCEPT;
	if (unlikely(skb_is_gso(skb)))
		return kturn_relay_segments(&pkt);
	return kturn_relay(&pkt);
}

static unsigned int kturn_hook4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	/*
	 * What came in through a VRF's port was looked at there, where input
	 * routing looks at the source; the VRF device would allow any port's.
	 */
	if (ipv4_l3mdev_skb(IPCB(skb)->flags))
		return NF_ACCEPT;
	if (ip_hdr(skb)->protocol == IPPROTO_ICMP) {
		kturn_icmp4(skb, kturn_pernet(state->net), kturn_l3mdev(state));
		return NF_ACCEPT;
	}
	return kturn_hook(skb, state, KTURN_FAMILY_V4);
}

static unsigned int kturn_hook6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	/* As above. */
	if (ipv6_l3mdev_skb(IP6CB(skb)->flags))
		return NF_ACCEPT;
	if (ipv6_hdr(skb)->nexthdr == IPPROTO_ICMPV6) {
		kturn_icmp6(skb, kturn_pernet(state->net), kturn_l3mdev(state));
		return NF_ACCEPT;
	}
	return kturn_hook(skb, state, KTURN_FAMILY_V6);
}

static const struct nf_hook_ops kturn_hook_ops[] = {
	{
		.hook = kturn_hook4,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = KTURN_HOOK_PRIORITY,
	},
	{
		.hook = kturn_hook6,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_PRE_ROUTING,
		.priority = KTURN_HOOK_PRIORITY,
	},
};

/**
 * kturn_hooks_get() - see to it that the hooks are registered
 * @kn: namespace
 *
 * Context: may sleep; kturn_net.lock.
 * Return: 0 or a negative errno.
 */
int kturn_hooks_get(struct kturn_net *kn)
{
	int err;

	lockdep_assert_held(&kn->lock);
	if (kn->hooks)
		return 0;
	err = nf_register_net_hooks(kn->net, kturn_hook_ops,
				    ARRAY_SIZE(kturn_hook_ops));
	if (!err)
		kn->hooks = true;
	return err;
}

/**
 * kturn_hooks_release() - unregister the hooks
 * @kn: namespace; nothing in it needs them any more
 *
 * They may still be running when this returns.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_hooks_release(struct kturn_net *kn)
{
	lockdep_assert_held(&kn->lock);
	if (!kn->hooks)
		return;
	nf_unregister_net_hooks(kn->net, kturn_hook_ops,
				ARRAY_SIZE(kturn_hook_ops));
	kn->hooks = false;
}
