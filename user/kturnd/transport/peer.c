// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections to peers; see peer.h. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "conn.h"
#include "kturnd/daemon.h"
#include "kturnd/socket.h"
#include "peer.h"

/* When a limit is looked at again. */
#define AGAIN_US	10000

/** enum peer_state - how far a connection to a peer is */
enum peer_state {
	PEER_CONNECTING,
	PEER_WAITING,		/* to be bound to a connection of the client's */
	PEER_BOUND,
	PEER_DEAD,		/* freed when the round is over */
};

/**
 * struct peer_conn - a connection to a peer
 * @entry: of @s->dead_peers
 * @s: its worker's
 * @state: how far it is
 * @fd: socket, not blocking
 * @read: the socket has something to read; not waited for before PEER_BOUND
 * @write: the socket has room, or is connected
 * @again: a limit is to be looked at again
 * @tc: the state machine's; NULL once that has forgotten it
 * @client: the client's connection, of PEER_BOUND
 * @out: what waits to be sent to the peer
 * @moved_ms: when something was relayed last
 * @taken_ms: when the peer took something of @out last, or that began to wait
 * @peer_ended: the peer sends nothing any more
 * @client_ended: nor does the client
 * @peer_told: the peer knows that
 * @client_told: the client knows that of the peer
 */
struct peer_conn {
	LIST_ENTRY(peer_conn) entry;
	struct stream *s;
	enum peer_state state;
	int fd;
	struct event read;
	struct event write;
	struct event again;
	struct turn_connection *tc;
	struct conn *client;
	struct queue out;
	uint64_t moved_ms;
	uint64_t taken_ms;
	bool peer_ended;
	bool client_ended;
	bool peer_told;
	bool client_told;
};

/* ---------------------------------------------------------------- life cycle */

static void close_both(struct peer_conn *pc)
{
	struct conn *client = pc->client;

	if (pc->state == PEER_DEAD)
		return;
	pc->state = PEER_DEAD;
	event_del(&pc->read);
	event_del(&pc->write);
	evtimer_del(&pc->again);
	LIST_INSERT_HEAD(&pc->s->dead_peers, pc, entry);
	if (!client)
		return;
	pc->client = NULL;
	client->peer = NULL;
	conn_close(client, NULL);
}

void peer_close(struct peer_conn *pc)
{
	pc->tc = NULL;
	close_both(pc);
}

void peer_client_gone(struct peer_conn *pc)
{
	pc->client->peer = NULL;
	pc->client = NULL;
	close_both(pc);
}

void peer_free_dead(struct stream *s)
{
	struct peer_conn *pc;

	while ((pc = LIST_FIRST(&s->dead_peers))) {
		LIST_REMOVE(pc, entry);
		if (pc->tc)
			turn_connection_gone(s->w->turn, pc->tc);
		atomic_fetch_sub(&s->w->d->n_peer_conns, 1);
		close(pc->fd);
		queue_free(&pc->out);
		free(pc);
	}
}

/* --------------------------------------------------------------------- ending */

/* Who has sent all is answered for as long as the other has something to say. */
static void check_end(struct peer_conn *pc)
{
	if (pc->client_ended && !pc->peer_told && queue_empty(&pc->out)) {
		shutdown(pc->fd, SHUT_WR);
		pc->peer_told = true;
	}
	if (pc->peer_ended && !pc->client_told &&
	    queue_empty(&pc->client->out))
		pc->client_told = conn_shutdown(pc->client);
	if (pc->peer_told && pc->client_told)
		close_both(pc);
}

void peer_client_ended(struct peer_conn *pc)
{
	pc->client_ended = true;
	pc->moved_ms = pc->s->w->now;
	conn_pause(pc->client);
	check_end(pc);
}

static void peer_ended(struct peer_conn *pc)
{
	pc->peer_ended = true;
	pc->moved_ms = pc->s->w->now;
	event_del(&pc->read);
	check_end(pc);
}

/* Nothing can be sent to it any more, but what it has sent reaches the client. */
static void peer_broken(struct peer_conn *pc)
{
	queue_free(&pc->out);
	event_del(&pc->write);
	conn_pause(pc->client);
	pc->client_ended = true;
	pc->peer_told = true;
	peer_ended(pc);
}

const char *peer_overdue(const struct peer_conn *pc, uint64_t now)
{
	uint64_t moved = pc->moved_ms;

	if (!queue_empty(&pc->out) && now - pc->taken_ms >= PEER_STALL_MS)
		return "its peer takes nothing";
	if (pc->client->progress_ms > moved)
		moved = pc->client->progress_ms;
	if ((pc->client_ended || pc->peer_ended) &&
	    now - moved >= PEER_HALF_MS)
		return "its other end has gone";
	return NULL;
}

/* ------------------------------------------------------------------- relaying */

/* A limit is reached: both directions look again, soon. */
static void wait_again(struct peer_conn *pc)
{
	static const struct timeval soon = { .tv_usec = AGAIN_US };

	if (!evtimer_pending(&pc->again, NULL))
		evtimer_add(&pc->again, &soon);
}

size_t peer_room(struct peer_conn *pc)
{
	size_t room = turn_connection_room(pc->s->w->turn, pc->tc,
					   TURN_TO_PEER, STREAM_READ,
					   pc->s->w->now);

	if (!room)
		wait_again(pc);
	return room;
}

bool peer_is_full(const struct peer_conn *pc)
{
	return pc->client_ended || !queue_empty(&pc->out);
}

/* As send(), but what the socket does not take is 0; -1: the peer has gone. */
static ssize_t send_some(struct peer_conn *pc, const uint8_t *buf, size_t len)
{
	ssize_t n = send(pc->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	pc->moved_ms = pc->s->w->now;
	pc->taken_ms = pc->moved_ms;
	return n;
}

void peer_take(struct peer_conn *pc, const uint8_t *buf, size_t len)
{
	ssize_t n = 0;

	turn_connection_passed(pc->s->w->turn, pc->tc, TURN_TO_PEER, len,
			       pc->s->w->now);
	if (queue_empty(&pc->out)) {
		pc->taken_ms = pc->s->w->now;
		n = send_some(pc, buf, len);
	}
	if (n < 0) {
		peer_broken(pc);
		return;
	}
	if ((size_t)n == len)
		return;
	if (!queue_add(&pc->out, buf + n, len - (size_t)n, false)) {
		conn_close(pc->client, "out of memory");
		return;
	}
	event_add(&pc->write, NULL);
	conn_pause(pc->client);
}

static void write_out(struct peer_conn *pc)
{
	uint8_t *buf = pc->s->out;
	ssize_t n;

	n = send_some(pc, buf,
		      queue_gather(&pc->out, buf, STREAM_WRITE, false));
	if (n < 0) {
		peer_broken(pc);
		return;
	}
	queue_sent(&pc->out, (size_t)n);
	if (!queue_empty(&pc->out))
		return;
	event_del(&pc->write);
	conn_read_again(pc->client);
	if (pc->state == PEER_BOUND)
		check_end(pc);
}

static void read_peer(struct peer_conn *pc)
{
	struct stream *s = pc->s;
	struct conn *client = pc->client;
	size_t room;
	ssize_t n;

	room = turn_connection_room(s->w->turn, pc->tc, TURN_TO_CLIENT,
				    STREAM_READ, s->w->now);
	if (!room) {
		event_del(&pc->read);
		wait_again(pc);
		return;
	}
	n = recv(pc->fd, s->in, room, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		peer_broken(pc);
		return;
	}
	if (!n) {
		peer_ended(pc);
		return;
	}
	pc->moved_ms = s->w->now;
	turn_connection_passed(s->w->turn, pc->tc, TURN_TO_CLIENT, (size_t)n,
			       s->w->now);
	if (!queue_add(&client->out, s->in, (size_t)n, false)) {
		conn_close(client, "out of memory");
		return;
	}
	conn_write(client);
	if (pc->state == PEER_BOUND && !queue_empty(&client->out))
		event_del(&pc->read);
}

void peer_client_drained(struct peer_conn *pc)
{
	check_end(pc);
	if (pc->state == PEER_BOUND && !pc->peer_ended &&
	    !evtimer_pending(&pc->again, NULL))
		event_add(&pc->read, NULL);
}

/* --------------------------------------------------------------------- events */

static void connected(struct peer_conn *pc)
{
	struct turn_server *turn = pc->s->w->turn;
	struct turn_connection *tc = pc->tc;
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(pc->fd, SOL_SOCKET, SO_ERROR, &error, &len))
		error = errno;
	event_del(&pc->write);
	if (!error) {
		pc->state = PEER_WAITING;
		turn_connected(turn, pc->s->w->now, tc);
		return;
	}
	peer_close(pc);
	turn_connect_failed(turn, tc, error);
}

static void on_write(evutil_socket_t fd, short what, void *arg)
{
	struct peer_conn *pc = arg;
	struct worker *w = pc->s->w;

	worker_begin(w);
	if (pc->state == PEER_CONNECTING)
		connected(pc);
	else if (pc->state == PEER_BOUND)
		write_out(pc);
	worker_expire(w);
}

static void on_read(evutil_socket_t fd, short what, void *arg)
{
	struct peer_conn *pc = arg;
	struct worker *w = pc->s->w;

	worker_begin(w);
	if (pc->state == PEER_BOUND)
		read_peer(pc);
	worker_expire(w);
}

static void on_again(evutil_socket_t fd, short what, void *arg)
{
	struct peer_conn *pc = arg;
	struct worker *w = pc->s->w;

	worker_begin(w);
	if (!pc->peer_ended && queue_empty(&pc->client->out))
		event_add(&pc->read, NULL);
	conn_read_again(pc->client);
	worker_expire(w);
}

/* -------------------------------------------------------------------- opening */

/* NULL: there are too many. */
static struct peer_conn *new_peer(struct stream *s, int fd,
				  enum peer_state state)
{
	struct daemon *d = s->w->d;
	struct peer_conn *pc = NULL;

	if (atomic_fetch_add(&d->n_peer_conns, 1) < d->cfg->max_connections)
		pc = calloc(1, sizeof(*pc));
	if (!pc) {
		atomic_fetch_sub(&d->n_peer_conns, 1);
		return NULL;
	}
	pc->s = s;
	pc->fd = fd;
	pc->state = state;
	queue_init(&pc->out);
	event_assign(&pc->read, s->w->base, fd, EV_READ | EV_PERSIST, on_read,
		     pc);
	event_assign(&pc->write, s->w->base, fd, EV_WRITE | EV_PERSIST,
		     on_write, pc);
	evtimer_assign(&pc->again, s->w->base, on_again, pc);
	return pc;
}

/* Of a negative errno: is it our own want? */
static int want_or(int error)
{
	switch (error) {
	case -EMFILE:
	case -ENFILE:
	case -ENOMEM:
	case -ENOBUFS:
		return -ENOBUFS;
	default:
		return error;
	}
}

int peer_connect(struct stream *s, const struct kturn_addr *from,
		 const struct kturn_addr *to, struct turn_connection *tc,
		 void **handle)
{
	struct sockaddr_storage sa;
	struct peer_conn *pc;
	int fd, ret = 0;
	socklen_t len;

	fd = socket_relay_connecting(from);
	if (fd < 0)
		return want_or(fd);
	len = addr_to_sockaddr(to, &sa);
	if (connect(fd, (struct sockaddr *)&sa, len) && errno != EINPROGRESS)
		ret = want_or(-errno);
	pc = ret ? NULL : new_peer(s, fd, PEER_CONNECTING);
	if (!pc) {
		close(fd);
		return ret ? ret : -ENOBUFS;
	}
	pc->tc = tc;
	socket_keep_alive(fd);
	event_add(&pc->write, NULL);
	*handle = pc;
	return 0;
}

/* Without a trace: who connects in vain does not cost more than that. */
static void close_at_once(int fd)
{
	const struct linger none = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
	close(fd);
}

void peer_accept(struct stream *s, int fd, const struct kturn_addr *from,
		 struct turn_alloc *alloc)
{
	struct peer_conn *pc = new_peer(s, fd, PEER_WAITING);

	if (!pc) {
		close_at_once(fd);
		return;
	}
	pc->tc = turn_connection_attempt(s->w->turn, s->w->now, alloc, from,
					 pc);
	if (pc->tc) {
		socket_keep_alive(fd);
		return;
	}
	atomic_fetch_sub(&s->w->d->n_peer_conns, 1);
	close_at_once(fd);
	free(pc);
}

void peer_join(struct peer_conn *pc, const struct turn_tuple *client)
{
	struct conn *c = conn_find(pc->s, client);
	const int none = 0;

	/* The answer could not be sent. */
	if (!c || c->state != CONN_OPEN) {
		close_both(pc);
		return;
	}
	/* Who reads slowly may do so: what waits for it is little. */
	setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &none, sizeof(none));
	pc->state = PEER_BOUND;
	pc->client = c;
	pc->moved_ms = pc->s->w->now;
	c->peer = pc;
	conn_sort(c);
}
