/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which worker serves a client: a function of the client's address and port,
 * in C here and as a BPF program that the kernel runs to choose among the
 * SO_REUSEPORT sockets of a listening address. Its own choice would be a
 * secret hash.
 */
#ifndef _KTURND_STEER_H
#define _KTURND_STEER_H

#include <stdint.h>
#include <kturn/wire.h>

/**
 * struct steer - the function's constants
 * @seed: random, so that nobody can aim all clients at one worker
 * @workers: how many there are, at least 1
 */
struct steer {
	uint32_t seed;
	uint32_t workers;
};

/** steer_worker() - the worker that serves @client */
unsigned int steer_worker(const struct steer *s,
			  const struct kturn_addr *client);

/**
 * steer_attach() - tell the kernel
 * @s: the function
 * @family: of the socket, enum kturn_family
 * @fd: first socket of its SO_REUSEPORT group, not bound yet; worker n's
 *	must be the nth to be bound
 *
 * What the program can't tell (IPv6 extension headers) goes to worker 0;
 * whoever receives a datagram must look whether it is his.
 *
 * Return: 0 or a negative errno.
 */
int steer_attach(const struct steer *s, uint8_t family, int fd);

#endif /* _KTURND_STEER_H */
