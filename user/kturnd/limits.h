/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many descriptors the process may have. */
#ifndef _KTURND_LIMITS_H
#define _KTURND_LIMITS_H

/**
 * limits_raise_files() - raise RLIMIT_NOFILE as far as we may
 * @want: descriptors that can be needed: one for each relay port and some
 *
 * Beyond the hard limit with the privilege. Logs when it stays below @want.
 */
void limits_raise_files(unsigned long want);

#endif /* _KTURND_LIMITS_H */
