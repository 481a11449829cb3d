// SPDX-License-Identifier: GPL-2.0
/*
 * Ingress mode: packets are taken at the ingress of devices that the operator
 * names, before the IP stack has seen them.
 *
 * That is for what is relayed, and for nothing else: whatever is to be punted,
 * dropped or answered goes on untouched, and the hook at PRE_ROUTING meets it
 * again. What the IP stack checks before it calls that one is checked here.
 */
#include <linux/netfilter_netdev.h>
#include <linux/slab.h>
#include <net/addrconf.h>
#include <net/ip.h>
#include <net/ipv6.h>

#include "admit.h"
#include "ingress.h"
#include "packet.h"
#include "rewrite.h"
#include "table.h"

/* After the filters (0), which so see everything, and flowtables. */
#define KTURN_INGRESS_PRIORITY	100

/*
 * What a packet can become longer by: an indication around it that names an
 * IPv6 peer, and IPv6's header for IPv4's. Devices that can, leave room for it.
 */
#define KTURN_RX_HEADROOM	(48 + sizeof(struct ipv6hdr) - \
				 sizeof(struct iphdr))

/* Frames that belong to a bridge, a bond and so on, are handed to that next. */
static __always_inline bool kturn_is_port(const struct net_device *dev)
{
	return rcu_access_pointer(dev->rx_handler);
}

/*
 * Cut what is behind the packet: Ethernet frames have at least 46 bytes. Not
 * where somebody else may want it.
 */
static __always_inline bool kturn_trim(struct sk_buff *skb, unsigned int len,
				       unsigned int min)
{
	return likely(skb->len == len) ||
	       (len >= min && len < skb->len && !kturn_is_port(skb->dev) &&
		!kturn_link_odd(skb) && !pskb_trim_rcsum(skb, len));
}

/* As ip_rcv() does, but for options, which are left to that. */
static __always_inline bool kturn_ip4_valid(struct sk_buff *skb,
					    const struct kturn_net *kn)
{
	const struct iphdr *iph = (struct iphdr *)skb->data;

	if (skb_headlen(skb) < sizeof(*iph) + sizeof(struct udphdr) ||
	    iph->protocol != IPPROTO_UDP || *(u8 *)iph != 0x45 ||
	    !kturn_to_known_port(kn, skb, sizeof(*iph)))
		return false;
	return likely(!kturn_ip4_sum(iph)) &&
	       kturn_trim(skb, ntohs(iph->tot_len),
			  sizeof(*iph) + sizeof(struct udphdr));
}

/*
 * As ipv6_rcv() does, but for extension headers, which are left to that. What
 * it refuses of other sources, no entry can have.
 */
static __always_inline bool kturn_ip6_valid(struct sk_buff *skb,
					    const struct kturn_net *kn)
{
	const struct ipv6hdr *iph = (struct ipv6hdr *)skb->data;
	const struct inet6_dev *idev;

	if (skb_headlen(skb) < sizeof(*iph) + sizeof(struct udphdr) ||
	    iph->nexthdr != IPPROTO_UDP || iph->version != 6 ||
	    !kturn_to_known_port(kn, skb, sizeof(*iph)))
		return false;
	if (unlikely(ipv6_addr_loopback(&iph->saddr) ||
		     ipv6_addr_loopback(&iph->daddr)))
		return false;
	idev = __in6_dev_get(skb->dev);
	if (unlikely(!idev || READ_ONCE(idev->cnf.disable_ipv6)))
		return false;
	return kturn_trim(skb, sizeof(*iph) + ntohs(iph->payload_len),
			  sizeof(*iph) + sizeof(struct udphdr));
}

static unsigned int kturn_ingress(void *priv, struct sk_buff *skb,
				  const struct nf_hook_state *state)
{
	struct kturn_net *kn = priv;

	if (skb->protocol == htons(ETH_P_IP)) {
		if (kturn_ip4_valid(skb, kn) && !kturn_is_port(skb->dev))
			return kturn_fast4(skb, kn, kturn_l3mdev(skb->dev),
					   true);
	} else if (skb->protocol == htons(ETH_P_IPV6)) {
		if (kturn_ip6_valid(skb, kn) && !kturn_is_port(skb->dev))
			return kturn_fast6(skb, kn, kturn_l3mdev(skb->dev),
					   true);
	}
	return NF_ACCEPT;
}

/* ----------------------------------------------------------------- devices */

/**
 * kturn_ingress_find() - an attached device
 * @kn: namespace
 * @ifindex: its interface index
 *
 * Context: kturn_net.lock.
 * Return: NULL if it is not attached.
 */
struct kturn_device *kturn_ingress_find(struct kturn_net *kn, u32 ifindex)
{
	struct kturn_device *device;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(device, &kn->devices, link)
		if (device->dev->ifindex == ifindex)
			return device;
	return NULL;
}

static int kturn_ingress_check(struct net_device *dev,
			       struct netlink_ext_ack *extack)
{
	ASSERT_RTNL();
	if (dev->flags & IFF_LOOPBACK) {
		NL_SET_ERR_MSG(extack,
			       "what goes over the loopback device is not relayed in the kernel");
		return -EINVAL;
	}
	if (netif_is_l3_master(dev)) {
		NL_SET_ERR_MSG(extack, "the device is a VRF: attach its ports");
		return -EINVAL;
	}
	if (netdev_is_rx_handler_busy(dev)) {
		NL_SET_ERR_MSG(extack,
			       "the device is a port of a bridge, bond or the like: attach that");
		return -EINVAL;
	}
	return 0;
}

/* By interface index, because dumps go by it. */
static void kturn_ingress_insert(struct kturn_net *kn,
				 struct kturn_device *device)
{
	struct kturn_device *next;

	list_for_each_entry(next, &kn->devices, link)
		if (next->dev->ifindex > device->dev->ifindex)
			break;
	list_add_tail(&device->link, &next->link);
}

static int kturn_ingress_hook(struct kturn_net *kn, struct kturn_device *device)
{
	int err = nf_register_net_hook(kn->net, &device->ops);

	device->hooked = !err;
	return err;
}

static void kturn_ingress_unhook(struct kturn_net *kn,
				 struct kturn_device *device)
{
	if (device->hooked)
		nf_unregister_net_hook(kn->net, &device->ops);
	device->hooked = false;
}

/**
 * kturn_ingress_attach() - take packets at a device's ingress
 * @kn: namespace
 * @ifindex: its interface index
 * @extack: for the refusal
 *
 * Context: may sleep; RTNL, kturn_net.lock.
 * Return: 0; -ENODEV: no such device; -EEXIST: is attached; -EINVAL: can't be;
 * -ENOMEM and its like.
 */
int kturn_ingress_attach(struct kturn_net *kn, u32 ifindex,
			 struct netlink_ext_ack *extack)
{
	struct kturn_device *device;
	struct net_device *dev;
	int err;

	lockdep_assert_held(&kn->lock);
	if (!IS_ENABLED(CONFIG_NETFILTER_INGRESS)) {
		NL_SET_ERR_MSG(extack,
			       "the kernel has no ingress hooks (CONFIG_NETFILTER_INGRESS)");
		return -EOPNOTSUPP;
	}
	dev = __dev_get_by_index(kn->net, ifindex);
	if (!dev || dev->reg_state != NETREG_REGISTERED) {
		NL_SET_ERR_MSG(extack, "no such device");
		return -ENODEV;
	}
	if (kturn_ingress_find(kn, ifindex)) {
		NL_SET_ERR_MSG(extack, "the device is attached");
		return -EEXIST;
	}
	err = kturn_ingress_check(dev, extack);
	if (err)
		return err;
	device = kzalloc(sizeof(*device), GFP_KERNEL_ACCOUNT);
	if (!device) {
		NL_SET_ERR_MSG(extack, "no memory for the device");
		return -ENOMEM;
	}
	device->dev = dev;
	device->ops = (struct nf_hook_ops) {
		.hook = kturn_ingress,
		.dev = dev,
		.priv = kn,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_INGRESS,
		.priority = KTURN_INGRESS_PRIORITY,
	};
	if (kn->hooks) {
		err = kturn_ingress_hook(kn, device);
		if (err) {
			NL_SET_ERR_MSG(extack,
				       "can't register the device's hook");
			kfree(device);
			return err;
		}
	}
	netdev_hold(dev, &device->tracker, GFP_KERNEL);
	netdev_set_rx_headroom(dev, KTURN_RX_HEADROOM);
	kturn_ingress_insert(kn, device);
	kn->gen++;
	return 0;
}

/**
 * kturn_ingress_detach() - leave a device's packets to the stack again
 * @kn: namespace
 * @device: attached device, which is freed
 *
 * Its hook may still be running when this returns.
 *
 * Context: may sleep; RTNL, kturn_net.lock.
 */
void kturn_ingress_detach(struct kturn_net *kn, struct kturn_device *device)
{
	ASSERT_RTNL();
	lockdep_assert_held(&kn->lock);
	kturn_ingress_unhook(kn, device);
	netdev_reset_rx_headroom(device->dev);
	netdev_put(device->dev, &device->tracker);
	list_del(&device->link);
	kn->gen++;
	kfree_rcu(device, rcu);
}

/**
 * kturn_ingress_detach_all() - detach all devices
 * @kn: namespace, in which nobody can attach one any more
 *
 * Context: may sleep; takes RTNL and kturn_net.lock.
 */
void kturn_ingress_detach_all(struct kturn_net *kn)
{
	struct kturn_device *device, *next;

	if (list_empty(&kn->devices))
		return;
	rtnl_lock();
	mutex_lock(&kn->lock);
	list_for_each_entry_safe(device, next, &kn->devices, link)
		kturn_ingress_detach(kn, device);
	mutex_unlock(&kn->lock);
	rtnl_unlock();
}

/**
 * kturn_ingress_get() - register the hooks of attached devices
 * @kn: namespace whose other hooks are registered
 *
 * What comes in by a device whose hook can't be, is met at PRE_ROUTING.
 *
 * Context: may sleep; kturn_net.lock.
 */
void kturn_ingress_get(struct kturn_net *kn)
{
	struct kturn_device *device;
	int err;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(device, &kn->devices, link) {
		err = kturn_ingress_hook(kn, device);
		if (err)
			netdev_warn(device->dev,
				    "kturn: can't register the ingress hook: %d\n",
				    err);
	}
}

/** kturn_ingress_release() - unregister them; they may still be running */
void kturn_ingress_release(struct kturn_net *kn)
{
	struct kturn_device *device;

	lockdep_assert_held(&kn->lock);
	list_for_each_entry(device, &kn->devices, link)
		kturn_ingress_unhook(kn, device);
}

/*
 * A device goes, or moves to another namespace; or it goes down, and IPv6 keeps
 * its addresses, but not as usable ones, and tells nobody.
 */
static int kturn_ingress_event(struct notifier_block *nb, unsigned long event,
			       void *ptr)
{
	struct net_device *dev = netdev_notifier_info_to_dev(ptr);
	struct kturn_device *device;
	struct kturn_net *kn;

	kn = kturn_pernet(dev_net(dev));
	if (event == NETDEV_DOWN)
		WRITE_ONCE(kn->downs, kn->downs + 1);
	if (event != NETDEV_UNREGISTER)
		return NOTIFY_DONE;
	/* RTNL keeps it as it is. */
	if (list_empty(&kn->devices))
		return NOTIFY_DONE;
	mutex_lock(&kn->lock);
	device = kturn_ingress_find(kn, dev->ifindex);
	if (device)
		kturn_ingress_detach(kn, device);
	mutex_unlock(&kn->lock);
	return NOTIFY_DONE;
}

static struct notifier_block kturn_ingress_notifier = {
	.notifier_call = kturn_ingress_event,
	/* After IPv6's. */
	.priority = INT_MIN,
};

/** kturn_ingress_init() - notice when devices go; 0 or a negative errno */
int __init kturn_ingress_init(void)
{
	return register_netdevice_notifier(&kturn_ingress_notifier);
}

/** kturn_ingress_exit() - detaches what is attached in all namespaces */
void kturn_ingress_exit(void)
{
	unregister_netdevice_notifier(&kturn_ingress_notifier);
}
