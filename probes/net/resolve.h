/*
 * Names to addresses with a deadline: c-ares, on a channel of each call's own, so threads share nothing. A
 * literal address never touches a resolver.
 */
#ifndef PROBES_NET_RESOLVE_H
#define PROBES_NET_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
	RESOLVE_MAX = 16,
	RESOLVE_TEXT_MAX = 64,
	RESOLVE_PATH_MAX = sizeof(((struct sockaddr_un *)0)->sun_path) - 1
};

struct net_address {
	union {
		struct sockaddr any;
		struct sockaddr_in four;
		struct sockaddr_in6 six;
		struct sockaddr_un path;
	} sa;
	socklen_t len;
	char
	    text[RESOLVE_TEXT_MAX]; /* "192.0.2.1", "2001:db8::1", "fe80::1%eth0": without brackets or port; a path may be cut */
};

struct net_addresses {
	struct net_address v[RESOLVE_MAX]; /* in the order in which a connect should try them (RFC 6724) */
	size_t n;
	size_t dropped; /* beyond RESOLVE_MAX */
};

enum resolve_outcome {
	RESOLVE_OK,
	RESOLVE_NO_NAME,   /* an answer: there is no such name, or it has no address of this family */
	RESOLVE_NO_ANSWER, /* the resolver timed out, refused, or failed */
	RESOLVE_LOCAL	   /* no memory, bad server list */
};

/* Once per process, before threads. */
void resolve_global_init(void);

/* family: AF_INET, AF_INET6, AF_UNSPEC. servers: "192.0.2.53,[::1]:5353" or NULL for those of resolv.conf.
 * deadline: CLOCK_BOOTTIME ms. On failure why says it without a subject: "no such name". A literal in
 * brackets is a literal, an absolute path a unix socket, whatever family and port are. */
enum resolve_outcome resolve_host(const char *host, uint16_t port, int family, const char *servers,
				  int64_t deadline, struct net_addresses *out, char *why, size_t size);
/* True when host is an address and not a name (brackets and a scope allowed). out may be NULL. */
bool resolve_literal(const char *host, uint16_t port, struct net_address *out);
/* The address alone as text, without a scope. */
void net_address_text(const struct net_address *a, char *out, size_t size);

#endif
