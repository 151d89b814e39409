/*
 * c-ares behind one blocking call. Called by the probes that connect somewhere; promises to be back at
 * the deadline whatever the resolvers do, and to tell "no such name" from "nobody answered".
 */
#include "resolve.h"

#include <ares.h>
#include <arpa/inet.h>
#include <net/if.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "lib/clock.h"

enum {
	TRY_MS = 1500, /* c-ares doubles it for each round over the servers: two of them fit into 10 s */
	TRIES = 2
};

struct query {
	bool done;
	int status;
	struct net_addresses *out;
};

void resolve_global_init(void)
{
	ares_library_init(ARES_LIB_INIT_ALL);
}

void net_address_text(const struct net_address *a, char *out, size_t size)
{
	const void *bytes =
	    a->sa.any.sa_family == AF_INET ? (const void *)&a->sa.four.sin_addr : &a->sa.six.sin6_addr;

	if (!inet_ntop(a->sa.any.sa_family, bytes, out, (socklen_t)size) && size > 0)
		out[0] = '\0';
}

static void describe(struct net_address *a)
{
	char scope[IF_NAMESIZE] = "";
	uint32_t id;

	net_address_text(a, a->text, sizeof(a->text));
	id = a->sa.any.sa_family == AF_INET6 ? a->sa.six.sin6_scope_id : 0;
	if (id && if_indextoname(id, scope)) {
		strncat(a->text, "%", sizeof(a->text) - strlen(a->text) - 1);
		strncat(a->text, scope, sizeof(a->text) - strlen(a->text) - 1);
	}
}

static bool literal_four(const char *host, uint16_t port, struct net_address *out)
{
	if (inet_pton(AF_INET, host, &out->sa.four.sin_addr) != 1)
		return false;
	out->sa.four.sin_family = AF_INET;
	out->sa.four.sin_port = htons(port);
	out->len = sizeof(out->sa.four);
	return true;
}

/* "::1", "[::1]", "fe80::1%eth0" */
static bool literal_six(const char *host, uint16_t port, struct net_address *out)
{
	char copy[INET6_ADDRSTRLEN + IF_NAMESIZE + 3], *scope;
	size_t n = strlen(host);

	if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
		host++;
		n -= 2;
	}
	if (n >= sizeof(copy))
		return false;
	memcpy(copy, host, n);
	copy[n] = '\0';
	scope = strchr(copy, '%');
	if (scope)
		*scope++ = '\0';
	if (inet_pton(AF_INET6, copy, &out->sa.six.sin6_addr) != 1)
		return false;
	if (scope)
		out->sa.six.sin6_scope_id = if_nametoindex(scope);
	out->sa.six.sin6_family = AF_INET6;
	out->sa.six.sin6_port = htons(port);
	out->len = sizeof(out->sa.six);
	return true;
}

bool resolve_literal(const char *host, uint16_t port, struct net_address *out)
{
	struct net_address scrap;

	if (!out)
		out = &scrap;
	memset(out, 0, sizeof(*out));
	if (!literal_four(host, port, out) && !literal_six(host, port, out))
		return false;
	if (out != &scrap)
		describe(out);
	return true;
}

static bool unix_socket(const char *host, struct net_address *out, char *why, size_t size)
{
	memset(out, 0, sizeof(*out));
	if (strlen(host) > RESOLVE_PATH_MAX) {
		snprintf(why, size, "the path is too long for a socket");
		return false;
	}
	out->sa.path.sun_family = AF_UNIX;
	strncpy(out->sa.path.sun_path, host, RESOLVE_PATH_MAX);
	out->len = sizeof(out->sa.path);
	snprintf(out->text, sizeof(out->text), "%s", host);
	return true;
}

static void add_address(struct net_addresses *out, const struct ares_addrinfo_node *node)
{
	struct net_address *a = &out->v[out->n];
	size_t i;

	if (node->ai_addrlen > sizeof(a->sa))
		return;
	if (out->n == RESOLVE_MAX) {
		out->dropped++;
		return;
	}
	memset(a, 0, sizeof(*a));
	memcpy(&a->sa, node->ai_addr, node->ai_addrlen);
	a->len = node->ai_addrlen;
	/* the same address may stand in two files or two records */
	for (i = 0; i < out->n; i++)
		if (out->v[i].len == a->len && memcmp(&out->v[i].sa, &a->sa, a->len) == 0)
			return;
	describe(a);
	out->n++;
}

static void answered(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct query *q = arg;
	const struct ares_addrinfo_node *node;

	(void)timeouts;
	q->done = true;
	q->status = status;
	if (!info)
		return;
	for (node = info->nodes; node; node = node->ai_next)
		add_address(q->out, node);
	ares_freeaddrinfo(info);
}

/* Waits once for the channel's sockets, at most until the deadline, and lets c-ares work. */
static void turn(ares_channel channel, int64_t deadline)
{
	ares_socket_t socks[ARES_GETSOCK_MAXNUM];
	struct pollfd fds[ARES_GETSOCK_MAXNUM];
	/* unsigned: the library's own macros shift into the sign */
	unsigned bits = (unsigned)ares_getsock(channel, socks, ARES_GETSOCK_MAXNUM);
	int64_t left = deadline - clock_boot_ms();
	struct timeval tv, *next;
	nfds_t n = 0, i;

	for (i = 0; i < ARES_GETSOCK_MAXNUM; i++) {
		short want =
		    (bits >> i & 1 ? POLLIN : 0) | (bits >> (i + ARES_GETSOCK_MAXNUM) & 1 ? POLLOUT : 0);

		if (want)
			fds[n++] = (struct pollfd){.fd = socks[i], .events = want};
	}
	next = ares_timeout(channel, NULL, &tv);
	if (next && left > (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1)
		left = (int64_t)next->tv_sec * 1000 + next->tv_usec / 1000 + 1;
	if (left < 0)
		left = 0;
	poll(fds, n, (int)left);
	for (i = 0; i < n; i++)
		if (fds[i].revents)
			ares_process_fd(channel, (fds[i].revents & ~POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD,
					(fds[i].revents & POLLOUT) ? fds[i].fd : ARES_SOCKET_BAD);
	/* the time-outs */
	ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

static ares_channel open_channel(const char *servers, char *why, size_t size)
{
	struct ares_options opts = {.flags = ARES_FLAG_NOALIASES, .timeout = TRY_MS, .tries = TRIES};
	ares_channel channel = NULL;
	int rc = ares_init_options(&channel, &opts, ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (rc != ARES_SUCCESS) {
		snprintf(why, size, "the resolver library does not start: %s", ares_strerror(rc));
		return NULL;
	}
	rc = servers ? ares_set_servers_ports_csv(channel, servers) : ARES_SUCCESS;
	if (rc != ARES_SUCCESS) {
		snprintf(why, size, "bad list of name servers \"%s\": %s", servers, ares_strerror(rc));
		ares_destroy(channel);
		return NULL;
	}
	return channel;
}

static enum resolve_outcome judge(const struct query *q, char *why, size_t size)
{
	if (!q->done) {
		snprintf(why, size, "the resolver does not answer");
		return RESOLVE_NO_ANSWER;
	}
	switch (q->status) {
	case ARES_SUCCESS:
		if (q->out->n > 0)
			return RESOLVE_OK;
		/* fall through */
	case ARES_ENODATA:
		snprintf(why, size, "the name has no address");
		return RESOLVE_NO_NAME;
	case ARES_ENOTFOUND:
		snprintf(why, size, "no such name");
		return RESOLVE_NO_NAME;
	case ARES_EBADNAME:
		snprintf(why, size, "not a host name");
		return RESOLVE_NO_NAME;
	case ARES_ENOMEM:
		snprintf(why, size, "out of memory");
		return RESOLVE_LOCAL;
	case ARES_ETIMEOUT:
		snprintf(why, size, "the resolver does not answer");
		return RESOLVE_NO_ANSWER;
	case ARES_ECONNREFUSED:
		/* c-ares says so too when every server answered SERVFAIL or REFUSED */
		snprintf(why, size, "the resolver refuses or fails");
		return RESOLVE_NO_ANSWER;
	default:
		snprintf(why, size, "the resolver fails: %s", ares_strerror(q->status));
		return RESOLVE_NO_ANSWER;
	}
}

enum resolve_outcome resolve_host(const char *host, uint16_t port, int family, const char *servers,
				  int64_t deadline, struct net_addresses *out, char *why, size_t size)
{
	struct ares_addrinfo_hints hints = {
	    .ai_family = family, .ai_socktype = SOCK_STREAM, .ai_flags = ARES_AI_NUMERICSERV};
	struct query q = {.out = out};
	ares_channel channel;
	char service[8];

	out->n = out->dropped = 0;
	if (host[0] == '/') {
		out->n = unix_socket(host, &out->v[0], why, size);
		return out->n ? RESOLVE_OK : RESOLVE_NO_NAME;
	}
	if (resolve_literal(host, port, &out->v[0])) {
		out->n = family == AF_UNSPEC || family == out->v[0].sa.any.sa_family;
		if (!out->n)
			snprintf(why, size, "the address is of the other family");
		return out->n ? RESOLVE_OK : RESOLVE_NO_NAME;
	}
	channel = open_channel(servers, why, size);
	if (!channel)
		return RESOLVE_LOCAL;
	snprintf(service, sizeof(service), "%u", port);
	ares_getaddrinfo(channel, host, service, &hints, answered, &q);
	while (!q.done && clock_boot_ms() < deadline)
		turn(channel, deadline);
	if (q.done) {
		enum resolve_outcome outcome = judge(&q, why, size);

		ares_destroy(channel);
		return outcome;
	}
	/* ares_destroy calls back with ARES_EDESTRUCTION */
	ares_destroy(channel);
	q.done = false;
	return judge(&q, why, size);
}
