// SPDX-License-Identifier: GPL-2.0
/* A module that only makes the kernel complain, for lab/vm.sh. */
#include <linux/bug.h>
#include <linux/init.h>
#include <linux/module.h>

static int __init warn_init(void)
{
	WARN_ON(1);
	return 0;
}

static void __exit warn_exit(void)
{
}

module_init(warn_init);
module_exit(warn_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Makes the kernel complain");
