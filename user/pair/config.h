/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kturn-pair's options. */
#ifndef _PAIR_CONFIG_H
#define _PAIR_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "learn.h"

#define LISTEN_MAX	32

/**
 * struct pair_config - what the operator said
 * @learn: for the learner
 * @listen: where the server listens: family KTURN_FAMILY_NONE: at all addresses
 * @n_listen: how many
 * @has_uid: only a server of the user @uid counts
 * @uid: user
 * @process: name of the server's process, or NULL
 * @metrics: where to tell metrics; family KTURN_FAMILY_NONE: nowhere
 * @group: number of the first of two NFLOG groups
 * @capture_bytes: copies of packets that may wait in each group
 * @dry_run: nothing goes into the kernel
 */
struct pair_config {
	struct learn_cfg learn;
	struct kturn_addr listen[LISTEN_MAX];
	unsigned int n_listen;
	bool has_uid;
	uint32_t uid;
	const char *process;
	struct kturn_addr metrics;
	uint16_t group;
	int capture_bytes;
	bool dry_run;
};

/**
 * config_read() - read the command line
 * @argc: of main()
 * @argv: of main()
 * @cfg: result
 *
 * Return: 0; 1: that was all (--help, --version); or -EINVAL or -ENOMEM, and
 * what is wrong was printed.
 */
int config_read(int argc, char **argv, struct pair_config *cfg);

/** config_free() - what config_read() has allocated */
void config_free(struct pair_config *cfg);

#endif /* _PAIR_CONFIG_H */
