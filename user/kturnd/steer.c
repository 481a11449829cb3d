// SPDX-License-Identifier: GPL-2.0-or-later
/* Which worker serves a client; see steer.h. */
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array_size.h>
#include "steer.h"

/*
 * h = seed; for each 32 bit word w of the address, then for the port, all in
 * host byte order: h = (h ^ w) * FACTOR; then the upper bits are folded in,
 * as a product's lower ones are poor. The programs below do the same.
 */
#define FACTOR	0x9e3779b1u
#define FOLD	15

static uint32_t mix(uint32_t h, uint32_t w)
{
	return (h ^ w) * FACTOR;
}

unsigned int steer_worker(const struct steer *s,
			  const struct kturn_addr *client)
{
	uint32_t h = s->seed;
	size_t i;

	for (i = 0; i < kturn_addr_len(client->family); i += 4)
		h = mix(h, kturn_get32(client->ip + i));
	h = mix(h, kturn_addr_port(client));
	return (h ^ h >> FOLD) % s->workers;
}

/* The program sees the UDP payload; negative offsets reach what is before. */
#define NET	((uint32_t)SKF_NET_OFF)

/* A = (A ^ seed) * FACTOR */
#define MIX_SEED(seed) \
	BPF_STMT(BPF_ALU | BPF_XOR | BPF_K, seed), \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, FACTOR)

/* A = (A ^ the 32 bits at @offset) * FACTOR */
#define MIX_WORD(offset) \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET + (offset)), \
	BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, FACTOR)

/* A = (A ^ M[0]) * FACTOR; fold; return A % workers */
#define MIX_PORT_AND_RETURN(workers) \
	BPF_STMT(BPF_LDX | BPF_MEM, 0), \
	BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), \
	BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, FACTOR), \
	BPF_STMT(BPF_MISC | BPF_TAX, 0), \
	BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, FOLD), \
	BPF_STMT(BPF_ALU | BPF_XOR | BPF_X, 0), \
	BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, workers), \
	BPF_STMT(BPF_RET | BPF_A, 0)

static int attach(int fd, struct sock_filter *code, size_t n)
{
	struct sock_fprog prog = { .len = (unsigned short)n, .filter = code };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &prog,
		       sizeof(prog)))
		return -errno;
	return 0;
}

static int attach_v4(const struct steer *s, int fd)
{
	struct sock_filter code[] = {
		/* The header's length is in its first byte; options are
		 * possible. The source port is first in the UDP header.
		 */
		BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, NET),
		BPF_STMT(BPF_LD | BPF_H | BPF_IND, NET),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET + 12),
		MIX_SEED(s->seed),
		MIX_PORT_AND_RETURN(s->workers),
	};

	return attach(fd, code, ARRAY_SIZE(code));
}

static int attach_v6(const struct steer *s, int fd)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, NET + 6),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_UDP, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, NET + 40),
		BPF_STMT(BPF_ST, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NET + 8),
		MIX_SEED(s->seed),
		MIX_WORD(12),
		MIX_WORD(16),
		MIX_WORD(20),
		MIX_PORT_AND_RETURN(s->workers),
	};

	return attach(fd, code, ARRAY_SIZE(code));
}

int steer_attach(const struct steer *s, uint8_t family, int fd)
{
	return family == KTURN_FAMILY_V4 ? attach_v4(s, fd) :
					   attach_v6(s, fd);
}
