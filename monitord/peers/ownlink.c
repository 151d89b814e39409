/* Own link and gateway; see ownlink.h. Called by self.c. */
#include "ownlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

struct table {
	struct ownlink_route *v;
	size_t n, max;
};

/* One dump of the kernel: f sees each message. False when it did not come to its end. */
static bool dump(int fd, int type, int family, void (*f)(struct table *t, const struct nlmsghdr *h),
		 struct table *t)
{
	struct {
		struct nlmsghdr h;
		struct rtgenmsg g;
	} ask = {.h = {.nlmsg_len = NLMSG_LENGTH(sizeof(struct rtgenmsg)),
		       .nlmsg_type = (unsigned short)type,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		       .nlmsg_seq = (unsigned)type},
		 .g = {.rtgen_family = (unsigned char)family}};
	_Alignas(struct nlmsghdr) char buf[32768];
	if (send(fd, &ask, ask.h.nlmsg_len, 0) < 0)
		return false;
	for (;;) {
		ssize_t got = recv(fd, buf, sizeof buf, 0);
		if (got <= 0)
			return false;
		size_t len = (size_t)got;
		for (const struct nlmsghdr *h = (const struct nlmsghdr *)buf; NLMSG_OK(h, len);
		     h = NLMSG_NEXT(h, len)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return true;
			if (h->nlmsg_type == NLMSG_ERROR)
				return false;
			f(t, h);
		}
	}
}

static const void *attribute(const struct rtattr *a, size_t len, int type, size_t need)
{
	for (; RTA_OK(a, len); a = RTA_NEXT(a, len))
		if ((a->rta_type & NLA_TYPE_MASK) == type && RTA_PAYLOAD(a) >= need)
			return RTA_DATA(a);
	return NULL;
}

static size_t address_len(int family)
{
	return family == AF_INET ? 4 : 16;
}

static void take_route(struct table *t, const struct nlmsghdr *h)
{
	const struct rtmsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWROUTE || m->rtm_dst_len != 0 || m->rtm_table != RT_TABLE_MAIN ||
	    m->rtm_type != RTN_UNICAST || (m->rtm_family != AF_INET && m->rtm_family != AF_INET6) ||
	    t->n == t->max)
		return;
	const struct rtattr *first = RTM_RTA(m);
	size_t len = RTM_PAYLOAD(h);
	const void *gateway = attribute(first, len, RTA_GATEWAY, address_len(m->rtm_family));
	const int *oif = attribute(first, len, RTA_OIF, sizeof *oif);
	struct ownlink_route *r = &t->v[t->n++];
	if (!oif) { /* multipath: its members are not looked into, it counts as a way out */
		*r = (struct ownlink_route){.family = m->rtm_family, .ifname = "(several)", .up = true};
		return;
	}
	*r = (struct ownlink_route){
	    .family = m->rtm_family, .ifindex = *oif, .ifname = "?", .has_gateway = gateway != NULL};
	if (gateway)
		memcpy(r->gateway, gateway, address_len(m->rtm_family));
}

static void take_link(struct table *t, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWLINK)
		return;
	const char *name = attribute(IFLA_RTA(m), IFLA_PAYLOAD(h), IFLA_IFNAME, 1);
	for (size_t i = 0; i < t->n; i++) {
		struct ownlink_route *r = &t->v[i];
		if (r->ifindex != m->ifi_index)
			continue;
		snprintf(r->ifname, sizeof r->ifname, "%s", name ? name : "?");
		r->up = (m->ifi_flags & IFF_UP) && (m->ifi_flags & IFF_RUNNING);
	}
}

static void take_neighbour(struct table *t, const struct nlmsghdr *h)
{
	const struct ndmsg *m = NLMSG_DATA(h);
	if (h->nlmsg_type != RTM_NEWNEIGH || (m->ndm_family != AF_INET && m->ndm_family != AF_INET6))
		return;
	const struct rtattr *first = (const struct rtattr *)((const char *)m + NLMSG_ALIGN(sizeof *m));
	const void *dst = attribute(first, NLMSG_PAYLOAD(h, sizeof *m), NDA_DST, address_len(m->ndm_family));
	for (size_t i = 0; dst && i < t->n; i++) {
		struct ownlink_route *r = &t->v[i];
		if (r->has_gateway && r->family == m->ndm_family && r->ifindex == m->ndm_ifindex &&
		    memcmp(r->gateway, dst, address_len(r->family)) == 0)
			r->gateway_failed = (m->ndm_state & NUD_FAILED) != 0;
	}
}

int ownlink_read(struct ownlink_route *routes, size_t max)
{
	struct table t = {.v = routes, .max = max};
	/* the kernel answers at once; a limit all the same, for this is called from the loop */
	struct timeval limit = {.tv_usec = 200000};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	bool ok = dump(fd, RTM_GETROUTE, AF_UNSPEC, take_route, &t) &&
		  dump(fd, RTM_GETLINK, AF_UNSPEC, take_link, &t) &&
		  dump(fd, RTM_GETNEIGH, AF_UNSPEC, take_neighbour, &t);
	close(fd);
	return ok ? (int)t.n : -1;
}

bool ownlink_judge(const struct ownlink_route *routes, size_t n, char *text, size_t size)
{
	char gateway[INET6_ADDRSTRLEN] = "";
	if (n == 0) {
		snprintf(text, size, "no default route; own link is not judged");
		return true;
	}
	for (size_t i = 0; i < n; i++) {
		const struct ownlink_route *r = &routes[i];
		if (!r->up || r->gateway_failed)
			continue;
		if (r->has_gateway)
			inet_ntop(r->family, r->gateway, gateway, sizeof gateway);
		snprintf(text, size, "link %s is up%s%s", r->ifname, *gateway ? ", gateway " : "", gateway);
		return true;
	}
	const struct ownlink_route *r = &routes[0];
	if (r->has_gateway)
		inet_ntop(r->family, r->gateway, gateway, sizeof gateway);
	if (!r->up)
		snprintf(text, size,
			 "own link %s is down (no carrier): nothing beyond this host can be reached",
			 r->ifname);
	else
		snprintf(text, size, "own gateway %s on %s does not answer: nothing beyond it can be reached",
			 gateway, r->ifname);
	return false;
}
