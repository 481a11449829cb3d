// SPDX-License-Identifier: GPL-2.0
/* Requests about devices at whose ingress packets are taken. */
#include <linux/rtnetlink.h>

#include "ingress.h"
#include "netlink.h"

static void *kturn_nl_device_find(struct kturn_net *kn, struct genl_info *info)
{
	struct nlattr *attr = info->attrs[KTURN_A_DEVICE_IFINDEX];
	struct kturn_device *device;
	int err;

	err = kturn_nl_need(info, KTURN_A_DEVICE_IFINDEX);
	if (err)
		return ERR_PTR(err);
	device = kturn_ingress_find(kn, nla_get_u32(attr));
	if (!device) {
		NL_SET_ERR_MSG_ATTR(info->extack, attr,
				    "no such device is attached");
		return ERR_PTR(-ENOENT);
	}
	return device;
}

/* It may be renamed meanwhile; the copy ends in any case. */
static int kturn_nl_device_put(struct sk_buff *skb, const void *entry)
{
	const struct kturn_device *device = entry;
	char name[IFNAMSIZ];

	strscpy(name, device->dev->name, sizeof(name));
	return nla_put_u32(skb, KTURN_A_DEVICE_IFINDEX,
			   device->dev->ifindex) ||
	       nla_put_string(skb, KTURN_A_DEVICE_IFNAME, name);
}

static const struct kturn_nl_kind kturn_nl_device_kind = {
	.cmd = KTURN_CMD_DEVICE_GET,
	.find = kturn_nl_device_find,
	.put = kturn_nl_device_put,
};

int kturn_nl_device_attach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_net *kn;
	int err;

	err = kturn_nl_need(info, KTURN_A_DEVICE_IFINDEX);
	if (err)
		return err;
	rtnl_lock();
	kn = kturn_nl_lock(info);
	if (IS_ERR(kn)) {
		err = PTR_ERR(kn);
	} else {
		u32 ifindex = nla_get_u32(info->attrs[KTURN_A_DEVICE_IFINDEX]);

		err = kturn_ingress_attach(kn, ifindex, info->extack);
		kturn_nl_unlock(kn, err);
	}
	rtnl_unlock();
	return err;
}

int kturn_nl_device_detach_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct kturn_device *device;
	struct kturn_net *kn;
	int err = 0;

	rtnl_lock();
	kn = kturn_nl_lock(info);
	if (IS_ERR(kn)) {
		err = PTR_ERR(kn);
	} else {
		device = kturn_nl_device_find(kn, info);
		if (IS_ERR(device))
			err = PTR_ERR(device);
		else
			kturn_ingress_detach(kn, device);
		kturn_nl_unlock(kn, err);
	}
	rtnl_unlock();
	return err;
}

int kturn_nl_device_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return kturn_nl_get(info, &kturn_nl_device_kind);
}

int kturn_nl_device_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb)
{
	struct kturn_device *device;
	struct kturn_dump dump;
	int err;

	err = kturn_dump_begin(&dump, skb, cb, &kturn_nl_device_kind);
	if (err)
		return err;
	list_for_each_entry(device, &dump.kn->devices, link) {
		if (device->dev->ifindex < dump.id)
			continue;
		err = kturn_dump_show(&dump, device, device->dev->ifindex);
		if (err)
			break;
	}
	return kturn_dump_end(&dump, err);
}
