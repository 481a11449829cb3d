// SPDX-License-Identifier: GPL-2.0-or-later
/* Realms that change while the daemon runs; see realms.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "file.h"
#include "log.h"
#include "realms.h"

struct realms_msg {
	struct worker_msg msg;
	struct realms *set;
};

static void run_realms(struct worker *w, struct worker_msg *msg)
{
	struct realms_msg *rm = (struct realms_msg *)msg;

	if (w)
		worker_set_realms(w, rm->set);
	else
		realms_put(rm->set);
	free(rm);
}

/* False: some workers were not told. */
static bool tell_workers(struct daemon *d, struct realms *set)
{
	struct realms_msg *rm;
	unsigned int i;

	for (i = 0; i < d->n_workers; i++) {
		rm = malloc(sizeof(*rm));
		if (!rm)
			return false;
		rm->msg.run = run_realms;
		rm->set = realms_get(set);
		worker_post(&d->workers[i], &rm->msg);
	}
	return true;
}

/* Takes over @set, unless it fails; NULL is a failure. */
static bool replace(struct daemon *d, struct realms *set)
{
	if (!set || !tell_workers(d, set)) {
		realms_put(set);
		return false;
	}
	realms_put(d->realms);
	d->realms = set;
	return true;
}

/* What configuration and store say; NULL without memory. */
static struct realms *realms_now(struct daemon *d)
{
	struct tables *tables = NULL;
	struct realms *set;

	if (d->users.store)
		tables = store_tables(d->users.store);
	set = realms_new(d->cfg, tables);
	tables_put(tables);
	return set;
}

/* The store is asked of each, so that it has spoken of those that clients name. */
static bool ask_of(const struct realm *realm, void *arg)
{
	store_realm(arg, realm->turn.name);
	return false;
}

void realms_follow_secrets(struct daemon *d)
{
	struct config *cfg = d->cfg;
	uint64_t stamp, before;

	if (!cfg->secret_file || !strcmp(cfg->secret_file, "-"))
		return;
	stamp = file_stamp(0, cfg->secret_file);
	before = d->secrets_seen;
	d->secrets_seen = stamp;
	/* Not there any more, or perhaps still being written. */
	if (stamp == cfg->secret_stamp || stamp == file_stamp(0, NULL) ||
	    stamp != before)
		return;
	if (!config_read_secrets(cfg) ||
	    !replace(d, realms_now(d))) {
		log_limited(LOG_WARNING, "secrets-reload-failed",
			    "file=%s effect=%s", cfg->secret_file,
			    "the secrets read before stay in use");
		return;
	}
	cfg->secret_stamp = stamp;
	log_event(cfg->n_secrets ? LOG_NOTICE : LOG_WARNING,
		  "secrets-reloaded", "file=%s secrets=%zu", cfg->secret_file,
		  cfg->n_secrets);
}

void realms_follow_store(struct daemon *d)
{
	struct realms *set = realms_now(d);

	if (set && realms_same(set, d->realms)) {
		realms_put(set);
	} else if (replace(d, set)) {
		realms_each(d->realms, ask_of, d->users.store);
		log_event(LOG_NOTICE, "realms-reloaded", "of=%s", "user-store");
	} else {
		log_limited(LOG_WARNING, "realms-reload-failed",
			    "error=%s effect=%s", "out of memory",
			    "realms, secrets, keys and peers stay as they were");
	}
}

int realms_open(struct daemon *d)
{
	d->realms = realms_now(d);
	if (!d->realms)
		return -ENOMEM;
	if (d->users.store) {
		realms_each(d->realms, ask_of, d->users.store);
		store_settle(d->users.store);
	}
	return 0;
}

void realms_close(struct daemon *d)
{
	realms_put(d->realms);
}
