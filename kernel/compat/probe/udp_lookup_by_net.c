// SPDX-License-Identifier: GPL-2.0
#include <net/udp.h>

struct sock *probe(struct net *net);
struct sock *probe(struct net *net)
{
	return __udp4_lib_lookup(net, 0, 0, 0, 0, 0, 0, NULL);
}
