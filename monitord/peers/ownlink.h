/*
 * Own link and default gateway, from the kernel's tables (rtnetlink); nothing is sent. The reading is
 * apart from the judging, which is pure: a host without a default route is fine (it may not need one); with
 * some, all is well while one of them has a carrier and a gateway that is not known to be dead.
 */
#ifndef MONITORD_PEERS_OWNLINK_H
#define MONITORD_PEERS_OWNLINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

enum { OWNLINK_ROUTES_MAX = 16 };

struct ownlink_route {
	int family; /* AF_INET, AF_INET6 */
	int ifindex;
	char ifname[IF_NAMESIZE];
	bool up;	  /* the interface is up and has a carrier */
	bool has_gateway; /* false: the link itself is the way (ppp, wireguard) */
	unsigned char gateway[16];
	bool gateway_failed; /* the kernel asked for its address and got no answer (NUD_FAILED) */
};

/* All default routes of the main table, at most max. -1: the kernel does not tell. */
int ownlink_read(struct ownlink_route *routes, size_t max);
/* False when there is no way out; text for people in both cases. */
bool ownlink_judge(const struct ownlink_route *routes, size_t n, char *text, size_t size);

#endif
