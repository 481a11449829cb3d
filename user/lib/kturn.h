/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libkturn: the netlink family "kturn" for programs.
 *
 * Everything that speaks the family does it through this library. Calls are
 * synchronous: the kernel handles a request inside the send, so a batch costs
 * few system calls however many requests it holds. A handle belongs to one
 * thread at a time and is of no use after the module was unloaded: open anew.
 * Errors are negative errno values; kturn_error() has the words for people,
 * the kernel's own included.
 */
#ifndef _LIBKTURN_H
#define _LIBKTURN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <kturn_entries.h>

#ifdef __cplusplus
extern "C" {
#endif

struct kturn;
struct kturn_batch;

#define KTURN_REASONS_MAX	64

/**
 * struct kturn_stats - a namespace's counters
 * @to_peer: relayed to peers
 * @to_client: relayed to clients
 * @drop: packets, by enum kturn_drop_reason
 * @punt: packets, by enum kturn_punt_reason
 * @allocs: entries now
 * @perms: entries now
 * @chans: entries now
 * @owners: entries now
 * @hooks: the netfilter hooks are registered
 * @to_peer_by: @to_peer by the peers' family: [0] IPv4, [1] IPv6
 * @to_client_by: @to_client likewise
 * @icmp: ICMP errors that clients were told of
 */
struct kturn_stats {
	struct kturn_counter to_peer;
	struct kturn_counter to_client;
	uint64_t drop[KTURN_REASONS_MAX];
	uint64_t punt[KTURN_REASONS_MAX];
	uint32_t allocs;
	uint32_t perms;
	uint32_t chans;
	uint32_t owners;
	bool hooks;
	struct kturn_counter to_peer_by[2];
	struct kturn_counter to_client_by[2];
	uint64_t icmp;
};

/**
 * struct kturn_config - limits and settings; UINT32_MAX in a set: keep
 * @max_allocs: entries
 * @max_perms: entries
 * @max_chans: entries
 * @max_owners: entries
 * @punt_rate: packets per second that are punted, control messages not
 *	counted; this and the other rates: 0: any number
 * @punt_burst: packets at once; this and the other bursts: 0, or kept while
 *	the rate is set: what the kernel chooses
 * @icmp_rate: ICMP errors per second that the module sends
 * @icmp_burst: at once
 * @icmp_ind_rate: Data indications with an ICMP attribute, per second
 * @icmp_ind_burst: at once
 * @local_out: 1: what is relayed passes the LOCAL_OUT hooks; or 0
 */
struct kturn_config {
	uint32_t max_allocs;
	uint32_t max_perms;
	uint32_t max_chans;
	uint32_t max_owners;
	uint32_t punt_rate;
	uint32_t punt_burst;
	uint32_t icmp_rate;
	uint32_t icmp_burst;
	uint32_t icmp_ind_rate;
	uint32_t icmp_ind_burst;
	uint32_t local_out;
};

/* ------------------------------------------------------------------ handle */

/**
 * kturn_open() - open a netlink socket in the caller's network namespace
 * @kt: result
 *
 * Return: 0; -ENOENT: the module is not loaded (and could not be, by the
 * kernel's own request for it); -EPERM; other errors of socket().
 */
int kturn_open(struct kturn **kt);

/** kturn_close() - close it; entries of an owner it joined see that */
void kturn_close(struct kturn *kt);

/** kturn_fd() - the descriptor, for polling after kturn_listen() */
int kturn_fd(const struct kturn *kt);

/**
 * kturn_error() - the last failure in words
 * @kt: handle, or NULL after kturn_open() failed
 *
 * Return: one line, without newline, never NULL. For a refused request: the
 * kernel's message and the attribute that it names.
 */
const char *kturn_error(const struct kturn *kt);

/**
 * kturn_join() - join this socket to an owner
 * @kt: handle
 * @cookie: the owner's random name, not 0
 * @grace_ms: how long entries outlive the last socket
 * @label: for people; may be NULL
 * @owner: what became of it; may be NULL. owner->allocs > 0 means that there
 *	is something to adopt
 *
 * Return: 0, -EBUSY if joined elsewhere, others as the kernel says.
 */
int kturn_join(struct kturn *kt, uint64_t cookie, uint32_t grace_ms,
	       const char *label, struct kturn_owner *owner);

/* ------------------------------------------------------------------- batch */

/**
 * kturn_batch_new() - collect requests to be sent together
 * @kt: handle
 *
 * Requests run in their order; each succeeds or fails by itself.
 * Return: NULL without memory.
 */
struct kturn_batch *kturn_batch_new(struct kturn *kt);

/** kturn_batch_free() - forget it; what ran stays done */
void kturn_batch_free(struct kturn_batch *b);

/**
 * kturn_batch_alloc_new() - add: make an allocation
 * @b: batch
 * @a: client, server and relays, lifetime_ms, flags, label, l3mdev,
 *	owner_data and limits count
 *
 * This and those below add a request.
 *
 * Return: its index in the batch; -ENOMEM; -EINVAL for an argument that has
 * no wire form (an address without family, a label or data too long). That
 * index may be passed on: a failure is remembered and makes kturn_batch_run()
 * return it without sending.
 */
int kturn_batch_alloc_new(struct kturn_batch *b, const struct kturn_alloc *a);

/**
 * kturn_batch_alloc_set() - add: change an allocation
 * @b: batch
 * @id: allocation
 * @lifetime_ms: new lifetime; 0: keep
 * @owner_data: new data; NULL: keep
 * @owner_data_len: bytes of that
 *
 * Return: as kturn_batch_alloc_new().
 */
int kturn_batch_alloc_set(struct kturn_batch *b, uint32_t id,
			  uint32_t lifetime_ms, const void *owner_data,
			  size_t owner_data_len);

/** kturn_batch_alloc_set_flags() - add: give an allocation other flags,
 * KTURN_ALLOC_FLAGS_…
 */
int kturn_batch_alloc_set_flags(struct kturn_batch *b, uint32_t id,
				uint32_t flags);

/**
 * kturn_batch_alloc_set_limits() - add: give an allocation other limits
 * @b: batch
 * @id: allocation
 * @to_peer: of what comes from the client; NULL: keep
 * @to_client: of what comes from peers; NULL: keep
 *
 * A full burst may pass afterwards, even if the limit is what it was.
 *
 * Return: as kturn_batch_alloc_new().
 */
int kturn_batch_alloc_set_limits(struct kturn_batch *b, uint32_t id,
				 const struct kturn_limit *to_peer,
				 const struct kturn_limit *to_client);

/** kturn_batch_alloc_del() - add: delete an allocation and all of it */
int kturn_batch_alloc_del(struct kturn_batch *b, uint32_t id);

/**
 * kturn_batch_perm_new() - add: install a permission, or refresh it
 * @b: batch
 * @alloc_id: allocation
 * @peer: address; its port does not matter
 * @lifetime_ms: from now; not 0
 *
 * Return: as kturn_batch_alloc_new().
 */
int kturn_batch_perm_new(struct kturn_batch *b, uint32_t alloc_id,
			 const struct kturn_addr *peer, uint32_t lifetime_ms);

/** kturn_batch_perm_del() - add: end a permission */
int kturn_batch_perm_del(struct kturn_batch *b, uint32_t alloc_id,
			 const struct kturn_addr *peer);

/**
 * kturn_batch_chan_new() - add: bind a channel, or refresh it
 * @b: batch
 * @alloc_id: allocation
 * @number: channel number, 0x4000 to 0x7FFF
 * @peer: transport address
 * @lifetime_ms: from now; not 0
 *
 * Return: as kturn_batch_alloc_new().
 */
int kturn_batch_chan_new(struct kturn_batch *b, uint32_t alloc_id,
			 uint16_t number, const struct kturn_addr *peer,
			 uint32_t lifetime_ms);

/** kturn_batch_chan_del() - add: unbind a channel */
int kturn_batch_chan_del(struct kturn_batch *b, uint32_t alloc_id,
			 uint16_t number);

/**
 * kturn_batch_run() - send everything, gather every answer
 * @b: batch; may be run once
 *
 * Large batches are sent in pieces that fit the socket's buffers.
 *
 * Return: 0 if all requests succeeded, else the first error;
 * kturn_batch_result() tells them apart. -ENOENT from the transport itself
 * (module unloaded) shows as that result for every request not run.
 */
int kturn_batch_run(struct kturn_batch *b);

/** kturn_batch_result() - 0 or negative errno of request @i */
int kturn_batch_result(const struct kturn_batch *b, int i);

/** kturn_batch_id() - the id that alloc_new request @i got, else 0 */
uint32_t kturn_batch_id(const struct kturn_batch *b, int i);

/** kturn_batch_text() - the kernel's words for a failed request, or "" */
const char *kturn_batch_text(const struct kturn_batch *b, int i);

/* --------------------------------------------------------- single requests */

/**
 * kturn_alloc_new() - make an allocation
 * @kt: handle; the allocation is the owner's that it has joined
 * @a: as for kturn_batch_alloc_new()
 * @id: result: its id
 *
 * This and those below are batches of one request.
 *
 * Return: 0 or a negative errno, with kturn_error() set.
 */
int kturn_alloc_new(struct kturn *kt, const struct kturn_alloc *a,
		    uint32_t *id);

/** kturn_alloc_del() - delete an allocation and all of it */
int kturn_alloc_del(struct kturn *kt, uint32_t id);

/** kturn_perm_new() - install a permission, or refresh it */
int kturn_perm_new(struct kturn *kt, uint32_t alloc_id,
		   const struct kturn_addr *peer, uint32_t lifetime_ms);

/** kturn_perm_del() - end a permission */
int kturn_perm_del(struct kturn *kt, uint32_t alloc_id,
		   const struct kturn_addr *peer);

/** kturn_chan_new() - bind a channel, or refresh it */
int kturn_chan_new(struct kturn *kt, uint32_t alloc_id, uint16_t number,
		   const struct kturn_addr *peer, uint32_t lifetime_ms);

/** kturn_chan_del() - unbind a channel */
int kturn_chan_del(struct kturn *kt, uint32_t alloc_id, uint16_t number);

/** kturn_flush() - delete all allocations; @owner_id 0: of everybody */
int kturn_flush(struct kturn *kt, uint32_t owner_id);

/* ----------------------------------------------------------------- reading */

/*
 * Callbacks return 0 to go on; anything else ends the reading and is
 * returned. A dump that changes interrupted (NLM_F_DUMP_INTR) is read again
 * from its start before any callback is called, up to 10 times, after which
 * what was read is delivered: entries then may be missing, none is invented.
 * Pointers are valid during the callback only.
 */
typedef int (*kturn_alloc_cb)(const struct kturn_alloc *a, void *arg);
typedef int (*kturn_perm_cb)(const struct kturn_perm *p, void *arg);
typedef int (*kturn_chan_cb)(const struct kturn_chan *c, void *arg);
typedef int (*kturn_owner_cb)(const struct kturn_owner *o, void *arg);
typedef int (*kturn_device_cb)(const struct kturn_device *d, void *arg);

/**
 * kturn_alloc_get() - read allocations
 * @kt: handle
 * @id: which; 0: all
 * @owner_id: whose; 0: of everybody
 * @cb: gets each
 * @arg: for @cb
 *
 * Return: 0, @cb's result, or a negative errno with kturn_error() set;
 * -ENOENT: there is no allocation @id.
 */
int kturn_alloc_get(struct kturn *kt, uint32_t id, uint32_t owner_id,
		    kturn_alloc_cb cb, void *arg);

/**
 * kturn_alloc_sample() - read all allocations once, whatever changes meanwhile
 * @kt: handle
 * @cb: gets each, in the order of their ids
 * @arg: for @cb
 *
 * For who comes again anyway. What was there all the time is delivered exactly
 * once, what was made or removed meanwhile may be or not.
 *
 * Return: as kturn_alloc_get().
 */
int kturn_alloc_sample(struct kturn *kt, kturn_alloc_cb cb, void *arg);

/** kturn_perm_get() - read permissions, of all allocations for @alloc_id 0;
 * returns as kturn_alloc_get()
 */
int kturn_perm_get(struct kturn *kt, uint32_t alloc_id, kturn_perm_cb cb,
		   void *arg);

/** kturn_chan_get() - read channels, of all allocations for @alloc_id 0;
 * returns as kturn_alloc_get()
 */
int kturn_chan_get(struct kturn *kt, uint32_t alloc_id, kturn_chan_cb cb,
		   void *arg);

/** kturn_owner_get() - read owners; returns as kturn_alloc_get() */
int kturn_owner_get(struct kturn *kt, kturn_owner_cb cb, void *arg);

/** kturn_device_get() - read attached devices, in the order of their interface
 * indexes; returns as kturn_alloc_get()
 */
int kturn_device_get(struct kturn *kt, kturn_device_cb cb, void *arg);

/** kturn_stats_get() - the network namespace's counters; 0 or a negative
 * errno
 */
int kturn_stats_get(struct kturn *kt, struct kturn_stats *st);

/** kturn_config_get() - the network namespace's limits; 0 or a negative
 * errno
 */
int kturn_config_get(struct kturn *kt, struct kturn_config *cfg);

/** kturn_config_set() - set limits; UINT32_MAX keeps one. 0 or a negative
 * errno
 */
int kturn_config_set(struct kturn *kt, const struct kturn_config *cfg);

/**
 * kturn_attach() - take packets at a device's ingress
 * @kt: handle
 * @ifindex: the device's interface index
 *
 * Those that can be relayed; PREROUTING and POSTROUTING don't see them then. It
 * lasts until the device goes, the module, or kturn_detach().
 *
 * Return: 0, or a negative errno with kturn_error() set; -EEXIST: it is
 * attached; -ENODEV: no such device; -EINVAL: it can't be; -EOPNOTSUPP: the
 * module is older than this.
 */
int kturn_attach(struct kturn *kt, uint32_t ifindex);

/** kturn_detach() - the reverse; -ENOENT: it is not attached */
int kturn_detach(struct kturn *kt, uint32_t ifindex);

/* ------------------------------------------------------------------ events */

/**
 * struct kturn_event - something was removed
 * @type: which of the union counts
 * @alloc: of KTURN_EVENT_ALLOC: as it was; @alloc.gone says why
 * @perm: of KTURN_EVENT_PERM, likewise
 * @chan: of KTURN_EVENT_CHAN, likewise
 */
struct kturn_event {
	enum {
		KTURN_EVENT_ALLOC,
		KTURN_EVENT_PERM,
		KTURN_EVENT_CHAN,
		/* The family vanished or came: the module was un/loaded. */
		KTURN_EVENT_MODULE_GONE,
		KTURN_EVENT_MODULE_HERE,
	} type;
	union {
		struct kturn_alloc alloc;
		struct kturn_perm perm;
		struct kturn_chan chan;
	};
};

typedef int (*kturn_event_cb)(const struct kturn_event *ev, void *arg);

struct kturn_listener;

/**
 * kturn_listen() - a second socket that hears of removals
 * @l: result
 *
 * Works without the module too, and never makes the kernel load it: it then
 * reports when the module comes.
 * Return: 0 or a negative errno (-EPERM without CAP_NET_ADMIN; without the
 * module that shows in kturn_listener_read() when it has come), with
 * kturn_error(NULL) set.
 */
int kturn_listen(struct kturn_listener **l);

/** kturn_listener_close() - close it; NULL is fine */
void kturn_listener_close(struct kturn_listener *l);

/** kturn_listener_fd() - the descriptor, for polling */
int kturn_listener_fd(const struct kturn_listener *l);

/** kturn_listener_here() - is the module loaded, as far as was read? */
bool kturn_listener_here(const struct kturn_listener *l);

/**
 * kturn_listener_read() - deliver what is there, without blocking
 * @l: listener
 * @cb: gets each event; what it points to is valid during the call only
 * @arg: for @cb
 *
 * Return: 0; -ENOBUFS: messages were lost, the caller must read the state
 * anew (what was not lost has been delivered, and the buffer was grown); a
 * callback's result, when it is not 0; other errors, -EPERM say, with
 * kturn_error(NULL) set. What is left unread is delivered by the next call.
 */
int kturn_listener_read(struct kturn_listener *l, kturn_event_cb cb, void *arg);

/* -------------------------------------------------------------------- text */

/** kturn_addr_parse() - "192.0.2.1:3478", "[2001:db8::1]:3478", or without
 * a port; canonical: v4-mapped IPv6 becomes IPv4. Return: 0 or -EINVAL.
 */
int kturn_addr_parse(const char *text, struct kturn_addr *addr);

#define KTURN_ADDR_TEXT_MAX	64

/** kturn_addr_text() - the reverse; the port is left out when 0 */
const char *kturn_addr_text(const struct kturn_addr *addr,
			    char buf[KTURN_ADDR_TEXT_MAX]);

/** kturn_gone_name() - "expired", …; from enum kturn_gone_reason */
const char *kturn_gone_name(int reason);
/** kturn_drop_name() - NULL for a number beyond the last */
const char *kturn_drop_name(unsigned int reason);
/** kturn_punt_name() - NULL for a number beyond the last */
const char *kturn_punt_name(unsigned int reason);
/** kturn_drop_text() - what it means; NULL for a number beyond the last */
const char *kturn_drop_text(unsigned int reason);
/** kturn_punt_text() - what it means; NULL for a number beyond the last */
const char *kturn_punt_text(unsigned int reason);

#ifdef __cplusplus
}
#endif

#endif /* _LIBKTURN_H */
