/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * net.ipv4.ip_local_reserved_ports: keeps the kernel from giving a relay port
 * to a program that asks for any port, while the daemon is away.
 */
#ifndef _KTURND_RESERVED_PORTS_H
#define _KTURND_RESERVED_PORTS_H

#include <stddef.h>
#include <stdint.h>

#define RESERVED_PORTS_SYSCTL	"/proc/sys/net/ipv4/ip_local_reserved_ports"

/**
 * reserved_ports_add() - reserve @min … @max beside what is reserved already
 * @sysctl: RESERVED_PORTS_SYSCTL
 * @saved: file that keeps which ports were added, for a successor; or NULL
 * @min: first port
 * @max: last port
 *
 * Return: 0 or a negative errno.
 */
int reserved_ports_add(const char *sysctl, const char *saved, uint16_t min,
		       uint16_t max);

/** reserved_ports_remove() - take out what was added, leave the rest */
int reserved_ports_remove(const char *sysctl, const char *saved);

#endif /* _KTURND_RESERVED_PORTS_H */
