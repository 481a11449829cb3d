// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send packets as fast as possible, and say how long each took.
 *
 *	flood FD WARM COUNT <PACKETS
 *
 * FD is a connected socket, inherited. PACKETS are sent in turn, COUNT of them
 * after WARM others; each has its length before it, 16 bits in host byte order.
 * Where the clock
 * counts instructions (selftests/vm/run --icount), and all that happens to a
 * packet happens before send() returns, the time is what a packet costs. COUNT is
 * sent in ROUNDS, of which what else the kernel does now and then disturbs a few.
 * Prints nanoseconds per packet of the round in the middle.
 */

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#define ROUNDS	5

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static char *read_all(size_t *len)
{
	size_t room = 1 << 16, n;
	char *data = NULL, *more;

	*len = 0;
	do {
		if (!data || *len == room) {
			room *= 2;
			more = realloc(data, room);
			if (!more) {
				free(data);
				return NULL;
			}
			data = more;
		}
		n = fread(data + *len, 1, room - *len, stdin);
		*len += n;
	} while (n);
	return data;
}

/* @at: where in @data it begins, and the next goes on */
static int flood(int fd, long count, const char *data, size_t len, size_t *at)
{
	uint16_t size;

	while (count--) {
		if (*at == len)
			*at = 0;
		memcpy(&size, data + *at, sizeof(size));
		*at += sizeof(size);
		/* An ICMP error for one before is of no interest. */
		if (send(fd, data + *at, size, 0) < 0 && errno != ECONNREFUSED)
			return -1;
		*at += size;
	}
	return 0;
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Are these packets, the last of them whole? */
static int valid(const char *data, size_t len)
{
	size_t at = 0;
	uint16_t size;

	while (len - at >= sizeof(size)) {
		memcpy(&size, data + at, sizeof(size));
		at += sizeof(size);
		if (size > len - at)
			return 0;
		at += size;
	}
	return len && at == len;
}

int main(int argc, char **argv)
{
	double begin, cost[ROUNDS];
	size_t len, at = 0;
	long warm, count;
	int i;
	char *data;
	int fd;

	if (argc != 4) {
		fprintf(stderr, "usage: flood FD WARM COUNT <PACKETS\n");
		return 2;
	}
	fd = atoi(argv[1]);
	warm = atol(argv[2]);
	count = atol(argv[3]);
	data = read_all(&len);
	if (!data || !valid(data, len) || warm < 0 || count < ROUNDS) {
		fprintf(stderr, "flood: no packets, or not so many\n");
		free(data);
		return 2;
	}
	/* Caches and routes are filled, memory is there. */
	if (flood(fd, warm, data, len, &at))
		goto fail;
	for (i = 0; i < ROUNDS; i++) {
		begin = now_ns();
		if (flood(fd, count / ROUNDS, data, len, &at))
			goto fail;
		cost[i] = (now_ns() - begin) / (count / ROUNDS);
	}
	qsort(cost, ROUNDS, sizeof(*cost), compare);
	printf("%.1f\n", cost[ROUNDS / 2]);
	free(data);
	return 0;
fail:
	perror("flood: send");
	free(data);
	return 1;
}
