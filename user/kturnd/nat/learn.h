/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What learns an external address: between the files that do it. */
#ifndef _KTURND_NAT_LEARN_H
#define _KTURND_NAT_LEARN_H

#include <pthread.h>
#include <stdatomic.h>

#include "../config.h"
#include "../relay.h"
#include "epoch.h"
#include "nat.h"

struct nat_mapping;

/* What we ask for, RFC 6886 section 3.3; the gateway may give less. */
#define NAT_LIFETIME_S	7200

/**
 * struct nat_grant - what the gateway has mapped
 * @address: external address; no address if the protocol does not say
 * @port: external port
 * @lifetime_s: how long; 0 after a deletion
 */
struct nat_grant {
	struct kturn_addr address;
	uint16_t port;
	uint32_t lifetime_s;
};

/**
 * struct nat_method - a way to learn an external address
 * @name: as in the configuration
 * @maps: it maps ports, and only those that it has mapped can be used
 * @open: find whom to ask; sets @n->state
 * @ask: ask for the address
 * @map: ask for a mapping; @lifetime_s 0: delete it
 * @close: undo @open; @n->state may be NULL
 *
 * All run in the thread of @n, wait with nat_wait(), and return 0 or a negative errno
 * with the reason in @n->why:
 * -ECANCELED: the daemon stops; -ETIMEDOUT: no answer; -EADDRINUSE: somebody else
 * has the port; others: refused, and to be asked again after @n->retry_s.
 */
struct nat_method {
	const char *name;
	bool maps;
	int (*open)(struct nat *n);
	int (*ask)(struct nat *n, struct kturn_addr *address);
	int (*map)(struct nat *n, const struct nat_mapping *m,
		   uint32_t lifetime_s, struct nat_grant *grant);
	void (*close)(struct nat *n);
};

extern const struct nat_method nat_stun, nat_pcp, nat_natpmp, nat_upnp;

/**
 * struct nat_mapping - a port that is mapped, or is to be
 * @protocol: IPPROTO_UDP or IPPROTO_TCP
 * @port: internal and external port
 * @listening: it is a listening port, not a relayed address's
 * @granted: the gateway maps it
 * @due_ms: when it is to be asked for, again
 * @expires_ms: when the gateway forgets it
 */
struct nat_mapping {
	uint8_t protocol;
	uint16_t port;
	bool listening;
	bool granted;
	uint64_t due_ms;
	uint64_t expires_ms;
};

/**
 * struct nat - a relay address behind a NAT
 * @method: how its external address is learnt
 * @host: STUN server, or NULL
 * @host_port: its port
 * @private: the relay address, port 0
 * @key: what nonces are made from, the same after a restart
 * @check_ms: how often the address is asked for
 * @port_min: least port of relayed addresses
 * @port_max: greatest
 * @thread: its thread
 * @started: @thread runs
 * @stop_fd: eventfd: the daemon stops
 * @stopping: it does, and the mappings are being taken back
 * @keep: see nat_close()
 * @deadline_ms: when waiting ends for good, 0 for never
 * @state: @method's, NULL when there is nobody to ask
 * @address: external address that was learnt last; no address at first
 * @check_at_ms: when the address is to be asked for
 * @hold_ms: until then no more ports are asked for
 * @lost: the gateway has lost its mappings, says @method
 * @failing: the last question for the address failed
 * @epoch: the gateway's clock
 * @why: what went wrong
 * @retry_s: how long that is going to last
 * @v: mappings, those of listening ports first
 * @n: how many
 * @known: those of relayed addresses, by port
 * @lock: protects @d and @ra
 * @d: daemon; NULL once it does not want to know any more
 * @ra: of @d, where the result goes
 * @mapped: for nat_status(), as are the rest
 * @asked: see there
 * @unanswered: see there
 * @refused: see there
 * @restarts: see there
 * @changes: see there
 */
struct nat {
	const struct nat_method *method;
	char *host;
	uint16_t host_port;
	struct kturn_addr private;
	uint8_t key[32];
	uint32_t check_ms;
	uint16_t port_min;
	uint16_t port_max;
	pthread_t thread;
	bool started;
	int stop_fd;
	bool stopping;
	atomic_bool keep;
	uint64_t deadline_ms;
	void *state;
	struct kturn_addr address;
	uint64_t check_at_ms;
	uint64_t hold_ms;
	bool lost;
	bool failing;
	struct epoch epoch;
	char why[160];
	uint32_t retry_s;
	struct nat_mapping *v;
	size_t n;
	uint64_t known[RELAY_WORDS];
	pthread_mutex_t lock;
	struct daemon *d;
	struct relay_addr *ra;
	atomic_uint mapped;
	atomic_uint asked;
	atomic_uint unanswered;
	atomic_uint refused;
	atomic_uint restarts;
	atomic_uint changes;
};

/**
 * nat_wait() - wait for an answer
 * @n: who waits
 * @fd: descriptor, or -1
 * @until_ms: worker_clock()'s
 *
 * Mappings that end meanwhile are taken out of use.
 *
 * Return: 1: @fd is readable; 0: it is @until_ms; -ECANCELED: the daemon stops.
 */
int nat_wait(struct nat *n, int fd, uint64_t until_ms);

/** nat_failed() - say what went wrong, and return @error */
int nat_failed(struct nat *n, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/**
 * struct nat_retry - how often a request is sent
 * @first_ms: after that time again, and then after twice the time, and so on
 * @count: how often in all
 * @last_ms: how long the last is waited for; 0: as the others
 * @jitter: each time is up to a tenth more or less
 */
struct nat_retry {
	unsigned int first_ms;
	unsigned int count;
	unsigned int last_ms;
	bool jitter;
};

/**
 * nat_exchange() - send a request until it is answered
 * @n: who asks
 * @fd: connected UDP socket
 * @request: what is sent
 * @len: its length
 * @retry: how often
 * @take: looks at a datagram: true if it is the answer
 * @arg: for it
 *
 * Return: 0; -ETIMEDOUT, -ECANCELED.
 */
int nat_exchange(struct nat *n, int fd, const void *request, size_t len,
		 const struct nat_retry *retry,
		 bool (*take)(const uint8_t *buf, size_t len, void *arg),
		 void *arg);

/** nat_connect() - a UDP socket of the relay address, which hears @to alone;
 * descriptor or a negative errno
 */
int nat_connect(struct nat *n, const struct kturn_addr *to);

/**
 * nat_gateway() - the router that packets of an address leave by
 * @n: whose relay address it is
 * @gateway: result, port 0
 *
 * Return: 0; -EHOSTUNREACH: there is none; other errors of rtnetlink.
 */
int nat_gateway(struct nat *n, struct kturn_addr *gateway);

/** nat_mappings_init() - what is to be mapped of @d's listening ports; 0 or -ENOMEM */
int nat_mappings_init(struct nat *n, const struct daemon *d);

/** nat_mappings_adopt() - have those mapped that are in use when we begin */
void nat_mappings_adopt(struct nat *n);

/** nat_mappings_first() - one that tells the address; NULL: out of memory */
struct nat_mapping *nat_mappings_first(struct nat *n);

/**
 * nat_mappings_work() - ask for what is due
 * @n: its address is known
 *
 * Return: 0; -ETIMEDOUT, -ECANCELED.
 */
int nat_mappings_work(struct nat *n);

/** nat_mappings_next() - when nat_mappings_work() has more to do, worker_clock()'s */
uint64_t nat_mappings_next(const struct nat *n);

/** nat_mappings_expire() - use those no more that the gateway has forgotten */
void nat_mappings_expire(struct nat *n);

/**
 * nat_mappings_granted() - take note of what the gateway has mapped
 * @n: whose mappings they are
 * @m: one of them, which may have changed its place afterwards
 * @grant: what the gateway said
 *
 * Return: 0; -EADDRINUSE, -EADDRNOTAVAIL: another port, another address, which won't
 * do.
 */
int nat_mappings_granted(struct nat *n, struct nat_mapping *m,
			 const struct nat_grant *grant);

/** nat_mappings_lost() - have all of them made again */
void nat_mappings_lost(struct nat *n);

/** nat_mappings_withdraw() - delete them, which takes five seconds at most */
void nat_mappings_withdraw(struct nat *n);

#endif /* _KTURND_NAT_LEARN_H */
