/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Workers share nothing: each has a thread, an event loop, a socket for each
 * listening address, and its own allocations. What concerns another worker
 * goes there as a message.
 */
#ifndef _KTURND_WORKER_H
#define _KTURND_WORKER_H

#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <sys/queue.h>

#include "io.h"
#include "local.h"
#include "offload.h"
#include "park.h"
#include "policy.h"
#include "realms.h"
#include "relay.h"
#include "source_limit.h"
#include "transport/dtls.h"
#include "transport/stream.h"
#include "turn/turn.h"
#include "visitor.h"

struct daemon;
struct worker;

/**
 * struct worker_msg - something to be done by a worker's thread
 * @entry: in its queue
 * @run: does it, and frees the message; @w is NULL when it never will be
 *	done, because the worker has ended
 */
struct worker_msg {
	STAILQ_ENTRY(worker_msg) entry;
	void (*run)(struct worker *w, struct worker_msg *msg);
};

STAILQ_HEAD(worker_queue, worker_msg);

/**
 * struct listener - a worker's sockets for a listening address
 * @worker: whose
 * @fd: UDP socket, -1 if not open
 * @stream_fd: listening TCP socket, -1 if not open
 * @addr: where they are bound
 * @event: in the worker's loop, of @fd
 * @stream_event: the same, of @stream_fd
 */
struct listener {
	struct worker *worker;
	int fd;
	int stream_fd;
	struct kturn_addr addr;
	struct event event;
	struct event stream_event;
};

/**
 * struct worker - a worker
 * @d: what all share
 * @index: its number
 * @thread: its thread
 * @started: @thread runs
 * @base: its loop
 * @wakeup: there are messages
 * @wake_fd: eventfd behind @wakeup
 * @lock: protects @queue, @n_queued, @closed
 * @queue: messages
 * @n_queued: how many
 * @closed: nobody will read @queue any more
 * @timer: for the state machine
 * @timer_at: when it goes off, UINT64_MAX for never
 * @listeners: one for each listening address, in the order of those
 * @io: buffers
 * @stream: connections of TCP and TLS
 * @dtls: those of DTLS
 * @turn: state machine
 * @offload: its mirror in the kernel
 * @realms: realms
 * @park: requests that wait for the user store
 * @since: when the request came that is being handled, if it waited; else 0
 * @local: the host's addresses
 * @sources: how much those without credentials have asked
 * @policy: peers, as long as they are the same
 * @visitors: clients whose allocations other workers have
 * @answers: whose visitor is being answered, or NULL
 * @stranded: allocations that came too late, protected by @lock
 * @reading: whose datagrams are being handled, NULL once it is closed
 * @now: milliseconds, CLOCK_BOOTTIME, when the current event began
 * @stop: ends the loop
 */
struct worker {
	struct daemon *d;
	unsigned int index;
	pthread_t thread;
	bool started;
	struct event_base *base;
	struct event wakeup;
	int wake_fd;
	pthread_mutex_t lock;
	struct worker_queue queue;
	unsigned int n_queued;
	bool closed;
	struct event timer;
	uint64_t timer_at;
	struct listener *listeners;
	struct io io;
	struct stream stream;
	struct dtls dtls;
	struct turn_server *turn;
	struct offload offload;
	struct realms *realms;
	struct park park;
	uint64_t since;
	struct local_set *local;
	struct source_limit sources;
	struct policy_cache policy;
	struct visitors visitors;
	struct worker *answers;
	struct worker_queue stranded;
	struct relay_sock *reading;
	uint64_t now;
	struct worker_msg stop;
};

/**
 * worker_init() - everything but the thread and the listeners
 * @w: result
 * @d: what all share
 * @index: its number
 *
 * What went wrong is logged. Return: 0 or a negative errno.
 */
int worker_init(struct worker *w, struct daemon *d, unsigned int index);

/** worker_start() - start the thread; 0 or a negative errno */
int worker_start(struct worker *w);

/** worker_stop() - end the thread, wait for it */
void worker_stop(struct worker *w);

/** worker_free() - free it; @keep as turn_server_free() */
void worker_free(struct worker *w, bool keep);

/** worker_post() - hand over a message; any thread */
void worker_post(struct worker *w, struct worker_msg *msg);

/** worker_post_some() - hand over a client's message, if not many wait there
 * already: it may get lost; any thread
 */
void worker_post_some(struct worker *w, struct worker_msg *msg);

/** worker_send() - send a datagram to a client, from the tuple's server address */
void worker_send(struct worker *w, const struct turn_tuple *to,
		 const uint8_t *buf, size_t len);

/** worker_post_datagram() - a client's datagram that came to the wrong one */
void worker_post_datagram(struct worker *w, const struct turn_tuple *tuple,
			  const uint8_t *buf, size_t len);

/** worker_watch_relay() - serve a relayed address from now on */
void worker_watch_relay(struct worker *w, struct turn_relay *relay,
			struct turn_alloc *alloc);

/** worker_make_public() - one of our own addresses behind a NAT is known by its
 * public one
 */
void worker_make_public(struct worker *w, struct kturn_addr *from);

/** worker_set_realms() - others from now on, which are taken over */
void worker_set_realms(struct worker *w, struct realms *set);

/** worker_clock() - milliseconds, going on in suspend */
uint64_t worker_clock(void);

/** worker_begin() - the beginning of a round: what time it is */
void worker_begin(struct worker *w);

/**
 * worker_come_again() - take up the requests that wait for an answer
 * @w: worker
 * @number: of the question
 * @known: there is an answer; else they are dropped
 */
void worker_come_again(struct worker *w, uint64_t number, bool known);

/** worker_client_gone() - as turn_client_gone(), with what waits */
void worker_client_gone(struct worker *w, const struct turn_tuple *tuple);

/** worker_listen() - accept connections from now on, or not */
void worker_listen(struct worker *w, bool on);

/** worker_expire() - the end of a round: send what waits, end what is over,
 * set the timer anew
 */
void worker_expire(struct worker *w);

/** worker_ops - for turn_server_new(), with a struct worker */
extern const struct turn_ops worker_ops;

/** listeners_open() - bind all listening addresses, for all workers */
int listeners_open(struct daemon *d);

#endif /* _KTURND_WORKER_H */
