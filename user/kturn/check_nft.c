// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kturn check-host: nf_tables, over netlink. Of a rule's expressions those are
 * understood that tell whether it is about a relay's packets; registers are
 * followed as far as that takes.
 */
/* First: the kernel's headers leave out what these have. */
#include <net/if.h>
#include <netinet/in.h>
#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <stdio.h>
#include <string.h>
#include "check_rules.h"

/* Registers: the old names, 0 to 4, and those of 4 bytes each. */
#define REGISTERS	32

#define ATTEMPTS	10

/* What a register holds. */
enum content { OTHER, PROTO, DPORT, SPORT, SADDR };

struct nft_reader {
	struct check *c;
	struct rules *r;
	struct chain *chain;
	struct rule *rule;
	enum content regs[REGISTERS];
	unsigned int bits;	/* of the source address, after a mask */
};

/* A table's or chain's attributes, by their numbers; at most 31. */
struct attrs {
	const struct nlattr *v[32];
};

static int attrs_add(const struct nlattr *attr, void *data)
{
	struct attrs *a = data;
	uint16_t type = mnl_attr_get_type(attr);

	if (type < 32)
		a->v[type] = attr;
	return MNL_CB_OK;
}

static struct attrs nested(const struct nlattr *attr)
{
	struct attrs a = { 0 };

	if (attr)
		mnl_attr_parse_nested(attr, attrs_add, &a);
	return a;
}

static uint32_t u32_of(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ?
		ntohl(mnl_attr_get_u32(attr)) : 0;
}

/* A text; empty when there is none, or one without an end. */
static const char *text_of(const struct nlattr *attr)
{
	return attr && !mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) ?
		mnl_attr_get_str(attr) : "";
}

/* ----------------------------------------------------------------- chains */

static int chain_read(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nft_reader *n = data;
	struct attrs a = { 0 }, hook;
	struct chain *chain;

	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*nfg), attrs_add, &a);
	chain = rules_chain_add(n->r);
	chain->family = nfg->nfgen_family;
	snprintf(chain->table, sizeof(chain->table), "%s",
		 text_of(a.v[NFTA_CHAIN_TABLE]));
	snprintf(chain->name, sizeof(chain->name), "%s",
		 text_of(a.v[NFTA_CHAIN_NAME]));
	if (!a.v[NFTA_CHAIN_HOOK])
		return MNL_CB_OK;
	hook = nested(a.v[NFTA_CHAIN_HOOK]);
	chain->base = true;
	chain->hook = u32_of(hook.v[NFTA_HOOK_HOOKNUM]);
	chain->priority = u32_of(hook.v[NFTA_HOOK_PRIORITY]);
	chain->nat = !strcmp(text_of(a.v[NFTA_CHAIN_TYPE]), "nat");
	chain->policy_drop = a.v[NFTA_CHAIN_POLICY] &&
		u32_of(a.v[NFTA_CHAIN_POLICY]) == NF_DROP;
	return MNL_CB_OK;
}

/* ------------------------------------------------------------ expressions */

static void reg_set(struct nft_reader *n, const struct nlattr *reg,
		    enum content content)
{
	n->regs[u32_of(reg) % REGISTERS] = content;
	n->rule->match = true;
	n->rule->other |= content == OTHER || content == SADDR;
}

static void expr_meta(struct nft_reader *n, const struct attrs *a)
{
	uint32_t key = u32_of(a->v[NFTA_META_KEY]);

	if (a->v[NFTA_META_DREG])
		reg_set(n, a->v[NFTA_META_DREG],
			key == NFT_META_L4PROTO ? PROTO : OTHER);
}

static void expr_payload(struct nft_reader *n, const struct attrs *a)
{
	uint32_t base = u32_of(a->v[NFTA_PAYLOAD_BASE]);
	uint32_t offset = u32_of(a->v[NFTA_PAYLOAD_OFFSET]);
	uint32_t len = u32_of(a->v[NFTA_PAYLOAD_LEN]);
	enum content content = OTHER;

	if (!a->v[NFTA_PAYLOAD_DREG])
		return;
	if (base == NFT_PAYLOAD_TRANSPORT_HEADER && offset == 2 && len == 2)
		content = DPORT;
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER && !offset && len == 2)
		content = SPORT;
	else if (base == NFT_PAYLOAD_NETWORK_HEADER && len == 1 &&
		 (offset == 9 || offset == 6))
		content = PROTO;
	else if (base == NFT_PAYLOAD_NETWORK_HEADER &&
		 ((offset == 12 && len <= 4) || (offset == 8 && len > 4)))
		content = SADDR;
	n->bits = 8 * len;
	reg_set(n, a->v[NFTA_PAYLOAD_DREG], content);
}

/* Only prefixes are understood. */
static void expr_bitwise(struct nft_reader *n, const struct attrs *a)
{
	struct attrs mask = nested(a->v[NFTA_BITWISE_MASK]);
	const struct nlattr *value = mask.v[NFTA_DATA_VALUE];
	const uint8_t *bytes;
	unsigned int bits = 0;

	if (!value)
		return;
	bytes = mnl_attr_get_payload(value);
	while (bits < 8U * mnl_attr_get_payload_len(value) &&
	       bytes[bits / 8] & (0x80 >> bits % 8))
		bits++;
	n->bits = bits;
	n->regs[u32_of(a->v[NFTA_BITWISE_DREG]) % REGISTERS] =
		n->regs[u32_of(a->v[NFTA_BITWISE_SREG]) % REGISTERS];
}

static bool port_of(const struct nlattr *attr, uint16_t *port)
{
	struct attrs data = nested(attr);
	const struct nlattr *value = data.v[NFTA_DATA_VALUE];

	if (!value || mnl_attr_get_payload_len(value) < 2)
		return false;
	memcpy(port, mnl_attr_get_payload(value), 2);
	*port = ntohs(*port);
	return true;
}

static void cmp_port(struct rule *rule, uint32_t op, uint16_t port,
		     uint16_t *min, uint16_t *max)
{
	if (op == NFT_CMP_EQ || op == NFT_CMP_GTE)
		*min = port;
	else if (op == NFT_CMP_GT)
		*min = port < 65535 ? port + 1 : port;
	if (op == NFT_CMP_EQ || op == NFT_CMP_LTE)
		*max = port;
	else if (op == NFT_CMP_LT)
		*max = port ? port - 1 : 0;
	rule->other |= op == NFT_CMP_NEQ;
}

static void expr_cmp(struct nft_reader *n, const struct attrs *a)
{
	enum content content = n->regs[u32_of(a->v[NFTA_CMP_SREG]) % REGISTERS];
	struct attrs data = nested(a->v[NFTA_CMP_DATA]);
	const struct nlattr *value = data.v[NFTA_DATA_VALUE];
	uint32_t op = u32_of(a->v[NFTA_CMP_OP]);
	const uint8_t *bytes;
	uint16_t port;
	size_t len;

	if (!value)
		return;
	bytes = mnl_attr_get_payload(value);
	len = mnl_attr_get_payload_len(value);
	if (content == PROTO && op == NFT_CMP_EQ && len)
		n->rule->proto = *bytes;
	else if (content == DPORT && port_of(a->v[NFTA_CMP_DATA], &port))
		cmp_port(n->rule, op, port, &n->rule->port_min,
			 &n->rule->port_max);
	else if (content == SPORT && port_of(a->v[NFTA_CMP_DATA], &port))
		cmp_port(n->rule, op, port, &n->rule->sport_min,
			 &n->rule->sport_max);
	else if (content == SADDR && op == NFT_CMP_EQ && n->bits <= 8 * len &&
		 len <= 16)
		n->rule->not_ours |= !rules_has_addr(n->c, n->chain->family ==
			NFPROTO_IPV6 || len > 4 ? AF_INET6 : AF_INET, bytes,
			n->bits);
}

static void expr_range(struct nft_reader *n, const struct attrs *a)
{
	enum content content =
		n->regs[u32_of(a->v[NFTA_RANGE_SREG]) % REGISTERS];
	uint16_t min, max;

	if ((content != DPORT && content != SPORT) ||
	    u32_of(a->v[NFTA_RANGE_OP]) != NFT_RANGE_EQ ||
	    !port_of(a->v[NFTA_RANGE_FROM_DATA], &min) ||
	    !port_of(a->v[NFTA_RANGE_TO_DATA], &max)) {
		n->rule->other = true;
	} else if (content == DPORT) {
		n->rule->port_min = min;
		n->rule->port_max = max;
	} else {
		n->rule->sport_min = min;
		n->rule->sport_max = max;
	}
}

static void expr_immediate(struct nft_reader *n, const struct attrs *a)
{
	struct attrs data = nested(a->v[NFTA_IMMEDIATE_DATA]);
	struct attrs verdict = nested(data.v[NFTA_DATA_VERDICT]);
	int32_t code;

	if (u32_of(a->v[NFTA_IMMEDIATE_DREG]) != NFT_REG_VERDICT ||
	    !verdict.v[NFTA_VERDICT_CODE])
		return;
	code = u32_of(verdict.v[NFTA_VERDICT_CODE]);
	n->rule->drop |= code == NF_DROP;
	n->rule->accept |= code == NF_ACCEPT || code == NFT_RETURN;
	if (code == NFT_JUMP || code == NFT_GOTO)
		snprintf(n->rule->jump, sizeof(n->rule->jump), "%s",
			 text_of(verdict.v[NFTA_VERDICT_CHAIN]));
}

static void expr_lookup(struct nft_reader *n, const struct attrs *a)
{
	n->rule->other = true;
	n->rule->map |= a->v[NFTA_LOOKUP_DREG] &&
		u32_of(a->v[NFTA_LOOKUP_DREG]) == NFT_REG_VERDICT;
}

static void expr_ct(struct nft_reader *n, const struct attrs *a)
{
	if (!a->v[NFTA_CT_DREG])
		return;
	n->rule->ct = true;
	reg_set(n, a->v[NFTA_CT_DREG], OTHER);
}

static void expr_nat(struct nft_reader *n, const struct attrs *a)
{
	if (u32_of(a->v[NFTA_NAT_TYPE]) == NFT_NAT_SNAT)
		n->rule->snat = true;
	else
		n->rule->dnat = true;
}

static void expr_reject(struct nft_reader *n, const struct attrs *a)
{
	n->rule->drop = true;
}

static void expr_notrack(struct nft_reader *n, const struct attrs *a)
{
	n->rule->notrack = true;
}

static void expr_masq(struct nft_reader *n, const struct attrs *a)
{
	n->rule->snat = true;
}

static void expr_redir(struct nft_reader *n, const struct attrs *a)
{
	n->rule->dnat = true;
}

/* Something that is looked at, and nothing that is known of it. */
static void expr_other(struct nft_reader *n, const struct attrs *a)
{
	n->rule->match = true;
	n->rule->other = true;
}

/* ---------------------------------------- what iptables-nft has no words for */

static void expr_xt_match(struct nft_reader *n, const struct attrs *a)
{
	const char *name = text_of(a->v[NFTA_MATCH_NAME]);
	const struct nlattr *info = a->v[NFTA_MATCH_INFO];
	const struct xt_udp *udp;

	if (!strcmp(name, "comment"))
		return;
	n->rule->match = true;
	n->rule->ct |= !strcmp(name, "conntrack") || !strcmp(name, "state");
	udp = info ? mnl_attr_get_payload(info) : NULL;
	if (strcmp(name, "udp") || !udp || udp->invflags ||
	    mnl_attr_get_payload_len(info) < sizeof(*udp)) {
		n->rule->other = true;
		return;
	}
	n->rule->proto = IPPROTO_UDP;
	n->rule->port_min = udp->dpts[0];
	n->rule->port_max = udp->dpts[1];
	n->rule->sport_min = udp->spts[0];
	n->rule->sport_max = udp->spts[1];
}

static void expr_xt_target(struct nft_reader *n, const struct attrs *a)
{
	const char *name = text_of(a->v[NFTA_TARGET_NAME]);

	n->rule->drop |= !strcmp(name, "REJECT");
	n->rule->notrack |= !strcmp(name, "CT") || !strcmp(name, "NOTRACK");
	n->rule->snat |= !strcmp(name, "SNAT") || !strcmp(name, "MASQUERADE");
	n->rule->dnat |= !strcmp(name, "DNAT") || !strcmp(name, "REDIRECT");
}

/* ------------------------------------------------------------------ rules */

static int expr_read(const struct nlattr *elem, void *data)
{
	static const struct {
		const char *name;
		void (*read)(struct nft_reader *n, const struct attrs *a);
	} kinds[] = {
		{ "meta", expr_meta }, { "payload", expr_payload },
		{ "bitwise", expr_bitwise }, { "cmp", expr_cmp },
		{ "range", expr_range }, { "immediate", expr_immediate },
		{ "lookup", expr_lookup }, { "ct", expr_ct },
		{ "nat", expr_nat }, { "reject", expr_reject },
		{ "notrack", expr_notrack }, { "masq", expr_masq },
		{ "redir", expr_redir }, { "tproxy", expr_redir },
		{ "match", expr_xt_match }, { "target", expr_xt_target },
		{ "fib", expr_other }, { "rt", expr_other },
		{ "socket", expr_other }, { "exthdr", expr_other },
		{ "limit", expr_other }, { "quota", expr_other },
		{ "connlimit", expr_other }, { "numgen", expr_other },
		{ "dynset", expr_other },
	};
	struct attrs expr = nested(elem), a;
	const char *name = text_of(expr.v[NFTA_EXPR_NAME]);

	a = nested(expr.v[NFTA_EXPR_DATA]);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(name, kinds[i].name))
			kinds[i].read(data, &a);
	return MNL_CB_OK;
}

static int rule_read(const struct nlmsghdr *nlh, void *data)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(nlh);
	struct nft_reader *n = data;
	struct attrs a = { 0 };

	if ((nlh->nlmsg_type & 0xff) != NFT_MSG_NEWRULE ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof(*nfg))
		return MNL_CB_OK;
	mnl_attr_parse(nlh, sizeof(*nfg), attrs_add, &a);
	n->chain = rules_chain_find(n->r, false, nfg->nfgen_family,
				    text_of(a.v[NFTA_RULE_TABLE]),
				    text_of(a.v[NFTA_RULE_CHAIN]));
	if (!n->chain)
		return MNL_CB_OK;
	n->rule = rules_rule_add(n->chain);
	memset(n->regs, 0, sizeof(n->regs));
	if (a.v[NFTA_RULE_EXPRESSIONS])
		mnl_attr_parse_nested(a.v[NFTA_RULE_EXPRESSIONS], expr_read, n);
	return MNL_CB_OK;
}

static int dump(uint8_t message, mnl_cb_t cb, struct nft_reader *n)
{
	char buf[256] = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct nfgenmsg *nfg;

	nlh->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | message;
	nfg = mnl_nlmsg_put_extra_header(nlh, sizeof(*nfg));
	nfg->nfgen_family = NFPROTO_UNSPEC;
	nfg->version = NFNETLINK_V0;
	return check_netlink(NETLINK_NETFILTER, nlh, NLM_F_DUMP, cb, n);
}

void rules_nft_read(struct check *c, struct rules *r)
{
	struct nft_reader n = { .c = c, .r = r };
	int err = EINTR;

	/* Without it, there are no rules of it. */
	if (!check_present("nf_tables"))
		return;
	/* From the beginning, if they change meanwhile. */
	for (int i = 0; i < ATTEMPTS && err == EINTR; i++) {
		rules_free(r);
		*r = (struct rules){ 0 };
		err = dump(NFT_MSG_GETCHAIN, chain_read, &n);
		if (!err)
			err = dump(NFT_MSG_GETRULE, rule_read, &n);
	}
	if (err == EPERM)
		check_unseen(c, "nf_tables' rules", "needs CAP_NET_ADMIN");
	else if (err && err != EOPNOTSUPP && err != EINVAL)
		check_unseen(c, "nf_tables' rules", "%s", strerror(err));
}
