/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _KTURN_COMPAT_NET_UDP_H
#define _KTURN_COMPAT_NET_UDP_H

#include_next <net/udp.h>

#ifndef KTURN_HAVE_UDP_LOOKUP_BY_NET
static inline struct udp_table *kturn_compat_udp_table(const struct net *net)
{
	/* Linux 6.2: namespaces may have a table of their own. */
#ifdef KTURN_HAVE_UDP_TABLE_PER_NET
	return net->ipv4.udp_table;
#else
	return &udp_table;
#endif
}

/* Linux 7: the namespace's table is no argument any more. */
static inline struct sock *
kturn_compat_udp4_lookup(struct net *net, __be32 saddr, __be16 sport,
			 __be32 daddr, __be16 dport, int dif, int sdif,
			 struct sk_buff *skb)
{
	return __udp4_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 kturn_compat_udp_table(net), skb);
}

static inline struct sock *
kturn_compat_udp6_lookup(struct net *net, const struct in6_addr *saddr,
			 __be16 sport, const struct in6_addr *daddr,
			 __be16 dport, int dif, int sdif, struct sk_buff *skb)
{
	return __udp6_lib_lookup(net, saddr, sport, daddr, dport, dif, sdif,
				 kturn_compat_udp_table(net), skb);
}

#define __udp4_lib_lookup	kturn_compat_udp4_lookup
#define __udp6_lib_lookup	kturn_compat_udp6_lookup
#endif

#endif /* _KTURN_COMPAT_NET_UDP_H */
