// SPDX-License-Identifier: GPL-2.0-or-later
/* The host's own addresses; see local.h. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <stddef.h>
#include <stdlib.h>

#include <array_size.h>
#include "local.h"

/**
 * struct local - what follows the routes
 * @ask: for dumps
 * @hear: for notifications
 * @changed: one came
 */
struct local {
	struct nl_sock *ask;
	struct nl_sock *hear;
	bool changed;
};

/* ------------------------------------------------------------------ routes */

/*
 * A router may have a million routes that change all day: let only local,
 * anycast and broadcast ones through. Netlink's numbers are in host byte
 * order, but these are bytes.
 */
static int attach_filter(int fd)
{
	const unsigned int type = NLMSG_HDRLEN +
		offsetof(struct rtmsg, rtm_type);
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, type),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_LOCAL, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_ANYCAST, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RTN_BROADCAST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(code),
		.filter = code,
	};

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog,
			  sizeof(prog));
}

static int on_change(struct nl_msg *msg, void *arg)
{
	struct local *l = arg;

	l->changed = true;
	return NL_OK;
}

static int errno_of(int nl_error)
{
	switch (nl_error < 0 ? -nl_error : nl_error) {
	case NLE_NOMEM:
		return -ENOMEM;
	case NLE_PERM:
		return -EPERM;
	case NLE_AF_NOSUPPORT:
		return -EAFNOSUPPORT;
	case NLE_DUMP_INTR:
		return -EINTR;
	default:
		return -EIO;
	}
}

static int open_hear(struct local *l)
{
	int ret;

	nl_socket_disable_seq_check(l->hear);
	ret = nl_socket_modify_cb(l->hear, NL_CB_VALID, NL_CB_CUSTOM,
				  on_change, l);
	if (!ret)
		ret = nl_connect(l->hear, NETLINK_ROUTE);
	if (ret)
		return errno_of(ret);
	if (attach_filter(nl_socket_get_fd(l->hear)))
		return -errno;
	ret = nl_socket_set_nonblocking(l->hear);
	if (!ret)
		ret = nl_socket_add_memberships(l->hear, RTNLGRP_IPV4_ROUTE,
						RTNLGRP_IPV6_ROUTE, 0);
	return ret ? errno_of(ret) : 0;
}

int local_open(struct local **result)
{
	struct local *l = calloc(1, sizeof(*l));
	int ret = -ENOMEM, on = 1;

	*result = NULL;
	if (!l)
		return -ENOMEM;
	l->ask = nl_socket_alloc();
	l->hear = nl_socket_alloc();
	if (!l->ask || !l->hear)
		goto close;
	ret = nl_connect(l->ask, NETLINK_ROUTE);
	if (!ret) {
		/* The kernel then sends only the type that is asked for; one
		 * that can't sends everything, which is right but slow.
		 */
		setsockopt(nl_socket_get_fd(l->ask), SOL_NETLINK,
			   NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	}
	ret = ret ? errno_of(ret) : open_hear(l);
	if (ret)
		goto close;
	*result = l;
	return 0;
close:
	local_close(l);
	return ret;
}

void local_close(struct local *l)
{
	if (!l)
		return;
	nl_socket_free(l->ask);
	nl_socket_free(l->hear);
	free(l);
}

int local_fd(const struct local *l)
{
	return nl_socket_get_fd(l->hear);
}

bool local_changed(struct local *l)
{
	bool changed;
	int ret;

	do {
		ret = nl_recvmsgs_default(l->hear);
		/* Notifications were lost: something changed. */
		if (ret == -NLE_NOMEM)
			l->changed = true;
	} while (!ret || ret == -NLE_NOMEM);
	changed = l->changed;
	l->changed = false;
	return changed;
}

/* --------------------------------------------------------------- snapshots */

/* What a dump is about, and what it brought. */
struct collection {
	unsigned char type;
	struct prefix *v;
	size_t n;
	bool failed;
};

static void collect(struct collection *c, const struct rtmsg *rtm,
		    struct nlattr *dst)
{
	uint8_t family = rtm->rtm_family == AF_INET ? KTURN_FAMILY_V4 :
						      KTURN_FAMILY_V6;
	struct prefix *bigger;
	size_t len;

	bigger = reallocarray(c->v, c->n + 1, sizeof(*c->v));
	if (!bigger) {
		c->failed = true;
		return;
	}
	c->v = bigger;
	bigger += c->n++;
	memset(bigger, 0, sizeof(*bigger));
	bigger->family = family;
	bigger->len = rtm->rtm_dst_len;
	if (dst) {
		len = (size_t)nla_len(dst);
		if (len > kturn_addr_len(family))
			len = kturn_addr_len(family);
		memcpy(bigger->ip, nla_data(dst), len);
	}
}

static int on_route(struct nl_msg *msg, void *arg)
{
	struct nlmsghdr *hdr = nlmsg_hdr(msg);
	struct nlattr *attrs[RTA_MAX + 1];
	struct collection *c = arg;
	struct rtmsg *rtm;

	if (hdr->nlmsg_type != RTM_NEWROUTE ||
	    nlmsg_parse(hdr, sizeof(*rtm), attrs, RTA_MAX, NULL))
		return NL_OK;
	rtm = nlmsg_data(hdr);
	if ((rtm->rtm_family == AF_INET || rtm->rtm_family == AF_INET6) &&
	    rtm->rtm_type == c->type)
		collect(c, rtm, attrs[RTA_DST]);
	return NL_OK;
}

static int dump_routes(struct local *l, int af, struct collection *c)
{
	struct rtmsg rtm = { .rtm_family = (unsigned char)af,
			     .rtm_type = c->type };
	int ret;

	ret = nl_socket_modify_cb(l->ask, NL_CB_VALID, NL_CB_CUSTOM, on_route,
				  c);
	if (!ret)
		ret = nl_send_simple(l->ask, RTM_GETROUTE, NLM_F_DUMP, &rtm,
				     sizeof(rtm));
	if (ret >= 0)
		ret = nl_recvmsgs_default(l->ask);
	if (ret < 0)
		return errno_of(ret);
	return c->failed ? -ENOMEM : 0;
}

static int dump_type(struct local *l, unsigned char type,
		     struct collection *c)
{
	int ret;

	c->type = type;
	ret = dump_routes(l, AF_INET, c);
	if (!ret)
		ret = dump_routes(l, AF_INET6, c);
	/* There is no IPv6 in this kernel. */
	return ret == -EAFNOSUPPORT ? 0 : ret;
}

static bool is_host(const struct prefix *p)
{
	return p->len == 8 * kturn_addr_len(p->family);
}

/* Single addresses before prefixes. */
static int compare(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;

	if (is_host(x) != is_host(y))
		return is_host(x) ? -1 : 1;
	if (x->family != y->family)
		return x->family < y->family ? -1 : 1;
	return memcmp(x->ip, y->ip, sizeof(x->ip));
}

static struct local_set *make_set(const struct collection *local,
				  const struct collection *broadcast)
{
	size_t size = sizeof(struct prefix);
	struct local_set *set;

	set = malloc(sizeof(*set) + (local->n + broadcast->n) * size);
	if (!set)
		return NULL;
	set->refs = 1;
	set->n = local->n;
	set->n_broadcast = broadcast->n;
	if (local->n)
		memcpy(set->v, local->v, local->n * size);
	if (broadcast->n)
		memcpy(set->v + set->n, broadcast->v, broadcast->n * size);
	qsort(set->v, set->n, size, compare);
	qsort(set->v + set->n, set->n_broadcast, size, compare);
	return set;
}

static int take_snapshot(struct local *l, struct local_set **set)
{
	struct collection local = { 0 }, broadcast = { 0 };
	int ret;

	ret = dump_type(l, RTN_LOCAL, &local);
	if (!ret)
		ret = dump_type(l, RTN_ANYCAST, &local);
	if (!ret)
		ret = dump_type(l, RTN_BROADCAST, &broadcast);
	if (!ret) {
		*set = make_set(&local, &broadcast);
		ret = *set ? 0 : -ENOMEM;
	}
	free(local.v);
	free(broadcast.v);
	return ret;
}

struct local_set *local_snapshot(struct local *l)
{
	struct local_set *set = NULL;
	int ret, tries = 0;

	do
		ret = take_snapshot(l, &set);
	while (ret == -EINTR && ++tries < 10);
	if (ret)
		errno = -ret;
	return set;
}

struct local_set *local_get(struct local_set *set)
{
	__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	return set;
}

void local_put(struct local_set *set)
{
	if (set && !__atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		free(set);
}

static bool find(const struct prefix *v, size_t n,
		 const struct kturn_addr *addr)
{
	struct prefix key = { .family = addr->family };

	key.len = (uint8_t)(8 * kturn_addr_len(addr->family));
	memcpy(key.ip, addr->ip, sizeof(key.ip));
	if (bsearch(&key, v, n, sizeof(key), compare))
		return true;
	/* Prefixes are few, at the end: 127.0.0.0/8, and AnyIP. */
	while (n-- && !is_host(&v[n]))
		if (prefix_match(&v[n], addr))
			return true;
	return false;
}

bool local_has(const struct local_set *set, const struct kturn_addr *addr)
{
	return find(set->v, set->n, addr);
}

bool local_is_broadcast(const struct local_set *set,
			const struct kturn_addr *addr)
{
	return find(set->v + set->n, set->n_broadcast, addr);
}

/* --------------------------------------------------------------- addresses */

struct search {
	struct nl_cache *links;
	bool loopback;
	uint8_t family;
	struct kturn_addr **list;
	size_t *n;
	size_t *tentative;
	bool failed;
};

static bool is_loopback(struct search *s, int ifindex)
{
	struct rtnl_link *link = rtnl_link_get(s->links, ifindex);
	bool result = link && rtnl_link_get_flags(link) & IFF_LOOPBACK;

	if (link)
		rtnl_link_put(link);
	return result;
}

static void on_address(struct nl_object *obj, void *arg)
{
	struct rtnl_addr *ra = (struct rtnl_addr *)obj;
	struct nl_addr *local = rtnl_addr_get_local(ra);
	unsigned int flags = rtnl_addr_get_flags(ra);
	struct search *s = arg;
	struct kturn_addr *bigger;

	if (!local ||
	    rtnl_addr_get_family(ra) !=
	    (s->family == KTURN_FAMILY_V4 ? AF_INET : AF_INET6) ||
	    nl_addr_get_len(local) != kturn_addr_len(s->family) ||
	    is_loopback(s, rtnl_addr_get_ifindex(ra)) != s->loopback)
		return;
	if (!s->loopback && rtnl_addr_get_scope(ra) != RT_SCOPE_UNIVERSE)
		return;
	/* IFA_F_TEMPORARY and IFA_F_SECONDARY are the same bit. */
	if (flags & (IFA_F_DEPRECATED | IFA_F_DADFAILED) ||
	    (s->family == KTURN_FAMILY_V6 && flags & IFA_F_TEMPORARY))
		return;
	if (flags & IFA_F_TENTATIVE && !(flags & IFA_F_OPTIMISTIC)) {
		++*s->tentative;
		return;
	}
	bigger = reallocarray(*s->list, *s->n + 1, sizeof(**s->list));
	if (!bigger) {
		s->failed = true;
		return;
	}
	*s->list = bigger;
	bigger += (*s->n)++;
	memset(bigger, 0, sizeof(*bigger));
	bigger->family = s->family;
	memcpy(bigger->ip, nl_addr_get_binary_addr(local),
	       kturn_addr_len(s->family));
}

int local_addresses(uint8_t family, bool loopback, struct kturn_addr **list,
		    size_t *n, size_t *tentative)
{
	struct search s = { .loopback = loopback, .family = family,
			    .list = list, .n = n, .tentative = tentative };
	struct nl_sock *sock = nl_socket_alloc();
	struct nl_cache *addrs = NULL;
	int ret;

	if (!sock)
		return -ENOMEM;
	ret = nl_connect(sock, NETLINK_ROUTE);
	if (!ret)
		ret = rtnl_link_alloc_cache(sock, AF_UNSPEC, &s.links);
	if (!ret)
		ret = rtnl_addr_alloc_cache(sock, &addrs);
	if (!ret)
		nl_cache_foreach(addrs, on_address, &s);
	nl_cache_free(addrs);
	nl_cache_free(s.links);
	nl_socket_free(sock);
	if (ret)
		return errno_of(ret);
	return s.failed ? -ENOMEM : 0;
}
