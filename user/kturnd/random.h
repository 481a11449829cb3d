/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The system's CSPRNG. */
#ifndef _KTURND_RANDOM_H
#define _KTURND_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/** random_bytes() - never fails: ends the program when there is no CSPRNG */
void random_bytes(void *buf, size_t len);

/** random_below() - uniform in 0 … @n - 1; @n is at least 1 */
uint32_t random_below(uint32_t n);

#endif /* _KTURND_RANDOM_H */
