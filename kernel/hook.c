// SPDX-License-Identifier: GPL-2.0
/*
 * The netfilter hooks: hand packets to the relay, and accept whatever it does
 * not want.
 */
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

#include "ingress.h"
#include "packet.h"
#include "table.h"

/*
 * After raw, where packets can be excepted from everything; before conntrack,
 * because relay traffic needs no entries there.
 */
#define KTURN_HOOK_PRIORITY	(NF_IP_PRI_RAW + 50)

/*
 * What comes in more rarely: ICMP, and packets that were queued to userspace,
 * which come back with BH enabled.
 */
static noinline unsigned int kturn_take(struct sk_buff *skb,
					struct kturn_net *kn,
					const struct net_device *in, u8 family)
{
	bool v4 = family == KTURN_FAMILY_V4;
	bool udp = (v4 ? ip_hdr(skb)->protocol : ipv6_hdr(skb)->nexthdr) ==
		   IPPROTO_UDP;
	u32 l3mdev = kturn_l3mdev(in);
	unsigned int verdict = NF_ACCEPT;

	local_bh_disable();
	if (udp)
		verdict = kturn_relay(skb, kn, l3mdev, family, false);
	else if (v4)
		kturn_icmp4(skb, kn, l3mdev);
	else
		kturn_icmp6(skb, kn, l3mdev);
	local_bh_enable();
	return verdict;
}

/*
 * What came in through a VRF's port was looked at there, where input routing
 * looks at the source; the VRF device would allow any port's.
 */
static unsigned int kturn_hook4(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	const struct iphdr *iph = ip_hdr(skb);
	struct kturn_net *kn = priv;
	u8 protocol = iph->protocol;

	if (protocol == IPPROTO_UDP) {
		if (!kturn_to_known_port(kn, skb, iph->ihl * 4))
			return NF_ACCEPT;
	} else if (protocol != IPPROTO_ICMP) {
		return NF_ACCEPT;
	}
	if (unlikely(ipv4_l3mdev_skb(IPCB(skb)->flags)))
		return NF_ACCEPT;
	if (likely(protocol == IPPROTO_UDP && iph->ihl == 5 && in_softirq()))
		return kturn_fast4(skb, kn, kturn_l3mdev(state->in),
				   false);
	return kturn_take(skb, kn, state->in, KTURN_FAMILY_V4);
}

static unsigned int kturn_hook6(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	const struct ipv6hdr *iph = ipv6_hdr(skb);
	struct kturn_net *kn = priv;
	u8 protocol = iph->nexthdr;

	if (protocol == IPPROTO_UDP) {
		if (!kturn_to_known_port(kn, skb, sizeof(*iph)))
			return NF_ACCEPT;
	} else if (protocol != IPPROTO_ICMPV6) {
		return NF_ACCEPT;
	}
	if (unlikely(ipv6_l3mdev_skb(IP6CB(skb)->flags)))
		return NF_ACCEPT;
	if (likely(protocol == IPPROTO_UDP && in_softirq()))
		return kturn_fast6(skb, kn, kturn_l3mdev(state->in),
				   false);
	return kturn_take(skb, kn, state->in, KTURN_FAMILY_V6);
}

static const struct nf_hook_ops kturn_hook_ops[KTURN_FAMILIES] = {
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

/** kturn_hooks_init() - a namespace's hooks, not registered yet */
void kturn_hooks_init(struct kturn_net *kn)
{
	int i;

	memcpy(kn->hook_ops, kturn_hook_ops, sizeof(kn->hook_ops));
	for (i = 0; i < ARRAY_SIZE(kn->hook_ops); i++)
		kn->hook_ops[i].priv = kn;
}

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
	err = nf_register_net_hooks(kn->net, kn->hook_ops,
				    ARRAY_SIZE(kn->hook_ops));
	if (err)
		return err;
	kturn_ingress_get(kn);
	kn->hooks = true;
	return 0;
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
	kturn_ingress_release(kn);
	nf_unregister_net_hooks(kn->net, kn->hook_ops,
				ARRAY_SIZE(kn->hook_ops));
	kn->hooks = false;
}
