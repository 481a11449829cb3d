// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn attach, detach: devices at whose ingress packets are taken. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <string.h>
#include "cli.h"

static const char *const device_columns[] = { ">IFINDEX", "DEVICE", NULL };

static int device_row(const struct kturn_device *d, void *arg)
{
	struct cli_table *t = arg;

	cli_table_cell(t, "%" PRIu32, d->ifindex);
	cli_table_cell(t, "%s", d->ifname);
	return 0;
}

static int device_json(const struct kturn_device *d, void *arg)
{
	json_t *o = json_object();

	cli_json_put(o, "ifindex", json_integer(d->ifindex));
	cli_json_put(o, "ifname", cli_json_string(d->ifname));
	cli_json_append(arg, o);
	return 0;
}

static int devices_show(struct kturn *kt)
{
	struct cli_table *t;
	json_t *array;

	if (cli_json()) {
		array = json_array();
		if (kturn_device_get(kt, device_json, array)) {
			json_decref(array);
			return cli_error("%s", kturn_error(kt));
		}
		return cli_json_print(array);
	}
	t = cli_table_new(device_columns);
	if (!t)
		return cli_error("out of memory");
	if (kturn_device_get(kt, device_row, t)) {
		cli_table_free(t);
		return cli_error("%s", kturn_error(kt));
	}
	return cli_table_print(t) ? CLI_OK : cli_error("out of memory");
}

/* All that can be done is done, and each failure named. */
static int devices_change(struct kturn *kt, int argc, char **argv,
			  int (*change)(struct kturn *kt, uint32_t ifindex))
{
	unsigned int ifindex;
	int status = CLI_OK;

	for (int i = 0; i < argc; i++) {
		ifindex = if_nametoindex(argv[i]);
		if (!ifindex)
			status = cli_error("%s: %s", argv[i], strerror(errno));
		else if (change(kt, ifindex))
			status = cli_error("%s: %s", argv[i], kturn_error(kt));
	}
	return status;
}

int attach_run(int argc, char **argv)
{
	struct kturn *kt;
	int status;

	if (argc && cli_json())
		return cli_usage("--json is for the list of devices");
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	status = argc ? devices_change(kt, argc, argv, kturn_attach) :
			devices_show(kt);
	kturn_close(kt);
	return status;
}

int detach_run(int argc, char **argv)
{
	struct kturn *kt;
	int status;

	if (!argc)
		return cli_usage("DEVICE is missing");
	kt = cli_open();
	if (!kt)
		return CLI_FAILED;
	status = devices_change(kt, argc, argv, kturn_detach);
	kturn_close(kt);
	return status;
}
