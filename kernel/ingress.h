/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_INGRESS_H
#define _KTURN_INGRESS_H

#include <linux/netdevice.h>

#include "kturn.h"

/**
 * struct kturn_device - a device at whose ingress packets are taken
 * @link: in kturn_net.devices
 * @dev: the device; a reference is held
 * @tracker: of the reference
 * @ops: its hook, registered while kturn_net.hooks
 * @hooked: it is
 * @rcu: for freeing
 */
struct kturn_device {
	struct list_head link;
	struct net_device *dev;
	netdevice_tracker tracker;
	struct nf_hook_ops ops;
	bool hooked;
	struct rcu_head rcu;
};

/* ingress.c */
int kturn_ingress_init(void);
void kturn_ingress_exit(void);
struct kturn_device *kturn_ingress_find(struct kturn_net *kn, u32 ifindex);
int kturn_ingress_attach(struct kturn_net *kn, u32 ifindex,
			 struct netlink_ext_ack *extack);
void kturn_ingress_detach(struct kturn_net *kn, struct kturn_device *device);
void kturn_ingress_detach_all(struct kturn_net *kn);
void kturn_ingress_get(struct kturn_net *kn);
void kturn_ingress_release(struct kturn_net *kn);

#endif /* _KTURN_INGRESS_H */
