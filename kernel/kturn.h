/* SPDX-License-Identifier: GPL-2.0 */
/*
 * kturn: what the files of the module share.
 *
 * Readers (the hooks) run under rcu_read_lock() and take no reference.
 * Writers (netlink, expiry, sockets that close) hold kturn_net.lock.
 */
#ifndef _KTURN_H
#define _KTURN_H

#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/rbtree.h>
#include <linux/rhashtable.h>
#include <linux/skbuff.h>
#include <linux/timekeeping.h>
#include <linux/u64_stats_sync.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <net/dst.h>
#include <net/net_namespace.h>

#include <kturn/reason_gen.h>
#include <kturn/wire.h>
#include <uapi/linux/kturn.h>

#include "key.h"
#include "lane.h"

/* Hooks read 64 bit words that writers change: see locking.rst. */
#if BITS_PER_LONG < 64
#error "kturn needs a 64 bit kernel"
#endif
#if !IS_ENABLED(CONFIG_IPV6) || !IS_ENABLED(CONFIG_NETFILTER)
#error "kturn needs a kernel with netfilter and IPv6"
#endif

enum kturn_dir {
	KTURN_TO_PEER,
	KTURN_TO_CLIENT,
	KTURN_DIRS
};

/* IPv4, IPv6, as of kturn_alloc.relay. */
#define KTURN_FAMILIES	2

/* UDP's. */
#define KTURN_PORTS	65536

/* ---------------------------------------------------------------- counters */

/** kturn_family_index() - where what is kept for each family is */
static inline unsigned int kturn_family_index(u8 family)
{
	return family == KTURN_FAMILY_V6;
}

/**
 * struct kturn_pcpu_stats - a namespace's counters on one CPU
 * @packets: relayed, by direction and the peer's family
 * @bytes: application data relayed, likewise
 * @drop: packets, by enum kturn_drop_reason
 * @punt: packets, by enum kturn_punt_reason
 * @icmp: ICMP errors that clients were told of
 * @syncp: for 32 bit machines
 * @tick: jiffies at the time of @now
 * @now: kturn_now()
 * @tids: transaction ids that were made
 */
struct kturn_pcpu_stats {
	u64_stats_t packets[KTURN_DIRS][KTURN_FAMILIES];
	u64_stats_t bytes[KTURN_DIRS][KTURN_FAMILIES];
	u64_stats_t drop[KTURN_DROP_REASONS];
	u64_stats_t punt[KTURN_PUNT_REASONS];
	u64_stats_t icmp;
	struct u64_stats_sync syncp;
	unsigned long tick;
	u64 now;
	u32 tids;
};

/** struct kturn_stats_sum - the same, summed over the CPUs */
struct kturn_stats_sum {
	struct kturn_count relayed[KTURN_DIRS][KTURN_FAMILIES];
	u64 drop[KTURN_DROP_REASONS];
	u64 punt[KTURN_PUNT_REASONS];
	u64 icmp;
};

/* ------------------------------------------------------------------ limits */

struct kturn_limit;

/**
 * struct kturn_rate - how much a limit lets through
 * @bits: per second; 0: any number
 * @burst_bytes: most bytes at once
 * @packets: per second; 0: any number
 * @burst_packets: most packets at once
 */
struct kturn_rate {
	u64 bits;
	u64 burst_bytes;
	u32 packets;
	u32 burst_packets;
};

/**
 * enum kturn_net_rate - what is limited in a namespace, in packets
 * @KTURN_RATE_PUNT: data that is punted
 * @KTURN_RATE_ICMP: ICMP errors that the module sends
 * @KTURN_RATE_ICMP_IND: Data indications with an ICMP attribute
 * @KTURN_NET_RATES: how many there are
 */
enum kturn_net_rate {
	KTURN_RATE_PUNT,
	KTURN_RATE_ICMP,
	KTURN_RATE_ICMP_IND,
	KTURN_NET_RATES
};

/* ----------------------------------------------------------------- entries */

struct kturn_net;
struct kturn_quota;

/**
 * struct kturn_owner - who answers for allocations
 * @link: in kturn_net.owners
 * @allocs: kturn_alloc.owner_link of what belongs to it
 * @socks: sockets that have joined
 * @n_socks: how many
 * @n_allocs: how many
 * @cookie: random name
 * @deadline: end of the grace period, boot time in ns; 0 while none runs.
 *	Written under the lock, read by the hooks.
 * @id: short name
 * @grace_ms: length of the grace period
 * @label: for people
 * @rcu: for freeing
 *
 * An owner outlives its allocations, so the hooks may follow
 * kturn_alloc.owner without more ado.
 */
struct kturn_owner {
	struct list_head link;
	struct list_head allocs;
	struct list_head socks;
	u32 n_socks;
	u32 n_allocs;
	u64 cookie;
	u64 deadline;
	u32 id;
	u32 grace_ms;
	char label[KTURN_LABEL_MAX + 1];
	struct rcu_head rcu;
};

/**
 * struct kturn_route - a route for packets that the module sends
 * @dst: a reference is held
 * @flow: the port that it was looked up for (rules can match ports) and the
 *	IPv6 flow label; see kturn_route_flow()
 * @cookie: for dst_check()
 * @local: it leads to this host: nothing is sent that way
 * @direct: nothing stands between it and the neighbour
 * @plain: an IPv4 one without an MTU of its own, that can only learn one
 * @rcu: for freeing
 */
struct kturn_route {
	struct dst_entry *dst;
	u64 flow;
	u32 cookie;
	bool local;
	bool direct;
	bool plain;
	struct rcu_head rcu;
};

#define KTURN_SOURCE_SLOTS	4

/**
 * struct kturn_source - what input routing last allowed
 * @key: routing generation, device and TOS; 0 for nothing yet
 *
 * More than one, because a client marks audio, video and data of the same
 * 5-tuple differently (RFC 8837), and they come in turn. Refusals are not
 * remembered.
 */
struct kturn_source {
	u64 key[KTURN_SOURCE_SLOTS];
};

/** struct kturn_relay - a relayed transport address of an allocation */
struct kturn_relay {
	struct rhash_head node;
	struct kturn_relay_key key;
	struct kturn_alloc *alloc;
};

/**
 * struct kturn_alloc - an allocation (RFC 8656 section 6)
 * @node: in kturn_net.tuples
 * @tuple: the 5-tuple
 * @id: in kturn_net.ids; unique for as long as it exists
 * @flags: KTURN_ALLOC_FLAGS_…
 * @expires: boot time in ns
 * @limited: there is a limit, or a quota
 * @relay: IPv4, IPv6; key.relay.family says whether there is one
 * @route: to the client
 * @limit: by direction; NULL for none
 * @quota: limits that it shares, NULL for none; set once
 * @source: of the client's packets
 * @active: jiffies when a packet was relayed, to a second; 0: never
 * @lanes: whose those of @counter are, and of its channels'
 * @counter: by direction and the peer's family, indications and ChannelData
 * @dropped: packets
 * @punted: packets
 * @told: the time of a token bucket, for errors that the client is told of
 * @owner: or NULL; set once
 * @n_perms: how many permissions it has
 * @n_chans: how many channels
 * @perms: all its permissions
 * @chans: all its channels
 * @owner_link: in kturn_owner.allocs
 * @gc_link: in kturn_net.gc_slots or kturn_net.gc_todo
 * @label: or NULL
 * @owner_data: or NULL
 * @owner_data_len: bytes
 * @gc_slot: the slot, not yet modulo their number
 * @rcu: for freeing
 */
struct kturn_alloc {
	struct rhash_head node;
	struct kturn_tuple tuple;

	u32 id;
	u32 flags;
	u64 expires;
	bool limited;
	struct kturn_relay relay[2];
	struct kturn_route __rcu *route;
	struct kturn_limit __rcu *limit[KTURN_DIRS];
	struct kturn_quota *quota[KTURN_QUOTAS_MAX];
	struct kturn_source source;
	unsigned long active;
	struct kturn_lanes lanes;

	struct kturn_counter counter[KTURN_LANES][KTURN_DIRS][KTURN_FAMILIES]
		____cacheline_aligned_in_smp;
	atomic64_t dropped;
	atomic64_t punted;
	atomic64_t told;

	struct kturn_owner *owner;
	u32 n_perms;
	u32 n_chans;
	struct list_head perms;
	struct list_head chans;
	struct list_head owner_link;
	struct list_head gc_link;
	char *label;
	void *owner_data;
	u32 owner_data_len;
	u32 gc_slot;
	struct rcu_head rcu;
};

/**
 * struct kturn_perm - a permission (RFC 8656 section 9)
 * @node: in kturn_net.perms
 * @key: allocation and peer address
 * @alloc: its allocation
 * @expires: boot time in ns; 0: none any more, kept for the sake of channels
 * @route: to the peer, for Send indications
 * @source: of the peer's packets
 * @chans: channels that refer to it; it is freed with the last
 * @link: in kturn_alloc.perms
 * @rcu: for freeing
 *
 * Channels point at it for their whole life, so that its end stops what
 * comes from the peer and its return starts it again.
 */
struct kturn_perm {
	struct rhash_head node;
	struct kturn_perm_key key;
	struct kturn_alloc *alloc;
	u64 expires;
	struct kturn_route __rcu *route;
	struct kturn_source source;

	u32 chans;
	struct list_head link;
	struct rcu_head rcu;
};

/**
 * struct kturn_chan - a channel (RFC 8656 section 12)
 * @by_number: in kturn_net.numbers
 * @by_peer: in kturn_net.peers
 * @number_key: 5-tuple and channel number
 * @peer_key: relayed address and peer
 * @alloc: its allocation
 * @perm: the peer's permission, never NULL
 * @expires: boot time in ns
 * @route: to the peer
 * @link: in kturn_alloc.chans
 * @rcu: for freeing
 * @counter: by direction, in the lanes of its allocation
 */
struct kturn_chan {
	struct rhash_head by_number;
	struct rhash_head by_peer;
	struct kturn_number_key number_key;
	struct kturn_tuple peer_key;
	struct kturn_alloc *alloc;
	struct kturn_perm *perm;
	u64 expires;
	struct kturn_route __rcu *route;
	struct list_head link;
	struct rcu_head rcu;

	struct kturn_counter counter[KTURN_LANES][KTURN_DIRS]
		____cacheline_aligned_in_smp;
};

/**
 * struct kturn_net - the state of a network namespace
 * @net: the namespace
 * @lock: protects everything below but the hash tables' insides; held by all
 *	writers. Taken after the RTNL or any socket lock, never before them.
 * @tuples: struct kturn_alloc by 5-tuple
 * @relays: struct kturn_relay by relayed address
 * @numbers: struct kturn_chan by 5-tuple and number
 * @peers: struct kturn_chan by relayed address and peer
 * @perms: struct kturn_perm by allocation and peer address
 * @ports: local ports that have or had an entry, as __be16
 * @ids: struct kturn_alloc by id
 * @owners: all owners
 * @quotas: struct kturn_quota by owner and id
 * @idle_quotas: those without allocations that are not full yet, oldest first
 * @n_idle_quotas: how many
 * @next_id: hint for @ids
 * @next_owner_id: last owner's id
 * @n_allocs: entries now
 * @n_perms: entries now
 * @n_chans: entries now
 * @n_owners: entries now
 * @limits: at most so many
 * @rate: by enum kturn_net_rate
 * @limit: the same, for the hooks; NULL for none, and until @started
 * @gen: changes with every entry made or removed, for NLM_F_DUMP_INTR
 * @started: the hash tables and @stats are there
 * @hooks: the netfilter hooks are registered
 * @local_out: what is relayed passes LOCAL_OUT
 * @hook_ops: of PRE_ROUTING, by family
 * @devices: struct kturn_device, all that are attached; changed under RTNL too
 * @downs: how often a device went down
 * @gc: frees what has expired
 * @gc_slots: struct kturn_alloc by when to look at it
 * @gc_slot: the slot that was looked at last, not yet modulo their number
 * @gc_todo: struct kturn_alloc to look at now
 * @stats: counters
 */
struct kturn_net {
	struct net *net;
	struct mutex lock;	/* all writers, see above */

	struct rhashtable tuples;
	struct rhashtable relays;
	struct rhashtable numbers;
	struct rhashtable peers;
	struct rhashtable perms;
	unsigned long *ports;

	struct xarray ids;
	struct list_head owners;
	struct rb_root quotas;
	struct list_head idle_quotas;
	u32 n_idle_quotas;
	u32 next_id;
	u32 next_owner_id;
	u32 n_allocs;
	u32 n_perms;
	u32 n_chans;
	u32 n_owners;
	struct {
		u32 allocs;
		u32 perms;
		u32 chans;
		u32 owners;
	} limits;
	struct kturn_rate rate[KTURN_NET_RATES];
	struct kturn_limit __rcu *limit[KTURN_NET_RATES];
	u32 gen;
	bool started;
	bool hooks;
	bool local_out;
	struct nf_hook_ops hook_ops[KTURN_FAMILIES];
	struct list_head devices;
	u32 downs;

	struct delayed_work gc;
	struct list_head *gc_slots;
	u32 gc_slot;
	struct list_head gc_todo;

	struct kturn_pcpu_stats __percpu *stats;
};

extern unsigned int kturn_net_id;

/* main.c */
struct kturn_net *kturn_pernet(const struct net *net);
int kturn_net_start(struct kturn_net *kn, struct netlink_ext_ack *extack);
void kturn_net_pause(struct kturn_net *kn);

/* ---------------------------------------------------------------- the clock */

/**
 * kturn_now() - the clock of all lifetimes
 *
 * Boot time, because a lifetime goes on while the machine sleeps; the coarse
 * clock, because it costs nothing: an entry lives at most a tick longer.
 *
 * Return: nanoseconds.
 */
static inline u64 kturn_now(void)
{
	return ktime_get_coarse_boottime_ns();
}

/**
 * kturn_now_cached() - the same, in fewer instructions
 * @kn: namespace
 *
 * The coarse clock goes on with each tick.
 *
 * Context: BH off.
 */
static inline u64 kturn_now_cached(const struct kturn_net *kn)
{
	struct kturn_pcpu_stats *s = this_cpu_ptr(kn->stats);
	unsigned long tick = READ_ONCE(jiffies);

	if (unlikely(s->tick != tick)) {
		s->now = kturn_now();
		s->tick = tick;
	}
	return s->now;
}

/** kturn_alive() - has @expires not passed yet? */
static inline bool kturn_alive(const u64 *expires, u64 now)
{
	return READ_ONCE(*expires) > now;
}

/** kturn_left_ms() - what is left until @expires, rounded up */
static inline u32 kturn_left_ms(u64 expires, u64 now)
{
	if (expires <= now)
		return 0;
	return min_t(u64, DIV_ROUND_UP_ULL(expires - now, NSEC_PER_MSEC),
		     U32_MAX);
}

/** kturn_deadline() - the moment @ms milliseconds from now */
static inline u64 kturn_deadline(u32 ms)
{
	return kturn_now() + (u64)ms * NSEC_PER_MSEC;
}

/* table.c */
void kturn_tables_setup(void);
int kturn_tables_init(struct kturn_net *kn);
void kturn_tables_exit(struct kturn_net *kn);
int kturn_tuple_insert(struct kturn_net *kn, struct kturn_alloc *alloc);
int kturn_relay_insert(struct kturn_net *kn, struct kturn_relay *relay);
int kturn_number_insert(struct kturn_net *kn, struct kturn_chan *chan);
int kturn_peer_insert(struct kturn_net *kn, struct kturn_chan *chan);
int kturn_perm_insert(struct kturn_net *kn, struct kturn_perm *perm);
void kturn_tuple_remove(struct kturn_net *kn, struct kturn_alloc *alloc);
void kturn_relay_remove(struct kturn_net *kn, struct kturn_relay *relay);
void kturn_number_remove(struct kturn_net *kn, struct kturn_chan *chan);
void kturn_peer_remove(struct kturn_net *kn, struct kturn_chan *chan);
void kturn_perm_remove(struct kturn_net *kn, struct kturn_perm *perm);
void kturn_ports_forget(struct kturn_net *kn);

/*
 * Entries that are looked at or removed before others get kturn_net.lock: work
 * that grows with their number must not keep who asks for one of them waiting.
 */
#define KTURN_BATCH	256

/** kturn_alloc_entries() - an allocation with all that depends on it */
static inline int kturn_alloc_entries(const struct kturn_alloc *alloc)
{
	return 1 + alloc->n_perms + alloc->n_chans;
}

/* alloc.c */
struct kturn_alloc_request;
int kturn_alloc_init(void);
void kturn_alloc_exit(void);
int kturn_alloc_create(struct kturn_net *kn,
		       const struct kturn_alloc_request *req,
		       struct netlink_ext_ack *extack, u32 *id);
void kturn_alloc_destroy(struct kturn_net *kn, struct kturn_alloc *alloc);
void kturn_alloc_refresh(struct kturn_net *kn, struct kturn_alloc *alloc,
			 u32 lifetime_ms);
struct kturn_alloc *kturn_alloc_by_id(struct kturn_net *kn, u32 id);
struct kturn_relay *kturn_alloc_relay(struct kturn_alloc *alloc, u8 family);

/* perm.c */
struct kturn_perm *kturn_perm_find(struct kturn_net *kn,
				   struct kturn_alloc *alloc,
				   const struct kturn_addr *peer);
int kturn_perm_install(struct kturn_net *kn, struct kturn_alloc *alloc,
		       const struct kturn_addr *peer, u32 lifetime_ms,
		       struct netlink_ext_ack *extack);
struct kturn_perm *kturn_perm_get(struct kturn_net *kn,
				  struct kturn_alloc *alloc,
				  const struct kturn_addr *peer,
				  struct netlink_ext_ack *extack);
void kturn_perm_put(struct kturn_net *kn, struct kturn_perm *perm);
void kturn_perm_end(struct kturn_net *kn, struct kturn_perm *perm);
void kturn_perm_destroy(struct kturn_net *kn, struct kturn_perm *perm);

/* chan.c */
int kturn_chan_init(void);
void kturn_chan_exit(void);
int kturn_chan_bind(struct kturn_net *kn, struct kturn_alloc *alloc,
		    u16 number, const struct kturn_addr *peer, u32 lifetime_ms,
		    struct netlink_ext_ack *extack);
struct kturn_chan *kturn_chan_find(struct kturn_net *kn,
				   struct kturn_alloc *alloc, u16 number);
void kturn_chan_destroy(struct kturn_net *kn, struct kturn_chan *chan);

/* owner.c */
struct sock;
int kturn_owner_init(void);
void kturn_owner_exit(void);
int kturn_owner_join(struct kturn_net *kn, struct sock *sk, u32 portid,
		     u64 cookie, u32 grace_ms, const struct nlattr *label,
		     struct netlink_ext_ack *extack,
		     struct kturn_owner **result);
struct kturn_owner *kturn_owner_of(struct kturn_net *kn, const struct sock *sk);
struct kturn_owner *kturn_owner_by_id(struct kturn_net *kn, u32 id);
bool kturn_owner_expire(struct kturn_net *kn, u64 now, int *left);
void kturn_owner_destroy_all(struct kturn_net *kn);
void kturn_owner_release_idle(struct kturn_net *kn, struct kturn_owner *owner);

/* gc.c */
void kturn_gc_init(struct kturn_net *kn);
int kturn_gc_start(struct kturn_net *kn);
void kturn_gc_stop(struct kturn_net *kn);
void kturn_gc_watch(struct kturn_net *kn, struct kturn_alloc *alloc,
		    u64 expires);
void kturn_gc_exit(struct kturn_net *kn);
void kturn_gc_kick(struct kturn_net *kn);
void kturn_gc_reschedule(struct kturn_net *kn);

/* hook.c */
void kturn_hooks_init(struct kturn_net *kn);
int kturn_hooks_get(struct kturn_net *kn);
void kturn_hooks_release(struct kturn_net *kn);

/* route.c */
void kturn_route_flush(struct kturn_route __rcu **slot);
bool kturn_dst_check(struct net *net, const struct sk_buff *skb, u8 family);

/* stats.c */
int kturn_stats_init(struct kturn_net *kn);
void kturn_stats_exit(struct kturn_net *kn);
void kturn_stats_drop(struct kturn_net *kn, enum kturn_drop_reason reason);
void kturn_stats_icmp(struct kturn_net *kn);
void kturn_stats_punt(struct kturn_net *kn, enum kturn_punt_reason reason);
void kturn_stats_sum(const struct kturn_net *kn, struct kturn_stats_sum *sum);

/* netlink.c, notify.c */
int kturn_netlink_init(void);
void kturn_netlink_exit(void);
void kturn_notify_start(void);
void kturn_notify_stop(void);
struct kturn_nl_kind;
void kturn_notify(struct kturn_net *kn, const struct kturn_nl_kind *kind,
		  const void *entry, enum kturn_gone_reason reason);
void kturn_notify_alloc(struct kturn_net *kn, const struct kturn_alloc *alloc,
			enum kturn_gone_reason reason);
void kturn_notify_perm(struct kturn_net *kn, const struct kturn_perm *perm,
		       enum kturn_gone_reason reason);
void kturn_notify_chan(struct kturn_net *kn, const struct kturn_chan *chan,
		       enum kturn_gone_reason reason);

#endif /* _KTURN_H */
