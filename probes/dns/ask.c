/*
 * The only file of this room that waits. c-ares gets our own queries (ares_send), because its readers drop
 * what the probes are about: SERVFAIL, REFUSED and NXDOMAIN apart, the AD bit. One channel for each server
 * that was named, all of them waited for together.
 */
#include "ask.h"

#include <ares.h>
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "lib/clock.h"
#include "lib/config/opts.h"
#include "probes/net/resolve.h"

enum {
	TRIES = 3, /* each waits twice as long as the one before: 7 units in all */
	TRY_MIN_MS = 200,
	CHANNELS_MAX = 128,
	BURST = 40, /* questions sent before we look for answers: no receive buffer overflows */
	RECEIVE_BUFFER = 1 << 20
};

struct channel {
	char *servers; /* "": the default ones */
	ares_channel ares;
};

struct dns_net {
	struct channel v[CHANNELS_MAX];
	size_t n;
	int64_t limit_ms;
};

void dns_global_init(void)
{
	resolve_global_init();
}

static int server_count(ares_channel ares)
{
	struct ares_addr_port_node *list = NULL, *s;
	int n = 0;

	if (ares_get_servers_ports(ares, &list) == ARES_SUCCESS)
		for (s = list; s; s = s->next)
			n++;
	ares_free_data(list);
	return n > 0 ? n : 1;
}

static int start(ares_channel *ares, const char *servers, int try_ms)
{
	struct ares_options opts = {.flags = ARES_FLAG_NOCHECKRESP | ARES_FLAG_NOSEARCH |
					     ARES_FLAG_NOALIASES | ARES_FLAG_STAYOPEN | ARES_FLAG_EDNS,
				    .timeout = try_ms,
				    .tries = TRIES,
				    .ednspsz = DNS_UDP_MAX,
				    .socket_receive_buffer_size = RECEIVE_BUFFER};
	int rc = ares_init_options(ares, &opts,
				   ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
				       ARES_OPT_SOCK_RCVBUF);

	if (rc != ARES_SUCCESS || !*servers)
		return rc;
	rc = ares_set_servers_ports_csv(*ares, servers);
	if (rc != ARES_SUCCESS)
		ares_destroy(*ares);
	return rc;
}

/* The tries of all servers together fit into the limit. */
static int try_ms(int64_t limit_ms, int servers)
{
	int64_t ms = limit_ms / 7 / servers;

	return ms < TRY_MIN_MS ? TRY_MIN_MS : (int)ms;
}

static bool open_channel(struct dns_net *net, const char *servers, char *why, size_t size)
{
	struct channel *c = &net->v[net->n];
	int rc = net->n < CHANNELS_MAX ? start(&c->ares, servers, try_ms(net->limit_ms, 1)) : ARES_ENOMEM;
	int n;

	if (rc == ARES_SUCCESS && (n = server_count(c->ares)) > 1) {
		ares_destroy(c->ares);
		rc = start(&c->ares, servers, try_ms(net->limit_ms, n));
	}
	if (rc != ARES_SUCCESS) {
		snprintf(why, size,
			 *servers ? "cannot ask the server %s: %s"
				  : "the resolver library does not start%s: %s",
			 servers, ares_strerror(rc));
		return false;
	}
	c->servers = strdup(servers);
	if (!c->servers) {
		ares_destroy(c->ares);
		snprintf(why, size, "out of memory");
		return false;
	}
	net->n++;
	return true;
}

struct dns_net *dns_open(const char *servers, int64_t limit_ms, char *why, size_t size)
{
	struct dns_net *net = calloc(1, sizeof(*net));

	if (!net) {
		snprintf(why, size, "out of memory");
		return NULL;
	}
	net->limit_ms = limit_ms > 0 ? limit_ms : DNS_ANSWER_LIMIT_MS;
	if (open_channel(net, servers ? servers : "", why, size))
		return net;
	free(net);
	return NULL;
}

void dns_close(struct dns_net *net)
{
	if (!net)
		return;
	for (size_t i = 0; i < net->n; i++) {
		ares_destroy(net->v[i].ares);
		free(net->v[i].servers);
	}
	free(net);
}

size_t dns_servers(const struct dns_net *net, char out[][64], size_t max)
{
	struct ares_addr_port_node *list = NULL, *s;
	char text[INET6_ADDRSTRLEN];
	size_t n = 0;

	if (ares_get_servers_ports(net->v[0].ares, &list) != ARES_SUCCESS)
		return 0;
	for (s = list; s && n < max; s = s->next) {
		int port = s->udp_port ? s->udp_port : 53;

		if (inet_ntop(s->family, &s->addr, text, sizeof(text)))
			snprintf(out[n++], 64, s->family == AF_INET6 ? "[%s]:%d" : "%s:%d", text, port);
	}
	ares_free_data(list);
	return n;
}

/* The channel for a server, opened when it is new. NULL: ask has been answered why. */
static struct channel *channel_of(struct dns_net *net, struct dns_ask *ask)
{
	char why[DNS_WHY_MAX];

	if (!ask->server)
		return &net->v[0];
	for (size_t i = 1; i < net->n; i++)
		if (strcmp(net->v[i].servers, ask->server) == 0)
			return &net->v[i];
	if (open_channel(net, ask->server, why, sizeof(why)))
		return &net->v[net->n - 1];
	dns_answer_fail(&ask->answer, DNS_LOCAL, why);
	return NULL;
}

static void fail(struct dns_ask *ask, int status)
{
	switch (status) {
	case ARES_ECONNREFUSED:
		dns_answer_fail(&ask->answer, DNS_UNREACHABLE, "cannot be reached: connection refused");
		break;
	case ARES_ETIMEOUT:
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION:
		dns_answer_fail(&ask->answer, DNS_SILENT, "does not answer");
		break;
	default:
		dns_answer_fail(&ask->answer, DNS_LOCAL, ares_strerror(status));
		break;
	}
}

static void answered(void *arg, int status, int timeouts, unsigned char *bytes, int len)
{
	struct dns_ask *ask = arg;

	(void)timeouts;
	ask->done = true;
	ask->answer.us = clock_boot_us() - ask->since_us;
	if (bytes && len > 0)
		dns_answer_read(&ask->answer, bytes, (size_t)len, ask->name, ask->type);
	else
		fail(ask, status);
}

static void send_one(struct dns_net *net, struct dns_ask *ask)
{
	uint8_t query[DNS_QUERY_MAX];
	struct channel *c;
	uint16_t id = 0;
	size_t n;

	ask->since_us = clock_boot_us();
	ask->answer = (struct dns_answer){.outcome = DNS_SILENT};
	if (getrandom(&id, sizeof(id), 0) != sizeof(id))
		id = (uint16_t)ask->since_us;
	n = dns_query_build(query, id, ask->name, ask->type, ask->flags);
	c = n ? channel_of(net, ask) : NULL;
	ask->done = !c;
	if (!n)
		dns_answer_fail(&ask->answer, DNS_LOCAL, "not a domain name");
	else if (c)
		ares_send(c->ares, query, (int)n, answered, ask);
}

/* Adds a channel's sockets, and shortens *wait to when it must try again. */
static nfds_t gather(ares_channel ares, struct pollfd *fds, int *wait)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	/* unsigned: the library's own macros shift into the sign */
	unsigned bits = (unsigned)ares_getsock(ares, socks, ARES_GETSOCK_MAXNUM);
	struct timeval tv, *next;
	nfds_t n = 0;

	for (int i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short want = bits >> i & 1 ? POLLIN : 0;

		if (bits >> (i + ARES_GETSOCK_MAXNUM) & 1)
			want |= POLLOUT;
		if (want)
			fds[n++] = (struct pollfd){.fd = socks[i], .events = want};
	}
	next = n ? ares_timeout(ares, NULL, &tv) : NULL;
	if (next && next->tv_sec < 3600 && *wait > next->tv_sec * 1000 + next->tv_usec / 1000 + 1)
		*wait = (int)(next->tv_sec * 1000 + next->tv_usec / 1000 + 1);
	return n;
}

/* Waits at most wait ms and lets every channel work. */
static void turn(struct dns_net *net, struct pollfd *fds, int wait)
{
	nfds_t from[CHANNELS_MAX + 1], n = 0;

	for (size_t i = 0; i < net->n; i++) {
		from[i] = n;
		n += gather(net->v[i].ares, fds + n, &wait);
	}
	from[net->n] = n;
	poll(fds, n, wait);
	for (size_t i = 0; i < net->n; i++) {
		ares_channel ares = net->v[i].ares;

		for (nfds_t f = from[i]; f < from[i + 1]; f++)
			if (fds[f].revents)
				ares_process_fd(ares,
						(fds[f].revents & ~POLLOUT) ? fds[f].fd : ARES_SOCKET_BAD,
						(fds[f].revents & POLLOUT) ? fds[f].fd : ARES_SOCKET_BAD);
		/* the time-outs */
		ares_process_fd(ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	}
}

static bool all_done(const struct dns_ask *v, size_t n)
{
	while (n > 0 && v[n - 1].done)
		n--;
	return n == 0;
}

void dns_ask_all(struct dns_net *net, struct dns_ask *v, size_t n, int64_t deadline)
{
	/* every channel may need them all: named servers are few, and have two sockets each */
	struct pollfd *fds = calloc(CHANNELS_MAX * ARES_GETSOCK_MAXNUM, sizeof(*fds));
	int64_t end = clock_boot_ms() + net->limit_ms, left;

	for (size_t i = 0; i < n; i++) {
		if (fds)
			send_one(net, &v[i]);
		else
			dns_answer_fail(&v[i].answer, DNS_LOCAL, "out of memory");
		if (fds && i % BURST == BURST - 1)
			turn(net, fds, 1);
	}
	if (end > deadline)
		end = deadline;
	while (fds && !all_done(v, n) && (left = end - clock_boot_ms()) > 0)
		turn(net, fds, left > 1000 ? 1000 : (int)left);
	/* what is still open is called back: cancelled */
	for (size_t i = 0; fds && i < net->n && !all_done(v, n); i++)
		ares_cancel(net->v[i].ares);
	free(fds);
}

void dns_asks_fini(struct dns_ask *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dns_answer_fini(&v[i].answer);
}

/* "192.0.2.1", "192.0.2.1:53", "::1", "[::1]:53" */
static bool server_ok(const char *s)
{
	struct net_address a;
	char host[64];
	const char *colon = strrchr(s, ':');
	char *end;
	long port;

	if (resolve_literal(s, 53, &a))
		return true;
	if (!colon || (size_t)(colon - s) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - s), s);
	port = strtol(colon + 1, &end, 10);
	return colon[1] && !*end && port > 0 && port < 65536 && resolve_literal(host, 53, &a) &&
	       (a.sa.any.sa_family == AF_INET || host[0] == '[');
}

void dns_servers_check(const struct opt_list *list, const char *item, struct complaints *c)
{
	for (size_t i = 0; i < list->n; i++)
		if (i >= DNS_SERVERS_MAX || !server_ok(list->v[i]))
			complaint_add(c, NULL, item, list->v[i], "%s",
				      i >= DNS_SERVERS_MAX
					  ? "at most 16 servers"
					  : "must be ADDRESS or ADDRESS:PORT, IPv6 with a port as [::1]:53");
}

const char *dns_servers_join(const struct opt_list *list, char *out, size_t size)
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < list->n && n < size; i++)
		n += (size_t)snprintf(out + n, size - n, "%s%s", i ? "," : "", list->v[i]);
	return out;
}
