// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Send a packet on many flows, for so many seconds, as fast as it goes.
 *
 *	blast SECONDS PROCESSES FLOWS FROM PORT TO PORT STEP <PACKET
 *
 * Flow n goes from FROM, PORT + n, to TO, PORT + n * STEP (IPv4). Each process
 * has its share of the flows, and a CPU of its own where there are so many.
 * Prints nothing.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Datagrams of a system call, all of one flow: it is the sender's bottleneck. */
#define BURST		32
#define FLOWS_MAX	4096
#define PROCESSES_MAX	64

static long to_number(const char *text, long min, long max)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < min || n > max) {
		fprintf(stderr, "blast: %s: not a number from %ld to %ld\n",
			text, min, max);
		exit(2);
	}
	return n;
}

static struct sockaddr_in to_address(const char *ip, long port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons((in_port_t)port) };

	if (port > 65535 || inet_pton(AF_INET, ip, &a.sin_addr) != 1) {
		fprintf(stderr, "blast: %s, port %ld: no such address\n", ip,
			port);
		exit(2);
	}
	return a;
}

static int flow(char **argv, long n)
{
	long from_port = to_number(argv[5], 1, 65535) + n;
	long to_port = to_number(argv[7], 1, 65535) +
		       n * to_number(argv[8], 0, 1);
	struct sockaddr_in from = to_address(argv[4], from_port);
	struct sockaddr_in to = to_address(argv[6], to_port);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof(from)) ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		perror("blast: socket");
		exit(1);
	}
	return fd;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Of each flow in turn; what has no room is not sent. */
static void send_all(const int *fds, long n, char *packet, size_t len,
		     double seconds)
{
	struct iovec iov = { .iov_base = packet, .iov_len = len };
	struct mmsghdr burst[BURST];
	double end = now() + seconds;
	long i = 0;

	memset(burst, 0, sizeof(burst));
	for (i = 0; i < BURST; i++) {
		burst[i].msg_hdr.msg_iov = &iov;
		burst[i].msg_hdr.msg_iovlen = 1;
	}
	while (now() < end)
		for (i = 0; i < n; i++)
			if (sendmmsg(fds[i], burst, BURST, MSG_DONTWAIT) < 0 &&
			    errno != EAGAIN && errno != ENOBUFS &&
			    errno != ECONNREFUSED) {
				perror("blast: send");
				exit(1);
			}
}

static void child(char **argv, long process, long processes, char *packet,
		  size_t len)
{
	long flows = to_number(argv[3], 1, FLOWS_MAX), n = 0, i;
	static int fds[FLOWS_MAX];
	cpu_set_t cpus;

	/* All may be on one, if there is no other. */
	CPU_ZERO(&cpus);
	CPU_SET((size_t)process, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	for (i = process; i < flows; i += processes)
		fds[n++] = flow(argv, i);
	if (n)
		send_all(fds, n, packet, len, to_number(argv[1], 1, 3600));
}

int main(int argc, char **argv)
{
	long processes, i;
	char packet[1472];
	int status, failed = 0;
	size_t len;

	if (argc != 9) {
		fprintf(stderr, "usage: blast SECONDS PROCESSES FLOWS "
			"FROM PORT TO PORT STEP <PACKET\n");
		return 2;
	}
	processes = to_number(argv[2], 1, PROCESSES_MAX);
	len = fread(packet, 1, sizeof(packet), stdin);
	for (i = 0; i < processes; i++) {
		switch (fork()) {
		case -1:
			perror("blast: fork");
			return 1;
		case 0:
			child(argv, i, processes, packet, len);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
