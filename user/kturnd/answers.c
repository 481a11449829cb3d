// SPDX-License-Identifier: GPL-2.0-or-later
/* What the user store has to say; see answers.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "answers.h"
#include "daemon.h"
#include "log.h"

struct answer_msg {
	struct worker_msg msg;
	uint64_t number;
	bool known;
};

static void run_answer(struct worker *w, struct worker_msg *msg)
{
	struct answer_msg *am = (struct answer_msg *)msg;

	if (w)
		worker_come_again(w, am->number, am->known);
	free(am);
}

/* Without memory what waits is pushed out by others some day. */
static void on_answered(void *arg, const uint64_t *workers, uint64_t number,
			bool known)
{
	struct daemon *d = arg;
	struct answer_msg *am;
	unsigned int i;

	for (i = 0; i < d->n_workers; i++) {
		if (!(workers[i / 64] >> i % 64 & 1))
			continue;
		am = malloc(sizeof(*am));
		if (!am)
			return;
		am->msg.run = run_answer;
		am->number = number;
		am->known = known;
		worker_post(&d->workers[i], &am->msg);
	}
}

static void on_tables(void *arg)
{
	const uint64_t one = 1;
	struct daemon *d = arg;

	if (write(d->answers->fd, &one, sizeof(one)) < 0)
		log_event(LOG_ERR, "wakeup-failed", "error=%s",
			  strerror(errno));
}

/* In the main thread. */
static void take_tables(evutil_socket_t fd, short what, void *arg)
{
	struct answers *a = arg;
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		realms_follow_store(a->d);
}

int answers_open(struct answers *a, struct daemon *d)
{
	const struct store_listener listener = {
		.answered = on_answered,
		.tables = on_tables,
		.arg = d,
	};

	memset(a, 0, sizeof(*a));
	a->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (a->fd < 0)
		return -errno;
	a->d = d;
	d->answers = a;
	event_assign(&a->event, d->base, a->fd, EV_READ | EV_PERSIST,
		     take_tables, a);
	event_add(&a->event, NULL);
	return store_open(&d->users.store, d->cfg, &listener);
}

void answers_close(struct answers *a)
{
	if (!a->d)
		return;
	store_close(a->d->users.store);
	a->d->users.store = NULL;
	event_del(&a->event);
	close(a->fd);
}
