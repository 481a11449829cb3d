// SPDX-License-Identifier: GPL-2.0-or-later
/* kturn check-host: the kernel, and the module in it and on disk. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "check.h"
#include "cli.h"

/* The oldest kernel that the module is for. */
#define KERNEL_MAJOR	6
#define KERNEL_MINOR	1

/* A field of the module that modprobe would load; empty without one. */
static void field_read(const char *field, char *buf, size_t size)
{
	/* Users may have no sbin in their path. */
	const char *const argv[] = { "modinfo", "-F", field, "kturn", NULL };
	const char *const sbin[] = {
		"/sbin/modinfo", "-F", field, "kturn", NULL
	};

	if (!check_output(buf, size, argv) && !check_output(buf, size, sbin))
		*buf = '\0';
}

static bool secure_boot(void)
{
	size_t len = 0;
	char *var = check_read(&len, "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c");
	bool on = var && len == 5 && var[4] == 1;

	free(var);
	return on;
}

/* "none [integrity] confidentiality" */
static bool is_locked_down(void)
{
	char line[128];

	return check_line(line, sizeof(line), "/sys/kernel/security/lockdown") &&
	       !strstr(line, "[none]");
}

static bool signatures_wanted(void)
{
	char line[8];

	return check_line(line, sizeof(line),
			  "/sys/module/module/parameters/sig_enforce") &&
	       *line == 'Y';
}

static void signature_look(struct check *c, const char *file)
{
	char signer[128];

	field_read("sig_id", signer, sizeof(signer));
	if (*signer || !(secure_boot() || is_locked_down() ||
			 signatures_wanted())) {
		check_ok(c, "module-signature", NULL, *signer ?
			 "the module is signed" :
			 "this kernel takes modules without a signature");
		return;
	}
	check_add(c, CHECK_BAD, "module-signature", file);
	check_found(c, "it is not signed, and this kernel takes signed modules only");
	check_why(c, "It can't be loaded, so kturnd relays everything itself, at several times the cost. Sign it with a key that this machine knows (see \"Secure Boot\" in Documentation/install.rst).");
	check_do(c, "/lib/modules/$(uname -r)/build/scripts/sign-file sha256 KEY.priv KEY.der %s",
		 file);
}

static void kernel_look(struct check *c, const struct utsname *uts)
{
	unsigned int major, minor;

	if (sscanf(uts->release, "%u.%u", &major, &minor) != 2)
		return;
	if (major > KERNEL_MAJOR ||
	    (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)) {
		check_ok(c, "kernel", NULL, "Linux %s", uts->release);
		return;
	}
	check_add(c, CHECK_BAD, "kernel", NULL);
	check_found(c, "this is Linux %s, and the module needs %d.%d or later",
		    uts->release, KERNEL_MAJOR, KERNEL_MINOR);
	check_why(c, "kturnd relays everything itself, at several times the cost.");
	check_do(c, "apt-get install linux-image-amd64");
}

static bool takes_modules(void)
{
	uint64_t disabled;

	if (access("/proc/modules", F_OK))
		return false;
	return !check_number(&disabled, "/proc/sys/kernel/modules_disabled") ||
	       !disabled;
}

static void absent_look(struct check *c, const struct utsname *uts)
{
	char file[256];
	bool possible = takes_modules();

	field_read("filename", file, sizeof(file));
	check_add(c, CHECK_WARN, "module", NULL);
	if (!possible)
		check_found(c, "the module is not loaded, and this kernel takes no modules");
	else if (*file)
		check_found(c, "the module is not loaded");
	else
		check_found(c, "there is no module for Linux %s", uts->release);
	check_why(c, "kturnd relays everything itself, at several times the cost.%s",
		  possible ? "" : " It takes a kernel with CONFIG_MODULES, and with kernel.modules_disabled=0.");
	if (possible && *file)
		check_do(c, "modprobe kturn");
	else if (possible)
		check_do(c, "make modules KDIR=/usr/src/linux-headers-%s && make modules_install && modprobe kturn",
			 uts->release);
	if (*file)
		signature_look(c, file);
}

/* The same sources have the same srcversion. */
static void loaded_look(struct check *c)
{
	char loaded[64], disk[64], file[256];

	field_read("filename", file, sizeof(file));
	field_read("srcversion", disk, sizeof(disk));
	if (!check_line(loaded, sizeof(loaded),
			"/sys/module/kturn/srcversion") || !*disk) {
		check_ok(c, "module", NULL, "the module is loaded");
		return;
	}
	if (!strcmp(loaded, disk)) {
		check_ok(c, "module", NULL,
			 "the module is loaded, and the same as on disk");
		return;
	}
	check_add(c, CHECK_WARN, "module", file);
	check_found(c, "not the module that is loaded: srcversion %s, loaded %s",
		    disk, loaded);
	check_why(c, "An update has not taken effect. Changing it now stops nothing: kturnd relays meanwhile.");
	check_do(c, "rmmod kturn && modprobe kturn");
}

static int device_count(const struct kturn_device *d, void *arg)
{
	struct check *c = arg;

	(void)d;
	c->attached++;
	return 0;
}

static void settings_look(struct check *c)
{
	struct kturn_config cfg;
	struct kturn *kt = NULL;

	if (kturn_open(&kt)) {
		check_unseen(c, "the module's settings", "%s",
			     kturn_error(NULL));
		return;
	}
	if (kturn_config_get(kt, &cfg))
		check_unseen(c, "the module's settings", "%s",
			     kturn_error(kt));
	else
		c->local_out = cfg.local_out;
	/* An older module knows nothing of devices. */
	kturn_device_get(kt, device_count, c);
	kturn_close(kt);
}

void check_module(struct check *c)
{
	struct utsname uts;

	uname(&uts);
	kernel_look(c, &uts);
	if (access("/sys/module/kturn", F_OK)) {
		absent_look(c, &uts);
		return;
	}
	loaded_look(c);
	settings_look(c);
}
