// SPDX-License-Identifier: GPL-2.0-or-later
/* Shared secrets, which may change; see secrets.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon.h"
#include "file.h"
#include "log.h"
#include "secrets.h"

static void wipe(char *text)
{
	if (!text)
		return;
	explicit_bzero(text, strlen(text));
	free(text);
}

struct secrets *secrets_new(const struct config *cfg)
{
	struct secrets *set;
	size_t i;

	set = calloc(1, sizeof(*set) + cfg->n_secrets * sizeof(*set->v));
	if (!set)
		return NULL;
	set->refs = 1;
	for (i = 0; i < cfg->n_secrets; i++) {
		set->v[i] = strdup(cfg->secrets[i]);
		if (!set->v[i]) {
			secrets_put(set);
			return NULL;
		}
		set->n++;
	}
	return set;
}

struct secrets *secrets_get(struct secrets *set)
{
	__atomic_add_fetch(&set->refs, 1, __ATOMIC_RELAXED);
	return set;
}

void secrets_put(struct secrets *set)
{
	size_t i;

	if (!set || __atomic_sub_fetch(&set->refs, 1, __ATOMIC_ACQ_REL))
		return;
	for (i = 0; i < set->n; i++)
		wipe(set->v[i]);
	free(set);
}

/* ----------------------------------------------------------------- following */

struct secrets_msg {
	struct worker_msg msg;
	struct secrets *set;
};

static void run_secrets(struct worker *w, struct worker_msg *msg)
{
	struct secrets_msg *sm = (struct secrets_msg *)msg;

	if (w)
		worker_set_secrets(w, sm->set);
	else
		secrets_put(sm->set);
	free(sm);
}

/* False: some workers were not told. */
static bool tell_workers(struct daemon *d, struct secrets *set)
{
	struct secrets_msg *sm;
	unsigned int i;

	for (i = 0; i < d->n_workers; i++) {
		sm = malloc(sizeof(*sm));
		if (!sm)
			return false;
		sm->msg.run = run_secrets;
		sm->set = secrets_get(set);
		worker_post(&d->workers[i], &sm->msg);
	}
	return true;
}

void secrets_follow(struct daemon *d)
{
	struct config *cfg = d->cfg;
	struct secrets *set = NULL;
	uint64_t stamp, before;
	bool ok = false;

	if (!cfg->secret_file || !strcmp(cfg->secret_file, "-"))
		return;
	stamp = file_stamp(0, cfg->secret_file);
	before = d->secrets_seen;
	d->secrets_seen = stamp;
	/* Not there any more, or perhaps still being written. */
	if (stamp == cfg->secret_stamp || stamp == file_stamp(0, NULL) ||
	    stamp != before)
		return;
	if (config_read_secrets(cfg))
		set = secrets_new(cfg);
	if (set)
		ok = tell_workers(d, set);
	secrets_put(set);
	if (!ok) {
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
