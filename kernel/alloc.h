/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_ALLOC_H
#define _KTURN_ALLOC_H

#include "kturn.h"
#include "quota.h"

/**
 * struct kturn_alloc_request - an allocation to be made
 * @tuple: 5-tuple, checked
 * @relay: relayed addresses, checked; family KTURN_FAMILY_NONE for none
 * @owner: or NULL
 * @lifetime_ms: at least 1
 * @flags: KTURN_ALLOC_FLAGS_…
 * @rate: by direction, complete
 * @quota: @n_quotas of them, none twice
 * @n_quotas: how many
 * @label: attribute or NULL
 * @owner_data: attribute or NULL
 */
struct kturn_alloc_request {
	struct kturn_tuple tuple;
	struct kturn_addr relay[2];
	struct kturn_owner *owner;
	u32 lifetime_ms;
	u32 flags;
	struct kturn_rate rate[KTURN_DIRS];
	struct kturn_quota_request quota[KTURN_QUOTAS_MAX];
	unsigned int n_quotas;
	const struct nlattr *label;
	const struct nlattr *owner_data;
};

int kturn_alloc_set_label(struct kturn_alloc *alloc, const struct nlattr *label,
			  struct netlink_ext_ack *extack);
int kturn_alloc_set_data(struct kturn_alloc *alloc, const struct nlattr *data,
			 struct netlink_ext_ack *extack);

#endif /* _KTURN_ALLOC_H */
